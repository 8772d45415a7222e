"""OpenADR 2.0b events (`oadrDistributeEvent`) as grid events. Names: OpenADR 2.0b, EiEvent."""

import math
import re
from typing import Final
from xml.etree import ElementTree

from mallee.core.errors import ConfigError
from mallee.optimize.response.event import GridEvent, Kind, Target
from mallee.optimize.response.iso import duration_s, instant_utc_s
from mallee.optimize.response.openadr3 import SIMPLE_FRACTIONS

SOURCE: Final = "OpenADR 2.0b"
_KINDS: Final[dict[str, Kind]] = {
    "setpoint": "absolute",
    "delta": "reduction",
    "multiplier": "fraction",
    "x-loadControlCapacity": "fraction",
}
_PREFIX: Final = {"none": 1.0, "k": 1e3, "M": 1e6}


def from_openadr2(
    raw: bytes, *, simple: dict[int, float] | None = None
) -> tuple[list[GridEvent], list[str]]:
    """Events of a payload, cancelled and superseded ones left out, and notes.

    Raises:
        ConfigError: it is no XML, or declares entities.
    """
    if re.search(rb"<!(DOCTYPE|ENTITY)", raw[:4096]):
        raise ConfigError("OpenADR 2.0b payload", "declares a DOCTYPE, which is refused")
    try:
        root = ElementTree.fromstring(raw)
    except ElementTree.ParseError as error:
        raise ConfigError("OpenADR 2.0b payload", f"is not XML: {error}") from None
    notes: list[str] = []
    newest: dict[str, tuple[int, GridEvent | None]] = {}
    for element in root.iter():
        if _tag(element) != "eiEvent":
            continue
        number = int(float(_text(element, "modificationNumber") or 0))
        event = _event(element, SIMPLE_FRACTIONS if simple is None else simple, notes)
        known = newest.get(event.id)
        if known is None or number >= known[0]:
            cancelled = _text(element, "eventStatus") in ("cancelled", "completed")
            newest[event.id] = (number, None if cancelled else event)
    return [event for _, event in newest.values() if event is not None], notes


def _event(element: ElementTree.Element, simple: dict[int, float], notes: list[str]) -> GridEvent:
    name = _text(element, "eventID") or "event"
    start_text = _text(element, "date-time")
    if not start_text:
        raise ConfigError(f"OpenADR event {name}", "has no start time")
    targets: list[Target] = []
    for signal in (e for e in element.iter() if _tag(e) == "eiEventSignal"):
        targets += _targets(signal, instant_utc_s(start_text), name, simple, notes)
    number = float(_text(element, "priority") or 0.0)
    test = (_text(element, "testEvent") or "false").lower()
    return GridEvent(
        id=name,
        source=SOURCE,
        reason=_text(element, "vtnComment") or name,
        targets=tuple(sorted(targets, key=lambda t: t.from_utc_s)),
        priority=number if number > 0.0 else math.inf,  # 0 is "no priority"
        ramp_s=duration_s(_text(element, "x-eiRampUp") or "PT0S"),
        is_test=test not in ("false", "0", ""),
    )


def _targets(
    signal: ElementTree.Element,
    start: float,
    name: str,
    simple: dict[int, float],
    notes: list[str],
) -> list[Target]:
    what, how = _text(signal, "signalName"), _text(signal, "signalType")
    factor = _PREFIX.get(_text(signal, "siScaleCode") or "none", 1.0)
    found = []
    for interval in (e for e in signal.iter() if _tag(e) == "interval"):
        length = duration_s(_text(interval, "duration") or "PT0S")
        end = start + length if length > 0.0 else math.inf
        value = float(_text(interval, "value") or "nan")
        if what == "SIMPLE" and int(value) in simple:
            found.append(
                Target(from_utc_s=start, until_utc_s=end, kind="fraction", value=simple[int(value)])
            )
        elif what in ("LOAD_DISPATCH", "LOAD_CONTROL") and how in _KINDS:
            kind = _KINDS[how]
            watts = value if kind == "fraction" else value * factor
            if kind == "reduction":
                watts = -watts  # a delta below zero asks for less
            found.append(Target(from_utc_s=start, until_utc_s=end, kind=kind, value=watts))
        else:
            notes.append(f"{name}: signal {what} of type {how} is no load target")
        start = end
    return found


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _text(element: ElementTree.Element, name: str) -> str | None:
    """Text of the first part of a name, or of a text in it."""
    for part in element.iter():
        if _tag(part) == name:
            for inner in part.iter():
                if inner.text and inner.text.strip():
                    return inner.text.strip()
    return None
