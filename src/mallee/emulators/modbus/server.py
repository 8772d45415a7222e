"""Serves emulated register maps over Modbus TCP, or RTU frames in TCP, on pymodbus."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from itertools import cycle
from typing import Final, cast

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from mallee.core.errors import ConfigError, Rejected
from mallee.core.protocols.modbus import Options
from mallee.core.registers import TABLES, Table
from mallee.emulators.device import EmulatedDevice, Place, Running
from mallee.emulators.modbus.image import WORD_BITS, RegisterImage

_TABLE_OF: Final[dict[int, Table]] = {
    1: "coil", 2: "discrete", 3: "holding", 4: "input", 5: "coil", 6: "holding", 15: "coil",
    16: "holding",
}  # fmt: skip
_GARBAGE: Final = (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 10, b"\x00\x01\x00")

Values = list[int] | list[bool] | None
Action = Callable[[int, int, int, int, list[int], Values], Coroutine[None, None, ExcCodes | None]]


async def serve_units(place: Place, devices: Mapping[str, EmulatedDevice]) -> Running:
    """Serve devices behind one gateway, by unit id.

    Raises:
        ConfigError: the port is taken, or a model names a place that is none.
    """
    (framing,) = {device.model.options("modbus", Options).framing for device in devices.values()}
    units = {int(unit): device for unit, device in devices.items()}
    known = [_sim_device(unit, device) for unit, device in units.items()]
    if 0 not in units:
        nobody = SimData(0, values=[0], datatype=DataType.REGISTERS)
        known.append(SimDevice(0, nobody, action=_no_such_unit))
    unit_at = 6 if framing == "tcp" else 0
    garbage = cycle(_GARBAGE)

    def disturb(sending: bool, packet: bytes) -> bytes:
        """What really goes out in place of an answer."""
        device = units.get(packet[unit_at]) if len(packet) > unit_at else None
        state = device.health.state if device is not None and sending else "ok"
        if state == "garbage":
            return next(garbage)
        return b"" if state == "silent" else packet

    server = ModbusTcpServer(
        known,
        address=(place.host, place.port),
        framer=FramerType.RTU if framing == "rtu" else FramerType.SOCKET,
        trace_packet=disturb,
    )
    if not await server.listen():
        what = f"{place.host}:{place.port} cannot be listened on, it is probably in use"
        hint = "free it, or give port 0 to choose a free one"
        raise ConfigError(next(iter(devices.values())).name, what, hint)
    listener = cast(asyncio.Server, server.transport)

    async def stop() -> None:
        server.close()

    return Running(f"{place.host}:{listener.sockets[0].getsockname()[1]}", stop)


async def _no_such_unit(*_: object) -> ExcCodes:
    return ExcCodes.GATEWAY_NO_RESPONSE


def _sim_device(unit: int, device: EmulatedDevice) -> SimDevice:
    image = RegisterImage(device)
    coils, discrete, holding, inputs = (_blocks(image, table) for table in TABLES)
    return SimDevice(unit, (coils, discrete, holding, inputs), action=_action(device, image))


def _blocks(image: RegisterImage, table: Table) -> list[SimData]:
    words = image.words[table]
    if not words:  # the library wants something; nobody will ask for the last address
        return [SimData(0xFFF0 if table in ("coil", "discrete") else 0xFFFF, datatype=_kind(table))]
    if table in ("coil", "discrete"):
        values = [False] * (WORD_BITS * len(words))
        return [SimData(WORD_BITS * image.first[table], values=values, datatype=DataType.BITS)]
    return [SimData(image.first[table], values=list(words), datatype=DataType.REGISTERS)]


def _kind(table: Table) -> DataType:
    return DataType.BITS if table in ("coil", "discrete") else DataType.REGISTERS


def _action(device: EmulatedDevice, image: RegisterImage) -> Action:
    health = device.health

    async def serve(
        function: int,
        start: int,
        address: int,
        count: int,
        words: list[int],
        values: Values,
    ) -> ExcCodes | None:
        """Called by pymodbus before it reads `words` or copies `values` into them."""
        del start, count
        if health.state == "refuse":
            return ExcCodes.ILLEGAL_FUNCTION
        if health.state == "silent":
            return ExcCodes.DEVICE_BUSY  # never sent, see `disturb`; the write must not act
        if health.state == "slow":
            await asyncio.sleep(health.delay_s)
        table = _TABLE_OF.get(function)
        if table is None or not image.words[table]:
            return ExcCodes.ILLEGAL_FUNCTION if table is None else ExcCodes.ILLEGAL_ADDRESS
        if values is not None:
            try:
                image.write(table, address, [int(value) for value in values])
            except Rejected:
                return ExcCodes.ILLEGAL_VALUE
            except LookupError:
                return ExcCodes.ILLEGAL_ADDRESS
            return None
        image.refresh(table)
        words[: len(image.words[table])] = image.words[table]
        return None

    return serve
