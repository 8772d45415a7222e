"""What control can see this cycle, with the worst case in place of what it cannot.

The load is what the meters of the feeds show less what the batteries charge. A battery that cannot
be seen counts as unable to help; a load that cannot be seen counts as drawing its whole limit.
"""

from dataclasses import dataclass, replace

import numpy as np

from mallee.control.limits import BatteryLimits, Limits
from mallee.core.arrays import BoolArray, FloatArray, IntArray
from mallee.core.snapshot import Quality, Snapshot

METER_AGE_MAX_S = 1.0
"""Older meter readings do not count: one is due every 0.1 s, and the inverter watches its own."""

ABSURD_TIMES = 3.0
"""A battery that says it charges with so many times its rating says nothing."""

_GOOD = int(Quality.GOOD)  # a member of an enum takes half a microsecond to look up


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryView:
    """One battery as seen now.

    Attributes:
        charge_w: what it says it takes, the last that was seen; 0 where that is nothing.
        soc: reported state of charge.
        charge_max_w, discharge_max_w: what it says it can do now; 0 while it cannot be seen.
    """

    limits: BatteryLimits
    seen: bool
    charge_w: float
    soc: float
    charge_max_w: float
    discharge_max_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The fast part of the site as control sees it, ten times a second.

    Attributes:
        flow_w: reading of each metered branch; NaN where there is none.  # (metered,)
        seen: whether each reading is fresh enough to act on.  # (metered,)
        meter_time_s: when the oldest of the feeds' readings was taken.
        batteries: all of them.
    """

    flow_w: tuple[float, ...]
    seen: tuple[bool, ...]
    feeds: int
    meter_time_s: float
    batteries: tuple[BatteryView, ...]

    @property
    def meter_seen(self) -> bool:
        """Whether every feed's meter can be seen."""
        return all(self.seen[: self.feeds])

    @property
    def import_w(self) -> float:
        """Import of all feeds."""
        return sum(self.flow_w[: self.feeds])

    @property
    def charge_w(self) -> float:
        """What all batteries charge."""
        return sum([battery.charge_w for battery in self.batteries])

    @property
    def load_w(self) -> float:
        """Import less the batteries' charge."""
        return self.import_w - self.charge_w


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadsView:
    """The steerable loads as seen once a second; one row each, at the device.

    Attributes:
        power_w: what each draws by its own word; where it cannot be seen its highest.  # (loads,)
        seen: whether that is a good reading.  # (loads,)
        in_force_w: the limit that each says is in force; NaN where unknown.  # (loads,)
        may_w: the most that each may draw now, by the limit in force or by its rating.  # (loads,)
        wants_w: what chargers would take if they could; of nodes their most.  # (loads,)
        hungry: chargers that are held by their limit and would draw more.  # (loads,)
    """

    power_w: FloatArray
    seen: BoolArray
    in_force_w: FloatArray
    may_w: FloatArray
    wants_w: FloatArray
    hungry: BoolArray


def look(snapshot: Snapshot, limits: Limits) -> View:
    """Read the few points that the fast part of a cycle needs."""
    flow_w, seen, times_s = [], [], []
    for row in limits.budget.meter_row[limits.metered].tolist():
        value = float(snapshot.values[row])
        flow_w.append(value)
        seen.append(snapshot.is_fresh(row, METER_AGE_MAX_S) and value == value)
        times_s.append(float(snapshot.times_s[row]))
    return View(
        flow_w=tuple(flow_w),
        seen=tuple(seen),
        feeds=limits.feeds,
        meter_time_s=min(times_s[: limits.feeds]),
        batteries=tuple(
            [_look_at_battery(snapshot, one, limits.age_max_s) for one in limits.batteries]
        ),
    )


def without(view: View, rows: IntArray) -> View:
    """The same, with no help from batteries whose points are among these rows."""
    if not rows.size:
        return view
    given = set(rows.tolist())
    return replace(
        view,
        batteries=tuple(
            replace(one, charge_max_w=0.0, discharge_max_w=0.0)
            if one.limits.rows["charge_w"] in given
            else one
            for one in view.batteries
        ),
    )


def _look_at_battery(snapshot: Snapshot, limits: BatteryLimits, age_max_s: float) -> BatteryView:
    rows, values = limits.rows, snapshot.values
    charge_w, soc = float(values[rows["charge_w"]]), float(values[rows["soc"]])
    charge_max_w = _available(snapshot, limits, "charge_available_w", limits.charge_max_w)
    discharge_max_w = _available(snapshot, limits, "discharge_available_w", limits.discharge_max_w)
    known = charge_w + soc + charge_max_w + discharge_max_w
    sane = abs(charge_w) <= ABSURD_TIMES * max(limits.charge_max_w, limits.discharge_max_w)
    seen = snapshot.is_fresh(rows["charge_w"], age_max_s) and sane and known == known
    if not seen:
        # Its power is still in the meter; only its help is not to be counted on.
        return BatteryView(
            limits=limits,
            seen=False,
            charge_w=charge_w if sane else 0.0,
            soc=0.0,
            charge_max_w=0.0,
            discharge_max_w=0.0,
        )
    return BatteryView(
        limits=limits,
        seen=True,
        charge_w=charge_w,
        soc=min(max(soc, 0.0), 1.0),
        charge_max_w=min(max(charge_max_w, 0.0), limits.charge_max_w),
        discharge_max_w=min(max(discharge_max_w, 0.0), limits.discharge_max_w),
    )


def _available(snapshot: Snapshot, limits: BatteryLimits, point: str, rated_w: float) -> float:
    """What a battery says it can do; its rating where it has no such register."""
    row = limits.rows.get(point)
    return rated_w if row is None else float(snapshot.values[row])


def look_at_loads(snapshot: Snapshot, limits: Limits) -> LoadsView:
    """Read every steerable load. An absurd reading counts as none."""
    loads, values, quality = limits.budget.loads, snapshot.values, snapshot.quality
    power_w = values[loads.power_rows]
    seen = (quality[loads.power_rows] == _GOOD) & np.isfinite(power_w)
    in_force_w = np.where(
        quality[loads.limit_rows] <= int(Quality.STALE), values[loads.limit_rows], np.nan
    )
    may_w = np.where(np.isfinite(in_force_w), in_force_w, loads.most_w)
    may_w = np.clip(may_w, loads.least_w, loads.most_w)
    # A device that says it draws nothing or less does not give: a reading with the wrong sign.
    power_w = np.clip(np.where(seen, power_w, may_w), 0.0, loads.most_w)
    occupied = np.zeros(loads.count, bool)
    has_count = loads.is_charger & (loads.occupied_rows >= 0)
    rows = loads.occupied_rows[has_count]
    occupied[has_count] = ~((quality[rows] == _GOOD) & (values[rows] <= 0.0))
    occupied |= loads.is_charger & (loads.occupied_rows < 0)
    near_w = np.maximum(HELD_FRAC * may_w, may_w - HELD_WITHIN_FRAC * loads.most_w)
    held = occupied & seen & (power_w >= near_w)
    more_frac = np.where(held, GROWTH_FRAC, np.where(occupied, ROOM_FRAC, 0.0))
    wants_w = power_w + more_frac * loads.most_w
    wants_w = np.clip(np.where(seen, wants_w, may_w), loads.floor_w, loads.most_w)
    return LoadsView(
        power_w=power_w,
        seen=seen,
        in_force_w=in_force_w,
        may_w=may_w,
        wants_w=np.where(loads.is_charger, wants_w, loads.most_w),
        hungry=held & (may_w < loads.most_w),
    )


HELD_FRAC, HELD_WITHIN_FRAC = 0.9, 0.01
"""A charger that draws so much of its limit, to within so much of its rating, would draw more."""
GROWTH_FRAC = 0.05
"""What one at its limit wants beyond what it draws, of its rating: two seconds of one car's rise
(the twin's cars need ten seconds to their most). More would be kept from others and not be used."""
ROOM_FRAC = 0.02
"""The same for one below its limit. Nothing can be added beyond a limit, so little need be kept for
it: a car that comes is held by the limit, is seen to be, and gets more."""
