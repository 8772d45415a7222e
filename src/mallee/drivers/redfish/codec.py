"""Redfish without sockets: JSON resources to point values, and a value to the PATCHes that set it.

A point names its places as ``resource#/json/pointer``. Where a service has no such place but one
of an older schema that BMCs in the field still serve, the same quantity is taken from there:
`Power` (deprecated in 2020.4) and leak detectors below the thermal subsystem (in 2025.4).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import floor, inf, isfinite, nan
from sys import float_info
from typing import Any, Final

import msgspec
import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.device_model import PointSpec
from mallee.core.errors import ConfigError, Malformed, Rejected
from mallee.drivers.redfish.trust import in_point_unit, is_away, is_off

_ROUNDING: Final = 1e-6
"""A share that is a whole number but for the last bits of a float."""

MISSING: Final = object()
"""What `find` gives where a document has no such place; a place that holds null is not missing."""

DETECTOR_STATES: Final = {"OK": 0.0, "Warning": 1.0, "Critical": 1.0}
"""`LeakDetector.DetectorState` as a count of detectors that sense liquid."""

# EnvironmentMetrics of a chassis -> the first PowerControl of its legacy Power resource.
_LEGACY_POWER: Final[dict[tuple[str, ...], tuple[str, ...]]] = {
    ("PowerLimitWatts", "SetPoint"): ("PowerControl", "0", "PowerLimit", "LimitInWatts"),
    ("PowerWatts", "Reading"): ("PowerControl", "0", "PowerConsumedWatts"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """One value of a Redfish service: a resource below ``/redfish/v1/`` and a pointer into it."""

    resource: str
    pointer: tuple[str, ...]

    @property
    def legacy(self) -> "Place | None":
        """Where services of an older schema keep the same quantity."""
        match self.resource.split("/"):
            case ["Chassis", chassis, "EnvironmentMetrics"] if self.pointer in _LEGACY_POWER:
                return Place(f"Chassis/{chassis}/Power", _LEGACY_POWER[self.pointer])
            case ["Chassis", chassis, "LeakDetectors", detector]:
                subsystem = f"Chassis/{chassis}/ThermalSubsystem/LeakDetection"
                return Place(f"{subsystem}/LeakDetectors/{detector}", self.pointer)
            case _:
                return None


@dataclass(frozen=True, slots=True)
class Patch:
    """One PATCH request: the resource, the property to set, and the whole body."""

    resource: str
    pointer: tuple[str, ...]
    body: dict[str, Any]


def parse_place(at: str, where: str) -> Place:
    """A place as the catalogue writes it; pointer escapes follow RFC 6901.

    Raises:
        ConfigError: no resource or no pointer.
    """
    resource, mark, pointer = at.partition("#/")
    if not resource or not mark or not pointer:
        hint = "write it as Chassis/1/EnvironmentMetrics#/PowerWatts/Reading"
        raise ConfigError(where, f"{at!r} is no place in a Redfish service", hint)
    steps = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/"))
    return Place(resource.strip("/"), tuple(steps))


def escape_step(step: str) -> str:
    """A property name as it stands in a JSON pointer (RFC 6901)."""
    return step.replace("~", "~0").replace("/", "~1")


def parse_document(body: bytes, where: str) -> dict[str, Any]:
    """A resource as sent.

    Raises:
        Malformed: not a JSON object.
    """
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"{where}: the answer is not JSON ({error})", body) from None
    if not isinstance(document, dict):
        raise Malformed(f"{where}: the answer is no JSON object", body)
    return document


def find(document: object, pointer: Iterable[str]) -> Any:
    """What a document holds at a pointer, or `MISSING`."""
    for step in pointer:
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return MISSING
    return document


def number_of(raw: object) -> float:
    """A reading as a float; NaN for null, for what is missing and for every wrong type."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        # Beyond a float's range no reading makes sense, and float() would raise.
        return float(raw) if abs(raw) <= float_info.max else nan
    return DETECTOR_STATES.get(raw, nan) if isinstance(raw, str) else nan


def body_of(pointer: tuple[str, ...], value: float, *, switch_on: bool = False) -> dict[str, Any]:
    """The PATCH body that sets one property; array members before it stay as they are.

    Args:
        switch_on: the property's control is disabled, and shall do what it says from now on.

    An empty object leaves an array member unchanged (DSP0266, "PATCH on array properties").
    """
    # Services that keep whole watts read 500 but refuse 500.0.
    content: Any = int(value) if value.is_integer() else value
    if switch_on:
        content = {pointer[-1]: content, "ControlMode": "Automatic"}
        pointer = pointer[:-1]
    for step in reversed(pointer):
        if step.isdecimal():
            content = [{} for _ in range(int(step))] + [content]
        else:
            content = {step: content}
    result: dict[str, Any] = content
    return result


class RedfishCodec:
    """The points of one device model on Redfish, resolved once.

    Attributes:
        points: in the order of `decode`.
        resources: everything that has to be fetched for them, each once.
    """

    def __init__(self, points: Iterable[PointSpec]) -> None:
        self.points = tuple(points)
        self._places = [
            [parse_place(at, f"point.{point.name}") for at in point.places] for point in self.points
        ]
        self._index = {point.name: position for position, point in enumerate(self.points)}
        every = (place.resource for places in self._places for place in places)
        self.resources = tuple(dict.fromkeys(every))

    def legacy_resources(self, documents: Mapping[str, object]) -> tuple[str, ...]:
        """Older resources that may hold what these documents lack."""
        older = (
            place.legacy
            for places in self._places
            for place in places
            if find(documents.get(place.resource), place.pointer) is MISSING
        )
        return tuple(dict.fromkeys(legacy.resource for legacy in older if legacy is not None))

    def superseded(self, documents: Mapping[str, object]) -> frozenset[str]:
        """Resources that a service lacks, all of whose points it has at an older place."""
        gone = {one for one in self.resources if documents.get(one) is None}
        needed = {
            place.resource
            for places in self._places
            for place in places
            if _present(place, documents) == place
        }
        return frozenset(gone - needed)

    def decode(self, documents: Mapping[str, object]) -> FloatArray:
        """Values of all points; NaN where a resource or a part of it is missing.  # (points,)"""
        values = np.empty(len(self.points))
        for position, (point, places) in enumerate(zip(self.points, self._places, strict=True)):
            total = 0.0
            for place in places:
                total += _reading(point, _present(place, documents), documents)
            values[position] = point.to_point(total)
        return values

    def resources_of(self, name: str) -> tuple[str, ...]:
        """What has to be fetched before `encode` of a point."""
        return tuple(dict.fromkeys(place.resource for place in self._places[self._index[name]]))

    def encode(self, name: str, value: float, documents: Mapping[str, object]) -> tuple[Patch, ...]:
        """The PATCHes that set a point, equal shares where it has several places.

        Raises:
            Rejected: not settable, no number, or outside what the device says that it allows.
        """
        if name not in self._index or self.points[self._index[name]].access != "readwrite":
            raise Rejected(f"{name} cannot be set over Redfish")
        point, places = self.points[self._index[name]], self._places[self._index[name]]
        if not isfinite(value):
            raise Rejected(f"{name} asked for {value}, which is no number")
        places = [_present(place, documents) for place in places]
        share = point.to_device(value)
        lower, upper = _allowable(places, documents)
        if not lower <= share <= upper:
            ends = sorted(point.to_point(end * len(places)) for end in (lower, upper))
            raise Rejected(f"{name} asked for {value:g}, allowed {ends[0]:g}..{ends[1]:g}")
        if name.endswith("_w") and point.scale > 0.0:
            # Many services keep whole watts and refuse others; the next lower one is as safe.
            share = min(share, max(float(floor(share + _ROUNDING)), lower))
        return tuple(
            Patch(place.resource, place.pointer, body_of(place.pointer, share, switch_on=off))
            for place in places
            for off in [is_off(find(documents.get(place.resource), place.pointer[:-1]))]
        )


def _reading(point: PointSpec, place: Place, documents: Mapping[str, object]) -> float:
    """What a place reads; NaN where the service says that it means nothing now."""
    document = documents.get(place.resource)
    value = number_of(find(document, place.pointer))
    holder = find(document, place.pointer[:-1])
    if is_away(document, place.pointer) or (place.pointer[-1] == "SetPoint" and is_off(holder)):
        return nan
    return in_point_unit(value, holder, point.name) if abs(point.scale) == 1.0 else value


def _present(place: Place, documents: Mapping[str, object]) -> Place:
    """The place itself, or its legacy one where only that exists."""
    if find(documents.get(place.resource), place.pointer) is not MISSING:
        return place
    legacy = place.legacy
    if legacy is None or find(documents.get(legacy.resource), legacy.pointer) is MISSING:
        return place
    return legacy


def _allowable(places: list[Place], documents: Mapping[str, object]) -> tuple[float, float]:
    """The range that all places allow; a service that names no bound leaves that side open."""
    lower, upper = -inf, inf
    for place in places:
        container = find(documents.get(place.resource), place.pointer[:-1])
        low, high = (number_of(find(container, (end,))) for end in ("AllowableMin", "AllowableMax"))
        lower = max(lower, low) if isfinite(low) else lower
        upper = min(upper, high) if isfinite(high) else upper
    return lower, upper
