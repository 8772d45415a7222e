"""SunSpec over Modbus TCP: finds a device's models, reads in few requests, writes with leases.

Sources: SunSpec Device Information Model Specification (marker, model chain, scale factors),
SunSpec DER Information Model Specification (the 700 series; `Ena`, `Mod`, `RvrtTms` beside a set
point, and the reversion timer that they run).
"""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from mallee.catalogue.sunspec import (
    NUMBERS,
    SunSpecModel,
    SunSpecPoint,
    decode_number,
    decode_string,
    encode_number,
    load_sunspec,
    missing_bytes,
)
from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel, PointSpec
from mallee.core.errors import Malformed, Rejected
from mallee.drivers.modbus import READ_MAX, ModbusClient, ReadDenied, split_address

BASES: Final = (40000, 0, 50000)
"""Where the specification allows the marker to stand."""
_MARKER = b"SunS"
_END_MODEL = 0xFFFF
_MODELS_MAX = 200
_ENABLE, _MODE, _TIMER = "Ena", "Mod", "RvrtTms"
_IN_OWN_UNIT: Final = {"W": "WATTS", "Var": "VARS", "Pct": "W_MAX_PCT"}
"""By a set point's unit, the symbol of its `Mod` point that makes the device follow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """One model of a device's chain: where its ID register is and how many registers it spans."""

    address: int
    registers: int
    definition: SunSpecModel

    def find(self, name: str) -> SunSpecPoint | None:
        """A point that the device really has; older or cut-down models end before some."""
        point = self.definition.points.get(name)
        if point is None or point.offset + point.registers > self.registers:
            return None
        return point


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One register range that carries a catalogue point.

    Attributes:
        column: which point of the driver.
        exponent: the scale factor where the definition gives a number.
        exponent_address: the register that holds it otherwise.
    """

    column: int
    model: ServedModel
    point: SunSpecPoint
    address: int
    exponent: int | None
    exponent_address: int | None


@dataclass(frozen=True, slots=True)
class Layout:
    """A device's map as this driver uses it.

    Attributes:
        exponents: by register, the scale factors last seen.
        companions: by place of a set point, the points beside it that the device implements.
    """

    places: tuple[Place, ...]
    blocks: tuple[tuple[int, int], ...]
    exponents: dict[int, int | None] = field(default_factory=dict)
    companions: dict[int, dict[str, SunSpecPoint]] = field(default_factory=dict)


def plan_blocks(ranges: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The fewest reads of at most 125 registers that cover ranges of (address, registers)."""
    blocks: list[tuple[int, int]] = []
    for start, count in sorted(set(ranges)):
        if blocks and start + count - blocks[-1][0] <= READ_MAX:
            first, length = blocks[-1]
            blocks[-1] = (first, max(length, start + count - first))
        else:
            blocks.append((start, count))
    return tuple(blocks)


def plan_layout(points: tuple[PointSpec, ...], served: dict[int, ServedModel]) -> Layout:
    """Where each point stands; points of models that the device lacks have no place."""
    places = []
    for column, spec in enumerate(points):
        for at in [spec.at] if isinstance(spec.at, str) else spec.at:
            number, _, name = at.partition(".")
            model = served.get(int(number))
            point = model.find(name) if model is not None else None
            if model is None or point is None or point.kind not in NUMBERS:
                continue
            factor = point.scale_factor
            exponent = factor if isinstance(factor, int) else None
            holder = model.find(factor) if isinstance(factor, str) else None
            places.append(
                Place(
                    column=column,
                    model=model,
                    point=point,
                    address=model.address + point.offset,
                    exponent=exponent,
                    exponent_address=model.address + holder.offset if holder is not None else None,
                )
            )
    ranges = [(place.address, place.point.registers) for place in places]
    ranges += [(p.exponent_address, 1) for p in places if p.exponent_address is not None]
    return Layout(tuple(places), plan_blocks(ranges))


def decode_points(layout: Layout, data: list[bytes], count: int) -> FloatArray:
    """Raw readings by point from the blocks' bytes: NaN without a place or not implemented.

    Several places of one point add up.  # (count,)
    """

    def cut(address: int, registers: int) -> bytes:
        for (start, length), block in zip(layout.blocks, data, strict=True):
            if start <= address < start + length:
                return block[2 * (address - start) : 2 * (address - start + registers)]
        raise AssertionError(f"register {address} is in no block")

    values = np.full(count, math.nan)
    for place in layout.places:
        exponent = place.exponent
        if place.exponent_address is not None:
            factor = decode_number("sunssf", cut(place.exponent_address, 1), 0)
            exponent = None if math.isnan(factor) else int(factor)
            layout.exponents[place.exponent_address] = exponent
        point = place.point
        raw = cut(place.address, point.registers)
        value = decode_number(point.kind, raw, exponent, mandatory=point.mandatory)
        before = values[place.column]
        values[place.column] = value if math.isnan(before) else before + value
    return values


def find_companions(place: Place) -> dict[str, SunSpecPoint]:
    """`Ena`, `Mod` and `RvrtTms` of a set point, as far as the model has them."""
    model = place.model
    stem = place.point.name.split(".")[0]
    if model.find(stem + "Ena") is None:
        stem = stem.removesuffix("Pct")
    found = {tail: model.find(stem + tail) for tail in (_ENABLE, _MODE, _TIMER)}
    return {tail: point for tail, point in found.items() if point is not None}


def plan_write(
    place: Place,
    value: float,
    exponent: int,
    lease_s: float,
    companions: dict[str, SunSpecPoint],
) -> list[tuple[int, bytes]]:
    """The writes that make a device follow a value, in order: (address, register bytes).

    The reversion timer comes first, then value and enable in one write if they are neighbours, so
    that the device never follows an old value or a new one unbounded.

    Raises:
        OverflowError: the value does not fit the point's type and scale factor.
    """
    base, point = place.model.address, place.point
    parts = {place.address: encode_number(point.kind, value, exponent)}
    writes = []
    timer, mode, enable = (companions.get(tail) for tail in (_TIMER, _MODE, _ENABLE))
    if timer is not None:
        writes.append((base + timer.offset, encode_number(timer.kind, math.ceil(lease_s))))
    symbol = _IN_OWN_UNIT.get(point.units, "")
    if mode is not None and symbol in mode.symbols:
        parts[base + mode.offset] = encode_number(mode.kind, mode.symbols[symbol])
    if enable is not None:
        parts[base + enable.offset] = encode_number(enable.kind, 1)
    merged: list[tuple[int, bytes]] = []
    for address, data in sorted(parts.items()):
        if merged and merged[-1][0] + len(merged[-1][1]) // 2 == address:
            merged[-1] = (merged[-1][0], merged[-1][1] + data)
        else:
            merged.append((address, data))
    merged.sort(key=lambda part: not part[0] <= place.address < part[0] + len(part[1]) // 2)
    return writes + merged


class SunSpecDriver:
    """A SunSpec device as the points of its catalogue model.

    Attributes:
        identity: manufacturer ``Mn``, model ``Md``, options ``Opt``, version ``Vr`` and serial
            number ``SN`` as the device's common model gives them; empty before it is open.
        absent: points of the catalogue that the device does not serve.

    Args:
        address: "host:port", or "host" for the port that the catalogue names.
    """

    def __init__(self, model: DeviceModel, address: str) -> None:
        protocol = model.protocol["sunspec"]
        host, port = split_address(address, protocol.port)
        self.identity: dict[str, str] = {}
        self.absent: tuple[str, ...] = ()
        self._points = tuple(point for point in model.point if point.protocol == "sunspec")
        self._scale = np.array([point.scale for point in self._points])
        self._offset = np.array([point.offset for point in self._points])
        self._model_name = model.model
        self._client = ModbusClient(
            host,
            port,
            int(str(protocol.options.get("unit_id", 1))),
            protocol.timeout_s,
        )
        self._layout: Layout | None = None
        self._mapped_connection = 0

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
        layout = await self._mapped()
        data = [await self._client.read(start, count) for start, count in layout.blocks]
        values: FloatArray = decode_points(layout, data, len(self._points))
        values *= self._scale
        values += self._offset
        return values

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

    async def _mapped(self) -> Layout:
        """The map of the device behind the present connection."""
        await self._client.connect()
        if self._layout is None or self._mapped_connection != self._client.connections:
            served = await self._discover()
            layout = plan_layout(self._points, served)
            present = {place.column for place in layout.places}
            if not present:
                found = ", ".join(str(number) for number in served)
                text = f"serves models {found}, none of the points of {self._model_name}"
                raise Malformed(f"{self._client.address}: {text}")
            self.absent = tuple(p.name for i, p in enumerate(self._points) if i not in present)
            self._layout, self._mapped_connection = layout, self._client.connections
        return self._layout

    async def _discover(self) -> dict[int, ServedModel]:
        """Walk the model chain; the first of several equal models counts."""
        address = await self._find_marker() + 2
        served: dict[int, ServedModel] = {}
        for _ in range(_MODELS_MAX):
            header = await self._client.read(address, 2)
            number, length = int.from_bytes(header[:2], "big"), int.from_bytes(header[2:], "big")
            if number == _END_MODEL:
                break
            definition = load_sunspec(number)
            if definition is not None and number not in served:
                served[number] = ServedModel(
                    address=address, registers=length + 2, definition=definition
                )
            address += length + 2
            if length == 0 or address > 0xFFFD:
                text = f"model chain is broken at model {number}, length {length}"
                raise Malformed(f"{self._client.address}: {text}", header)
        if 1 in served:
            await self._identify(served[1])
        return served

    async def _find_marker(self) -> int:
        for base in BASES:
            try:
                if await self._client.read(base, 2) == _MARKER:
                    return base
            except ReadDenied:
                continue
        places = ", ".join(str(base) for base in BASES)
        raise Malformed(f"{self._client.address}: no SunSpec marker at registers {places}")

    async def _identify(self, common: ServedModel) -> None:
        data = await self._client.read(common.address, min(common.registers, READ_MAX))
        for point in common.definition.points.values():
            if point.kind == "string":
                cut = data[2 * point.offset : 2 * (point.offset + point.registers)]
                self.identity[point.name] = decode_string(cut)
