"""The numbers of the page, each a sum, mean or maximum of point rows, worked out once a second.

A site of half a million points has some thousand signals: the page needs branches, racks and
totals, not rows. A number is *stale* when most of the readings in it are old or some were never
made, and *partly* so when a few are old; its age is that of the oldest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mallee.console.frame import SignalState
from mallee.console.places import METERED, PowerTree
from mallee.console.tiles import tiles
from mallee.core.arrays import FloatArray, IntArray
from mallee.kinds import KINDS, How
from mallee.site.model import SiteModel

MISSED_POLLS_MAX = 3
STALE_AFTER_MIN_S = 3.0
"""Three missed polls make a reading stale, but nothing younger than three seconds of the page."""
MISSING_FRAC_MAX = 0.02
"""A sum over many readings stays good while at most this share of them is missing."""
FRESH_FRAC_MIN = 0.5
"""With more than this share fresh a sum still follows the site, and is only marked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One number of the page.

    Attributes:
        name: stable; a branch's is ``power:<place id>``.
        unit: its suffix in `core.units`.
        how: what is done with the rows; `weights` count for sums only.
    """

    name: str
    unit: str
    how: How
    rows: IntArray
    weights: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Everything on the board at one moment.

    Attributes:
        values: NaN where nothing was ever read.  # (points,)
        ages_s: since each was read.  # (points,)
        quality: `Quality` of each.  # (points,)
    """

    values: FloatArray
    ages_s: FloatArray
    quality: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The signals at one moment, in their order.

    Attributes:
        states: `SignalState` of each.  # (signals,)
        ages_s: of the oldest reading in each, NaN where there is none.  # (signals,)
    """

    values: FloatArray
    ages_s: FloatArray
    states: NDArray[np.uint8]


def shown_signals(tree: PowerTree) -> list[Signal]:
    """What stands beside the power in the boxes, as the kinds' rows say."""
    return [
        _signal(f"{shown.name}:{place.id}", shown.unit, shown.how, shown.rows)
        for place, source in zip(tree.places, tree.sources, strict=True)
        for shown in source.shown
    ]


def total_signals(site: SiteModel) -> list[Signal]:
    """Totals of the site, by the names that the page asks for; only those that have readings."""
    meters = [row for f in site.feed_branches.tolist() for row in _meter_rows(site, f)]
    rows: list[tuple[str, str, How, IntArray]] = [
        ("import_w", "w", "sum", np.array(meters, np.int64)),
        ("battery_charge_w", "w", "sum", _power_rows(site, "storage")),
    ]
    rows += [(tile.signal, "w", "sum", chosen) for tile, chosen in tiles(site)]
    rows += [(name, unit, how, _rows_named(site, point)) for name, point, unit, how in TOTALS]
    return [_signal(name, unit, how, chosen) for name, unit, how, chosen in rows if len(chosen)]


TOTALS: Final[tuple[tuple[str, str, str, How], ...]] = (
    ("voltage_v", "voltage_v", "v", "mean"),
    ("frequency_hz", "frequency_hz", "hz", "mean"),
    ("soc", "soc", "frac", "mean"),
    ("capacity_wh", "capacity_wh", "wh", "sum"),
    ("charge_available_w", "charge_available_w", "w", "sum"),
    ("discharge_available_w", "discharge_available_w", "w", "sum"),
    ("occupied_count", "occupied_count", "count", "sum"),
    ("coolant_supply_degc", "supply_degc", "degc", "max"),
    ("coolant_set_degc", "supply_set_degc", "degc", "min"),
    ("coolant_return_degc", "return_degc", "degc", "max"),
    ("nodes_cap_w", "cap_w", "w", "sum"),
    ("limit_w", "limit_w", "w", "sum"),
)
"""Name, point, unit, and how readings of several devices become one."""


def _meter_rows(site: SiteModel, branch: int) -> Iterator[int]:
    for group in site.groups_with("measures"):
        if METERED in group.model.index:
            yield from group.rows(METERED)[group.branch == branch].tolist()


def _power_rows(site: SiteModel, role: str) -> IntArray:
    found = [site.rows(kind, kind.power) for kind in KINDS.values() if kind.role == role]
    return np.concatenate([np.empty(0, np.int64), *found])


def _rows_named(site: SiteModel, point: str) -> IntArray:
    """A point over all devices that have it. The first kind in order that does decides.

    A state of charge of a UPS is none of the battery's.
    """
    for kind in KINDS.values():
        rows = site.rows(kind, point)
        if len(rows):
            return rows
    return np.empty(0, np.int64)


def _signal(name: str, unit: str, how: How, rows: IntArray) -> Signal:
    return Signal(name=name, unit=unit, how=how, rows=rows, weights=np.ones(len(rows)))


Trust = tuple[IntArray, IntArray, IntArray, FloatArray]
"""Of some numbers: readings in each, how many known, how many fresh, the age of the oldest."""


EXTREMES: Final[tuple[tuple[How, float, np.ufunc], ...]] = (
    ("max", -np.inf, np.maximum),
    ("min", np.inf, np.minimum),
)


class Joined:
    """Joins rows of many signals at once; prepared once, used every second."""

    def __init__(self, signals: Sequence[Signal]) -> None:
        self.count = len(signals)
        lengths = np.array([len(signal.rows) for signal in signals], np.int64)
        self._filled = np.flatnonzero(lengths)
        self._lengths = lengths[self._filled]
        self._starts = np.cumsum(self._lengths) - self._lengths
        empty = np.empty(0, np.int64)
        self.rows = np.concatenate([empty, *(signal.rows for signal in signals)])
        self._weights = np.concatenate([[], *(signal.weights for signal in signals)])
        hows = [signals[index].how for index in self._filled.tolist()]
        self._of: dict[How, NDArray[np.bool_]] = {
            how: np.array([one == how for one in hows], bool) for how in ("mean", "max", "min")
        }

    def values(self, values: FloatArray) -> FloatArray:
        """Each signal over its known rows; NaN where none is known, 0 where it has no rows."""
        joined = np.zeros(self.count)
        if not len(self.rows):
            return joined
        found = values[self.rows]
        known = np.isfinite(found)
        counts = self._counts(known)
        totals = self._counts(np.where(known, found, 0.0) * self._weights)
        with np.errstate(invalid="ignore", divide="ignore"):
            totals = np.where(self._of["mean"], totals / counts, totals)
        for how, least, join in EXTREMES:
            if self._of[how].any():
                extreme = join.reduceat(np.where(known, found, least), self._starts)
                totals = np.where(self._of[how], extreme, totals)
        totals[counts == 0] = np.nan
        joined[self._filled] = totals
        return joined

    def trust(self, readings: Readings, fresh: NDArray[np.bool_]) -> Trust:
        """Of each signal: its rows, how many are known, how many fresh, the age of the oldest."""
        counts, known, new = (np.zeros(self.count, np.int64) for _ in range(3))
        ages_s = np.zeros(self.count)
        if len(self.rows):
            have = np.isfinite(readings.values[self.rows])
            counts[self._filled] = self._lengths
            known[self._filled] = self._counts(have)
            new[self._filled] = self._counts(fresh[self.rows])
            oldest = np.where(have, readings.ages_s[self.rows], -np.inf)
            ages_s[self._filled] = np.maximum.reduceat(oldest, self._starts)
        return counts, known, new, ages_s

    def _counts(self, what: NDArray[Any]) -> FloatArray:
        counts: FloatArray = np.add.reduceat(what.astype(float), self._starts)
        return counts


def states_of(counts: IntArray, known: IntArray, fresh: IntArray) -> NDArray[np.uint8]:
    """`SignalState` of numbers some of whose readings are known, and some of those fresh."""
    rows = np.maximum(counts, 1)
    known_frac = np.where(counts == 0, 1.0, known / rows)
    fresh_frac = np.where(counts == 0, 1.0, fresh / rows)
    states = np.full(len(counts), SignalState.STALE, np.uint8)
    follows = (known_frac >= 1.0 - MISSING_FRAC_MAX) & (fresh_frac > FRESH_FRAC_MIN)
    states[follows] = SignalState.PARTLY
    states[fresh_frac >= 1.0 - MISSING_FRAC_MAX] = SignalState.GOOD
    states[(counts > 0) & (known == 0)] = SignalState.UNKNOWN
    return states


def stale_after_s(site: SiteModel) -> FloatArray:
    """How old a reading of each row may be before it counts as stale.  # (points,)

    Nameplate constants never grow old.
    """
    limits = np.full(site.point_count, np.inf)
    for group in site.groups:
        for point in group.model.point:
            if point.constant is None:
                poll_s = group.model.protocol[point.protocol].poll_s
                limits[group.rows(point.name)] = max(STALE_AFTER_MIN_S, MISSED_POLLS_MAX * poll_s)
    return limits
