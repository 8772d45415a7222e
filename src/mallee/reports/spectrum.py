"""How much of a power swings at which frequency."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray

SEGMENT_S: Final = 100.0
"""Length of the averaged pieces: the lowest frequency shown is a few times its inverse."""

WORKLOAD_BAND_HZ: Final = (0.2, 3.0)
"""Where the iterations of real training jobs swing (arXiv 2508.14318)."""

GRID_BAND_HZ: Final = (0.1, 20.0)
"""What grid operators watch: inter-area and plant modes up to flicker and shaft torsion."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """One-sided.

    Attributes:
        frequency_hz: without zero.  # (bins,)
        density: root of the power spectral density, in W per root Hz.  # (bins,)
    """

    frequency_hz: FloatArray
    density: FloatArray

    def swing_w(self, low_hz: float, high_hz: float) -> float:
        """Effective (root-mean-square) swing between two frequencies."""
        inside = (self.frequency_hz >= low_hz) & (self.frequency_hz <= high_hz)
        bin_hz = float(self.frequency_hz[0])
        return float(np.sqrt((self.density[inside] ** 2).sum() * bin_hz))


def spectrum_of(power_w: FloatArray, step_s: float) -> Spectrum | None:
    """Welch's estimate: Hann windows over half-overlapping pieces, their squares averaged.

    A slow trend over a piece is taken out first, or it would leak over all frequencies.

    Returns:
        None where the record is shorter than 64 steps.

    Source: P. Welch, IEEE Trans. Audio Electroacoust. 15 (1967) 70.
    """
    if len(power_w) < 64:
        return None
    length = min(len(power_w), round(SEGMENT_S / step_s))
    window = np.hanning(length)
    ramp = np.linspace(-1.0, 1.0, length)
    total, pieces = np.zeros(length // 2 + 1), 0
    for first in range(0, len(power_w) - length + 1, max(length // 2, 1)):
        piece = power_w[first : first + length]
        level_w = piece - piece.mean() - ramp * (piece * ramp).sum() / (ramp * ramp).sum()
        total += np.abs(np.fft.rfft(level_w * window)) ** 2
        pieces += 1
    square = 2.0 * total / pieces * step_s / (window * window).sum()
    frequency_hz = np.asarray(np.fft.rfftfreq(length, step_s), np.float64)
    return Spectrum(frequency_hz[1:], np.sqrt(square[1:]))
