"""What control can see this cycle, with the worst case in place of what it cannot.

The load is what the meter shows less what the batteries charge. A battery that cannot be seen
counts as unable to help; a charger that cannot be seen counts as drawing its whole limit.
"""

from dataclasses import dataclass

import numpy as np

from mallee.control.limits import BatteryLimits, ChargerLimits, Limits
from mallee.core.snapshot import Quality, Snapshot

METER_AGE_MAX_S = 1.0
"""Older meter readings do not count: one is due every 0.1 s, and the inverter watches its own."""

_GOOD = int(Quality.GOOD)  # a member of an enum takes half a microsecond to look up


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryView:
    """One battery as seen now.

    Attributes:
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
    """The site as control sees it.

    Attributes:
        meter_seen: whether the meter is fresh enough to act on.
        import_w: import at the meter.
        load_w: import less the batteries' charge.
        chargers_w: draw of all chargers.
    """

    meter_seen: bool
    meter_time_s: float
    import_w: float
    load_w: float
    chargers_w: float
    batteries: tuple[BatteryView, ...]

    @property
    def charge_w(self) -> float:
        """What all batteries charge."""
        return sum(battery.charge_w for battery in self.batteries)


def look(snapshot: Snapshot, limits: Limits) -> View:
    """Read the few points that the fast part of a cycle needs."""
    row = limits.meter_row
    import_w = float(snapshot.values[row])
    meter_seen = snapshot.is_fresh(row, METER_AGE_MAX_S) and import_w == import_w
    batteries = tuple([_look_at_battery(snapshot, b, limits.age_max_s) for b in limits.batteries])
    return View(
        meter_seen=meter_seen,
        meter_time_s=float(snapshot.times_s[row]),
        import_w=import_w,
        load_w=import_w - sum([battery.charge_w for battery in batteries]),
        chargers_w=_chargers_w(snapshot, limits),
        batteries=batteries,
    )


def _look_at_battery(snapshot: Snapshot, limits: BatteryLimits, age_max_s: float) -> BatteryView:
    rows, values = limits.rows, snapshot.values
    charge_w, soc = float(values[rows["charge_w"]]), float(values[rows["soc"]])
    charge_max_w = float(values[rows["charge_available_w"]])
    discharge_max_w = float(values[rows["discharge_available_w"]])
    known = charge_w + soc + charge_max_w + discharge_max_w
    seen = snapshot.is_fresh(rows["charge_w"], age_max_s) and known == known
    if not seen:
        # Its power is still in the meter; only its help is not to be counted on.
        charge_w = charge_w if charge_w == charge_w else 0.0
        return BatteryView(
            limits=limits,
            seen=False,
            charge_w=charge_w,
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


def _charger_w(snapshot: Snapshot, charger: ChargerLimits) -> float | None:
    """What a charger says it draws, no more than it may; None while it cannot be seen."""
    power_w = float(snapshot.values[charger.power_row])
    if snapshot.quality[charger.power_row] != _GOOD or power_w != power_w:
        return None
    return min(power_w, charger.max_w)


def _chargers_w(snapshot: Snapshot, limits: Limits) -> float:
    total_w = 0.0
    for charger in limits.chargers:
        power_w = _charger_w(snapshot, charger)
        if power_w is None:
            limit_w = float(snapshot.values[charger.limit_row])
            power_w = min(limit_w, charger.max_w) if limit_w == limit_w else charger.max_w
        total_w += power_w
    return total_w


def devices_between_w(snapshot: Snapshot, limits: Limits) -> tuple[float, float]:
    """Least and most that nodes and chargers together draw, AC, by their own readings.

    One that cannot be seen may draw nothing or all it is allowed; none draws more than that.
    """
    nodes = limits.nodes
    power_w = snapshot.values[nodes.power_rows]
    seen = (snapshot.quality[nodes.power_rows] == _GOOD) & ~np.isnan(power_w)
    known_w = np.clip(np.where(seen, power_w, 0.0), 0.0, nodes.cap_max_w)
    least_w = float(known_w @ nodes.factor)
    most_w = float(np.where(seen, known_w, nodes.cap_max_w) @ nodes.factor)
    for charger in limits.chargers:
        charger_w = _charger_w(snapshot, charger)
        least_w += 0.0 if charger_w is None else max(charger_w, 0.0)
        most_w += charger.max_w if charger_w is None else max(charger_w, 0.0)
    return least_w, most_w
