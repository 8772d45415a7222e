"""What an emulated agent holds, without sockets: objects in order, made when they are asked for."""

import bisect
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from mallee.core.errors import ConfigError
from mallee.core.identity import spoken
from mallee.core.oids import MAKERS, Place, Value, parse_place
from mallee.core.protocols.snmp import Options
from mallee.emulators.device import EmulatedDevice

Oid = tuple[int, ...]
_SYSTEM: Final = "1.3.6.1.2.1.1"
_DIGITS: Final = 2
_UNITS_SI: Final = 9


class ObjectTable:
    """The objects of an agent.

    Args:
        makers: by object, what makes its value.
    """

    def __init__(self, makers: Mapping[str, Callable[[], Value]]) -> None:
        self._makers = {numbers(oid): make for oid, make in makers.items()}
        self._order = sorted(self._makers)

    def get(self, oid: Oid) -> Value:
        """The value of an object now; None where there is none."""
        make = self._makers.get(oid)
        return None if make is None else make()

    def after(self, oid: Oid) -> tuple[Oid, Value] | None:
        """The next object that has a value now; None behind the last one."""
        for position in range(bisect.bisect_right(self._order, oid), len(self._order)):
            found = self._order[position]
            value = self._makers[found]()
            if value is not None:
                return found, value
        return None


def numbers(oid: str) -> Oid:
    """An object identifier as numbers."""
    return tuple(int(one) for one in oid.split("."))


def device_table(units: Mapping[str, EmulatedDevice]) -> ObjectTable:
    """The objects of the devices of one chain, by their number in it.

    Raises:
        ConfigError: a model names a place that is none.
    """
    makers: dict[str, Callable[[], Value]] = {}
    for unit, device in units.items():
        makers |= _system(device) | _identity(device, unit)
        for column, point in enumerate(device.model.point):
            if point.protocol != "snmp" or point.constant is not None:
                continue
            try:
                places = [parse_place(at, unit) for at in point.places]
            except ValueError as error:
                where = f"{device.model.model}: point.{point.name}"
                raise ConfigError(where, str(error)) from None
            for place in places:
                makers |= _object(device, column, place)
    return ObjectTable(makers)


def _object(device: EmulatedDevice, column: int, place: Place) -> dict[str, Callable[[], Value]]:
    point, options = device.model.point[column], device.model.options("snmp", Options)
    none = (*place.none, *options.none)

    def held() -> Value:
        share = point.to_device(float(device.values[column]))
        if math.isnan(share):
            return none[0] if none else None
        if place.equals is not None:
            return place.equals if share >= 0.5 else place.equals + 1
        return round(share * 10**_DIGITS) if place.digits else round(share)

    makers: dict[str, Callable[[], Value]] = {place.oid: held}
    if place.digits:
        makers[place.digits] = lambda: _DIGITS
    if place.si:
        makers[place.si] = lambda: _UNITS_SI
    if place.ok is not None:
        ok_oid, ok_value = place.ok
        makers[ok_oid] = lambda: ok_value
    return makers


def _system(device: EmulatedDevice) -> dict[str, Callable[[], Value]]:
    """The group `system` of MIB-II (RFC 3418)."""
    model = device.model
    text = f"{model.vendor} {model.product}".encode()
    maker = spoken(model.identity, "snmp", "manufacturer", model.vendor)
    number = next((one for one, name in MAKERS.items() if name == maker), 8072)
    return {
        f"{_SYSTEM}.1.0": lambda: text,
        f"{_SYSTEM}.2.0": lambda: f"1.3.6.1.4.1.{number}.1",
        f"{_SYSTEM}.5.0": lambda: device.name.encode(),
    }


def _identity(device: EmulatedDevice, unit: str) -> dict[str, Callable[[], Value]]:
    options = device.model.options("snmp", Options)
    said = {
        options.product: spoken(device.model.identity, "snmp", "model", device.model.product),
        options.firmware: spoken(device.model.identity, "snmp", "firmware", "1.0"),
        options.serial: f"SIM-{device.name}",
    }
    return {parse_place(oid, unit).oid: partial(str.encode, said[oid]) for oid in said if oid}
