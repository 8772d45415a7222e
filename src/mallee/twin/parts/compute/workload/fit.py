"""Fits the training generator to a measured trace, and says how well it does.

What a 1 s running average hides cannot be fitted: an iteration shorter than the average leaves no
ripple, so its length and its communication phase stay at assumed values. What is fitted: levels,
length and spread of checkpoints and the time between them, set-up time, a visible iteration if
there is one, and the slow wander of the plateau.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError
from mallee.site.simulated import Load
from mallee.twin.parts.compute.workload.trace_file import Trace
from mallee.twin.parts.compute.workload.training import Training

GRID_S: Final = 0.1
SENSOR_S: Final = 1.0
"""Running average of the power sensors; applied to the generator before comparing."""

HIDDEN_ITERATION_S: Final = 0.25
"""Iteration assumed where the trace shows none: short enough to be hidden by the average."""

BAND_HZ: Final = (0.1, 5.0)
EDGE_S: Final = 1.5
"""The average smears each edge over about this long."""

SHORTEST_S: Final = 3.0
"""Shorter plateaus and pauses count to their neighbours."""

VISIBLE: Final = 12.0
"""A spectral line this far above its neighbours counts as an iteration."""

QUANTILES: Final = (0.5, 0.75, 0.9, 0.95, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFit:
    """A generator's load and how to read its activity as the trace's power.

    Attributes:
        idle_w, most_w: power of the trace at activity 0 and 1.
        stop_s: end of the last plateau.
    """

    load: Load
    idle_w: float
    most_w: float
    stop_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FitQuality:
    """Trace and generator side by side, both after the sensor's average, up to the job's end.

    Attributes:
        share, share_fitted: share of the AC energy in 0.1-5 Hz.
        ramps, ramps_fitted: quantiles of the change over 1 s as a fraction of the swing.
    """

    share: float
    share_fitted: float
    ramps: tuple[float, ...]
    ramps_fitted: tuple[float, ...]


def fit_training(trace: Trace, nameplate_w: float = 0.0) -> TrainingFit:
    """Fit the synchronous-training generator to a trace.

    Args:
        nameplate_w: power of the measured accelerators at full activity; 0 takes the trace's peak.

    Raises:
        ConfigError: the trace shows no plateau of work that stands out from idle.
    """
    power_w = _on_grid(trace)
    idle_w, peak_w = np.percentile(power_w, [1.0, 99.5]).tolist()
    most_w = max(nameplate_w, peak_w)
    if peak_w < 1.5 * max(idle_w, 1.0):
        hint = "a training trace needs idle and full load"
        raise ConfigError(trace.source, f"swings only from {idle_w:.0f} to {peak_w:.0f} W", hint)
    spans = _spans(power_w > 0.5 * (idle_w + peak_w))
    works = [span for span in spans if span[2]]
    plateau_w = np.concatenate([_inside(power_w, a, b) for a, b, _ in works])
    iteration_s, depth_w = _iteration(power_w, works)
    wander_w, wander_s = _wander(plateau_w)

    def level(watts: float) -> float:
        return float(np.clip((watts - idle_w) / (most_w - idle_w), 0.0, 1.0))

    base = Load()
    share, mean = base.compute_frac, level(float(plateau_w.mean()))
    # A hidden iteration keeps the usual communication level unless the plateau stands too high.
    comm = max(base.comm_level, (mean - share) / (1.0 - share))
    if depth_w > 0.0:
        comm = level(float(plateau_w.mean()) - share * depth_w)
    load = Load(
        iteration_s=iteration_s,
        compute_level=min(1.0, (mean - (1.0 - share) * comm) / share),
        comm_level=min(1.0, comm),
        bubbles=0,
        setup_s=GRID_S * works[0][0],
        setup_level=level(float(np.median(power_w[: max(1, works[0][0])]))),
        start_ramp_s=0.0,
        wander_frac=min(1.0, wander_w / max(float(plateau_w.mean()) - idle_w, 1.0)),
        wander_s=wander_s,
        checkpoint_iterations=0,
    )
    load = _with_checkpoints(load, power_w, spans, idle_w, level)
    return TrainingFit(load=load, idle_w=idle_w, most_w=most_w, stop_s=GRID_S * works[-1][1])


def _with_checkpoints(
    load: Load,
    power_w: FloatArray,
    spans: list[tuple[int, int, bool]],
    idle_w: float,
    level: Callable[[float], float],
) -> Load:
    """The load with its checkpoints: pauses between plateaus that do not fall back to idle."""
    stalls, between = [], []
    for before, pause, _ in zip(spans, spans[1:], spans[2:], strict=False):
        if before[2] and np.median(_inside(power_w, pause[0], pause[1])) > 1.2 * idle_w:
            stalls.append(pause)
            between.append(GRID_S * (before[1] - before[0]))
    if not stalls:
        return load
    stall_s = GRID_S * np.array([end - start for start, end, _ in stalls])
    lows_w = [float(np.median(_inside(power_w, start, end))) for start, end, _ in stalls]
    return msgspec.structs.replace(
        load,
        checkpoint_iterations=max(1, round(float(np.median(between)) / load.iteration_s)),
        checkpoint_s=float(stall_s.mean()),
        checkpoint_jitter_frac=min(1.0, float(stall_s.std() / stall_s.mean())),
        checkpoint_level=level(float(np.median(lows_w))),
    )


def generate(fit: TrainingFit, duration_s: float, seed: int) -> FloatArray:
    """Power that the fitted generator shows through the sensor's average, every 0.1 s."""
    dt_ms = 20
    steps = round(duration_s * 1000 / dt_ms)
    wave = np.zeros((steps, 1), np.float32)
    gang = Training(load=fit.load, seed=seed, dt_ms=dt_ms)
    gang.fill(wave, 0, 0, steps, 0, np.ones(1))
    power_w = fit.idle_w + (fit.most_w - fit.idle_w) * wave[:, 0].astype(np.float64)
    window = round(SENSOR_S * 1000 / dt_ms)
    summed = np.cumsum(np.concatenate([np.full(window, power_w[0]), power_w]))
    seen_w: FloatArray = (summed[window:] - summed[:-window]) / window
    return seen_w[:: round(GRID_S * 1000 / dt_ms)]


def compare(trace: Trace, fit: TrainingFit, seed: int = 1) -> FitQuality:
    """Spectrum and ramps of the trace and of its generator."""
    measured_w = _on_grid(trace)[: int(fit.stop_s / GRID_S)]
    fitted_w = generate(fit, fit.stop_s, seed)[: len(measured_w)]
    swing_w = fit.most_w - fit.idle_w
    return FitQuality(
        share=band_share(measured_w),
        share_fitted=band_share(fitted_w),
        ramps=_ramps(measured_w / swing_w),
        ramps_fitted=_ramps(fitted_w / swing_w),
    )


def band_share(power_w: FloatArray) -> float:
    """Share of the AC energy of a power, sampled every 0.1 s, that lies in 0.1-5 Hz."""
    energy = np.abs(np.fft.rfft(power_w - power_w.mean())) ** 2
    frequency_hz = np.fft.rfftfreq(len(power_w), GRID_S)
    inside = (frequency_hz >= BAND_HZ[0]) & (frequency_hz <= BAND_HZ[1])
    return float(energy[inside].sum() / energy[1:].sum())


def _ramps(power: FloatArray) -> tuple[float, ...]:
    step = round(SENSOR_S / GRID_S)
    quantiles = np.quantile(np.abs(power[step:] - power[:-step]), QUANTILES)
    return tuple(quantiles.tolist())


def _on_grid(trace: Trace) -> FloatArray:
    grid_s = np.arange(0.0, trace.duration_s, GRID_S)
    power_w: FloatArray = np.interp(grid_s, trace.time_s, trace.total_w)
    return power_w


def _spans(high: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[tuple[int, int, bool]]:
    """Plateaus and pauses in order: first and last sample, and whether it is a plateau."""
    edges = [0, *(np.flatnonzero(np.diff(high.astype(np.int8))) + 1).tolist(), len(high)]
    spans: list[tuple[int, int, bool]] = []
    for start, end in pairwise(edges):
        state = bool(high[start])
        if spans and ((end - start) * GRID_S < SHORTEST_S or spans[-1][2] == state):
            spans[-1] = (spans[-1][0], end, spans[-1][2])
        else:
            spans.append((start, end, state))
    return spans


def _inside(power_w: FloatArray, start: int, end: int) -> FloatArray:
    """A span without its edges, or all of a short one."""
    edge = round(EDGE_S / GRID_S)
    return power_w[start + edge : end - edge] if end - start > 3 * edge else power_w[start:end]


def _iteration(power_w: FloatArray, works: list[tuple[int, int, bool]]) -> tuple[float, float]:
    """Length of a visible iteration and the depth of its communication phase; else assumed, 0."""
    start, end, _ = max(works, key=lambda span: span[1] - span[0])
    longest_w = _inside(power_w, start, end)
    size = len(longest_w)
    if size < 200:
        return HIDDEN_ITERATION_S, 0.0
    window = np.hanning(size)
    lines = np.abs(np.fft.rfft((longest_w - longest_w.mean()) * window)) / window.sum() * 2.0
    frequency_hz = np.fft.rfftfreq(size, GRID_S)
    band = np.flatnonzero((frequency_hz >= 0.1) & (frequency_hz <= 0.9))
    strongest = int(band[lines[band].argmax()])
    around = lines[max(1, strongest - 40) : strongest + 40]
    if lines[strongest] ** 2 < VISIBLE**2 * float(np.median(around)) ** 2:
        return HIDDEN_ITERATION_S, 0.0
    # The first harmonic of a square wave of duty d and depth D is 2 D / pi x sin(pi d).
    passed = float(np.sinc(frequency_hz[strongest] * SENSOR_S))
    first = float(lines[strongest]) / passed
    depth_w = first * np.pi / (2.0 * np.sin(np.pi * Load().compute_frac))
    return float(1.0 / frequency_hz[strongest]), float(depth_w)


def _wander(plateau_w: FloatArray) -> tuple[float, float]:
    """Standard deviation and correlation time of the plateau, the sensor's average undone."""
    rest = plateau_w - plateau_w.mean()
    rest = np.clip(rest, *np.percentile(rest, [0.5, 99.5]))
    step = round(2.0 * SENSOR_S / GRID_S)
    variance = float((rest**2).mean())
    if len(rest) <= 2 * step or variance == 0.0:
        return 0.0, 2.0
    correlation = float((rest[step:] * rest[:-step]).mean()) / variance
    time_s = -2.0 * SENSOR_S / np.log(np.clip(correlation, 0.05, 0.95))
    # An average of length W over a wander of correlation time T keeps this share of its variance.
    x = SENSOR_S / time_s
    kept = 2.0 * (x - 1.0 + np.exp(-x)) / x**2
    return float(np.sqrt(variance / kept)), float(time_s)
