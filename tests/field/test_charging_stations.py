"""OCPP as stations in the field speak it. Kinds of failure after public reports; own inputs."""

import asyncio
import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mallee.drivers.ocpp.charger import FOLLOW_S, _Limit
from mallee.drivers.ocpp.codec import meter_readings
from mallee.drivers.ocpp.session import Memory, Session

POWER = "Power.Active.Import"


def sample(value: object, unit: str = "W", **more: object) -> dict[str, Any]:
    return {"value": value, "measurand": POWER, "unitOfMeasure": {"unit": unit}, **more}


@pytest.mark.parametrize(
    ("samples", "power_w"),
    [
        ([sample(48, "kW")], 48e3),
        ([sample(48, "KW")], 48e3),
        ([sample(48, "horses")], None),
        ([sample("48000")], 48e3),
        ([sample(7e3, phase=p) for p in ("L1", "L2", "L3")], 21e3),
        ([sample(7e3, phase="L1")], None),  # one phase is not the station
        ([sample(22e3, location="Outlet"), sample(61e3, location="Inlet")], 22e3),
        ([sample(61e3, location="Inlet"), sample(22e3)], 22e3),
        (
            [{"value": 48, "measurand": POWER, "unitOfMeasure": {"unit": "W", "multiplier": 3}}],
            48e3,
        ),
    ],
)
def test_samples_become_one_power_or_none(
    samples: list[dict[str, Any]], power_w: float | None
) -> None:
    found = dict(meter_readings([{"sampledValue": samples}]))
    assert found.get(POWER) == power_w


class Line:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def send(self, message: str) -> None:
        self.sent.append(json.loads(message))


def told(*calls: tuple[str, dict[str, Any]]) -> tuple[Memory, list[Any]]:
    """What a station's messages leave in the memory, and what it is answered."""
    memory, line = Memory(), Line()

    async def main() -> None:
        session = Session("ev1", line, memory, 5.0, 2)
        for number, (action, payload) in enumerate(calls):
            await session.receive(json.dumps([2, str(number), action, payload]))

    asyncio.run(main())
    return memory, line.sent


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def values(power_w: float, seconds_ago: float = 0.0) -> list[dict[str, Any]]:
    return [{"timestamp": ago(seconds_ago), "sampledValue": [sample(power_w)]}]


def event(kind: str, number: int, **more: Any) -> tuple[str, dict[str, Any]]:
    base = {
        "eventType": kind,
        "timestamp": ago(0),
        "triggerReason": "MeterValuePeriodic",
        "seqNo": number,
        "transactionInfo": {"transactionId": "t1"},
    }
    return "TransactionEvent", base | more


def test_an_evse_is_named_once_and_what_was_kept_is_not_now() -> None:
    memory, _ = told(
        event("Started", 0, evse={"id": 2}), event("Updated", 1, meterValue=values(48e3))
    )
    assert memory.readings[POWER, 2][0] == 48e3
    kept = event("Updated", 1, evse={"id": 1}, offline=True, meterValue=values(150e3, 3600))
    assert told(kept)[0].readings == {}
    meter = ("MeterValues", {"evseId": 1, "meterValue": values(60e3)})
    late = ("MeterValues", {"evseId": 1, "meterValue": values(150e3, 3600)})
    assert told(meter, late)[0].readings[POWER, 1][0] == 60e3


def test_a_clock_that_is_hours_ahead_does_no_harm() -> None:
    first = ("MeterValues", {"evseId": 1, "meterValue": values(60e3, -7200)})
    then = ("MeterValues", {"evseId": 1, "meterValue": values(50e3, -7201)})
    assert told(first, then)[0].readings[POWER, 1][0] == 50e3


def test_odd_messages_among_good_ones() -> None:
    boot = {"reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": "A"}}
    boot["chargingStation"]["serialNumber"] = "3N" * 20  # type: ignore[index]
    memory, sent = told(
        ("BootNotification", boot), ("NotifyPriorityCharging", {}), ("Heartbeat", {})
    )
    assert sent[0][2]["status"] == "Accepted"
    assert sent[1][2] == "NotImplemented"
    assert memory.trouble is None
    assert not math.isnan(memory.heard_s)


def test_occupied_by_an_event() -> None:
    component = {"name": "Connector", "evse": {"id": 1, "connectorId": 1}}
    data = {
        "eventId": 1,
        "timestamp": ago(0),
        "trigger": "Delta",
        "actualValue": "Occupied",
        "eventNotificationType": "HardWiredNotification",
        "component": component,
        "variable": {"name": "AvailabilityState"},
    }
    memory, _ = told(("NotifyEvent", {"generatedAt": ago(0), "seqNo": 0, "eventData": [data]}))
    assert memory.occupied(1) is True


def test_a_limit_counts_while_it_is_proven() -> None:
    limit = _Limit()
    assert math.isnan(limit.in_force_w(0.0, 0.0))
    limit.accepted(50e3, 100.0)
    assert limit.in_force_w(48e3, 1.0) == 50e3  # its meter shows that it follows
    assert math.isnan(limit.in_force_w(150e3, 2.0))  # and that it does not
    assert math.isnan(limit.in_force_w(math.nan, 2.0))
    limit.confirmed(50e3, 3.0)
    assert limit.in_force_w(150e3, 3.0) == 50e3  # a car takes a while
    assert math.isnan(limit.in_force_w(150e3, 4.0 + FOLLOW_S))
    limit.forget()  # it dials in again
    assert math.isnan(limit.in_force_w(0.0, 5.0))
