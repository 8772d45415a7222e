"""Plain Modbus: the points of a printed register map, read in few requests."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel, PointSpec
from mallee.core.errors import ConfigError, Rejected
from mallee.core.identity import Identity
from mallee.core.protocols.modbus import Options
from mallee.core.registers import Place, Table, parse_place
from mallee.drivers.driver import Target
from mallee.drivers.modbus.codec import ReadDenied
from mallee.drivers.modbus.gateway import Gateway, ModbusClient, shared_gateway
from mallee.site.addresses import complete_address

_FUNCTIONS: Final[dict[Table, int]] = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}


@dataclass(frozen=True, slots=True)
class Block:
    """One read: a table, where it begins, how many registers or bits."""

    table: Table
    start: int
    count: int

    def holds(self, place: Place) -> bool:
        """Whether a place stands in it, whole."""
        end = place.address + place.count
        return place.table == self.table and self.start <= place.address and end <= self.end

    @property
    def end(self) -> int:
        """The address behind it."""
        return self.start + self.count

    def cut(self, data: bytes, place: Place) -> float:
        """The value of a place in what the read gave."""
        at = place.address - self.start
        if place.is_bits:
            return float(data[at // 8] >> at % 8 & 1)
        return place.decode(data[2 * at : 2 * (at + place.count)])


def plan_blocks(places: list[Place], longest: int, gap_max: int) -> list[Block]:
    """The fewest reads for places: those with small gaps between them go together."""
    blocks: list[Block] = []
    for place in sorted(places, key=lambda one: (one.table, one.address)):
        end = place.address + place.count
        last = blocks[-1] if blocks else None
        if (
            last is not None
            and last.table == place.table
            and place.address - last.end <= gap_max
            and end - last.start <= longest
        ):
            blocks[-1] = Block(last.table, last.start, max(last.count, end - last.start))
        else:
            blocks.append(Block(place.table, place.address, place.count))
    return blocks


class ModbusChannel:
    """A gateway or serial server; often its only unit is the device itself."""

    def __init__(self, host: str, port: int) -> None:
        self._gateway = shared_gateway(host, port)
        self._users: dict[str, str] = {}

    def driver(self, target: Target) -> "ModbusDriver":
        """The driver of a unit; the part of its address is the unit id.

        Raises:
            ConfigError: devices of one place want different frames.
        """
        framing = target.model.options("modbus", Options).framing
        self._users.setdefault(framing, target.name)
        if len(self._users) > 1:
            what = f"wants {framing} frames, {next(iter(self._users.values()))} at the same place"
            raise ConfigError(target.name, f"{what} others", "one place speaks one framing")
        self._gateway.rtu = framing == "rtu"
        address = f"{self._gateway.address}/{target.part}"
        return ModbusDriver(target.model, address, self._gateway)

    async def open(self) -> None:
        """Connects when a unit is first asked."""

    async def close(self) -> None:
        """The last driver to close disconnects."""


class ModbusDriver:
    """One unit as the points of its catalogue model.

    Args:
        address: "host:port/unit"; port and unit id are those of the catalogue where missing.
        gateway: shared with other units there; its own where not given.

    Raises:
        ConfigError: a point's `at` is no place of a register map.
    """

    remarks: tuple[str, ...] = ()

    def __init__(self, model: DeviceModel, address: str, gateway: Gateway | None = None) -> None:
        options = model.options("modbus", Options)
        place = complete_address(model, "modbus", "", address)
        self.points = tuple(point for point in model.point if point.protocol == "modbus")
        self._places = [_places_of(point) for point in self.points]
        every = [place for places in self._places for place in places]
        self._blocks = plan_blocks(every, options.longest, options.gap_max)
        self._alone = plan_blocks(every, 1, -1)  # every place by itself
        self._client = ModbusClient(
            gateway or Gateway(place.host, place.port, rtu=options.framing == "rtu"),
            int(place.part),
            model.protocol["modbus"].timeout_s,
        )

    async def open(self) -> None:
        """Connect; see `Driver.open`."""
        await self._client.connect()

    async def read(self) -> FloatArray:
        """All points now; NaN for those of registers that the device denies; see `Driver.read`."""
        data, denied = await self._read_blocks()
        if denied and self._split(denied):
            data, denied = await self._read_blocks()
        if denied and not data:
            raise next(iter(denied.values()))
        values = [
            point.to_point(sum(_value(place, data) for place in places))
            for point, places in zip(self.points, self._places, strict=True)
        ]
        return np.array(values)

    async def _read_blocks(self) -> tuple[dict[Block, bytes], dict[Block, ReadDenied]]:
        """One round: what was given, and what was denied."""
        data: dict[Block, bytes] = {}
        denied: dict[Block, ReadDenied] = {}
        for block in self._blocks:
            function = _FUNCTIONS[block.table]
            try:
                raw = await self._client.read(block.start, block.count, function=function)
            except ReadDenied as error:
                denied[block] = error
                continue
            if function < 3 or block.count == 1 or raw.strip(b"\xff"):
                data[block] = raw  # else all registers are all ones: nothing stands behind them now
        return data, denied

    def _split(self, denied: Mapping[Block, ReadDenied]) -> bool:
        """Read denied blocks place by place from now on: one place may be what is denied.

        Returns:
            Whether that changes anything.
        """
        apart = [one for one in self._alone if any(_is_in(one, block) for block in denied)]
        blocks = [*(block for block in self._blocks if block not in denied), *apart]
        changed, self._blocks = blocks != self._blocks, blocks
        return changed

    async def identify(self) -> Identity:
        """Plain register maps do not say who they are."""
        return Identity()

    async def write(self, point: str, value: float, lease_s: float) -> None:
        """Write a set point; see `Driver.write`. Registers have no leases: the value stands."""
        del lease_s
        what = f"{self._client.address}: {point} = {value:g}"
        settable = {p.name: i for i, p in enumerate(self.points) if p.access == "readwrite"}
        if point not in settable:
            raise Rejected(f"{what}: no settable point; there are {', '.join(settable)}")
        if not math.isfinite(value):
            raise Rejected(f"{what}: no number")
        spec, places = self.points[settable[point]], self._places[settable[point]]
        share = spec.to_device(value)
        for place in places:
            try:
                await self._write_place(place, share)
            except OverflowError as error:
                raise Rejected(f"{what}: {error}") from None
            except Rejected as error:
                raise Rejected(f"{what}: declined by the device, {error}") from None

    async def _write_place(self, place: Place, share: float) -> None:
        if place.table == "coil":
            await self._client.switch(place.address, on=share >= 0.5)
        elif place.kind == "bit":
            held = int.from_bytes(await self._client.read(place.address, 1), "big")
            mask = 1 << place.bit
            word = held | mask if share >= 0.5 else held & ~mask
            await self._client.write(place.address, word.to_bytes(2, "big"))
        else:
            await self._client.write(place.address, place.encode(share))

    async def close(self) -> None:
        """Disconnect."""
        await self._client.close()


def _places_of(point: PointSpec) -> list[Place]:
    try:
        places = [parse_place(at) for at in point.places]
    except ValueError as error:
        hint = "write it as holding:40:float32"
        raise ConfigError(f"point.{point.name}", str(error), hint) from None
    closed = [place.table for place in places if place.table not in ("holding", "coil")]
    if point.access == "readwrite" and closed:
        what = f"cannot be set: {closed[0]} registers are only read"
        raise ConfigError(f"point.{point.name}", what, "set points are holding registers or coils")
    return places


def _is_in(block: Block, other: Block) -> bool:
    return block.table == other.table and other.start <= block.start and block.end <= other.end


def _value(place: Place, data: dict[Block, bytes]) -> float:
    for block, raw in data.items():
        if block.holds(place):
            return block.cut(raw, place)
    return math.nan
