"""What the batteries are told: settings of their own modes at the meter, or a power.

A battery that keeps ramps and import limits at the meter by itself is the faster and better
actuator: it is configured, and left alone as long as the meter shows that it works. One that only
takes set points holds the import limit and the state of charge, slowly; ramps are not its to cover.
If import stays above the limit although the batteries could hold it, control gives them powers with
a short lease until the meter is well again.
"""

from typing import NamedTuple

import numpy as np

from mallee.control.asked_battery import SET_POINT_MODE
from mallee.control.limits import BatteryLimits, Limits
from mallee.control.scene import Scene
from mallee.control.soc import bias_of
from mallee.core.command import HEARTBEAT, Command
from mallee.core.snapshot import Snapshot

LEASE_S = 60.0
SET_POINT_LEASE_S = 5.0
FILTER_MODE = 2.0
FILTER_TIME_S = 20.0
RAMP_USE_FRAC = 0.95
"""Share of the contract's ramp that a battery's own mode uses; the rest covers its response."""
TOLERANCE_FRAC = 0.01
"""Readings within this share of what is wanted count as equal; registers have a resolution."""
BIAS_TOLERANCE_FRAC = 0.05
"""A charge bias this near, as a share of the import limit, does as well: the room that bounds it
moves with every load, and a register wears."""
OVER_FRAC = 1.01
"""Import above the limit by this factor counts; the battery's own mode keeps to the limit."""
START_S, STOP_S = 2.0, 20.0
"""A mode that works is back under its limit in a second; control hands back after twenty below."""
NO_RAMP_W_PER_S = 1e9
"""Written where no contract limits ramps."""


class Override(NamedTuple):
    """Whether control holds the batteries itself, and since when import is on one side.

    Attributes:
        active: control gives set points, the batteries' own modes rest.
        since_s: time since which import is over the limit (inactive) or under it (active).
    """

    active: bool
    since_s: float | None


def supervise(scene: Scene) -> Override:
    """Decide whether the batteries' own modes are to be overridden."""
    state = scene.state
    active, since_s = state.filter_overridden, state.filter_override_since_s
    # A lower limit that somebody asks for is reached with the ramp: only the contract is judged.
    is_over = scene.import_w > scene.limits.import_aim_w * OVER_FRAC
    can_help = any(
        one.seen and one.limits.smooths and trust.failures == 0 and -one.charge_w < 0.98 * support
        for one, trust, support in zip(
            scene.view.batteries, state.trusts, scene.support_w, strict=True
        )
    )
    if not active:
        if not (is_over and can_help):
            return Override(active=False, since_s=None)
        began_s = scene.time_s if since_s is None else since_s
        return Override(active=scene.time_s - began_s >= START_S, since_s=began_s)
    if is_over:
        return Override(active=can_help or since_s is None, since_s=None)
    began_s = scene.time_s if since_s is None else since_s
    return Override(active=scene.time_s - began_s < STOP_S, since_s=began_s)


def battery_commands(
    scene: Scene, snapshot: Snapshot, *, overridden: bool, import_w: float, reason: str
) -> list[Command]:
    """Everything to be written to batteries now.

    Args:
        import_w: bound of import in force.
    """
    commands: list[Command] = []
    for position, battery in enumerate(scene.limits.batteries):
        if battery.smooths and not (overridden or battery.name in scene.set_point_batteries):
            wanted = _wanted(scene.limits, import_w, bias_of(scene, position))
            commands += _differing(snapshot, battery, wanted, reason)
        elif battery.takes_set_point:
            charge_w = set_point_w(scene, position, import_w)
            commands += _set_point(battery, charge_w, reason)
    return commands


def safe_battery_commands(snapshot: Snapshot, limits: Limits, reason: str) -> list[Command]:
    """Own modes at the contract, no bias; batteries without one are left to their own fall-back."""
    wanted = _wanted(limits, limits.import_aim_w, 0.0)
    return [
        command
        for battery in limits.batteries
        if battery.smooths
        for command in _differing(snapshot, battery, wanted, reason)
    ]


def heartbeats(limits: Limits, count: int) -> list[Command]:
    """Tell the batteries that their controller lives."""
    rows = [b.rows["heartbeat_count"] for b in limits.batteries if "heartbeat_count" in b.rows]
    if not rows:
        return []
    values = np.full(len(rows), float(count % 65536))
    return [Command(rows=np.array(rows, np.int64), values=values, lease_s=0.0, reason=HEARTBEAT)]


def set_point_w(scene: Scene, position: int, import_w: float) -> float:
    """Charge power that keeps import under its bound; this battery's share of it.

    The loads count with what they draw now, and never less than this battery gives is taken away
    at once: a set point is a slow loop that must not chase a swing.
    """
    battery = scene.view.batteries[position]
    able_w = sum(scene.support_w)
    share = scene.support_w[position] / able_w if able_w > 0.0 else 0.0
    excess_w = max(scene.load_w, scene.state.load_mean_w) - import_w
    if excess_w > 0.0:
        most_w = max(0.0, scene.load_w - scene.limits.import_min_w)
        return -share * min(excess_w, most_w, able_w)
    room_w = max(0.0, -excess_w)
    export_w = max(0.0, scene.load_w - scene.limits.import_min_w)
    least_w = -min(battery.discharge_max_w, share * export_w)
    return min(max(bias_of(scene, position), least_w), battery.charge_max_w, room_w)


def _wanted(limits: Limits, import_w: float, bias_w: float) -> dict[str, float]:
    slopes = (limits.ramp_up_w_per_s, limits.ramp_down_w_per_s)
    up, down = (min(slope * RAMP_USE_FRAC, NO_RAMP_W_PER_S) for slope in slopes)
    return {
        "filter_import_max_w": import_w,
        "filter_import_min_w": limits.import_min_w,
        "filter_ramp_up_w_per_s": up,
        "filter_ramp_down_w_per_s": down,
        "filter_time_s": FILTER_TIME_S,
        "filter_charge_bias_w": bias_w,
        "mode": FILTER_MODE,  # last: the settings stand before the mode begins
    }


def _differing(
    snapshot: Snapshot, battery: BatteryLimits, wanted: dict[str, float], reason: str
) -> list[Command]:
    """Settings of a battery's own mode, where they differ from what is wanted."""
    rows, values = [], []
    for point, value in wanted.items():
        row = battery.rows.get(point)
        if row is None:
            continue
        tolerance = max(TOLERANCE_FRAC * abs(value), 1.0 if point.endswith("_w") else 0.0)
        if point == "filter_charge_bias_w" and value != 0.0:
            tolerance = max(tolerance, BIAS_TOLERANCE_FRAC * wanted["filter_import_max_w"])
        reading = float(snapshot.values[row])
        if reading == reading and abs(reading - value) > tolerance:
            rows.append(row)
            values.append(value)
    if not rows:
        return []
    return [
        Command(
            rows=np.array(rows, np.int64), values=np.array(values), lease_s=LEASE_S, reason=reason
        )
    ]


def _set_point(battery: BatteryLimits, charge_w: float, reason: str) -> list[Command]:
    """A power and, where there is one, the mode that follows it; renewed every second."""
    wanted = {"charge_set_w": charge_w, "mode": SET_POINT_MODE}
    rows = [battery.rows[point] for point in wanted if point in battery.rows]
    values = [value for point, value in wanted.items() if point in battery.rows]
    return [
        Command(
            rows=np.array(rows, np.int64),
            values=np.array(values),
            lease_s=SET_POINT_LEASE_S,
            reason=reason,
        )
    ]
