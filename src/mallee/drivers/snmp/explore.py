"""Looks at any SNMP agent: what catalogue models of its maker know, and its standard tables."""

import math
from functools import cache
from typing import Final

from mallee.catalogue.device_models import load_models
from mallee.core.oids import Objects, Value, int_or_zero, maker_of, parse_place, text_of
from mallee.core.protocol import Address
from mallee.core.protocols.snmp import Options
from mallee.core.units import unit_of
from mallee.drivers.explore import Access, Findings, Reading
from mallee.drivers.snmp.client import SnmpClient
from mallee.drivers.snmp.driver import SYS_DESCR, SYS_OBJECT_ID

OBJECTS_MAX: Final = 50_000
_SENSOR: Final = "1.3.6.1.2.1.99.1.1.1"
_SENSOR_UNITS: Final = {3: "V", 4: "V", 5: "A", 6: "W", 7: "Hz", 8: "Cel", 9: "%", 10: "{rev}/min"}
"""`EntitySensorDataType` (RFC 3433)."""
_PHYSICAL_NAME: Final = "1.3.6.1.2.1.47.1.1.1.1.7"


_PERSONAL: Final = (
    "1.3.6.1.2.1.1.4.", "1.3.6.1.2.1.1.5.", "1.3.6.1.2.1.1.6.", "1.3.6.1.2.1.2.2.1.6.",
    "1.3.6.1.2.1.47.1.1.1.1.11.",
)  # fmt: skip
"""Contact, name and place; hardware addresses; serial numbers of parts (MIB-II, ENTITY-MIB)."""


async def explore_agent(address: Address, access: Access) -> Findings:
    """Walk all objects, at most `OBJECTS_MAX`; see `Explore`."""
    client = SnmpClient(address.host, address.port, Options(), access.login, access.timeout_s)
    objects: Objects = {}
    found = Findings()
    async for oid, value in client.walk("1.3.6.1"):
        objects[oid] = value
        access.tell(len(objects))
        if len(objects) >= OBJECTS_MAX:
            found.omissions.append(f"not read: more objects, after the first {OBJECTS_MAX}")
            break
    await client.close()
    maker = maker_of(text_of(objects.get(SYS_OBJECT_ID)))
    found.identity = ", ".join(t for t in (maker, text_of(objects.get(SYS_DESCR))) if t)
    found.readings = [*_of_models(objects), *_of_sensors(objects)]
    found.content = {oid: _kept(oid, value) for oid, value in objects.items() if value is not None}
    return found


def _of_models(objects: Objects) -> list[Reading]:
    """Points of every catalogue model that this agent has, each place once."""
    readings: dict[str, Reading] = {}
    for model in load_models().values():
        if "snmp" not in model.protocol:
            continue
        options = model.options("snmp", Options)
        for point in model.point:
            if point.protocol != "snmp":
                continue
            places = [parse_place(at, str(options.first_unit)) for at in point.places]
            value = point.to_point(sum(place.value(objects, options.none) for place in places))
            if not math.isnan(value):
                unit = unit_of(point.name)
                at = " + ".join(place.oid for place in places)
                readings.setdefault(
                    at, Reading(at=at, value=value, unit=unit.ucum if unit else "", name=point.name)
                )
    return list(readings.values())


def _of_sensors(objects: Objects) -> list[Reading]:
    """Rows of ENTITY-SENSOR-MIB, in base units."""
    readings = []
    for oid in objects:
        if not oid.startswith(f"{_SENSOR}.4."):
            continue
        row = oid.removeprefix(f"{_SENSOR}.4.")
        at = f"{oid}:digits={_SENSOR}.3.{row}:si={_SENSOR}.2.{row}"
        value = parse_place(at).value(objects, ())
        away = int_or_zero(objects.get(f"{_SENSOR}.5.{row}")) != 1
        kind = int_or_zero(objects.get(f"{_SENSOR}.1.{row}"))
        name = text_of(objects.get(f"{_PHYSICAL_NAME}.{row}"))
        if not math.isnan(value):
            state = "away" if away else ""
            unit = _SENSOR_UNITS.get(kind, "1")
            readings.append(Reading(at=at, value=value, unit=unit, name=name, state=state))
    return readings


def _kept(oid: str, value: Value) -> Value:
    """A value as a sample keeps it; texts that name one specimen or its owner become X."""
    if not isinstance(value, bytes):
        return value
    own = (parse_place(one).oid for one in _serials())
    text = value.decode("latin-1")
    personal = oid.startswith(_PERSONAL) or oid in own
    return "X" * len(text) if personal else text


@cache
def _serials() -> tuple[str, ...]:
    """Where models of the catalogue find serial numbers."""
    models = [one for one in load_models().values() if "snmp" in one.protocol]
    serials = (one.options("snmp", Options).serial for one in models)
    return tuple(dict.fromkeys(serial for serial in serials if serial))
