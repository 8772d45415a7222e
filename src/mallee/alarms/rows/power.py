"""What brings power: the utility, switchgear, meters, batteries, UPS, generators, charging."""

from typing import Final

from mallee.alarms.kind import AlarmKind, AtPoint, Told, Unreadable
from mallee.alarms.rows.words import MINUTE_S, POWER, SHIFT_S
from mallee.kinds.battery import BATTERY
from mallee.kinds.charger import CHARGER
from mallee.kinds.genset import GENSET
from mallee.kinds.meter import METER
from mallee.kinds.pdu import PDU
from mallee.kinds.solar import SOLAR
from mallee.kinds.transfer_switch import TRANSFER_SWITCH
from mallee.kinds.ups import UPS

GRID_DEAD_V: Final = 50.0
"""Below this no utility is there, whatever its nominal voltage."""

ROWS: Final = (
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
    AlarmKind(
        name="breaker-open",
        priority=2,
        condition=Told(event="breaker-trip", about="branches", also=("breaker-opened",)),
        consequence="Everything that only this branch feeds is dark.",
        response="Find the overload or the fault behind it, then close it.",
        respond_within_s=5 * MINUTE_S,
        latched=True,
        reach="power",
    ),
    AlarmKind(
        name="grid-lost",
        priority=2,
        condition=AtPoint(device=METER, point="voltage_v", below=GRID_DEAD_V, deadband=20.0),
        consequence="The site lives on batteries, UPS and generators, or not at all.",
        response="Call the utility; see that the generators start; shed what cannot be carried.",
        respond_within_s=5 * MINUTE_S,
        on_delay_s=3.0,
        off_delay_s=10.0,
        reach="power",
    ),
    AlarmKind(
        name="battery-not-following",
        priority=2,
        condition=Told(event="battery-not-following", about="devices"),
        consequence="Chargers and nodes carry what the battery does not.",
        response="Look at the battery's own alarms, its mode and its breaker.",
        respond_within_s=10 * MINUTE_S,
        on_delay_s=3.0,
        off_delay_s=10.0,
        caused_by=(*POWER, "grid-lost"),
    ),
    AlarmKind(
        name="meter-silent",
        priority=3,
        condition=Unreadable(device=METER),
        consequence="Control steers without it: by what the devices say, or not at all.",
        response="Check its address, network and supply.",
        respond_within_s=30 * MINUTE_S,
        on_delay_s=5.0,
        off_delay_s=10.0,
        caused_by=POWER,
    ),
    AlarmKind(
        name="meter-doubted",
        priority=3,
        condition=Told(event="meter-degraded"),
        consequence="Control keeps a wider margin: less power is used than is allowed.",
        response="Check the meter's wiring, and its current transformers' direction and ratio.",
        respond_within_s=SHIFT_S,
        on_delay_s=10.0,
        off_delay_s=30.0,
    ),
    AlarmKind(
        name="load-unknown",
        priority=3,
        condition=Told(event="load-unknown", about="branches"),
        consequence="A load that nobody steers counts against the limits.",
        response="Find the load that the site file does not name, or what reads too low.",
        respond_within_s=SHIFT_S,
        on_delay_s=30.0,
        off_delay_s=30.0,
    ),
    AlarmKind(
        name="supply-silent",
        priority=3,
        condition=Unreadable(device=(UPS, PDU, TRANSFER_SWITCH, GENSET, SOLAR)),
        consequence="Its load, its charge and its faults are not seen.",
        response="Check its communication card and network; look at its own panel.",
        respond_within_s=SHIFT_S,
        on_delay_s=30.0,
        off_delay_s=30.0,
        caused_by=POWER,
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
        caused_by=(*POWER, "grid-lost"),
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
)
