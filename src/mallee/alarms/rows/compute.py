"""Racks, nodes, accelerators."""

from typing import Final

from mallee.alarms.kind import AlarmKind, AtPoint, Dark, Unreadable
from mallee.alarms.rows.words import MINUTE_S, POWER, SHIFT_S
from mallee.kinds.node import NODE
from mallee.kinds.power_shelf import POWER_SHELF
from mallee.kinds.switch import SWITCH

STANDBY_W: Final = 100.0
"""What a node or shelf that is off still takes for its controller, at most [assumed]."""
NO_COOLING: Final = ("flow-lost", "coolant-hot", "coolant-leak")
"""What heats all dies of a loop until they shut off."""
LOST_W: Final = 10.0
"""An idle accelerator draws 60 W and more; one that has left its bus reads nothing."""

ROWS: Final = (
    AlarmKind(
        name="tray-leak",
        priority=1,
        condition=AtPoint(device=NODE, point="leak_count", above=0.0),
        consequence="Coolant reaches live parts of the rack.",
        response="Drain the rack, shut its manifold valves and look for the leak.",
        respond_within_s=MINUTE_S,
        latched=True,
    ),
    AlarmKind(
        name="rack-dark",
        priority=2,
        condition=Dark(device=NODE, of="rack", below_w=STANDBY_W),
        consequence="All jobs that have a rank in this rack stand still.",
        response="Check the rack's breaker, its power shelves and its management switch.",
        respond_within_s=10 * MINUTE_S,
        on_delay_s=5.0,
        off_delay_s=10.0,
        reach="rack",
        caused_by=(*POWER, "grid-lost", "pod-dark"),
    ),
    AlarmKind(
        name="pod-dark",
        priority=2,
        condition=Dark(device=NODE, of="pod", below_w=STANDBY_W),
        consequence="All jobs in the pod stand still, or nobody sees how they are.",
        response="Check the pod's feeder, its management network and this computer's link to it.",
        respond_within_s=10 * MINUTE_S,
        on_delay_s=4.0,
        off_delay_s=10.0,
        reach="pod",
        caused_by=(*POWER, "grid-lost"),
    ),
    AlarmKind(
        name="die-hot",
        priority=3,
        condition=AtPoint(device=NODE, point="gpu*_temp_degc", above="throttle_degc", deadband=5.0),
        consequence="The accelerator slows down, and shuts off a few degrees later.",
        response="Check coolant supply and flow of its loop; cap or drain the node.",
        respond_within_s=30 * MINUTE_S,
        on_delay_s=5.0,
        off_delay_s=30.0,
        caused_by=("coolant-hot", "coolant-leak", "cdu-silent", "flow-lost"),
    ),
    AlarmKind(
        name="accelerator-lost",
        priority=3,
        condition=AtPoint(device=NODE, point="gpu*_power_w", below=LOST_W, deadband=0.0),
        consequence="An accelerator has left its bus (Xid 79) or shut off: its job stands still.",
        response="Drain the node, save its Xid messages; reset or replace the accelerator.",
        respond_within_s=30 * MINUTE_S,
        on_delay_s=10.0,
        off_delay_s=10.0,
        caused_by=(
            *POWER,
            "pod-dark",
            "rack-dark",
            "node-off",
            "flow-lost",
            "coolant-hot",
            "coolant-leak",
        ),
    ),
    AlarmKind(
        name="node-off",
        priority=3,
        condition=AtPoint(device=NODE, point="power_w", below=STANDBY_W, deadband=0.0),
        consequence="Its controller answers, the computer does not run: its job stands still.",
        response="Check its power supplies and cords, and who switched it off.",
        respond_within_s=30 * MINUTE_S,
        on_delay_s=10.0,
        off_delay_s=10.0,
        reach="device",
        caused_by=(*POWER, "pod-dark", "rack-dark", "flow-lost"),
    ),
    AlarmKind(
        name="node-silent",
        priority=3,
        condition=Unreadable(device=NODE),
        consequence="Its power and temperature are not seen; control assumes the worst of it.",
        response="Check its management controller, network and login.",
        respond_within_s=SHIFT_S,
        on_delay_s=15.0,
        off_delay_s=15.0,
        reach="device",
        caused_by=(*POWER, "pod-dark", "rack-dark"),
    ),
    AlarmKind(
        name="exporter-silent",
        priority=3,
        condition=Unreadable(device=NODE, protocol="dcgm"),
        consequence="Its accelerators are not seen, though the node answers.",
        response="Start the exporter on the node again, or the service that it reads from.",
        respond_within_s=SHIFT_S,
        on_delay_s=15.0,
        off_delay_s=15.0,
        caused_by=(*POWER, "pod-dark", "rack-dark", "node-silent", "node-off"),
    ),
    AlarmKind(
        name="tray-leak-unseen",
        priority=3,
        condition=Unreadable(device=NODE, point="leak_count"),
        consequence="A leak in the tray would not be seen: unavailable is not dry.",
        response="Bring the tray's leak detection back, and look at the rack meanwhile.",
        respond_within_s=SHIFT_S,
        on_delay_s=30.0,
        off_delay_s=30.0,
        caused_by=(*POWER, "pod-dark", "rack-dark", "node-silent"),
    ),
    AlarmKind(
        name="switch-silent",
        priority=3,
        condition=Unreadable(device=SWITCH),
        consequence="Its power is not seen; its links may be down.",
        response="Check the switch tray's power and management network.",
        respond_within_s=SHIFT_S,
        on_delay_s=15.0,
        off_delay_s=15.0,
        caused_by=(*POWER, "pod-dark", "rack-dark"),
    ),
    AlarmKind(
        name="shelf-off",
        priority=3,
        condition=AtPoint(device=POWER_SHELF, point="output_w", below=STANDBY_W, deadband=0.0),
        consequence="The other shelves carry its part; another loss stops the rack.",
        response="Check the shelf's supplies, its breaker and its cord.",
        respond_within_s=30 * MINUTE_S,
        on_delay_s=10.0,
        off_delay_s=10.0,
        caused_by=(*POWER, "pod-dark", "rack-dark"),
    ),
    AlarmKind(
        name="shelf-silent",
        priority=3,
        condition=Unreadable(device=POWER_SHELF),
        consequence="A failed power supply in the shelf would not be seen.",
        response="Check the shelf's controller and its network.",
        respond_within_s=SHIFT_S,
        on_delay_s=30.0,
        off_delay_s=30.0,
        caused_by=(*POWER, "pod-dark", "rack-dark"),
    ),
)
