"""OCPP 2.0.1 over JSON as pure functions: frames, meter values, charging profiles.

Source: Open Charge Alliance, OCPP 2.0.1, part 2 (messages, smart charging) and part 4 (JSON over
WebSocket). Payloads are checked against the JSON schemas of that edition (package ``ocpp``).
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from ocpp.messages import get_validator

from mallee.core.errors import Malformed

SUBPROTOCOL: Final = "ocpp2.0.1"
Payload = dict[str, Any]

STANDING_PROFILE: Final = 1
"""Id of the profile that holds whenever no lease runs; stack level 0, no end."""
LEASE_PROFILE: Final = 2
"""Id of the profile of a lease; stack level 1, so it wins until it ends by itself."""
_MULTIPLIERS: Final = {"W": 1.0, "kW": 1e3, "Wh": 1.0, "kWh": 1e3, "Percent": 1.0}
_CALL, _RESULT, _ERROR = 2, 3, 4


@dataclass(frozen=True, slots=True)
class Call:
    """A request."""

    number: str
    action: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a request."""

    number: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class Failure:
    """The answer to a request that could not be handled; `code` such as ``NotSupported``."""

    number: str
    code: str
    description: str


def encode_call(number: str, action: str, payload: Payload) -> str:
    """Frame of a request."""
    return json.dumps([_CALL, number, action, payload], separators=(",", ":"))


def encode_result(number: str, payload: Payload) -> str:
    """Frame of an answer."""
    return json.dumps([_RESULT, number, payload], separators=(",", ":"))


def encode_failure(failure: Failure) -> str:
    """Frame that says why a request was not handled."""
    frame = [_ERROR, failure.number, failure.code, failure.description[:255], {}]
    return json.dumps(frame, separators=(",", ":"))


def decode_frame(text: str | bytes) -> Call | Result | Failure:
    """What a frame says.

    Raises:
        Malformed: not OCPP over JSON.
    """
    sample = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    try:
        frame = json.loads(text)
    except ValueError as error:
        raise Malformed(f"a frame is not JSON: {error}", sample) from None
    match frame:
        case [2, str(number), str(action), dict(payload)]:
            return Call(number, action, payload)
        case [3, str(number), dict(payload)]:
            return Result(number, payload)
        case [4, str(number), str(code), str(description), *_]:
            return Failure(number, code, description)
        case _:
            pass
    text = "[2, id, action, {...}], [3, id, {...}] or [4, id, code, text, {...}]"
    raise Malformed(f"a frame is none of {text}", sample)


def check_payload(action: str, payload: Payload, *, answer: bool) -> None:
    """Compare a payload with the schema of its action.

    Raises:
        Malformed: it does not fit, or OCPP 2.0.1 has no such action.
    """
    try:
        validator = get_validator(_RESULT if answer else _CALL, action, "2.0.1")
    except OSError:
        raise Malformed(f"OCPP 2.0.1 has no action {action!r}") from None
    error = next(iter(validator.iter_errors(payload)), None)
    if error is not None:
        kind = "answer to " if answer else ""
        place = error.json_path.removeprefix("$").lstrip(".") or "payload"
        raise Malformed(f"{kind}{action}: {place}: {error.message[:150]}")


def meter_readings(values: list[Payload]) -> Iterator[tuple[str, float]]:
    """Measurand and reading (W, Wh, %) of each total in a list of `MeterValueType`.

    Readings of single phases are left out, and so is whatever is no finite number.
    """
    for value in values:
        for sample in value["sampledValue"]:
            if "phase" in sample:
                continue
            unit: Payload = sample.get("unitOfMeasure", {})
            factor = _MULTIPLIERS.get(unit.get("unit", "Wh"), 1.0)
            try:
                reading = float(sample["value"]) * factor * 10.0 ** int(unit.get("multiplier", 0))
            except OverflowError:
                continue
            if math.isfinite(reading):
                yield sample.get("measurand", "Energy.Active.Import.Register"), reading


def limit_profile(limit_w: float, lease_s: float, now: datetime) -> Payload:
    """`SetChargingProfileRequest` that limits the whole station.

    With a lease it ends by itself in the charger, which then falls back to the profile below it;
    without one it is that profile. Both are station limits: a `TxDefaultProfile` would hold for
    each EVSE alone and so allow the station a multiple of it.
    """
    leased = lease_s > 0
    number = LEASE_PROFILE if leased else STANDING_PROFILE
    schedule: Payload = {
        "id": number,
        "startSchedule": timestamp(now),
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit_w}],
    }
    profile: Payload = {
        "id": number,
        "stackLevel": 1 if leased else 0,
        "chargingProfilePurpose": "ChargingStationMaxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule],
    }
    if leased:
        seconds = math.ceil(lease_s)
        schedule["duration"] = seconds
        profile["validTo"] = timestamp(now + timedelta(seconds=seconds))
    return {"evseId": 0, "chargingProfile": profile}


def composite_limit_w(answer: Payload) -> float:
    """The limit in force now, from a `GetCompositeScheduleResponse`; NaN where it gives none."""
    schedule = answer.get("schedule")
    if answer["status"] != "Accepted" or schedule is None or schedule["chargingRateUnit"] != "W":
        return math.nan
    first = min(schedule["chargingSchedulePeriod"], key=lambda period: int(period["startPeriod"]))
    return float(first["limit"])


def timestamp(moment: datetime) -> str:
    """UTC time as OCPP writes it: 2026-11-20T09:30:00.250Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
