"""What is asked of the devices while control cannot see the meter, or has failed.

The values are the ones that hold without any control: charger shares and node caps whose sum
stays under the import limit, and the inverter's own filter with no bias. Devices fall back to
the same values by themselves when their lease ends.
"""

import numpy as np

from mallee.control.limits import Limits
from mallee.control.orders import (
    CHARGER_LEASE_S,
    battery_orders,
    node_orders,
)
from mallee.control.sharing import cap_fraction
from mallee.core.command import Command
from mallee.core.snapshot import Snapshot


def safe_node_fraction(limits: Limits) -> float:
    """Node caps that leave the pods inside the import limit beside the chargers' standing share."""
    return cap_fraction(limits.import_aim_w - sum(safe_chargers_w(limits)), limits)


def safe_chargers_w(limits: Limits) -> list[float]:
    """Standing shares of the chargers, less where somebody asked for a lower import limit."""
    standing_w = [charger.standing_w for charger in limits.chargers]
    room_w = max(0.0, limits.import_aim_w - limits.pods_min_w)
    if sum(standing_w) <= room_w:
        return standing_w
    return [share_w * room_w / sum(standing_w) for share_w in standing_w]


def safe_commands(snapshot: Snapshot, limits: Limits, reason: str) -> list[Command]:
    """All devices to their standing safe values."""
    commands = battery_orders(
        snapshot, limits, import_in_force_w=limits.import_aim_w, bias_w=0.0, reason=reason
    )
    if limits.chargers:
        commands.append(
            Command(
                rows=np.array([charger.limit_row for charger in limits.chargers], np.int64),
                values=np.array(safe_chargers_w(limits)),
                lease_s=CHARGER_LEASE_S,
                reason=reason,
            )
        )
    fraction = safe_node_fraction(limits)
    return commands + node_orders(snapshot, limits, fraction=fraction, reason=reason)
