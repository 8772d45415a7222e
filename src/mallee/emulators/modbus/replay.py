"""Registers as recorded, plain or of SunSpec; every unit id finds them, and nothing is set."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from pymodbus import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from mallee.core.errors import ConfigError
from mallee.core.registers import TABLES
from mallee.emulators.device import Place, Running


async def replay_registers(place: Place, content: Any) -> Running:
    """Serve words by table and first address, ``{"input": {"52": [17530, 32768]}}``.

    Bits stand one in a list member. ``"framing": "rtu"`` frames them as on a serial line.

    Raises:
        ConfigError: it is no such table, or the port is taken.
    """
    try:
        framing = FramerType.RTU if content.get("framing") == "rtu" else FramerType.SOCKET
        coils, discrete, holding, inputs = (_blocks(content.get(name, {}), name) for name in TABLES)
    except (AttributeError, TypeError, ValueError):
        hint = 'write {"input": {"52": [17530, 32768]}}'
        raise ConfigError("sample: modbus", "is no table of registers", hint) from None
    return await _listen(place, SimDevice(0, (coils, discrete, holding, inputs)), framing)


async def replay_sunspec(place: Place, content: Any) -> Running:
    """Serve SunSpec's registers by first address, ``{"40000": [21365, 28243, ...]}``.

    Raises:
        ConfigError: it is no such table, or the port is taken.
    """
    return await replay_registers(place, {"holding": content})


def _blocks(spans: Mapping[str, list[int]], table: str) -> list[SimData]:
    if table in ("coil", "discrete"):
        found = [
            SimData(int(at), values=[bool(bit) for bit in bits], datatype=DataType.BITS)
            for at, bits in spans.items()
        ]
        return found or [SimData(0xFFF0, datatype=DataType.BITS)]
    found = [
        SimData(int(at), values=list(words), datatype=DataType.REGISTERS)
        for at, words in sorted(spans.items(), key=lambda span: int(span[0]))
    ]
    return found or [SimData(0xFFFF, datatype=DataType.REGISTERS)]


async def _listen(place: Place, device: SimDevice, framing: FramerType) -> Running:
    server = ModbusTcpServer(device, address=(place.host, place.port), framer=framing)
    if not await server.listen():
        what = f"{place.host}:{place.port} cannot be listened on, it is probably in use"
        raise ConfigError("sample", what, "give port 0 to choose a free one")
    listener = cast(asyncio.Server, server.transport)

    async def stop() -> None:
        server.close()

    return Running(f"{place.host}:{listener.sockets[0].getsockname()[1]}", stop)
