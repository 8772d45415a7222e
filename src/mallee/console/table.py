"""All numbers of the page at one moment: powers that add up, what stands beside them, totals."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.console.balance import Balance, RunningMean, Smooth
from mallee.console.places import RACK, PowerTree
from mallee.console.signals import (
    Joined,
    Numbers,
    Readings,
    Signal,
    Trust,
    shown_signals,
    stale_after_s,
    states_of,
    total_signals,
)
from mallee.core.arrays import FloatArray, IntArray
from mallee.core.snapshot import Quality
from mallee.site.model import SiteModel

MEASURED: Final = ("import_w", "battery_charge_w", "tile_w:")
"""Totals that are means over the same seconds as the powers of the diagram."""


class SignalTable:
    """Evaluates all signals against readings; prepared once, used every second.

    Attributes:
        names, units: of each signal.
        index: position by name.
    """

    def __init__(self, site: SiteModel, tree: PowerTree) -> None:
        self._stale_after_s = stale_after_s(site)
        beside, totals = shown_signals(tree), total_signals(site)
        self._total_names = [one.name for one in totals]
        self._powers = _Powers(tree)
        self._beside, self._totals = Joined(beside), Joined(totals)
        self._measured = np.array([one.name.startswith(MEASURED) for one in totals], bool)
        self._smooth = Smooth()
        masks = {
            "pods_w": [place.pod != "" for place in tree.places],
            "consumers_w": [source.consumes for source in tree.sources],
        }
        self._sums = {name: np.array(mask, bool) for name, mask in masks.items() if any(mask)}
        rest = [*beside, *totals]
        self.names = [f"power:{place.id}" for place in tree.places]
        self.names += [signal.name for signal in rest] + [*self._sums, "it_w", "adjusted_w"]
        self.units = ["w"] * len(tree.places) + [signal.unit for signal in rest]
        self.units += ["w"] * (len(self._sums) + 2)
        self.index = {name: position for position, name in enumerate(self.names)}

    def evaluate(self, readings: Readings, aligned: FloatArray | None = None) -> Numbers:
        """All signals of one moment.

        Args:
            aligned: readings with the fast ones of the same second as the slow ones.  # (points,)
        """
        values = readings.values if aligned is None else aligned
        good = (readings.quality == Quality.GOOD) & np.isfinite(readings.values)
        fresh = good & (readings.ages_s <= self._stale_after_s)
        powers_w = self._powers.values(values)
        totals = self._totals.values(values)
        totals = np.where(self._measured, self._smooth.add(totals), totals)
        sums = [float(np.nansum(powers_w[mask])) for mask in self._sums.values()]
        sums += [self._powers.delivered_w(powers_w), self._powers.adjusted_w]
        trust = self._powers.trust(readings, fresh)
        trusts = [trust, self._beside.trust(readings, fresh), self._totals.trust(readings, fresh)]
        trusts += [_together(trust, mask) for mask in self._sums.values()]
        racks = self._powers.in_racks
        trusts += [_together(trust, mask) for mask in (racks, np.zeros(len(racks), bool))]
        counts, known, new, ages_s = (
            np.concatenate(column) for column in zip(*trusts, strict=True)
        )
        numbers = np.concatenate([powers_w, self._beside.values(readings.values), totals, sums])
        lost = (counts > 0) & (known == 0)
        return Numbers(
            values=np.where(lost, np.nan, numbers),
            ages_s=np.where(lost, np.nan, ages_s),
            states=states_of(counts, known, new),
        )

    def of_second(self, values: FloatArray) -> dict[str, float]:
        """Totals as they are read, not averaged, by name."""
        return dict(zip(self._total_names, self._totals.values(values).tolist(), strict=True))


class _Powers:
    """What flows into every place, and how far that can be trusted."""

    def __init__(self, tree: PowerTree) -> None:
        places, sources = tree.places, tree.sources
        self._own = Joined([_signal(source.rows, source.weights) for source in sources])
        self._input = Joined([_signal(source.input_rows) for source in sources])
        self._output = Joined([_signal(source.output_rows) for source in sources])
        self._passed = RunningMean()
        self._smooth, self._balance = Smooth(), Balance(tree)
        self._parent = [place.parent for place in places]
        self.in_racks = np.array([place.symbol == RACK.symbol for place in places], bool)
        self._factor = np.ones(len(places))
        self._computed = [place.computed for place in places]
        self._metered = [place.metered for place in places]

    def values(self, values: FloatArray) -> FloatArray:
        """Power of each place, in W.  # (places,)"""
        self._factor = self._factors(values)
        own_w = self._own.values(values) * self._factor
        return self._balance.powers(self._smooth.add(own_w))

    def delivered_w(self, powers_w: FloatArray) -> float:
        """What reaches nodes and switches in racks, behind their shelves."""
        return float(np.nansum((powers_w / self._factor)[self.in_racks]))

    @property
    def adjusted_w(self) -> float:
        """Sum of the adjustments that the last second needed."""
        return self._balance.adjusted_w

    def _factors(self, values: FloatArray) -> FloatArray:
        """By how much each place draws more than its loads: what its shelves lose, as a mean.

        Shelves are read more slowly than what they feed, but their efficiency hardly moves.
        """
        passed = np.concatenate([self._input.values(values), self._output.values(values)])
        into_w, out_w = np.split(self._passed.add(passed), 2)
        usable = (into_w > 0.0) & (out_w > 0.0)
        return np.divide(into_w, out_w, out=np.ones(len(into_w)), where=usable)

    def trust(self, readings: Readings, fresh: NDArray[np.bool_]) -> Trust:
        """Counts and age of each place's readings and of those below it that it adds up."""
        counts, known, new, ages_s = self._own.trust(readings, fresh)
        for one in (self._input, self._output):
            more = one.trust(readings, fresh)
            counts, known, new = counts + more[0], known + more[1], new + more[2]
            ages_s = np.maximum(ages_s, more[3])
        for index in range(len(self._parent) - 1, -1, -1):
            parent = self._parent[index]
            if parent < 0 or self._metered[parent] or self._computed[index]:
                continue
            counts[parent] += counts[index]
            known[parent] += known[index]
            new[parent] += new[index]
            ages_s[parent] = max(ages_s[parent], ages_s[index])
        for index, computed in enumerate(self._computed):
            if computed:
                for column in (counts, known, new, ages_s):
                    column[index] = column[self._parent[index]]
        return counts, known, new, ages_s


def _signal(rows: IntArray, weights: FloatArray | None = None) -> Signal:
    weights = np.ones(len(rows)) if weights is None else weights
    return Signal(name="", unit="w", how="sum", rows=rows, weights=weights)


def _together(trust: Trust, mask: NDArray[np.bool_]) -> Trust:
    counts, known, new, ages_s = (column[mask] for column in trust)
    total = [np.array([column.sum()]) for column in (counts, known, new)]
    return total[0], total[1], total[2], np.array([ages_s.max(initial=0.0)])
