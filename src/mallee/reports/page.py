"""A report as one HTML file: a verdict, key figures, charts, tables. No script, no other file."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from mallee.reports.chart import Chart, draw
from mallee.reports.style import STYLE

ROWS_MAX: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with a title.

    Attributes:
        rows: cells as text; of more than `ROWS_MAX` the rest is counted.
        texts: columns aligned to the left; the others hold numbers.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: Sequence[int] = (0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a report holds.

    Attributes:
        title: of the page and its first line; `note` stands below it.
        held: whether the verdict is good.
        verdict: its headline, then a line for each thing that was broken.
        tiles: names and values of what matters most.
        parts: charts and tables in their order.
    """

    title: str
    note: str
    held: bool
    verdict: Sequence[str]
    tiles: Sequence[tuple[str, str]]
    parts: Sequence[Chart | Table]


def write_page(path: Path, page: Page) -> None:
    """Write a report.

    Raises:
        OSError: the file cannot be written.
    """
    path.write_text(render(page), encoding="utf-8")


def render(page: Page) -> str:
    """The report as text."""
    body = [
        f"<header><h1>{escape(page.title)}</h1><p>{escape(page.note)}</p></header>",
        _verdict(page),
        _tiles(page),
        *(draw(part) if isinstance(part, Chart) else _table(part) for part in page.parts),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(page.title)}</title><style>{STYLE}</style></head>\n"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _verdict(page: Page) -> str:
    style, word = ("held", "Held") if page.held else ("broken", "Broken")
    headline, *lines = page.verdict
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    below = f"<ul>{items}</ul>" if items else ""
    return f"<section class='verdict {style}'><b>{word}</b>{escape(headline)}{below}</section>"


def _tiles(page: Page) -> str:
    cells = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in page.tiles
    )
    return f"<dl class='tiles'>{cells}</dl>"


def _table(table: Table) -> str:
    def cell(tag: str, column: int, text: str) -> str:
        style = "" if column in table.texts else " class='number'"
        return f"<{tag}{style}>{escape(text)}</{tag}>"

    shown = list(table.rows[:ROWS_MAX])
    if len(table.rows) > len(shown):
        blank = [""] * (len(table.heads) - 1)
        shown.append([f"and {len(table.rows) - len(shown)} more", *blank])
    head = "".join(cell("th", column, text) for column, text in enumerate(table.heads))
    body = "".join(
        "<tr>" + "".join(cell("td", column, text) for column, text in enumerate(row)) + "</tr>"
        for row in shown
    )
    if not shown:
        return f"<section><h2>{escape(table.title)}</h2><p>None.</p></section>"
    return (
        f"<section><h2>{escape(table.title)}</h2><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></section>"
    )
