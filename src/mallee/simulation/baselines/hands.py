"""What a rule may read and write at a site: rows by kind, worked out once.

The rules that control is compared with use nothing of control itself.
"""

from dataclasses import dataclass

import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.core.command import HEARTBEAT, Command
from mallee.core.snapshot import Snapshot
from mallee.kinds import DeviceKind
from mallee.kinds.battery import BATTERY
from mallee.kinds.charger import CHARGER
from mallee.kinds.meter import METER
from mallee.kinds.node import NODE
from mallee.site.model import SiteModel

BATTERY_LEASE_S = 60.0
CHARGER_LEASE_S = 30.0
STANDBY, SET_POINT, FILTER = 0.0, 1.0, 2.0
"""Values of a battery's `mode`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """Rows of a site's devices.

    Attributes:
        import_max_w: the contract's limit.
        meter: row of the meter's import.
        cap, node_power: node caps and powers.  # (nodes,)
        cap_min_w, cap_max_w: what caps may be set to.  # (nodes,)
        charger_limit: limits of charger stations.  # (chargers,)
        charger_max_w: the most of each.  # (chargers,)
        battery_mode, battery_set, heartbeat: of the batteries.  # (batteries,)
        charge_max_w, discharge_max_w: what each may be set to.  # (batteries,)
    """

    import_max_w: float
    meter: int
    cap: IntArray
    node_power: IntArray
    cap_min_w: FloatArray
    cap_max_w: FloatArray
    charger_limit: IntArray
    charger_max_w: FloatArray
    battery_mode: IntArray
    battery_set: IntArray
    heartbeat: IntArray
    charge_max_w: FloatArray
    discharge_max_w: FloatArray

    def import_w(self, snapshot: Snapshot) -> float:
        """What the meter says; a meter that says nothing reads as the limit."""
        reading_w = float(snapshot.values[self.meter])
        return reading_w if reading_w == reading_w else self.import_max_w

    def caps(self, values: FloatArray, reason: str) -> Command:
        """Set every node's cap, held to its range."""
        held = np.clip(values, self.cap_min_w, self.cap_max_w)
        return Command(rows=self.cap, values=held, lease_s=0.0, reason=reason)

    def batteries(self, mode: float, charge_w: FloatArray, beat: int) -> list[Command]:
        """Hold the batteries in a mode, and tell them that somebody lives."""
        if not self.battery_mode.size:
            return []
        held = np.clip(charge_w, -self.discharge_max_w, self.charge_max_w)
        modes = np.full(self.battery_mode.size, mode)
        beats = np.full(self.heartbeat.size, float(beat % 65536))
        return [
            Command(rows=self.heartbeat, values=beats, lease_s=0.0, reason=HEARTBEAT),
            Command(rows=self.battery_set, values=held, lease_s=5.0, reason="rule"),
            Command(rows=self.battery_mode, values=modes, lease_s=BATTERY_LEASE_S, reason="rule"),
        ]


def hands_of(site: SiteModel) -> Hands:
    """The rows of a site."""
    cap_low, cap_high = _ranges(site, NODE, "cap_w")
    _, charger_high = _ranges(site, CHARGER, "limit_w")
    set_low, set_high = _ranges(site, BATTERY, "charge_set_w")
    return Hands(
        import_max_w=site.grid.import_max_w,
        meter=int(site.rows(METER, "import_w")[0]),
        cap=site.rows(NODE, "cap_w"),
        node_power=site.rows(NODE, "power_w"),
        cap_min_w=cap_low,
        cap_max_w=cap_high,
        charger_limit=site.rows(CHARGER, "limit_w"),
        charger_max_w=charger_high,
        battery_mode=site.rows(BATTERY, "mode"),
        battery_set=site.rows(BATTERY, "charge_set_w"),
        heartbeat=site.rows(BATTERY, "heartbeat_count"),
        charge_max_w=set_high,
        discharge_max_w=-set_low,
    )


def _ranges(site: SiteModel, kind: DeviceKind, point: str) -> tuple[FloatArray, FloatArray]:
    """What a point may be set to, for every device that has it.  # (devices,) each"""
    low: list[FloatArray] = []
    high: list[FloatArray] = []
    for group in site.groups_of(kind):
        bounds = kind.write_range(group.model, point)
        if point in group.model.index and bounds is not None:
            low.append(np.full(group.count, bounds[0]))
            high.append(np.full(group.count, bounds[1]))
    none = np.empty(0)
    return (np.concatenate(low), np.concatenate(high)) if low else (none, none)
