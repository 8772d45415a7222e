"""SNMP driver: the points of a model as objects of an agent. It only reads."""

import asyncio

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel, PointSpec
from mallee.core.errors import ConfigError, Malformed, Rejected
from mallee.core.identity import Identity
from mallee.core.oids import Place, maker_of, parse_place, text_of
from mallee.core.protocols.snmp import Options
from mallee.drivers.driver import Target
from mallee.drivers.snmp.client import SnmpClient

SYS_DESCR, SYS_OBJECT_ID = "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.2.0"


class SnmpChannel:
    """An agent; several units of a chain may stand behind it, which are asked in turn."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._turn = asyncio.Lock()

    def driver(self, target: Target) -> "SnmpDriver":
        """The driver of a unit; the part of its address is its number in the chain."""
        options = target.model.options("snmp", Options)
        timeout_s = target.model.protocol["snmp"].timeout_s
        client = SnmpClient(self._host, self._port, options, target.login, timeout_s, self._turn)
        return SnmpDriver(target.model, client, target.part or "1")

    async def open(self) -> None:
        """Nothing stands between readings."""

    async def close(self) -> None:
        """Nothing is shared but turns."""


class SnmpDriver:
    """One unit as the points of its catalogue model.

    Args:
        unit: its number in the chain.

    Raises:
        ConfigError: a point's `at` is no place of an agent.
    """

    remarks: tuple[str, ...] = ()

    def __init__(self, model: DeviceModel, client: SnmpClient, unit: str = "1") -> None:
        self._options = model.options("snmp", Options)
        self._client, self._unit = client, unit
        self.points = tuple(point for point in model.point if point.protocol == "snmp")
        self._places = [_places_of(point, unit) for point in self.points]
        every = (oid for places in self._places for place in places for oid in place.oids)
        self._oids = tuple(dict.fromkeys(every))

    async def open(self) -> None:
        """Learn the agent's clock, where version 3 needs it; see `Driver.open`."""
        await self._client.open()

    async def read(self) -> FloatArray:
        """All points now; NaN for those that the agent does not have; see `Driver.read`."""
        objects = await self._client.ask(self._oids)
        if not objects and self._oids:
            text = "has none of the objects of its model, or the community sees none"
            raise Malformed(f"{self._client.address}: {text}")
        none = self._options.none
        values = [
            point.to_point(sum(place.value(objects, none) for place in places))
            for point, places in zip(self.points, self._places, strict=True)
        ]
        return np.array(values)

    async def identify(self) -> Identity:
        """Its maker by `sysObjectID`, and what the model's objects or `sysDescr` say."""
        options = self._options
        wanted = [options.product, options.firmware, options.serial]
        places = [parse_place(oid, self._unit).oid if oid else "" for oid in wanted]
        asked = [SYS_DESCR, SYS_OBJECT_ID, *(oid for oid in places if oid)]
        objects = await self._client.ask(asked)
        product, firmware, serial = (text_of(objects.get(oid)) for oid in places)
        return Identity(
            manufacturer=maker_of(text_of(objects.get(SYS_OBJECT_ID))),
            model=product or text_of(objects.get(SYS_DESCR)),
            firmware=firmware,
            serial=serial,
        )

    async def write(self, point: str, value: float, lease_s: float) -> None:
        """Refused always: nothing is set over SNMP, which tells no range and knows no lease."""
        del value, lease_s
        raise Rejected(f"{self._client.address}: {point} is only read over SNMP")

    async def close(self) -> None:
        """Forget the session."""
        await self._client.close()


def _places_of(point: PointSpec, unit: str) -> list[Place]:
    try:
        return [parse_place(at, unit) for at in point.places]
    except ValueError as error:
        hint = "write it as 1.3.6.1.2.1.33.1.2.4.0"
        raise ConfigError(f"point.{point.name}", str(error), hint) from None
