"""One-second means of what is read faster than that: the meter and the batteries.

A sample of a battery that follows a 0.4 Hz swing says little, and differs from what the page says
of the load, whose sensors average over a second themselves. Powers, currents, voltages and
frequencies are averaged; counters, states and set points are taken as they are.
"""

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.snapshot import Quality, Snapshot
from mallee.site.model import SiteModel

FAST_POLL_S = 0.5
AVERAGED_UNITS = ("w", "var", "va", "a", "v", "hz")


class SecondMeans:
    """Collects samples of the fast points during a second."""

    def __init__(self, site: SiteModel) -> None:
        rows = [
            group.rows(point.name)
            for group in site.groups
            for point in group.model.point
            if point.constant is None
            and point.access == "read"
            and group.model.protocol[point.protocol].poll_s <= FAST_POLL_S
            and point.name.rpartition("_")[2] in AVERAGED_UNITS
        ]
        self.rows = np.concatenate(rows) if rows else np.empty(0, np.int64)
        self._sums, self._counts = np.zeros(len(self.rows)), np.zeros(len(self.rows))

    def add(self, snapshot: Snapshot) -> None:
        """Take one sample of what is good."""
        values = snapshot.values[self.rows]
        good = (snapshot.quality[self.rows] == Quality.GOOD) & np.isfinite(values)
        self._sums[good] += values[good]
        self._counts[good] += 1

    def take(self, values: FloatArray) -> FloatArray:
        """The values with the means since the last call in place; what had no sample stays."""
        sampled = self._counts > 0
        means = values.copy()
        means[self.rows[sampled]] = self._sums[sampled] / self._counts[sampled]
        self._sums[:], self._counts[:] = 0.0, 0.0
        return means
