"""WCAG 2.2 AA contrast of every pair of ink and ground that the pages use, in both themes."""

import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web/src"
TEXT_MIN, GRAPHIC_MIN = 4.5, 3.0
GROUNDS = ("page", "panel", "inset")
TEXTS = ("ink", "ink-soft", "ink-stale", "p1", "p2", "p3", "manual")
GRAPHICS = ("conductor", "fill", "mark", "focus", "p1", "p2", "p3")


def themes() -> dict[str, dict[str, str]]:
    css = (WEB / "app.css").read_text("utf-8")
    blocks = re.findall(r':root\[data-theme="(\w+)"\] \{(.*?)\n\}', css, re.DOTALL)
    return {name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", body)) for name, body in blocks}


def luminance(colour: str) -> float:
    """Relative luminance of sRGB, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_readable_on_every_ground(theme: str) -> None:
    colours = themes()[theme]
    pairs = [(text, ground) for text in TEXTS for ground in GROUNDS] + [("p1", "p1-ground")]
    poor = {
        pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2)
        for pair in pairs
        if contrast(colours[pair[0]], colours[pair[1]]) < TEXT_MIN
    }
    assert poor == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_and_bars_can_be_told_from_what_is_behind_them(theme: str) -> None:
    colours = themes()[theme]
    poor = {
        (ink, ground): round(contrast(colours[ink], colours[ground]), 2)
        for ink in GRAPHICS
        for ground in ("panel", "inset")
        if contrast(colours[ink], colours[ground]) < GRAPHIC_MIN
    }
    assert poor == {}


def test_both_themes_name_the_same_colours() -> None:
    assert set(themes()) == {"light", "dark"}
    assert set(themes()["light"]) == set(themes()["dark"])


def test_components_use_no_colours_of_their_own() -> None:
    own = {
        path.name: found
        for path in sorted(WEB.rglob("*.svelte"))
        if (found := re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;\s)])|rgba?\(", path.read_text("utf-8")))
    }
    assert own == {}


def test_pages_load_nothing_from_elsewhere() -> None:
    sources = [*sorted(WEB.rglob("*.*")), WEB.parent / "index.html"]
    for path in sources:
        addresses = re.findall(r"(?:https?:)?//[\w-]+\.[\w.-]+", path.read_text("utf-8"))
        assert addresses == [], path.name
