"""Serves an emulated device as SunSpec models over Modbus TCP, on pymodbus.

Third-party clients see what a real device would show: the model chain, scale factors, exception 3
for a declined value, reversion timers that run by themselves.
"""

import asyncio
import math
import struct
import time
from collections.abc import Mapping
from itertools import cycle
from typing import Final, cast

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from mallee.core.errors import ConfigError, Rejected
from mallee.core.protocols.sunspec import Options
from mallee.emulators.device import EmulatedDevice, Place, Running
from mallee.emulators.sunspec.control import SunSpecControl
from mallee.emulators.sunspec.image import BASE, SunSpecImage

_UNIT_AT: Final = 6
"""Position of the unit id in a frame."""
_GARBAGE: Final = (
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    bytes.fromhex("ffffffffffffffffffff"),
    bytes.fromhex("00010000000001"),
)


async def serve_units(place: Place, devices: Mapping[str, EmulatedDevice]) -> Running:
    """Serve devices behind one gateway, by unit id.

    Raises:
        ConfigError: the port is taken, or a catalogue model cannot be served.
    """
    services = {int(unit): _Service(device) for unit, device in devices.items()}
    nobody = SimData(BASE, values=[0], datatype=DataType.REGISTERS)
    units = [SimDevice(unit, one.block(), action=one.serve) for unit, one in services.items()]
    if 0 not in services:
        units.append(SimDevice(0, nobody, action=_no_such_unit))

    def disturb(sending: bool, packet: bytes) -> bytes:
        """What really goes out in place of an answer."""
        service = services.get(packet[_UNIT_AT]) if len(packet) > _UNIT_AT else None
        return service.disturb(packet) if sending and service is not None else packet

    server = ModbusTcpServer(units, address=(place.host, place.port), trace_packet=disturb)
    if not await server.listen():
        what = f"{place.host}:{place.port} cannot be listened on, it is probably in use"
        hint = "free it, or give port 0 to choose a free one"
        raise ConfigError(next(iter(devices.values())).name, what, hint)
    listener = cast(asyncio.Server, server.transport)

    async def stop() -> None:
        for service in services.values():
            service.close()
        server.close()

    return Running(f"{place.host}:{listener.sockets[0].getsockname()[1]}", stop)


async def serve_sunspec(device: EmulatedDevice, host: str, port: int) -> Running:
    """Serve one device under the unit id of its model; port 0 chooses a free one."""
    unit = device.model.options("sunspec", Options).unit_id
    return await serve_units(Place(host=host, port=port), {str(unit): device})


async def _no_such_unit(*_: object) -> ExcCodes:
    return ExcCodes.GATEWAY_NO_RESPONSE


class _Service:
    """Answers the requests of one device; the clock of its reversion timers."""

    def __init__(self, device: EmulatedDevice) -> None:
        self.image = SunSpecImage(device)
        self._control = SunSpecControl(device, self.image)
        self._health = device.health
        self._garbage = cycle(_GARBAGE)
        self._timer: asyncio.TimerHandle | None = None
        self._start_s = time.monotonic()

    async def serve(
        self,
        function: int,
        _start: int,
        address: int,
        count: int,
        words: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Called by pymodbus before it reads `words` or copies `values` into them."""
        state = self._health.state
        if state == "refuse":
            return ExcCodes.ILLEGAL_FUNCTION  # MODBUS/TCP Security: the answer to a denied role
        if state == "silent":
            return ExcCodes.DEVICE_BUSY  # never sent, see `disturb`; the write must not act
        if state == "slow":
            await asyncio.sleep(self._health.delay_s)
        now_s = time.monotonic()
        if values is not None:
            try:
                self._control.write(address, struct.pack(f">{len(values)}H", *values), now_s)
            except Rejected:
                return ExcCodes.ILLEGAL_VALUE
            except LookupError:
                return ExcCodes.ILLEGAL_ADDRESS
            self._wind_up()
            return None
        if function not in {3, 6, 16}:
            return ExcCodes.ILLEGAL_FUNCTION
        image = self.image
        self._control.expire(now_s)
        if "715.DERHb" in image.slots:
            image.put("715.DERHb", int(now_s - self._start_s))
        image.refresh(address, count)
        offset = address - BASE
        cut = image.data[2 * offset : 2 * (offset + count)]
        words[offset : offset + count] = struct.unpack(f">{count}H", cut)
        return None

    def block(self) -> SimData:
        """The registers as they are now, in the form of the library."""
        words = list(struct.unpack(f">{self.image.registers}H", self.image.data))
        return SimData(BASE, values=words, datatype=DataType.REGISTERS)

    def disturb(self, packet: bytes) -> bytes:
        """What really goes out in place of an answer."""
        if self._health.state not in {"silent", "garbage"}:
            return packet
        return b"" if self._health.state == "silent" else next(self._garbage)

    def close(self) -> None:
        """Stop the timers."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wind_up(self) -> None:
        """Expire set points in time even while nobody reads."""
        self.close()
        deadline_s = self._control.next_deadline_s
        if math.isfinite(deadline_s):
            delay_s = max(0.0, deadline_s - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._expire)

    def _expire(self) -> None:
        self._control.expire(time.monotonic())
        self._wind_up()
