"""Coolant: loops, CDUs, the plant behind them."""

from typing import Final

from mallee.alarms.kind import AlarmKind, AtPoint, Told, Unreadable
from mallee.alarms.rows.words import MINUTE_S, POWER, SHIFT_S
from mallee.kinds.cdu import CDU
from mallee.kinds.plant import AIR_HANDLER, CHILLER, DRY_COOLER, PUMP

ROWS: Final = (
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
        name="flow-lost",
        priority=2,
        condition=Told(event="flow-lost", about="loops"),
        consequence="Dies reach their limits within seconds; nodes are held at their least.",
        response="Check the pumps of its CDUs, their supply and for leaks; start the spare.",
        respond_within_s=5 * MINUTE_S,
        on_delay_s=3.0,
        off_delay_s=10.0,
        reach="cooling",
        caused_by=POWER,
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
        caused_by=(*POWER, "flow-lost"),
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
        name="plant-silent",
        priority=3,
        condition=Unreadable(device=(CHILLER, DRY_COOLER, AIR_HANDLER, PUMP)),
        consequence="Heat rejection is not watched.",
        response="Check its power and network; look at its own panel.",
        respond_within_s=30 * MINUTE_S,
        on_delay_s=30.0,
        off_delay_s=30.0,
        caused_by=POWER,
    ),
)
