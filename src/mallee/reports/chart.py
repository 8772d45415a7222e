"""Line charts as inline SVG: quiet axes with units, limits as dashed lines, numbered events.

Colours are CSS classes, so that one picture serves a light and a dark page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.reports.scale import (
    Axis,
    clock,
    decades,
    number,
    prefix_for,
    round_steps,
    step_label,
    time_steps,
)
from mallee.reports.thin import thin

WIDTH: Final = 1080
LEFT: Final = 62
RIGHT: Final = 16
TOP: Final = 14
BOTTOM: Final = 30
POINTS_MAX: Final = 1600
LABEL_GAP: Final = 14.0
LETTER: Final = 6.2
"""Mean width of a letter of the labels."""
LANES_MAX: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One series.

    Attributes:
        style: CSS class that colours it.
        x, y: its points; NaN leaves a gap.  # (points,)
    """

    name: str
    style: str
    x: FloatArray
    y: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A limit: a dashed line over the whole width."""

    name: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A shaded range of the horizontal axis."""

    name: str
    low: float
    high: float
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What to draw.

    Attributes:
        unit: of the vertical axis; ``W`` and ``W/√Hz`` get a prefix that keeps numbers short.
        marks: times of vertical ticks, and what stands above each, such as the number of an event.
        bands: shaded ranges, named where there is room.
        spectrum: both axes logarithmic, frequency below; otherwise time below.
        floor: the vertical axis reaches at least down to this; None leaves it to the data.
    """

    title: str
    unit: str
    lines: Sequence[Line]
    levels: Sequence[Level] = ()
    bands: Sequence[Band] = ()
    marks: Sequence[tuple[float, str]] = ()
    height: int = 230
    spectrum: bool = False
    floor: float | None = None
    ceiling: float | None = None


def draw(chart: Chart) -> str:
    """The chart as a ``<figure>`` with its title and key."""
    divisor, unit = _unit(chart)
    x_axis, y_axis = _axes(chart, divisor)
    inside = [
        *_bands(chart, x_axis),
        *(_log_grid(x_axis, y_axis, chart) if chart.spectrum else _grid(x_axis, y_axis, chart)),
        *_marks(chart, x_axis),
        *_levels(chart, y_axis, divisor),
        *(_path(line, x_axis, y_axis, divisor) for line in chart.lines),
    ]
    key = "".join(
        f'<span class="key"><i class="swatch {line.style}"></i>{escape(line.name)}</span>'
        for line in chart.lines
    )
    return (
        f"<figure><figcaption><b>{escape(chart.title)}</b><span class='unit'>{escape(unit)}</span>"
        f"<span class='keys'>{key}</span></figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {chart.height}" role="img" aria-label="{escape(chart.title)}">'
        f"{''.join(inside)}</svg></figure>"
    )


def _unit(chart: Chart) -> tuple[float, str]:
    if not chart.unit.startswith("W"):
        return 1.0, chart.unit
    peaks = [float(np.nanmax(np.abs(line.y))) for line in chart.lines if np.isfinite(line.y).any()]
    divisor, prefix = prefix_for(max(peaks, default=0.0))
    return divisor, prefix + chart.unit


def _axes(chart: Chart, divisor: float) -> tuple[Axis, Axis]:
    x = np.concatenate([line.x for line in chart.lines])
    y = np.concatenate([line.y for line in chart.lines]) / divisor
    y = y[np.isfinite(y)] if np.isfinite(y).any() else np.array([0.0, 1.0])
    bottom, right = chart.height - BOTTOM, WIDTH - RIGHT
    if chart.spectrum:
        top = 10.0 ** np.ceil(np.log10(max(float(y.max()), 1e-9)))
        return (
            Axis(float(x.min()), float(x.max()), LEFT, right, logarithmic=True),
            Axis(top / 1e5, top, bottom, TOP, logarithmic=True),
        )
    values = [float(y.min()), float(y.max()), *(level.value / divisor for level in chart.levels)]
    if chart.floor is not None:
        values.append(chart.floor)
    if chart.ceiling is not None:
        values.append(chart.ceiling)
    steps = round_steps(min(values), max(values))
    return (
        Axis(float(x.min()), max(float(x.max()), float(x.min()) + 1.0), LEFT, right),
        Axis(steps[0], steps[-1], bottom, TOP, steps=tuple(steps)),
    )


def _grid(x_axis: Axis, y_axis: Axis, chart: Chart) -> list[str]:
    parts = []
    step = y_axis.steps[1] - y_axis.steps[0] if len(y_axis.steps) > 1 else 1.0
    for value in y_axis.steps:
        y = y_axis.at(value)
        style = "zero" if value == 0.0 else "rule"
        parts.append(_rule(style, LEFT, y, WIDTH - RIGHT, y))
        parts.append(_text(step_label(value, step), LEFT - 8, y + 4, "end"))
    bottom = chart.height - BOTTOM
    for value in time_steps(x_axis.low, x_axis.high):
        x = x_axis.at(value)
        parts.append(_rule("tick", x, bottom, x, bottom + 4))
        parts.append(_text(clock(value), x, bottom + 18, "middle"))
    return parts


def _log_grid(x_axis: Axis, y_axis: Axis, chart: Chart) -> list[str]:
    parts, bottom = [], chart.height - BOTTOM
    for value in decades(y_axis.low, y_axis.high):
        y = y_axis.at(value)
        parts.append(_rule("rule", LEFT, y, WIDTH - RIGHT, y))
        parts.append(_text(f"{value:g}", LEFT - 8, y + 4, "end"))
    for decade in [decades(x_axis.low, x_axis.high)[0] / 10.0, *decades(x_axis.low, x_axis.high)]:
        for part in (1, 2, 5):
            value = decade * part
            if x_axis.low <= value <= x_axis.high:
                x = x_axis.at(value)
                parts.append(_rule("tick", x, bottom, x, bottom + 4))
                parts.append(_text(f"{value:g} Hz", x, bottom + 18, "middle"))
    return parts


def _bands(chart: Chart, x_axis: Axis) -> list[str]:
    """Shaded ranges; names stand one below another where they would run into each other."""
    parts, lanes = [], [-1e9] * LANES_MAX
    height = chart.height - BOTTOM - TOP
    for band in chart.bands:
        low, high = x_axis.at(band.low), x_axis.at(band.high)
        parts.append(
            f'<rect class="{band.style}" x="{low:.1f}" y="{TOP}"'
            f' width="{max(high - low, 1.0):.1f}" height="{height}">'
            f"<title>{escape(band.name)}</title></rect>"
        )
        width = LETTER * len(band.name)
        at = min(low + 4, WIDTH - RIGHT - width)
        lane = next((n for n, taken in enumerate(lanes) if taken < at), None)
        if lane is not None:
            lanes[lane] = at + width + 8
            parts.append(_text(band.name, at, TOP + 26 + 14 * lane, "start", "band-text"))
    return parts


def _marks(chart: Chart, x_axis: Axis) -> list[str]:
    """Ticks of events; where many stand close together only the first is named."""
    parts, taken = [], -1e9
    drawn: set[float] = set()
    for time, name in chart.marks:
        if not x_axis.low <= time <= x_axis.high:
            continue
        x = round(x_axis.at(time), 1)
        if x not in drawn:
            drawn.add(x)
            parts.append(_rule("event", x, TOP, x, chart.height - BOTTOM))
        if name and x > taken:
            parts.append(_text(name, x, TOP - 3, "middle", "mark-text"))
            taken = x + 7.0 * len(name)
    return parts


def _levels(chart: Chart, y_axis: Axis, divisor: float) -> list[str]:
    parts = []
    for level in chart.levels:
        y = y_axis.at(level.value / divisor)
        parts.append(_rule("limit", LEFT, y, WIDTH - RIGHT, y))
        above = y - 5 if y > TOP + LABEL_GAP and level.value >= 0.0 else y + LABEL_GAP
        label = f"{level.name} {number(level.value / divisor)}"
        parts.append(_text(label, WIDTH - RIGHT - 4, above, "end", "limit-text"))
    return parts


def _path(line: Line, x_axis: Axis, y_axis: Axis, divisor: float) -> str:
    x, y = thin(line.x, line.y / divisor, POINTS_MAX)
    places = zip(x_axis.place(x).tolist(), y_axis.place(y).tolist(), strict=True)
    steps, pen_down = [], False
    for px, py in places:
        if py != py:  # a gap
            pen_down = False
            continue
        steps.append(f"{'L' if pen_down else 'M'}{px:.1f} {py:.1f}")
        pen_down = True
    return f'<path class="line {line.style}" d="{"".join(steps)}"/>'


def _rule(style: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(text: str, x: float, y: float, anchor: str, style: str = "label") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{style}" {place}>{escape(text)}</text>'
