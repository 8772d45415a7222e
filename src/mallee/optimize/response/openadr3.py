"""OpenADR 3.1 events (JSON of a VTN) as grid events. Payload types: OpenADR 3.1.0 definition."""

import math
from typing import Any, Final

import msgspec

from mallee.core.errors import ConfigError
from mallee.optimize.response.event import GridEvent, Kind, Target
from mallee.optimize.response.iso import duration_s, instant_utc_s

SOURCE: Final = "OpenADR 3.1"
_KINDS: Final[dict[str, Kind]] = {
    "IMPORT_CAPACITY_LIMIT": "absolute",
    "DISPATCH_SETPOINT": "absolute",
    "DISPATCH_SETPOINT_RELATIVE": "reduction",
}
_WATTS: Final = {"W": 1.0, "KW": 1e3, "MW": 1e6}
SIMPLE_FRACTIONS: Final = {0: math.inf, 1: 0.9, 2: 0.75, 3: 0.5}
"""What levels of SIMPLE come to, of the baseline; a programme's own table replaces it."""


def from_openadr3(
    raw: bytes, *, now_utc_s: float, simple: dict[int, float] | None = None
) -> tuple[list[GridEvent], list[str]]:
    """Events of a VTN's answer (one or a list), and notes about what was not understood.

    Args:
        now_utc_s: start of intervals that name none.
        simple: fraction of the baseline for each level of SIMPLE.

    Raises:
        ConfigError: no JSON, or an event without intervals.
    """
    try:
        found = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise ConfigError("OpenADR event", f"is not JSON: {error}") from None
    notes: list[str] = []
    events = found if isinstance(found, list) else [found]
    levels = SIMPLE_FRACTIONS if simple is None else simple
    return [_event(event, now_utc_s, levels, notes) for event in events], notes


def _event(raw: Any, now_utc_s: float, simple: dict[int, float], notes: list[str]) -> GridEvent:
    if not isinstance(raw, dict) or not isinstance(raw.get("intervals"), list):
        raise ConfigError("OpenADR event", "has no intervals", "an event object is expected")
    name = str(raw.get("eventName") or raw.get("id") or "event")
    units = {
        d.get("payloadType"): str(d.get("units", "KW")).upper()
        for d in raw.get("payloadDescriptors") or []
    }
    period = raw.get("intervalPeriod") or {}
    start = instant_utc_s(period["start"]) if period.get("start") else now_utc_s
    targets: list[Target] = []
    for interval in raw["intervals"]:
        own = interval.get("intervalPeriod") or {}
        if own.get("start"):
            start = instant_utc_s(own["start"])
        length = duration_s(own.get("duration") or period.get("duration") or "P9999Y")
        for payload in interval.get("payloads", []):
            target = _target(payload, units, simple, start, start + length, name, notes)
            if target is not None:
                targets.append(target)
        start += length
    priority = raw.get("priority")
    return GridEvent(
        id=str(raw.get("id", name)),
        source=SOURCE,
        reason=name,
        targets=tuple(sorted(targets, key=lambda t: t.from_utc_s)),
        priority=math.inf if priority is None else float(priority),
    )


def _target(
    payload: dict[str, Any],
    units: dict[Any, str],
    simple: dict[int, float],
    start: float,
    end: float,
    name: str,
    notes: list[str],
) -> Target | None:
    kind, values = payload.get("type"), payload.get("values") or []
    if not values:
        notes.append(f"{name}: {kind} holds no value")
        return None
    if kind == "SIMPLE":
        level = int(float(values[0]))
        if level not in simple:
            notes.append(f"{name}: SIMPLE level {level} is not in the programme's table")
            return None
        return Target(from_utc_s=start, until_utc_s=end, kind="fraction", value=simple[level])
    if kind not in _KINDS:
        notes.append(f"{name}: payload {kind} is not a load target and is left alone")
        return None
    unit = units.get(kind, "KW")
    if unit not in _WATTS:
        notes.append(f"{name}: {kind} is in {unit}, which is no power")
        return None
    value = float(values[0]) * _WATTS[unit]
    return Target(from_utc_s=start, until_utc_s=end, kind=_KINDS[kind], value=value)
