"""Every kind of alarm that ships with Mallee: one row each. `docs/alarms.md` is made from them."""

from collections.abc import Iterable
from typing import Final

from mallee.alarms.kind import AlarmKind, AtPoint, Dark, Told, Unreadable
from mallee.kinds.battery import BATTERY
from mallee.kinds.cdu import CDU
from mallee.kinds.charger import CHARGER
from mallee.kinds.genset import GENSET
from mallee.kinds.node import NODE
from mallee.kinds.power_shelf import POWER_SHELF
from mallee.kinds.switch import SWITCH
from mallee.kinds.ups import UPS

MINUTE_S = 60.0
SHIFT_S = 8 * 3600.0
POWER = ("breaker-open",)
"""What explains that something below it does not answer or does not run."""

_ROWS: Final = (
    # Now
    AlarmKind(
        name="coolant-leak",
        priority=1,
        condition=AtPoint(device=CDU, point="leak_count", above=0.0),
        consequence="Coolant reaches live parts; the loop runs dry and every rack on it stops.",
        response="Stop the racks on this loop, isolate it, and look for the leak on the floor.",
        respond_within_s=MINUTE_S,
        latched=True,
        reach="cooling",
    ),
    AlarmKind(
        name="import-over-limit",
        priority=1,
        condition=Told(event="import-over-limit"),
        consequence="The utility's protection opens or the contract is broken.",
        response="Shed load by hand: end charging sessions, then pause jobs.",
        respond_within_s=MINUTE_S,
        on_delay_s=3.0,
        off_delay_s=10.0,
    ),
    # Within minutes
    AlarmKind(
        name="breaker-open",
        priority=2,
        condition=Told(event="breaker-trip", about="branches"),
        consequence="Everything that only this branch feeds is dark.",
        response="Find the overload or the fault behind it, then close it.",
        respond_within_s=5 * MINUTE_S,
        latched=True,
        reach="power",
    ),
    AlarmKind(
        name="rack-dark",
        priority=2,
        condition=Dark(device=NODE, of="rack"),
        consequence="All jobs that have a rank in this rack stand still.",
        response="Check the rack's breaker, its power shelves and its management switch.",
        respond_within_s=10 * MINUTE_S,
        on_delay_s=5.0,
        off_delay_s=10.0,
        reach="rack",
        caused_by=(*POWER, "pod-dark"),
    ),
    AlarmKind(
        name="pod-dark",
        priority=2,
        condition=Dark(device=NODE, of="pod"),
        consequence="All jobs in the pod stand still, or nobody sees how they are.",
        response="Check the pod's feeder, its management network and this computer's link to it.",
        respond_within_s=10 * MINUTE_S,
        on_delay_s=4.0,
        off_delay_s=10.0,
        reach="pod",
        caused_by=POWER,
    ),
    AlarmKind(
        name="safe-state",
        priority=2,
        condition=Told(event="safe-state"),
        consequence="Chargers and nodes stay at their safe shares; nothing follows the grid.",
        response="Bring the grid meter back: address, network, wiring, current transformers.",
        respond_within_s=10 * MINUTE_S,
        on_delay_s=3.0,
        off_delay_s=10.0,
    ),
    # This shift
    AlarmKind(
        name="die-hot",
        priority=3,
        condition=AtPoint(device=NODE, point="gpu*_temp_degc", above="throttle_degc", deadband=5.0),
        consequence="The accelerator slows down, and shuts off a few degrees later.",
        response="Check coolant supply and flow of its loop; cap or drain the node.",
        respond_within_s=30 * MINUTE_S,
        on_delay_s=5.0,
        off_delay_s=30.0,
        caused_by=("coolant-hot", "coolant-leak", "cdu-silent"),
    ),
    AlarmKind(
        name="coolant-hot",
        priority=3,
        condition=AtPoint(device=CDU, point="supply_degc", above="supply_max_degc", deadband=1.0),
        consequence="Racks on this loop run into their temperature limits.",
        response="Check the CDU's pumps and valve and the plant that serves it; lower the load.",
        respond_within_s=10 * MINUTE_S,
        on_delay_s=20.0,
        off_delay_s=60.0,
        reach="cooling",
    ),
    AlarmKind(
        name="leak-detector-silent",
        priority=3,
        condition=Unreadable(device=CDU, point="leak_count"),
        consequence="A leak would not be seen: unavailable is not dry.",
        response="Bring the CDU's leak detection back, and look at the floor meanwhile.",
        respond_within_s=SHIFT_S,
        on_delay_s=30.0,
        off_delay_s=30.0,
        caused_by=(*POWER, "pod-dark", "cdu-silent"),
    ),
    AlarmKind(
        name="cdu-silent",
        priority=3,
        condition=Unreadable(device=CDU),
        consequence="Coolant of its racks is not watched.",
        response="Check the CDU's power and network; look at its own panel.",
        respond_within_s=30 * MINUTE_S,
        on_delay_s=10.0,
        off_delay_s=10.0,
        reach="device",
        caused_by=(*POWER, "pod-dark"),
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
    AlarmKind(
        name="charger-silent",
        priority=3,
        condition=Unreadable(device=CHARGER),
        consequence="It falls back to its standing share; its cars charge slowly.",
        response="Check the station's network and its connection to the central system.",
        respond_within_s=SHIFT_S,
        on_delay_s=30.0,
        off_delay_s=30.0,
        caused_by=POWER,
    ),
    AlarmKind(
        name="battery-unseen",
        priority=3,
        condition=Told(event="battery-unseen", about="devices"),
        consequence="Chargers and nodes are held to what the grid alone can give.",
        response="Check the battery's communication.",
        respond_within_s=30 * MINUTE_S,
        on_delay_s=10.0,
        off_delay_s=10.0,
        caused_by=POWER,
    ),
    AlarmKind(
        name="battery-low",
        priority=3,
        condition=AtPoint(device=BATTERY, point="soc", below="site.soc_min", deadband=0.02),
        consequence="The battery can carry nothing more: caps and lower charging follow.",
        response="Free power for recharging: fewer cars, a lower load, a later job.",
        respond_within_s=30 * MINUTE_S,
        on_delay_s=30.0,
        off_delay_s=60.0,
    ),
    AlarmKind(
        name="filter-overridden",
        priority=3,
        condition=Told(event="filter-overridden"),
        consequence="The import limit holds, the ripple and the ramp do not.",
        response="Check the ramp filter's settings and the current transformer it watches.",
        respond_within_s=30 * MINUTE_S,
        on_delay_s=5.0,
        off_delay_s=30.0,
    ),
    AlarmKind(
        name="fuel-low",
        priority=3,
        condition=AtPoint(device=GENSET, point="fuel_frac", below=0.25, deadband=0.05),
        consequence="The generator ends before the outage does.",
        response="Order fuel.",
        respond_within_s=SHIFT_S,
        on_delay_s=MINUTE_S,
        off_delay_s=MINUTE_S,
    ),
    AlarmKind(
        name="ups-discharging",
        priority=3,
        condition=AtPoint(device=UPS, point="soc", below=0.9, deadband=0.05),
        consequence="What hangs on the UPS goes dark when its battery is empty.",
        response="Bring its input back, or shut the load down in order.",
        respond_within_s=5 * MINUTE_S,
        on_delay_s=10.0,
        off_delay_s=MINUTE_S,
    ),
    AlarmKind(
        name="command-lost",
        priority=3,
        condition=Told(event="command-lost", about="devices"),
        consequence="A device does something else than control counts on.",
        response="Look for another system that writes to it, or a local limit that overrules.",
        respond_within_s=SHIFT_S,
        caused_by=(*POWER, "pod-dark", "rack-dark", "node-silent", "cdu-silent"),
    ),
    AlarmKind(
        name="command-rejected",
        priority=3,
        condition=Told(event="command-rejected", about="devices"),
        consequence="The device keeps its last setting.",
        response="Look at its mode (local, locked, faulted) and at the rights of the login.",
        respond_within_s=SHIFT_S,
    ),
    AlarmKind(
        name="reading-implausible",
        priority=3,
        condition=Told(event="reading-implausible", about="devices"),
        consequence="The point is left out, and whatever relied on it assumes the worst.",
        response="Check the sensor, and unit and address of the point in the device's model.",
        respond_within_s=SHIFT_S,
    ),
    AlarmKind(
        name="control-failed",
        priority=3,
        condition=Told(event="control-failed"),
        consequence="The devices hold safe values until control works again.",
        response="Report it with the log of control.",
        respond_within_s=SHIFT_S,
    ),
    AlarmKind(
        name="process-hung",
        priority=3,
        condition=Told(event="process-hung"),
        consequence="It was started again; what it did meanwhile was late.",
        response="Look for what else keeps the computer busy; report it with the log.",
        respond_within_s=SHIFT_S,
    ),
    AlarmKind(
        name="request-refused",
        priority=3,
        condition=Told(event="request-refused"),
        consequence="Somebody counts on a bound that is not in force.",
        response="Tell whoever asked, and file what can be followed.",
        respond_within_s=SHIFT_S,
    ),
)

ALARMS: Final = {kind.name: kind for kind in _ROWS}
"""All kinds by name; priority first, then in the order in which they are listed."""


def describe_alarms(kinds: Iterable[AlarmKind] = _ROWS) -> str:
    """All kinds as a Markdown table."""
    lines = [
        "| alarm | priority | if nobody responds | what to do | within | explained by |",
        "|---|---|---|---|---|---|",
    ]
    for kind in kinds:
        causes = ", ".join(f"`{name}`" for name in kind.caused_by)
        lines.append(
            f"| `{kind.name}` | {kind.priority} | {kind.consequence} | {kind.response} "
            f"| {_duration(kind.respond_within_s)} | {causes} |"
        )
    return "\n".join(lines) + "\n"


def _duration(time_s: float) -> str:
    return f"{time_s / 3600:.0f} h" if time_s >= 3600.0 else f"{time_s / 60:.0f} min"
