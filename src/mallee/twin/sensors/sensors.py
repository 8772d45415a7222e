"""All sensors of a site: true points in, reported points out.

Meters, batteries, chargers and what stands in line form a new value every 100 ms, everything else
on whole seconds: the slow rows of `true_points` must then hold what is true of the second before,
so power as its mean. Gain and offset errors belong to the device and last; noise is a function of
seed, row and time, so nothing that happens elsewhere shifts it.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray
from mallee.site.model import SiteModel
from mallee.twin.sensors import kernels
from mallee.twin.sensors.defaults import EXACT, SensorSpec, sensor_of

FAST_MS: Final = 100
SLOW_MS: Final = 1000


@dataclass(slots=True)
class SensorClass:
    """Sensors that form values at the same rate; arrays as the kernel takes them.

    Attributes:
        period_ms: time between passes.
        gain, bias: errors of the devices themselves, without faults.  # (sensors,)
        gains, biases: the same with faults.  # (sensors,)
    """

    period_ms: int
    rows: IntArray
    spec_of: NDArray[np.uint8]
    specs: FloatArray
    gain: FloatArray
    bias: FloatArray
    gains: FloatArray
    biases: FloatArray
    modes: NDArray[np.uint8]
    state: FloatArray
    ring: FloatArray


class Sensors:
    """What devices report of what is true.

    Args:
        site: gives every point's sensor by catalogue.
        seed: decides each device's own errors and all noise.
        fast_kinds: kinds of device that form values every block; the rest on whole seconds.
    """

    def __init__(self, site: SiteModel, seed: int, fast_kinds: Collection[str]) -> None:
        self._seed = seed & 0x7FFFFFFF
        specs, spec_of, errors = _layout(site, self._seed)
        fast = np.zeros(site.point_count, np.bool_)
        for group in site.groups:
            if group.kind in fast_kinds:
                fast[group.first_row : group.first_row + group.count * group.stride] = True
        self._fast = _sensor_class(FAST_MS, np.flatnonzero(fast), spec_of, specs, errors)
        self._slow = _sensor_class(SLOW_MS, np.flatnonzero(~fast), spec_of, specs, errors)
        self._class_of_row = ~fast
        self._position = np.empty(site.point_count, np.int64)
        for members in (self._fast, self._slow):
            self._position[members.rows] = np.arange(len(members.rows))

    def update(self, time_ms: int, true_points: FloatArray, reported: FloatArray) -> None:
        """Bring `reported` up to date; to be called every 100 ms.

        Args:
            time_ms: twin time, a multiple of 100 ms.
            true_points, reported: by point row.  # (points,)
        """
        self._pass(self._fast, time_ms, true_points, reported)
        if time_ms % SLOW_MS == 0:
            self._pass(self._slow, time_ms, true_points, reported)

    def set_fault(
        self, rows: IntArray, *, mode: int = kernels.OK, factor: float = 1.0, offset: float = 0.0
    ) -> None:
        """Break sensors; without arguments, mend them.

        Args:
            mode: `kernels.STUCK` repeats the last report, `kernels.DROPPED` reports nothing.
            factor: scales the reading: 10, 1000, -1.
            offset: added to the reading, in the point's unit.
        """
        for members, is_slow in ((self._fast, False), (self._slow, True)):
            chosen = self._position[rows[self._class_of_row[rows] == is_slow]]
            members.modes[chosen] = mode
            members.gains[chosen] = members.gain[chosen] * factor
            members.biases[chosen] = members.bias[chosen] + offset

    def save(self) -> dict[str, NDArray[Any]]:
        """Everything that changes."""
        return {
            f"{name}/{field}": getattr(members, field).copy()
            for name, members in (("fast", self._fast), ("slow", self._slow))
            for field in _CHANGING
        }

    def restore(self, saved: dict[str, NDArray[Any]]) -> None:
        """Back to what `save` gave, of the same site and seed."""
        for name, members in (("fast", self._fast), ("slow", self._slow)):
            for field in _CHANGING:
                getattr(members, field)[...] = saved[f"{name}/{field}"]

    def _pass(
        self, members: SensorClass, time_ms: int, true_points: FloatArray, reported: FloatArray
    ) -> None:
        kernels.report(
            time_ms // members.period_ms,
            self._seed,
            members.rows,
            members.spec_of,
            members.specs,
            members.gains,
            members.biases,
            members.modes,
            members.state,
            members.ring,
            true_points,
            reported,
        )


_CHANGING: Final = ("gains", "biases", "modes", "state", "ring")


@dataclass(frozen=True, slots=True)
class _Errors:
    """Each row's own gain factor and offset.  # (points,)"""

    gain: FloatArray
    bias: FloatArray


def _layout(site: SiteModel, seed: int) -> tuple[list[SensorSpec], NDArray[np.uint8], _Errors]:
    """The distinct sensor kinds, the kind of every row, and every row's own errors."""
    numbers: dict[SensorSpec, int] = {EXACT: 0}
    spec_of = np.zeros(site.point_count, np.uint8)
    gain, bias = np.ones(site.point_count), np.zeros(site.point_count)
    for group in site.groups:
        stems: dict[str, int] = {}
        for position, point in enumerate(group.model.point):
            spec = sensor_of(group.model, point)
            rows = group.rows(point.name)
            spec_of[rows] = numbers.setdefault(spec, len(numbers))
            # A power and its energy counter come from one shunt, so they share its gain error.
            stem = stems.setdefault(_stem(point.name), position)
            gain[rows] += spec.gain_frac * _spread(seed, rows - position + stem)
            bias[rows] += spec.bias * _spread(seed + 1, rows)
    return list(numbers), spec_of, _Errors(gain, bias)


def _stem(point: str) -> str:
    for ending in ("_power_w", "_energy_wh"):
        if point.endswith(ending):
            return point.removesuffix(ending) + "_power"
    return {"import_w": "_power", "power_w": "_power", "energy_wh": "_power"}.get(point, point)


def _spread(seed: int, rows: IntArray) -> FloatArray:
    """One number in -1..1 for each row, for good (splitmix64, S. Vigna)."""
    bits = rows.astype(np.uint64) + np.uint64(seed) * np.uint64(0x1_0000_0001)
    bits = bits * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits = bits ^ (bits >> np.uint64(31))
    return np.asarray((bits >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0)


def _sensor_class(
    period_ms: int,
    rows: IntArray,
    spec_of: NDArray[np.uint8],
    specs: list[SensorSpec],
    errors: _Errors,
) -> SensorClass:
    table = np.array([_parameters(spec, period_ms / 1000.0) for spec in specs])
    used = np.unique(spec_of[rows])
    depth = 1 + int(table[used, kernels.LAG].max(initial=0.0))
    return SensorClass(
        period_ms=period_ms,
        rows=rows,
        spec_of=spec_of[rows],
        specs=table,
        gain=errors.gain[rows],
        bias=errors.bias[rows],
        gains=errors.gain[rows],
        biases=errors.bias[rows],
        modes=np.zeros(len(rows), np.uint8),
        state=np.full((len(rows), 2), np.nan),
        ring=np.full((depth, len(rows)), np.nan),
    )


def _parameters(spec: SensorSpec, period_s: float) -> list[float]:
    """A row of the kernel's table; a window becomes a lag of half its length (same mean delay)."""
    share = 1.0 if spec.window_s <= period_s else 1.0 - math.exp(-2.0 * period_s / spec.window_s)
    row = [0.0] * kernels.PARAMETERS
    row[kernels.SHARE] = share
    row[kernels.EVERY] = max(round(spec.refresh_s / period_s), 1)
    row[kernels.NOISE] = spec.noise_frac
    row[kernels.QUANTUM] = spec.quantum
    row[kernels.PER_QUANTUM] = 1.0 / spec.quantum if spec.quantum > 0.0 else 0.0
    row[kernels.DROPOUT] = spec.dropout_frac
    row[kernels.LAG] = round(spec.latency_s / period_s)
    return row
