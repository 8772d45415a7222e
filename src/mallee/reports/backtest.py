"""A backtest as one HTML page: what each way of running the battery would have cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError
from mallee.reports.chart import Chart, Line, draw
from mallee.reports.style import STYLE

STYLES: Final = ("load", "grid", "battery", "chargers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to run the site.

    Attributes:
        meter_w: import of each five minutes.
        soc: state of charge after each; empty for none.
        cost: of the whole time; by bill line in `lines` as name and amount.
    """

    name: str
    meter_w: FloatArray
    soc: FloatArray
    cost: float
    lines: Sequence[tuple[str, float]]


def write_backtest_report(
    path: Path, site: str, note: str, ways: Sequence[Way], figures: Mapping[str, float]
) -> None:
    """Write the page.

    Raises:
        ConfigError: the file cannot be written.
    """
    try:
        path.write_text(render_backtest(site, note, ways, figures), encoding="utf-8")
    except OSError as error:
        raise ConfigError(str(path), f"cannot be written: {error.strerror}") from None


def render_backtest(site: str, note: str, ways: Sequence[Way], figures: Mapping[str, float]) -> str:
    """The page as text; the first way is the one without plans."""
    seconds = 300.0 * np.arange(1, len(ways[0].meter_w) + 1, dtype=np.float64)
    meters = [
        Line(name=way.name, style=style, x=seconds, y=way.meter_w)
        for way, style in zip(ways, STYLES, strict=False)
    ]
    charges = [
        Line(name=way.name, style=style, x=seconds, y=100.0 * way.soc)
        for way, style in zip(ways, STYLES, strict=False)
        if way.soc.size
    ]
    charts = [Chart(title="Import at the meter", unit="W", lines=meters, floor=0.0)]
    if charges:
        charts.append(Chart(title="State of charge", unit="%", lines=charges, floor=0.0))
    nothing = ways[0].cost
    heads = ["", "cost", "saved", *(name for name, _ in ways[0].lines)]
    rows = [
        [
            way.name,
            f"{way.cost:,.0f}",
            f"{nothing - way.cost:,.0f}",
            *(f"{amount:,.0f}" for _, amount in way.lines),
        ]
        for way in ways
    ]
    known = [[name, f"{value:,.6g}"] for name, value in figures.items()]
    body = [
        f"<header><h1>{escape(site)}: backtest</h1><p>{escape(note)}</p></header>",
        _table("Cost", heads, rows),
        *(draw(chart) for chart in charts),
        _table("Key figures", ["figure", "value"], known),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(site)}: backtest</title><style>{STYLE}</style></head>\n"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join(
        "<tr>" + "".join(f"<td class='number'>{escape(text)}</td>" for text in row) + "</tr>"
        for row in rows
    )
    return (
        f"<section><h2>{escape(title)}</h2><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></section>"
    )
