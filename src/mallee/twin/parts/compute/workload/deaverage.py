"""Undoes the running average of power sensors, as far as that can be done honestly.

A100 and later report a 1 s running average (arXiv 2312.02741), which passes `sin(pi f) / (pi f)`:
64 % at 0.5 Hz and nothing at 1, 2, 3 ... Hz. A Wiener filter raises what is left, but only where
the average passed enough of it; whatever swung at whole hertz, and most of what swung faster than
0.9 Hz, is gone from the measurement and does not come back. Edges stay about 0.3 s wide.
"""

from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.twin.parts.compute.workload.trace_file import Trace

WINDOW_S: Final = 1.0
"""Length of the sensors' running average."""

NOISE_SHARE: Final = 0.03
"""Power of noise relative to signal that the filter assumes: gain stays below about 3."""

HEADROOM: Final = 1.15
"""The result is clipped at this multiple of the measured peak: overshoots are artefacts."""


def deaverage(trace: Trace) -> Trace:
    """The trace as it was before a trailing 1 s average, on an even grid.

    Energy is kept exactly over the whole trace.
    """
    step_s = float(np.clip(np.median(np.diff(trace.time_s)), 0.02, 0.2))
    grid_s = np.arange(0.0, trace.duration_s + 0.5 * step_s, step_s)
    gpu_w = np.column_stack(
        [_sharpen(np.interp(grid_s, trace.time_s, column), step_s) for column in trace.gpu_w.T]
        or [np.empty((len(grid_s), 0))]
    )
    total_w = _sharpen(np.interp(grid_s, trace.time_s, trace.total_w), step_s)
    if gpu_w.shape[1]:
        total_w = gpu_w.sum(axis=1) * (total_w.sum() / gpu_w.sum())
    note = f"{trace.source}: de-averaged; swings at whole hertz and above 0.9 Hz stay lost"
    return Trace(
        source=trace.source,
        time_s=grid_s,
        total_w=total_w,
        gpu_w=gpu_w,
        notes=(*trace.notes, note),
    )


def _sharpen(power_w: FloatArray, step_s: float) -> FloatArray:
    """Wiener deconvolution of a trailing average, mirrored at the ends."""
    padded = np.concatenate([power_w[::-1], power_w, power_w[::-1]])
    frequency_hz = np.fft.rfftfreq(len(padded), step_s)
    passed = np.sinc(frequency_hz * WINDOW_S) * np.exp(-1j * np.pi * frequency_hz * WINDOW_S)
    gain = np.conj(passed) * (1.0 + NOISE_SHARE) / (np.abs(passed) ** 2 + NOISE_SHARE)
    sharp = np.fft.irfft(np.fft.rfft(padded) * gain, len(padded))[len(power_w) : 2 * len(power_w)]
    sharp = np.clip(sharp, 0.0, HEADROOM * power_w.max())
    total = float(sharp.sum())
    return sharp * (power_w.sum() / total) if total > 0.0 else sharp
