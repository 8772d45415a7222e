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

Payload = dict[str, Any]

STANDING_PROFILE: Final = 1
"""Id of the profile that holds whenever no lease runs; stack level 0, no end."""
LEASE_PROFILE: Final = 2
"""Id of the profile of a lease; stack level 1, so it wins until it ends by itself."""
_MULTIPLIERS: Final = {
    "w": 1.0, "kw": 1e3, "wh": 1.0, "kwh": 1e3, "percent": 1.0, "v": 1.0, "a": 1.0,
}  # fmt: skip
"""By unit in small letters: stations spell them in every way. What is not here is not guessed."""
_LOCATIONS: Final = ("Outlet", "Cable", "", "EV", "Body", "Inlet", "Upstream")
"""Where a quantity may be measured, the best place for what the car takes first."""
_PHASES: Final = {"L1", "L2", "L3"}
_TO_NEUTRAL: Final = {"L1-N", "L2-N", "L3-N"}
_VOLTS_LN: Final = (200.0, 290.0)
"""Between phase and neutral, over all grids that charge on three phases (IEC 60038: 230, 277)."""
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


class UnknownAction(Malformed):
    """A message that OCPP 2.0.1 does not have; stations of later editions send such."""


def check_payload(action: str, payload: Payload, *, answer: bool) -> None:
    """Compare a payload with the schema of its action.

    Texts that are longer than allowed, and values sent as texts, do no harm and are let through.

    Raises:
        UnknownAction: OCPP 2.0.1 has no such action.
        Malformed: it does not fit.
    """
    try:
        validator = get_validator(_RESULT if answer else _CALL, action, "2.0.1")
    except OSError:
        raise UnknownAction(f"OCPP 2.0.1 has no action {action!r}") from None
    for error in validator.iter_errors(payload):
        if error.validator == "maxLength" or _is_number_as_text(error):
            continue
        kind = "answer to " if answer else ""
        place = error.json_path.removeprefix("$").lstrip(".") or "payload"
        raise Malformed(f"{kind}{action}: {place}: {error.message[:150]}")


def _is_number_as_text(error: Any) -> bool:
    if error.validator != "type" or error.validator_value != "number":
        return False
    try:
        return math.isfinite(float(error.instance))
    except (TypeError, ValueError):
        return False


def meter_readings(values: list[Payload]) -> Iterator[tuple[str, float]]:
    """Measurand and reading (W, Wh, %) of each total in a list of `MeterValueType`.

    A total is the sample without a phase, else the sum of all three phases. Where a quantity is
    measured at several places, the one next to the car counts. Left out is whatever is no finite
    number or in a unit that nobody knows.
    """
    for value in values:
        found: dict[tuple[str, str], dict[str, float]] = {}
        for sample in value["sampledValue"]:
            reading = _reading(sample)
            if reading is not None:
                measurand = sample.get("measurand", "Energy.Active.Import.Register")
                where = sample.get("location", "")
                found.setdefault((measurand, where), {})[sample.get("phase", "")] = reading
        for measurand in dict.fromkeys(name for name, _ in found):
            for where in _LOCATIONS:
                phases = found.get((measurand, where), {})
                total = _total(measurand, phases)
                if total is not None:
                    yield measurand, total
                    break


def _total(measurand: str, phases: dict[str, float]) -> float | None:
    if "" in phases:
        return phases[""]
    if not measurand.startswith(("Power.", "Energy.")):
        return None
    for wanted in (_PHASES, _TO_NEUTRAL):
        if wanted <= set(phases):
            return sum(phases[phase] for phase in sorted(wanted))
    return None


def _reading(sample: Payload) -> float | None:
    unit: Payload = sample.get("unitOfMeasure", {})
    default = "Percent" if sample.get("measurand") == "SoC" else "Wh"
    factor = _MULTIPLIERS.get(str(unit.get("unit", default)).strip().lower())
    if factor is None:
        return None
    try:
        reading = float(sample["value"]) * factor * 10.0 ** int(unit.get("multiplier", 0))
    except (OverflowError, TypeError, ValueError):
        return None
    return reading if math.isfinite(reading) else None


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


def composite_limit_w(answer: Payload, wanted_w: float = math.nan) -> float:
    """The limit in force now, from a `GetCompositeScheduleResponse`; NaN where it gives none.

    A schedule in amperes says a power only within the voltages that there are: it proves
    `wanted_w` where that lies among them, and says what it would be at 230 V otherwise.
    """
    schedule = answer.get("schedule")
    if answer["status"] != "Accepted" or schedule is None:
        return math.nan
    first = min(schedule["chargingSchedulePeriod"], key=lambda period: int(period["startPeriod"]))
    limit = float(first["limit"])
    if schedule["chargingRateUnit"] == "W":
        return limit
    amperes = limit * int(first.get("numberPhases", 3))
    low_w, high_w = (amperes * volts for volts in _VOLTS_LN)
    return wanted_w if low_w <= wanted_w <= high_w else amperes * 230.0


def timestamp(moment: datetime) -> str:
    """UTC time as OCPP writes it: 2026-11-20T09:30:00.250Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
