"""Axes: round steps, units that fit, times as people write them, positions on the page."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.units import UNITS

_PREFIXES: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_PREFIXED: Final = ("w", "va", "var", "wh", "w_per_s")
_TIME_STEPS_S: Final = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
    172800, 604800, 2592000,
)  # fmt: skip


def prefix_for(largest: float) -> tuple[float, str]:
    """Divisor and SI prefix for values up to `largest`, so that numbers stay short."""
    for divisor, letter in _PREFIXES:
        if largest >= divisor:
            return divisor, letter
    return 1.0, ""


def round_steps(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round values that cover ``low..high``: steps of 1, 2, 2.5 or 5."""
    span = max(high - low, 1e-3 * max(abs(low), abs(high), 1.0))
    raw = span / count
    base = 10.0 ** math.floor(math.log10(raw))
    step = next(base * m for m in (1.0, 2.0, 2.5, 5.0, 10.0) if base * m >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 10) for n in range(first, max(last, first + 1) + 1)]


def time_steps(first_s: float, last_s: float, count: int = 8) -> list[float]:
    """About `count` round times within ``first_s..last_s``."""
    wanted_s = (last_s - first_s) / count
    step_s = next((s for s in _TIME_STEPS_S if s >= wanted_s), _TIME_STEPS_S[-1])
    begin = math.ceil(first_s / step_s - 1e-9)
    return [float(n * step_s) for n in range(begin, math.floor(last_s / step_s + 1e-9) + 1)]


def decades(low: float, high: float) -> list[float]:
    """Powers of ten within ``low..high``, both positive."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    return [10.0**n for n in range(first, last + 1)]


def clock(time_s: float) -> str:
    """A run time as people write it: ``45 s``, ``12:30``, ``3:05:00``, ``2 d 06:00``."""
    whole = round(time_s)
    if whole < 60:
        return f"{time_s:g} s"
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours == 0:
        return f"{minutes}:{seconds:02d}"
    if hours < 48:
        return f"{hours}:{minutes:02d}:{seconds:02d}"
    return f"{hours // 24} d {hours % 24:02d}:{minutes:02d}"


def step_label(value: float, step: float) -> str:
    """A value on an axis marked every `step`: as many decimals as tell the marks apart."""
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0.0 else 0
    if step * 10.0**digits % 1.0 > 1e-6:  # steps of 2.5
        digits += 1
    text = f"{value:.{digits}f}"
    return ("0" if float(text) == 0.0 else text).replace("-", "\N{MINUS SIGN}")


def quantity(value: float, unit: str) -> str:
    """A value with its unit as people write it: ``1.55 MW``, ``68.6 kWh``, ``59.9 %``, ``12:30``.

    Args:
        unit: a suffix of `core.units.UNITS`; a `frac` is shown in percent, seconds as a clock.
    """
    if not math.isfinite(value):
        return "\N{EN DASH}"
    if unit == "s":
        return clock(value)
    if unit == "frac":
        return f"{number(100.0 * value)} %"
    symbol = UNITS[unit].symbol if unit in UNITS else unit
    if unit in _PREFIXED:
        divisor, prefix = prefix_for(abs(value))
        return f"{number(value / divisor)} {prefix}{symbol}"
    return f"{number(value)} {symbol}".rstrip()


def number(value: float) -> str:
    """A number with three or four significant digits and a real minus sign."""
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2
    text = f"{value:.{digits}f}" if size >= 0.01 or size == 0.0 else f"{value:.2g}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return ("0" if text == "-0" else text).replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True, slots=True)
class Axis:
    """Values onto the page.

    Attributes:
        low, high: ends of the axis, in the values' unit; positive where logarithmic.
        start, end: their positions on the page, in pixels.
        steps: where the axis is marked.
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False
    steps: tuple[float, ...] = ()

    def place(self, values: FloatArray) -> FloatArray:
        """Positions of values, those outside held at the ends."""
        held = np.clip(values, self.low, self.high)
        if self.logarithmic:
            part = np.log(held / self.low) / math.log(self.high / self.low)
        else:
            part = (held - self.low) / (self.high - self.low)
        return np.asarray(self.start + part * (self.end - self.start))

    def at(self, value: float) -> float:
        """Position of one value."""
        return float(self.place(np.array([value]))[0])
