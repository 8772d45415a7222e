"""OCPP 1.6 as the 2.0.1 that the rest of the driver speaks: messages translated both ways.

Source: Open Charge Alliance, OCPP 1.6 edition 2, sections 4 to 7, and OCPP-J 1.6. A connector is
taken for an EVSE, connector 0 for the station. 1.6 says in amperes a phase what many stations can
do in nothing else; a limit is then set for three phases at 230 V to neutral, so that a station on
fewer phases, or on less voltage, draws less than was wanted and never more.
"""

import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

from mallee.core.errors import Malformed, Rejected
from mallee.drivers.ocpp.codec import Payload, timestamp

VOLTS_LN: Final = 230.0
_PLUGGED_IN: Final = {
    "preparing",
    "charging",
    "suspendedev",
    "suspendedevse",
    "finishing",
    "occupied",
}
_AS_IS: Final = {"available": "Available", "reserved": "Reserved", "faulted": "Faulted"}
_KEYS: Final = {
    ("AlignedDataCtrlr", "Interval"): "ClockAlignedDataInterval",
    ("SampledDataCtrlr", "TxUpdatedInterval"): "MeterValueSampleInterval",
    ("AlignedDataCtrlr", "Measurands"): "MeterValuesAlignedData",
    ("SampledDataCtrlr", "TxUpdatedMeasurands"): "MeterValuesSampledData",
}
"""What 1.6 calls the variables that the driver sets."""
_STATION_LIMIT: Final = {"ChargingStationMaxProfile": "ChargePointMaxProfile"}

Ask = Callable[[str, Payload], Awaitable[Payload]]


def to_201(action: str, payload: Payload) -> tuple[str, Payload]:
    """A station's message in the words of 2.0.1.

    Stations leave out what the schema demands, such as the error code and time of a status, write
    states in their own case, and numbers where texts belong: what is needed is taken, not more.

    Raises:
        Malformed: something needed is missing or of a wrong kind.
    """
    try:
        return _to_201(action, payload)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"{action}: {type(error).__name__} {error}"[:150]) from None


def _to_201(action: str, payload: Payload) -> tuple[str, Payload]:
    match action:
        case "BootNotification":
            station = {
                "vendorName": payload["chargePointVendor"],
                "model": payload["chargePointModel"],
                "serialNumber": payload.get("chargePointSerialNumber")
                or payload.get("chargeBoxSerialNumber", ""),
                "firmwareVersion": payload.get("firmwareVersion", ""),
            }
            return action, {"chargingStation": station}
        case "StatusNotification":
            status = str(payload["status"]).strip().lower()
            known = "Occupied" if status in _PLUGGED_IN else _AS_IS.get(status, "Unavailable")
            evse = int(payload["connectorId"])
            return action, {"evseId": evse, "connectorId": 1, "connectorStatus": known}
        case "MeterValues":
            values = [_meter_value(one) for one in payload["meterValue"]]
            return action, {"evseId": int(payload["connectorId"]), "meterValue": values}
        case "StartTransaction":
            evse = int(payload["connectorId"])
            return "StatusNotification", {
                "evseId": evse, "connectorId": 1, "connectorStatus": "Occupied",
            }  # fmt: skip
        case "StopTransaction":
            return "SecurityEventNotification", {}  # only acknowledged: its status follows
        case "DiagnosticsStatusNotification":
            return "LogStatusNotification", {}
        case _:
            return action, payload


def answer_to_16(action: str, answer: Payload, number: int) -> Payload:
    """The answer to a station's message, given in the words of 2.0.1.

    Args:
        number: for a transaction that starts.
    """
    if action in ("StartTransaction", "StopTransaction", "Authorize"):
        # Who may charge is not decided here: see docs/devices/ocpp.md.
        told: Payload = {"idTagInfo": {"status": "Accepted"}}
        return told | ({"transactionId": number} if action == "StartTransaction" else {})
    return answer


def _meter_value(value: Payload) -> Payload:
    sampled = []
    for sample in value["sampledValue"]:
        if sample.get("format", "Raw") != "Raw":
            continue  # signed data is no number
        measurand = sample.get("measurand", "Energy.Active.Import.Register")
        unit = sample.get("unit", "Percent" if measurand == "SoC" else "Wh")
        kept = {key: sample[key] for key in ("phase", "location", "context") if key in sample}
        sampled.append(
            {"value": sample["value"], "measurand": measurand, "unitOfMeasure": {"unit": unit}}
            | kept
        )
    return {"timestamp": value.get("timestamp", ""), "sampledValue": sampled}


async def call_16(ask: Ask, action: str, payload: Payload) -> Payload:
    """Do what a request of 2.0.1 says with requests of 1.6; the answer in the words of 2.0.1.

    Args:
        ask: sends a request of 1.6 and waits for its answer.

    Raises:
        Rejected: 1.6 has no such request.
        Malformed: an answer that makes no sense.
    """
    try:
        match action:
            case "SetVariables":
                return await _set_variables(ask, payload)
            case "SetChargingProfile":
                return await _set_profile(ask, payload)
            case "GetCompositeSchedule":
                return await _composite(ask, payload)
            case _:
                raise Rejected(f"OCPP 1.6 has no {action}")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"answer to {action}: {type(error).__name__} {error}"[:150]) from None


async def _set_variables(ask: Ask, payload: Payload) -> Payload:
    results = []
    for one in payload["setVariableData"]:
        key = _KEYS[one["component"]["name"], one["variable"]["name"]]
        answer = await ask("ChangeConfiguration", {"key": key, "value": one["attributeValue"]})
        taken = answer["status"] in ("Accepted", "RebootRequired")
        results.append({"attributeStatus": "Accepted" if taken else "Rejected"})
    return {"setVariableResult": results}


async def _set_profile(ask: Ask, payload: Payload) -> Payload:
    """In W, and in amperes where the station does not take W."""
    answer = await ask("SetChargingProfile", profile_16(payload, "W"))
    if answer["status"] == "Rejected":
        answer = await ask("SetChargingProfile", profile_16(payload, "A"))
    return answer


def profile_16(payload: Payload, unit: str) -> Payload:
    """`SetChargingProfile.req` of the request of 2.0.1 that `limit_profile` makes."""
    profile = payload["chargingProfile"]
    (schedule,) = profile["chargingSchedule"]
    periods = [
        {"startPeriod": one["startPeriod"], "limit": _limit(one["limit"], unit)}
        for one in schedule["chargingSchedulePeriod"]
    ]
    kept = {key: schedule[key] for key in ("duration", "startSchedule") if key in schedule}
    purpose = profile["chargingProfilePurpose"]
    made: Payload = {
        "chargingProfileId": profile["id"],
        "stackLevel": profile["stackLevel"],
        "chargingProfilePurpose": _STATION_LIMIT.get(purpose, purpose),
        "chargingProfileKind": profile["chargingProfileKind"],
        "chargingSchedule": kept | {"chargingRateUnit": unit, "chargingSchedulePeriod": periods},
    }
    if "validTo" in profile:
        made["validTo"] = profile["validTo"]
        made["validFrom"] = timestamp(datetime.fromtimestamp(0, UTC))
    return {"connectorId": payload["evseId"], "csChargingProfiles": made}


def _limit(limit_w: float, unit: str) -> float:
    """Rounded down to the tenth that 1.6 carries."""
    limit = limit_w if unit == "W" else limit_w / (3.0 * VOLTS_LN)
    return math.floor(limit * 10.0 + 1e-6) / 10.0


async def _composite(ask: Ask, payload: Payload) -> Payload:
    wanted = {"connectorId": payload["evseId"], "duration": payload["duration"]}
    answer = await ask("GetCompositeSchedule", wanted | {"chargingRateUnit": "W"})
    if answer["status"] != "Accepted":
        answer = await ask("GetCompositeSchedule", wanted | {"chargingRateUnit": "A"})
    schedule: Any = answer.get("chargingSchedule")
    if answer["status"] != "Accepted" or not schedule:
        return {"status": "Rejected"}
    return {
        "status": "Accepted",
        "schedule": {
            "chargingRateUnit": schedule["chargingRateUnit"],
            "chargingSchedulePeriod": [
                {"startPeriod": int(one["startPeriod"]), "limit": float(one["limit"])}
                | ({"numberPhases": int(one["numberPhases"])} if one.get("numberPhases") else {})
                for one in schedule["chargingSchedulePeriod"]
            ],
        },
    }
