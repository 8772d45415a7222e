"""Every branch equals what leaves it: means over the same seconds, losses, and one reconciliation.

A page shows means over ten seconds whose weights rise and fall smoothly (Hann): little is left of
a swing after it, whatever the phases of the instruments. What goes into a metered branch and comes
out of nothing below it is its loss and whatever has no meter; that is the mean of a minute, so that
a second which does not add up cannot hide in it. A branch without a meter is the sum of what hangs
on it and of its own loss by its ratings.

What then is still missing at a moment is spread over the slow readings below the meter, each in
proportion and by a tenth of itself at most: of a sum of node sensors of 2 % that hold their values
for a second, and a meter of class 0.2 that is read ten times a second, the meter is right. This is
data reconciliation with bounded adjustments (Kuehn and Davidson, Chem. Eng. Prog. 57, 1961, p. 44).
A lasting difference is no adjustment: it goes into the losses within the minute and is shown.
"""

from collections import deque
from typing import Final

import numpy as np

from mallee.console.places import PowerTree
from mallee.core.arrays import FloatArray, IntArray

MEAN_S: Final = 10
LOSS_S: Final = 60
ADJUSTED_MAX_FRAC: Final = 0.1
"""Of itself, by which a slow reading may follow the meter."""
KNOWN_S: Final = 10
"""So many seconds of what is missing must be known before it is told and anything adjusted to it.
They count from when the smooth means are whole: what shorter ones lack is no loss."""


class Smooth:
    """Means of the last ten frames of some numbers; what is not known now stays unknown."""

    def __init__(self) -> None:
        self._frames: deque[FloatArray] = deque(maxlen=MEAN_S)

    def add(self, values: FloatArray) -> FloatArray:
        """The means with these values as the latest; shape as given."""
        self._frames.append(values)
        count = len(self._frames)
        weights = np.sin(np.pi * (np.arange(count) + 0.5) / count) ** 2
        means = _means(np.array(self._frames), weights)
        means[~np.isfinite(values)] = np.nan
        return means


class RunningMean:
    """Means of the last minute of some numbers."""

    def __init__(self) -> None:
        self._frames: deque[FloatArray] = deque(maxlen=LOSS_S)

    def add(self, values: FloatArray) -> FloatArray:
        """The means with these values as the latest; shape as given."""
        self._frames.append(values)
        return _means(np.array(self._frames), np.ones(len(self._frames)))


class Balance:
    """Adds up a tree, once a second.

    Attributes:
        adjusted_w: sum of the adjustments of the last second.
    """

    def __init__(self, tree: PowerTree) -> None:
        places = tree.places
        self._parent = [place.parent for place in places]
        self._computed = [place.computed for place in places]
        self._metered = [place.metered for place in places]
        self._reads = [place.box or place.metered for place in places]
        parents = set(self._parent)
        self._ends = [index not in parents for index in range(len(places))]
        self._no_load_w = [source.no_load_w for source in tree.sources]
        self._load_loss_w = [source.load_loss_w for source in tree.sources]
        self._rating_w = [max(place.rating_w, 1.0) for place in places]
        self._missing, self._seconds = RunningMean(), 0
        self._followers = _followers(tree)
        self.adjusted_w = 0.0

    def powers(self, own_w: FloatArray) -> FloatArray:
        """Power of every place.

        Args:
            own_w: what boxes and metered branches read; NaN where nothing is known.  # (places,)

        Returns:
            NaN where nothing is known, as the losses of metered branches in the first seconds.
        """
        power_w, lost_w = self._add_up(own_w)
        means_w = np.full(len(lost_w), np.nan)
        self._seconds += 1
        if self._seconds > MEAN_S:
            means_w = self._missing.add(lost_w)
        if self._seconds > MEAN_S + KNOWN_S:
            power_w, lost_w = self._add_up(self._reconciled(own_w, lost_w - means_w))
        else:
            means_w = np.full(len(lost_w), np.nan)
        for index in np.flatnonzero(self._computed).tolist():
            parent = self._parent[index]
            power_w[index] = (means_w if self._metered[parent] else lost_w)[parent]
        return power_w

    def _reconciled(self, own_w: FloatArray, apart_w: FloatArray) -> FloatArray:
        """Own readings, the slow ones adjusted by what is missing below their meter."""
        adjusted_w = own_w.copy()
        for meter, followers in self._followers:
            size_w = np.abs(np.nan_to_num(own_w[followers]))
            total_w = size_w.sum()
            if total_w > 0.0 and np.isfinite(apart_w[meter]):
                most = ADJUSTED_MAX_FRAC
                adjusted_w[followers] += size_w * np.clip(apart_w[meter] / total_w, -most, most)
        self.adjusted_w = float(np.nansum(np.abs(adjusted_w - own_w)))
        return adjusted_w

    def _add_up(self, own_w: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Power into each place, and what each branch loses: measured or modelled."""
        power_w, below_w = own_w.tolist(), [0.0] * len(own_w)
        known, lost_w = [False] * len(own_w), np.full(len(own_w), np.nan)
        for index in range(len(power_w) - 1, -1, -1):
            if self._computed[index]:
                continue
            if not self._reads[index] and (known[index] or self._ends[index]):
                lost_w[index] = self._modelled_w(index, below_w[index])
                power_w[index] = below_w[index] + lost_w[index]
            elif self._metered[index]:
                lost_w[index] = power_w[index] - below_w[index]
            parent = self._parent[index]
            if parent >= 0 and np.isfinite(power_w[index]):
                below_w[parent] += power_w[index]
                known[parent] = True
        return np.array(power_w), lost_w

    def _modelled_w(self, index: int, load_w: float) -> float:
        """Loss of a transformer: no-load, and load loss with the square of the load."""
        used = load_w / self._rating_w[index]
        return self._no_load_w[index] + self._load_loss_w[index] * used * used


def _followers(tree: PowerTree) -> list[tuple[int, IntArray]]:
    """By metered branch, the slow boxes below it that no other meter stands above."""
    found: dict[int, list[int]] = {}
    for index, (place, source) in enumerate(zip(tree.places, tree.sources, strict=True)):
        above = place.parent
        while above >= 0 and not tree.places[above].metered:
            above = tree.places[above].parent
        if above >= 0 and place.box and not place.computed and not source.fast:
            found.setdefault(above, []).append(index)
    return [(meter, np.array(indices)) for meter, indices in found.items()]


def _means(frames: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted means over the first axis of what is known; NaN where nothing is."""
    known = np.isfinite(frames)
    total = weights @ known
    sums: FloatArray = weights @ np.where(known, frames, 0.0)
    means: FloatArray = np.full(frames.shape[1], np.nan)
    np.divide(sums, total, out=means, where=total > 0.0)
    return means
