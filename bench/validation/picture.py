"""Small line pictures as standalone SVG, readable on light and dark pages."""

import math
from html import escape
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from validation.case import Curve, Picture

WIDTH: Final = 760
HEIGHT: Final = 300
LEFT: Final = 64
RIGHT: Final = 16
TOP: Final = 34
BOTTOM: Final = 44
COLOURS: Final = ("#2f7ed8", "#d9822b", "#3aa657", "#9b59b6", "#c0392b", "#7f8c8d")
INK: Final = "#808080"
POINTS_MAX: Final = 900


class Scale:
    """From values to pixels along one axis."""

    def __init__(self, values: FloatArray, start: float, end: float, has_log: bool) -> None:
        finite = values[np.isfinite(values)]
        self.has_log = has_log
        if has_log:
            finite = np.log10(finite[finite > 0.0])
        self.low, self.high = float(finite.min()), float(finite.max())
        if self.high - self.low < 1e-12:
            self.low, self.high = self.low - 0.5, self.high + 0.5
        self.start, self.end = start, end

    def ticks(self) -> list[tuple[float, str]]:
        """Round values inside the axis, with their text."""
        if self.has_log:
            decades = range(math.floor(self.low), math.ceil(self.high) + 1)
            inside = [10.0**d for d in decades if self.low - 0.01 <= d <= self.high + 0.01]
            return [(value, f"{value:g}") for value in inside]
        raw = (self.high - self.low) / 5.0
        size = 10.0 ** math.floor(math.log10(raw))
        step = next(size * k for k in (1.0, 2.0, 5.0, 10.0) if size * k >= raw)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [(k * step, f"{k * step:g}") for k in range(first, last + 1)]

    def at(self, values: FloatArray) -> FloatArray:
        """Pixels of values."""
        known = np.log10(np.maximum(values, 1e-300)) if self.has_log else values
        part = (known - self.low) / (self.high - self.low)
        return np.asarray(self.start + part * (self.end - self.start))


def draw(picture: Picture) -> str:
    """The picture as a complete SVG file."""
    x = Scale(np.concatenate([c.x for c in picture.curves]), LEFT, WIDTH - RIGHT, picture.has_log_x)
    y = Scale(
        np.concatenate([c.y for c in picture.curves]), HEIGHT - BOTTOM, TOP, picture.has_log_y
    )
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(picture.title)}" font-family="system-ui, sans-serif" '
            f'font-size="12" fill="{INK}">'
        ),
        *_grid(x, y),
        (
            f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 6}" text-anchor="middle">'
            f"{escape(picture.x_label)}</text>"
        ),
        f'<text x="{LEFT}" y="14">{escape(picture.y_label)}</text>',
    ]
    named = [curve for curve in picture.curves if curve.name]
    colours = {curve.name: COLOURS[k % len(COLOURS)] for k, curve in enumerate(named)}
    parts += [_curve(curve, x, y, colours.get(curve.name, INK)) for curve in picture.curves]
    key_x = WIDTH - RIGHT
    for name, colour in reversed(colours.items()):
        key_x -= 7 * len(name) + 18
        parts.append(
            f'<rect x="{key_x}" y="6" width="10" height="10" fill="{colour}"/>'
            f'<text x="{key_x + 14}" y="15">{escape(name)}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def _grid(x: Scale, y: Scale) -> list[str]:
    lines = []
    for value, text in x.ticks():
        at = float(x.at(np.array([value]))[0])
        lines.append(
            f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="{INK}" stroke-opacity=".25"/>'
            f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{text}</text>'
        )
    for value, text in y.ticks():
        at = float(y.at(np.array([value]))[0])
        lines.append(
            f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="{INK}" stroke-opacity=".25"/>'
            f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{text}</text>'
        )
    return lines


def _curve(curve: Curve, x: Scale, y: Scale, colour: str) -> str:
    every = max(1, len(curve.x) // POINTS_MAX)
    pairs = zip(x.at(curve.x[::every]), y.at(curve.y[::every]), strict=True)
    places = [f"{a:.1f},{b:.1f}" for a, b in pairs]
    if curve.has_marks:
        marks = (place.split(",") for place in places)
        return "".join(f'<circle cx="{a}" cy="{b}" r="3.5" fill="{colour}"/>' for a, b in marks)
    points = " ".join(places)
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
