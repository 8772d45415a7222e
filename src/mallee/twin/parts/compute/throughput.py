"""How much work is left under a power cap: measured tables by class of workload.

`training` is the mean of power-bound jobs in the Zeus traces (V100, A40, RTX 6000); the others are
the sweep over 256 A100-class accelerators published with arXiv 2507.00909. Between the points a
monotone cubic (Fritsch and Carlson, SIAM J. Numer. Anal. 17, 1980) is used, below the last one a
straight line to zero.
"""

from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray

TABLES: Final[dict[str, tuple[tuple[float, float], ...]]] = {
    "training": (
        (0.4, 0.47),
        (0.5, 0.65),
        (0.6, 0.83),
        (0.7, 0.90),
        (0.8, 0.95),
        (0.9, 0.98),
        (1.0, 1.0),
    ),
    "fine-tune": (
        (0.25, 0.234),
        (0.5, 0.796),
        (0.625, 0.891),
        (0.75, 0.944),
        (0.875, 0.974),
        (1.0, 1.0),
    ),
    "inference": (
        (0.25, 0.225),
        (0.5, 0.781),
        (0.625, 0.871),
        (0.75, 0.931),
        (0.875, 0.976),
        (1.0, 1.0),
    ),
    "pre-train": (
        (0.25, 0.186),
        (0.5, 0.629),
        (0.625, 0.784),
        (0.75, 0.867),
        (0.875, 0.923),
        (1.0, 1.0),
    ),
}
"""Relative throughput by power cap as a fraction of uncapped, rising."""

TABLE_AT: Final = np.linspace(0.0, 1.0, 1025)
"""Where the look-up tables of the kernels are sampled."""


def pchip(x: FloatArray, y: FloatArray, at: FloatArray) -> FloatArray:
    """Monotone piecewise cubic through points, constant beyond the ends.

    Args:
        x, y: at least two points, x rising.
        at: where to evaluate.
    """
    width = np.diff(x)
    slope = np.diff(y) / width
    inner = np.zeros(len(x))
    same = slope[:-1] * slope[1:] > 0
    # Weighted harmonic mean of the neighbouring slopes keeps the curve monotone.
    first, second = 2 * width[1:] + width[:-1], width[1:] + 2 * width[:-1]
    safe = np.where(same, slope[:-1], 1.0), np.where(same, slope[1:], 1.0)
    inner[1:-1] = np.where(same, (first + second) / (first / safe[0] + second / safe[1]), 0.0)
    inner[0], inner[-1] = slope[0], slope[-1]
    if len(x) > 2:
        inner[0] = _end_slope(width[0], width[1], slope[0], slope[1])
        inner[-1] = _end_slope(width[-1], width[-2], slope[-1], slope[-2])
    at = np.clip(at, x[0], x[-1])
    piece = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(width) - 1)
    t = (at - x[piece]) / width[piece]
    h = width[piece]
    rise = 3 * t**2 - 2 * t**3
    start, end = t * (1 - t) ** 2 * h, t**2 * (t - 1) * h
    return (
        y[piece] * (1 - rise) + y[piece + 1] * rise + inner[piece] * start + inner[piece + 1] * end
    )


def _end_slope(near: float, far: float, near_slope: float, far_slope: float) -> float:
    """Three-point slope at an end, held to the sign and three times the nearest slope."""
    slope = ((2 * near + far) * near_slope - near * far_slope) / (near + far)
    if slope * near_slope <= 0:
        return 0.0
    if near_slope * far_slope <= 0 and abs(slope) > 3 * abs(near_slope):
        return 3 * near_slope
    return float(slope)


def throughput_at(name: str, cap_frac: FloatArray) -> FloatArray:
    """Relative throughput of a class of workload under a cap.

    Args:
        name: a key of `TABLES`.
        cap_frac: cap as a fraction of the power drawn without one, 0..1 (more counts as 1).
    """
    points = np.array(TABLES[name])
    x, y = points[:, 0], points[:, 1]
    inside = pchip(x, y, cap_frac)
    return np.where(cap_frac < x[0], y[0] * np.maximum(cap_frac, 0.0) / x[0], inside)


def lookup_table(name: str) -> FloatArray:
    """The curve at `TABLE_AT`, for kernels."""
    return throughput_at(name, TABLE_AT)
