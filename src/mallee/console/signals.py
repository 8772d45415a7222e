"""The numbers of the page, each a sum, mean or maximum of point rows, worked out once a second.

A site of half a million points has a few hundred signals: the page needs branches and totals, not
rows. A number is *stale* when most of the readings in it are old or some were never made, and
*partly* so when a few are old; its age is that of the oldest.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mallee.console.frame import SignalState
from mallee.console.site_tree import Place
from mallee.core.arrays import FloatArray, IntArray
from mallee.core.snapshot import Quality
from mallee.site.model import SiteModel

MISSED_POLLS_MAX = 3
STALE_AFTER_MIN_S = 3.0
"""Three missed polls make a reading stale, but nothing younger than three seconds of the page."""
MISSING_FRAC_MAX = 0.02
"""A sum over many readings stays good while at most this share of them is missing."""
FRESH_FRAC_MIN = 0.5
"""With more than this share fresh a sum still follows the site, and is only marked."""

How = Literal["sum", "mean", "max", "min"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One number of the page.

    Attributes:
        name: stable; a branch's is ``power:<node id>``.
        unit: its suffix in `core.units`.
        how: what is done with the rows; `weights` count for sums and means only.
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


def site_signals(site: SiteModel, places: dict[str, Place]) -> list[Signal]:
    """Every signal of a site's page; `places` are the diagram's, by node id."""
    signals = [
        Signal(name=f"power:{node}", unit="w", how="sum", rows=rows, weights=weights)
        for node, (rows, weights) in ((node, _power(site, place)) for node, place in places.items())
    ]
    for node, place in places.items():
        for point, how, unit in BOX_EXTRAS.get(place.kind, ()):
            if point in place.devices:
                rows = place.devices[point]
                signals.append(_signal(f"{point}:{node}", unit, how, rows))
    return signals + list(_totals(site, places.values()))


def _power(site: SiteModel, place: Place) -> tuple[IntArray, FloatArray]:
    """Rows and weights of a branch's power: the meter's where all of it flows through the meter."""
    metered = site.rows("meter", "import_w")
    carries_all = [f.name for f in site.branches if f.parent == 0] == place.names
    if len(metered) and (place.kind == "grid" or carries_all):
        return metered, np.ones(len(metered))
    return place.all_rows()


BOX_EXTRAS: dict[str, tuple[tuple[str, How, str], ...]] = {
    "battery": (("soc", "mean", "frac"),),
    "charger": (("occupied_count", "sum", "count"), ("limit_w", "sum", "w")),
    "racks": (("cap_w", "sum", "w"),),
    "pod": (("supply_degc", "max", "degc"),),
    "cdu": (("supply_degc", "max", "degc"), ("return_degc", "max", "degc")),
}
"""What a box shows beside its power: point, how it is joined over several devices, unit."""


def _signal(name: str, unit: str, how: How, rows: IntArray) -> Signal:
    return Signal(name=name, unit=unit, how=how, rows=rows, weights=np.ones(len(rows)))


def _totals(site: SiteModel, places: Iterable[Place]) -> Iterable[Signal]:
    """Totals of the site, by the names the page asks for."""
    pods = [place for place in places if place.pod and not place.children]
    if pods:
        rows = np.concatenate([place.rows for place in pods])
        weights = np.concatenate([place.weights for place in pods])
        yield Signal(name="pods_w", unit="w", how="sum", rows=rows, weights=weights)
        inside = [site.rows("node", "power_w")]
        inside += [g.rows("power_w")[g.rack >= 0] for g in site.groups_of("switch")]
        yield _signal("it_w", "w", "sum", np.concatenate(inside))
        yield _signal("nodes_cap_w", "w", "sum", site.rows("node", "cap_w"))
    rows_by_name: tuple[tuple[str, str, How, IntArray], ...] = (
        ("import_w", "w", "sum", site.rows("meter", "import_w")),
        ("voltage_v", "v", "mean", site.rows("meter", "voltage_v")),
        ("frequency_hz", "hz", "mean", site.rows("meter", "frequency_hz")),
        ("battery_charge_w", "w", "sum", site.rows("battery", "charge_w")),
        ("soc", "frac", "mean", site.rows("battery", "soc")),
        ("capacity_wh", "wh", "sum", site.rows("battery", "capacity_wh")),
        ("charge_available_w", "w", "sum", site.rows("battery", "charge_available_w")),
        ("discharge_available_w", "w", "sum", site.rows("battery", "discharge_available_w")),
        ("chargers_w", "w", "sum", site.rows("charger", "power_w")),
        ("occupied_count", "count", "sum", site.rows("charger", "occupied_count")),
        ("coolant_supply_degc", "degc", "max", site.rows("cdu", "supply_degc")),
        ("coolant_set_degc", "degc", "min", site.rows("cdu", "supply_set_degc")),
        ("coolant_return_degc", "degc", "max", site.rows("cdu", "return_degc")),
    )
    for name, unit, how, rows in rows_by_name:
        if len(rows):
            yield _signal(name, unit, how, rows)


class SignalTable:
    """Evaluates all signals against readings; prepared once, used every second."""

    def __init__(self, site: SiteModel, signals: list[Signal]) -> None:
        self.signals = signals
        self.index = {signal.name: position for position, signal in enumerate(signals)}
        self._stale_after_s = stale_after_s(site)

    def evaluate(self, readings: Readings) -> Numbers:
        """All signals of one moment."""
        known = np.isfinite(readings.values)
        fresh = (
            (readings.quality == Quality.GOOD) & (readings.ages_s <= self._stale_after_s) & known
        )
        count = len(self.signals)
        values, ages_s = np.full(count, np.nan), np.full(count, np.nan)
        states = np.full(count, SignalState.UNKNOWN, np.uint8)
        for position, signal in enumerate(self.signals):
            have = known[signal.rows]
            if len(have) == 0:  # a branch that nothing hangs on
                values[position], ages_s[position], states[position] = 0.0, 0.0, SignalState.GOOD
                continue
            if not have.any():
                continue
            rows = signal.rows[have]
            values[position] = JOIN[signal.how](readings.values[rows], signal.weights[have])
            ages_s[position] = readings.ages_s[rows].max()
            states[position] = _state(have.mean(), fresh[signal.rows].mean())
        return Numbers(values=values, ages_s=ages_s, states=states)


def _state(known_frac: float, fresh_frac: float) -> SignalState:
    """State of a number some of whose readings are known, and some of those fresh."""
    if fresh_frac >= 1.0 - MISSING_FRAC_MAX:
        return SignalState.GOOD
    if known_frac >= 1.0 - MISSING_FRAC_MAX and fresh_frac > FRESH_FRAC_MIN:
        return SignalState.PARTLY
    return SignalState.STALE


JOIN: dict[How, Callable[[FloatArray, FloatArray], float]] = {
    "sum": lambda values, weights: float(values @ weights),
    "mean": lambda values, weights: float(values @ weights / weights.sum()),
    "max": lambda values, _weights: float(values.max()),
    "min": lambda values, _weights: float(values.min()),
}


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
