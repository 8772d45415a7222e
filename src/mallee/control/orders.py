"""Turns what the concerns want into commands: only what differs from the readings is written.

Control keeps no list of what it sent. It compares what it wants with what the devices report and
writes the difference, so a device that restarts and forgets its setting gets it back by itself,
and a restarted controller disturbs nothing.
"""

import numpy as np

from mallee.control.limits import Limits
from mallee.control.sharing import charger_limits_w
from mallee.core.command import HEARTBEAT, Command
from mallee.core.snapshot import Snapshot

BATTERY_LEASE_S = 60.0
CHARGER_LEASE_S = 30.0
CHARGER_RENEW_CYCLES = 100
"""Every 10 s, a third of the lease: two renewals may be lost."""
SET_POINT_LEASE_S = 5.0
SET_POINT_MODE = 1.0
FILTER_MODE = 2.0
FILTER_TIME_S = 20.0
RAMP_USE_FRAC = 0.95
"""Share of the contract's ramp that the filter uses; the rest covers its own response."""
TOLERANCE_FRAC = 0.01
"""Readings within this share of what is wanted count as equal; registers have a resolution."""


def battery_orders(
    snapshot: Snapshot, limits: Limits, *, import_in_force_w: float, bias_w: float, reason: str
) -> list[Command]:
    """Settings of the inverters' ramp filters, where they differ from what is wanted.

    All filters are told the same about the meter; each then takes its share of the rating.
    """
    rows: list[int] = []
    values: list[float] = []
    for battery in limits.batteries:
        wanted = {
            "filter_import_max_w": import_in_force_w,
            "filter_import_min_w": limits.import_min_w,
            "filter_ramp_up_w_per_s": limits.ramp_up_w_per_s * RAMP_USE_FRAC,
            "filter_ramp_down_w_per_s": limits.ramp_down_w_per_s * RAMP_USE_FRAC,
            "filter_time_s": FILTER_TIME_S,
            "filter_charge_bias_w": bias_w,
            "mode": FILTER_MODE,  # last: the settings stand before the mode begins
        }
        for point, value in wanted.items():
            row = battery.rows[point]
            tolerance = max(TOLERANCE_FRAC * abs(value), 1.0 if point.endswith("_w") else 0.0)
            reading = float(snapshot.values[row])
            if reading == reading and abs(reading - value) > tolerance:
                rows.append(row)
                values.append(value)
    return [_command(rows, values, BATTERY_LEASE_S, reason)] if rows else []


def set_point_orders(limits: Limits, charge_w: list[float], reason: str) -> list[Command]:
    """Hold the batteries at these powers; renewed every second, since the lease is short."""
    commands = []
    for battery, power_w in zip(limits.batteries, charge_w, strict=True):
        rows = [battery.rows["charge_set_w"], battery.rows["mode"]]
        commands.append(_command(rows, [power_w, SET_POINT_MODE], SET_POINT_LEASE_S, reason))
    return commands


def heartbeat_orders(limits: Limits, count: int) -> list[Command]:
    """Tell the batteries that their controller lives."""
    if not limits.batteries:
        return []
    rows = [battery.rows["heartbeat_count"] for battery in limits.batteries]
    return [_command(rows, [float(count % 65536)] * len(rows), 0.0, HEARTBEAT)]


def charger_orders(
    snapshot: Snapshot, limits: Limits, *, total_w: float, renew: bool, reason: str
) -> list[Command]:
    """Charging profiles, on change and before their lease ends."""
    if not limits.chargers:
        return []
    powers_w = [
        0.0 if power_w != power_w else max(power_w, 0.0)
        for power_w in (float(snapshot.values[charger.power_row]) for charger in limits.chargers)
    ]
    rows: list[int] = []
    values: list[float] = []
    for charger, limit_w in zip(
        limits.chargers, charger_limits_w(total_w, powers_w, limits), strict=True
    ):
        reading_w = float(snapshot.values[charger.limit_row])
        # Lower limits go out at once; a higher one waits for a change that is worth a message.
        change_w = limit_w - reading_w
        is_due = change_w < -TOLERANCE_FRAC * charger.max_w or change_w > 0.05 * charger.max_w
        if renew or is_due or reading_w != reading_w:
            rows.append(charger.limit_row)
            values.append(limit_w)
    return [_command(rows, values, CHARGER_LEASE_S, reason)] if rows else []


def node_orders(
    snapshot: Snapshot, limits: Limits, *, fraction: float, reason: str
) -> list[Command]:
    """Node caps where the node reports another one. A BMC has no timer: the cap stands."""
    nodes = limits.nodes
    wanted_w = nodes.cap_min_w + fraction * (nodes.cap_max_w - nodes.cap_min_w)
    differs = np.abs(snapshot.values[nodes.cap_rows] - wanted_w) > TOLERANCE_FRAC * nodes.cap_max_w
    if not differs.any():
        return []
    return [
        Command(rows=nodes.cap_rows[differs], values=wanted_w[differs], lease_s=0.0, reason=reason)
    ]


def _command(rows: list[int], values: list[float], lease_s: float, reason: str) -> Command:
    return Command(
        rows=np.array(rows, np.int64), values=np.array(values), lease_s=lease_s, reason=reason
    )
