"""Means of the same second for fast and slow instruments.

The meter and the batteries are sampled ten times a second; the nodes' own sensors average over a
second, hold what they found until the next one, and are polled once a second. What a sum of nodes
shows is therefore what was true one to two seconds ago, while a meter's sample is of now: under a
load that swings by half every two seconds the two differ by a quarter of the whole. So the fast
ones are averaged over just the time that the slow readings of this moment are of: each reading's
age, plus the time that the device may hold it for, plus the time that it averages over.
"""

from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.core.device_model import PointSpec
from mallee.core.snapshot import Quality, Snapshot
from mallee.core.units import unit_of
from mallee.kinds import KINDS
from mallee.site.model import DeviceGroup, SiteModel

FAST_POLL_S: Final = 0.5
SAMPLES_PER_S: Final = 10
RING_S: Final = 9
"""So far back fast samples are kept: devices polled every 5 s and averaging over a second."""
REFRESH_S: Final = 1.0
"""A slow device forms a new value about once a second, unless the catalogue says otherwise."""
FAST_LAG_S: Final = 0.15
"""Age of a fast sample: a tenth of a second between polls, as much again inside the device."""


class SecondMeans:
    """Collects samples of the fast points.

    Attributes:
        rows: the points that are averaged.
    """

    def __init__(self, site: SiteModel) -> None:
        nothing = np.empty(0, np.int64)
        fast = [
            group.rows(point.name)
            for group, point in _read_points(site)
            if is_fast(group, point) and _averaged(point)
        ]
        self.rows = np.concatenate([nothing, *fast])
        self._slow = [
            (group.rows(point.name), *_window_and_refresh_s(group, point))
            for group, point in _read_points(site)
            if point.name == KINDS[group.kind].power and not is_fast(group, point)
        ]
        self._ring = np.full((RING_S * SAMPLES_PER_S, len(self.rows)), np.nan)
        self._next = 0

    def add(self, snapshot: Snapshot) -> None:
        """Take one sample of what is good."""
        values = snapshot.values[self.rows]
        good = (snapshot.quality[self.rows] == Quality.GOOD) & np.isfinite(values)
        self._ring[self._next] = np.where(good, values, np.nan)
        self._next = (self._next + 1) % len(self._ring)

    def of_last_second(self, values: FloatArray) -> FloatArray:
        """The values with means of the last second in place; what had no sample stays."""
        last_second = np.zeros(len(self._ring))
        last_second[:SAMPLES_PER_S] = 1.0
        return self._with_means(values, last_second)

    def aligned(self, snapshot: Snapshot) -> FloatArray:
        """The values with means of the fast ones over the time that the slow ones are of."""
        weights = np.zeros(len(self._ring))
        for rows, window_s, refresh_s in self._slow:
            weights += _weights(snapshot, rows, window_s, refresh_s, len(weights))
        if not weights.any():
            return self.of_last_second(snapshot.values)
        return self._with_means(snapshot.values, weights)

    def _with_means(self, values: FloatArray, weights: FloatArray) -> FloatArray:
        """Means with a weight for each sample, the latest first."""
        used = np.flatnonzero(weights)
        samples = self._ring[(self._next - 1 - used) % len(self._ring)]
        known = np.isfinite(samples)
        total = weights[used] @ known
        sums = weights[used] @ np.where(known, samples, 0.0)
        sampled = total > 0.0
        means = values.copy()
        means[self.rows[sampled]] = sums[sampled] / total[sampled]
        return means


def _weights(
    snapshot: Snapshot, rows: IntArray, window_s: float, refresh_s: float, count: int
) -> FloatArray:
    """How much of what the readings say is of each tenth of a second, the latest first."""
    values, ages_s = snapshot.values[rows], snapshot.time_s - snapshot.times_s[rows]
    good = np.isfinite(values) & (snapshot.quality[rows] == Quality.GOOD)
    bins = np.rint((ages_s[good] - FAST_LAG_S) * SAMPLES_PER_S)
    read = np.bincount(np.clip(bins, 0, count - 1).astype(int), np.abs(values[good]), count)
    held, averaged = (np.ones(_samples(time_s)) for time_s in (refresh_s, window_s))
    spread = np.convolve(read, np.convolve(held / len(held), averaged / len(averaged)))
    return spread[:count]


def _samples(time_s: float) -> int:
    return max(1, round(time_s * SAMPLES_PER_S))


def is_fast(group: DeviceGroup, point: PointSpec) -> bool:
    """Whether a point is read several times a second."""
    if point.constant is not None:
        return False
    return group.model.protocol[point.protocol].poll_s <= FAST_POLL_S


def _read_points(site: SiteModel) -> list[tuple[DeviceGroup, PointSpec]]:
    return [
        (group, point)
        for group in site.groups
        for point in group.model.point
        if point.constant is None and point.access == "read"
    ]


def _averaged(point: PointSpec) -> bool:
    unit = unit_of(point.name)
    return unit is not None and unit.is_mean


def _window_and_refresh_s(group: DeviceGroup, point: PointSpec) -> tuple[float, float]:
    """Over which time a device averages a value, and how long it holds it."""
    row = KINDS[group.kind].point(point.name)
    told = [one for one in (point.sensor, row.sensor if row else None) if one is not None]
    windows_s = [one.window_s for one in told if one.window_s is not None]
    refreshes_s = [one.refresh_s for one in told if one.refresh_s is not None]
    return [*windows_s, 0.0][0], [*refreshes_s, REFRESH_S][0]
