"""SunSpec over Modbus TCP: finds a device's models, reads in few requests, writes with leases.

Sources: SunSpec Device Information Model Specification (marker, model chain, scale factors),
SunSpec DER Information Model Specification (the 700 series; `Ena`, `Mod`, `RvrtTms` beside a set
point, and the reversion timer that they run).
"""

import asyncio
import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from mallee.catalogue.sunspec import (
    SunSpecPoint,
    decode_number,
    decode_string,
    load_sunspec,
    missing_bytes,
)
from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel, PointSpec
from mallee.core.errors import Malformed, Rejected, Unreachable
from mallee.core.identity import Identity
from mallee.drivers.driver import Target
from mallee.drivers.modbus.codec import READ_MAX, ReadDenied
from mallee.drivers.modbus.gateway import Gateway, ModbusClient, shared_gateway
from mallee.drivers.sunspec.layout import (
    Layout,
    Place,
    Registers,
    Served,
    ServedModel,
    decode_points,
    find_companions,
    fits,
    parse_at,
    plan_layout,
    plan_write,
    what_follows,
)
from mallee.site.addresses import complete_address

BASES: Final = (40000, 0, 50000)
"""Where the specification allows the marker to stand."""
_MARKER = b"SunS"
_END_MODEL = 0xFFFF
_MODELS_MAX = 200
READ_SIZES: Final = (125, 50, 24, 12, 4)
"""Most registers in one read, tried in this order with devices that deny long ones."""


class SunSpecChannel:
    """A gateway; often its only unit is the device itself."""

    def __init__(self, host: str, port: int) -> None:
        self._gateway = shared_gateway(host, port)

    def driver(self, target: Target) -> "SunSpecDriver":
        """The driver of a unit; the part of its address is the unit id."""
        address = f"{self._gateway.address}/{target.part}"
        return SunSpecDriver(target.model, address, self._gateway)

    async def open(self) -> None:
        """Connects when a unit is first asked."""

    async def close(self) -> None:
        """The last driver to close disconnects."""


class SunSpecDriver:
    """A SunSpec device as the points of its catalogue model.

    Attributes:
        nameplate: manufacturer ``Mn``, model ``Md``, options ``Opt``, version ``Vr`` and serial
            number ``SN`` as the device's common model gives them; empty before it is open.
        absent: points of the catalogue that the device does not serve.
        remarks: what a person should know about the device's map.

    Args:
        address: "host:port/unit"; port and unit id are those of the catalogue where missing.
        gateway: shared with other units there; its own where not given.
    """

    def __init__(self, model: DeviceModel, address: str, gateway: Gateway | None = None) -> None:
        place = complete_address(model, "sunspec", "", address)
        self.nameplate: dict[str, str] = {}
        self.absent: tuple[str, ...] = ()
        self.remarks: tuple[str, ...] = ()
        self._points = tuple(point for point in model.point if point.protocol == "sunspec")
        self._scale = np.array([point.scale for point in self._points])
        self._offset = np.array([point.offset for point in self._points])
        self._model_name = model.model
        self._client = ModbusClient(
            gateway or Gateway(place.host, place.port),
            int(place.part),
            model.protocol["sunspec"].timeout_s,
        )
        self._layout: Layout | None = None
        self._common: ServedModel | None = None
        self._mapped_connection = 0
        self._read_max = READ_MAX
        self._base: int | None = None
        self._follows: dict[int, tuple[float, list[tuple[int, bytes]]]] = {}

    @property
    def points(self) -> tuple[PointSpec, ...]:
        """What `read` returns, in its order."""
        return self._points

    async def open(self) -> None:
        """Connect, find the models and read who the device is.

        Raises:
            Unreachable, Refused: see `ModbusClient`.
            Malformed: no SunSpec device, or one that serves none of the catalogue's points.
        """
        await self._mapped()

    async def read(self) -> FloatArray:
        """All points now; NaN where the device does not implement one.  # (points,)

        Raises:
            Unreachable, Refused, Malformed: nothing could be read.
        """
        for _ in range(2):
            layout = await self._mapped()
            registers = await self._registers(layout)
            if fits(layout, registers):
                values = decode_points(layout, registers, len(self._points))
                values *= self._scale
                values += self._offset
                self._leave_out_disabled(registers, values)
                return values
            self._layout = None  # new firmware may move the models under a standing connection
        text = "its models are not where they were a moment ago"
        raise Malformed(f"{self._client.address}: {text}")

    async def _registers(self, layout: Layout) -> Registers:
        """One round of reads, in shorter ones from now on where the device denies long ones.

        Raises:
            ReadDenied: the device gives none of the blocks.
        """
        data: list[bytes | None] = []
        denied: ReadDenied | None = None
        for start, count in layout.blocks:
            try:
                data.append(await self._client.read(start, count))
            except ReadDenied as error:
                shorter = _shorter(min(count, self._read_max))
                if shorter < count:
                    self._read_max, self._layout = shorter, None
                    return await self._registers(await self._mapped())
                denied = error
                data.append(None)
        if denied is not None and not any(data):
            raise denied
        return Registers(layout, data)

    def _leave_out_disabled(self, registers: Registers, values: FloatArray) -> None:
        """A set point that was written counts only while the device still follows it."""
        now_s = asyncio.get_running_loop().time()
        for column, (until_s, wanted) in self._follows.items():
            held = [(registers.cut(address, len(data) // 2), data) for address, data in wanted]
            if now_s < until_s and any(found not in (None, data) for found, data in held):
                values[column] = math.nan

    async def identify(self) -> Identity:
        """Who the common model says it is; read anew.

        Raises:
            Unreachable, Refused, Malformed: as `read`.
        """
        await self._mapped()
        if self._common is not None:
            await self._identify(self._common)
        said = self.nameplate.get
        return Identity(
            manufacturer=said("Mn", ""),
            model=said("Md", ""),
            firmware=said("Vr", ""),
            serial=said("SN", ""),
        )

    async def write(self, point: str, value: float, lease_s: float) -> None:
        """Give a setpoint to the device; its reversion timer, where it has one, gets the lease.

        The timer counts whole seconds, so a lease is rounded up.

        Raises:
            Rejected: no such setpoint, a value it cannot carry, or the device declines.
            Unreachable, Refused, Malformed: it is not known to have arrived.
        """
        layout = await self._mapped()
        what = f"{self._client.address}: {self._model_name} {point} = {value:g}"
        column = self._settable(point, what)
        spec = self._points[column]
        places = [place for place in layout.places if place.column == column]
        if not places:
            raise Rejected(f"{what}: the device does not serve {spec.at}")
        share = (value - spec.offset) / spec.scale / len(places)
        for place in places:
            exponent = await self._exponent(layout, place)
            if exponent is None:
                raise Rejected(f"{what}: the device gives no scale factor for {spec.at}")
            companions = await self._companions(layout, place)
            try:
                writes = plan_write(place, share, exponent, lease_s, companions)
            except OverflowError as error:
                raise Rejected(f"{what}: {spec.at} cannot carry it, {error}") from None
            for address, data in writes:
                try:
                    await self._client.write(address, data)
                except Rejected as error:
                    raise Rejected(f"{what}: declined by the device, {error}") from None
            stands_s = lease_s if lease_s > 0.0 else math.inf
            until_s = asyncio.get_running_loop().time() + stands_s
            self._follows[column] = (until_s, what_follows(place, companions))

    async def close(self) -> None:
        """Disconnect."""
        await self._client.close()

    def _settable(self, point: str, what: str) -> int:
        names = {p.name: i for i, p in enumerate(self._points) if p.access == "readwrite"}
        if point not in names:
            raise Rejected(f"{what}: no settable point; there are {', '.join(names)}")
        return names[point]

    async def _exponent(self, layout: Layout, place: Place) -> int | None:
        if place.exponent_address is None:
            return place.exponent
        if place.exponent_address not in layout.exponents:
            data = await self._client.read(place.exponent_address, 1)
            factor = decode_number("sunssf", data, 0)
            exponent = None if math.isnan(factor) else int(factor)
            layout.exponents[place.exponent_address] = exponent
        return layout.exponents[place.exponent_address]

    async def _companions(self, layout: Layout, place: Place) -> dict[str, SunSpecPoint]:
        """What stands beside a set point and is implemented; asked for once a connection."""
        if place.address not in layout.companions:
            implemented = {}
            for tail, point in find_companions(place).items():
                data = await self._client.read(place.model.address + point.offset, point.registers)
                if data != missing_bytes(point.kind, point.registers):
                    implemented[tail] = point
            layout.companions[place.address] = implemented
        return layout.companions[place.address]

    async def chain(self) -> Served:
        """The models that the device serves, walked anew; raises as `read`."""
        await self._client.connect()
        return await self._discover()

    async def registers_of(self, model: ServedModel) -> bytes:
        """All registers of a model; raises as `read`."""
        data = b""
        while len(data) < 2 * model.registers:
            start = len(data) // 2
            count = min(model.registers - start, self._read_max)
            try:
                data += await self._client.read(model.address + start, count)
            except ReadDenied:
                self._read_max = _shorter(count)
                if self._read_max == count:
                    raise
        return data

    async def _mapped(self) -> Layout:
        """The map of the device behind the present connection."""
        await self._client.connect()
        if self._layout is None or self._mapped_connection != self._client.connections:
            served = await self._discover()
            layout = plan_layout(self._points, served, self._read_max)
            present = {place.column for place in layout.places}
            if not present:
                found = ", ".join(str(number) for number, _ in served)
                text = f"serves models {found}, none of the points of {self._model_name}"
                raise Malformed(f"{self._client.address}: {text}")
            self.absent = tuple(p.name for i, p in enumerate(self._points) if i not in present)
            self.remarks = tuple(_twice(self._points, served))
            self._layout, self._mapped_connection = layout, self._client.connections
        return self._layout

    async def _discover(self) -> Served:
        """Walk the model chain."""
        address = await self._find_marker() + 2
        served: Served = {}
        for _ in range(_MODELS_MAX):
            try:
                header = await self._client.read(address, 2)
            except ReadDenied:
                if not served:
                    raise
                break  # some devices have no end model: what was found counts
            number, length = int.from_bytes(header[:2], "big"), int.from_bytes(header[2:], "big")
            if number == _END_MODEL:
                break
            definition = load_sunspec(number)
            if definition is not None:
                which = 1 + sum(known == number for known, _ in served)
                served[number, which] = ServedModel(
                    address=address, registers=length + 2, definition=definition
                )
            address += length + 2
            if length == 0 or address > 0xFFFD:
                text = f"model chain is broken at model {number}, length {length}"
                raise Malformed(f"{self._client.address}: {text}", header)
        self._common = served.get((1, 1))
        if self._common is not None:
            await self._identify(self._common)
        return served

    async def _find_marker(self) -> int:
        """Where the map begins; a device may be silent where it has no registers."""
        silent: Unreachable | None = None
        order = BASES if self._base is None else (self._base, *BASES)
        for base in dict.fromkeys(order):
            try:
                if await self._client.read(base, 2) == _MARKER:
                    self._base = base
                    return base
            except ReadDenied:
                continue
            except Unreachable as error:
                silent = silent or error
        if silent is not None:
            raise silent
        places = ", ".join(str(base) for base in BASES)
        raise Malformed(f"{self._client.address}: no SunSpec marker at registers {places}")

    async def _identify(self, common: ServedModel) -> None:
        data = b""
        wanted = min(common.registers, READ_MAX)
        while len(data) < 2 * wanted:
            start = len(data) // 2
            count = min(wanted - start, self._read_max)
            try:
                data += await self._client.read(common.address + start, count)
            except ReadDenied:
                self._read_max = _shorter(count)
                if self._read_max == count:
                    return  # it does not say who it is
        for point in common.definition.points.values():
            if point.kind == "string":
                cut = data[2 * point.offset : 2 * (point.offset + point.registers)]
                self.nameplate[point.name] = decode_string(cut)


def _shorter(count: int) -> int:
    """The next shorter read to try; the same where there is none."""
    return next((size for size in READ_SIZES if size < count), count)


def _twice(points: tuple[PointSpec, ...], served: Served) -> Iterator[str]:
    """A sentence on every model that the device serves more than once and points name."""
    used = {parse_at(at)[:2] for point in points for at in point.places}
    for number, which in sorted(used):
        count = sum(known == number for known, _ in served)
        if count > 1:
            yield (
                f"serves model {number} {count} times, and number {which} is read; "
                f'a device model chooses with "{number}:2."'
            )
