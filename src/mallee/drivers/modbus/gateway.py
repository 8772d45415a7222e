"""One Modbus TCP connection, and the units behind it.

Many devices and gateways lose or mix answers when requests overlap, so a gateway sends the next
request when the last one is answered. A unit that is silent costs its neighbours its time-outs, so
it is asked less and less often while it has any. Answers are told apart by transaction and unit id:
MODBUS Messaging on TCP/IP Implementation Guide V1.0b, sections 3.1.3 and 4.4.2.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary

from mallee.core.errors import DeviceError, Malformed, Refused, Unreachable
from mallee.core.protocol import join_place
from mallee.drivers.modbus.codec import (
    HEADER,
    ReadDenied,
    decode_answer,
    decode_header,
    encode_coil,
    encode_read,
    encode_write,
)
from mallee.drivers.modbus.framing import read_rtu, rtu_frame

T = TypeVar("T")
PAUSE_MAX_S: Final = 10.0
"""Longest time between two questions to a silent unit that has neighbours."""


class Gateway:
    """One connection; opens by itself, and anew after a failure.

    Attributes:
        rtu: frames are those of a serial line; see `framing`.
        connections: how often it has connected; a change tells that devices may have restarted.
    """

    def __init__(self, host: str, port: int, *, rtu: bool = False) -> None:
        self.host, self.port, self.rtu = host, port, rtu
        self.connections = 0
        self._units: set[ModbusClient] = set()
        self._transaction = 0
        self._unanswered = 0
        self._was_answered = False
        self._foreign: int | None = None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()

    @property
    def address(self) -> str:
        """Where it connects to, as "host:port"."""
        return join_place(self.host, self.port)

    def neighbours(self, unit: "ModbusClient") -> set["ModbusClient"]:
        """The other units that are asked over this connection."""
        return self._units - {unit}

    async def connect(self, unit: "ModbusClient") -> None:
        """Make sure there is a connection; see `ModbusClient.connect`."""
        self._units.add(unit)
        async with self._turn:
            await self._guard(unit, self._connected())

    async def ask(self, unit: "ModbusClient", encode: Callable[[int], bytes]) -> bytes:
        """Send one request and wait for its answer.

        Args:
            encode: makes the frame for a transaction number.

        Raises:
            Rejected, Unreachable, Refused, Malformed: as `decode_answer`.
        """
        self._units.add(unit)
        async with self._turn:
            self._transaction = (self._transaction + 1) & 0xFFFF
            return await self._guard(unit, self._exchange(unit, encode(self._transaction)))

    async def leave(self, unit: "ModbusClient") -> None:
        """A unit is not asked any more; the last one to leave disconnects."""
        self._units.discard(unit)
        if self._units:
            return
        async with self._turn:
            streams = self._streams
            self._drop()
            if streams is not None:
                with contextlib.suppress(OSError):
                    await streams[1].wait_closed()

    async def _guard(self, unit: "ModbusClient", work: Coroutine[Any, Any, T]) -> T:
        """Bound the time; after a failure that leaves the stream in doubt, drop the connection."""
        try:
            async with asyncio.timeout(unit.timeout_s):
                return await work
        except TimeoutError:
            self._unanswered += 1
            if self.rtu or self._unanswered > len(self.neighbours(unit)):
                self._drop()  # nobody answers; else only this unit is silent
            text = f"{unit.address}: no answer within {unit.timeout_s:g} s"
            if self._foreign is not None:
                text += f", only one to transaction {self._foreign} instead of {self._transaction}"
            raise Unreachable(text) from None
        except (OSError, EOFError) as error:
            self._drop()
            what = "closed the connection" if isinstance(error, EOFError) else str(error)
            raise Unreachable(f"{unit.address}: {what}") from None
        except DeviceError as error:
            if isinstance(error, Malformed) and not isinstance(error, ReadDenied):
                self._drop()
                raise Malformed(f"{unit.address}: {error}", error.sample) from None
            raise type(error)(f"{unit.address}: {error}") from None
        except asyncio.CancelledError:
            self._drop()  # an answer may still come: nobody must take it for the next one
            raise

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and self._streams[0].at_eof():
            self._drop()
        if self._streams is None:
            self._streams = await asyncio.open_connection(self.host, self.port)
            # Some devices hang up after every answer: that is no sign of a restart.
            self.connections += not self._was_answered
            self._was_answered = False
        return self._streams

    async def _exchange(self, unit: "ModbusClient", frame: bytes) -> bytes:
        """Ask; once more on a new connection where the old one turns out to be closed."""
        is_new = self._streams is None
        try:
            return await self._ask_once(unit, frame)
        except (EOFError, ConnectionError) as error:
            if is_new or (isinstance(error, asyncio.IncompleteReadError) and error.partial):
                raise
            self._drop()
            return await self._ask_once(unit, frame)

    async def _ask_once(self, unit: "ModbusClient", frame: bytes) -> bytes:
        reader, writer = await self._connected()
        self._was_answered, self._foreign = False, None
        if self.rtu:
            writer.write(rtu_frame(unit.unit, frame[HEADER.size :]))
            number, pdu = await read_rtu(reader)
            return self._told(unit, frame, number, pdu)
        writer.write(frame)
        while True:
            header = decode_header(await reader.readexactly(HEADER.size))
            pdu = await reader.readexactly(header.length)
            if header.transaction != self._transaction:
                self._foreign = header.transaction
                continue  # the late answer to a request that was given up
            return self._told(unit, frame, header.unit, pdu)

    def _told(self, unit: "ModbusClient", frame: bytes, number: int, pdu: bytes) -> bytes:
        self._unanswered, self._was_answered = 0, True
        if not unit.recognises(number):
            raise Unreachable(f"unit {number} answers in its place")
        return decode_answer(frame, pdu)

    def _drop(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


_SHARED: "WeakValueDictionary[tuple[int, str, int], Gateway]" = WeakValueDictionary()


def shared_gateway(host: str, port: int) -> Gateway:
    """The one gateway to a place, for all who speak over it while this event loop runs.

    SunSpec units and plain ones may stand behind one serial server, which takes one connection, or
    mixes up the answers of two.
    """
    try:
        loop = id(asyncio.get_running_loop())
    except RuntimeError:
        return Gateway(host, port)
    found = _SHARED.get((loop, host, port))
    if found is None:
        found = _SHARED[loop, host, port] = Gateway(host, port)
    return found


class ModbusClient:
    """One unit behind a gateway.

    Args:
        unit: its id, 0..255.
        timeout_s: longest wait for one answer.
    """

    def __init__(self, gateway: Gateway, unit: int = 1, timeout_s: float = 2.0) -> None:
        self.unit, self.timeout_s = unit, timeout_s
        self._gateway = gateway
        self._answers_as: int | None = None
        self._many = False
        self._silent = 0
        self._ask_again_s = 0.0

    @property
    def address(self) -> str:
        """Where it is, as "host:port", with its unit id where it has neighbours."""
        shared = self._gateway.neighbours(self)
        return f"{self._gateway.address}/{self.unit}" if shared else self._gateway.address

    @property
    def connections(self) -> int:
        """How often its gateway has connected."""
        return self._gateway.connections

    async def connect(self) -> None:
        """Make sure there is a connection.

        Raises:
            Unreachable: nothing listens there, or it takes too long.
        """
        await self._gateway.connect(self)

    async def read(self, address: int, count: int, *, function: int = 3) -> bytes:
        """Bytes of `count` registers from `address`, 1..125.

        Args:
            function: 3 holding registers, 4 input registers, 1 coils, 2 discrete inputs.

        Raises:
            Unreachable, Refused, Malformed: as `decode_answer`.
        """

        def encode(number: int) -> bytes:
            return encode_read(number, self.unit, address, count, function=function)

        return await self._ask(encode)

    async def switch(self, address: int, *, on: bool) -> None:
        """Switch a coil.

        Raises:
            Rejected, Unreachable, Refused, Malformed: as `decode_answer`.
        """
        await self._ask(lambda number: encode_coil(number, self.unit, address, on=on))

    async def write(self, address: int, data: bytes) -> None:
        """Write registers from `address`; two bytes each, at most 123.

        Raises:
            Rejected, Unreachable, Refused, Malformed: as `decode_answer`.
        """
        try:
            await self._write(address, data)
        except Refused:
            if self._many or len(data) != 2:
                raise
            self._many = True  # some devices have function 16 only
            await self._write(address, data)

    async def _write(self, address: int, data: bytes) -> None:
        many = self._many
        await self._ask(lambda number: encode_write(number, self.unit, address, data, many=many))

    async def close(self) -> None:
        """Ask no more; the next request connects again."""
        await self._gateway.leave(self)

    def recognises(self, unit: int) -> bool:
        """Whether an answer that names a unit is this one's.

        Some devices answer with one and the same other id, whatever they are asked; that is taken
        for theirs as long as they have never used their own and no neighbour has it.
        """
        if unit == self.unit:
            self._answers_as = unit
        elif self._answers_as is None:
            taken = {neighbour.unit for neighbour in self._gateway.neighbours(self)}
            self._answers_as = None if unit in taken else unit
        return unit == self._answers_as

    async def _ask(self, encode: Callable[[int], bytes]) -> bytes:
        now_s = asyncio.get_running_loop().time
        if self._gateway.neighbours(self) and now_s() < self._ask_again_s:
            text = f"silent, asked again in {self._ask_again_s - now_s():.1f} s"
            raise Unreachable(f"{self.address}: {text}")
        try:
            answer = await self._gateway.ask(self, encode)
        except Unreachable:
            self._silent += 1
            pause_s = self.timeout_s * 2.0 ** min(self._silent - 1, 10)
            self._ask_again_s = now_s() + min(pause_s, PAUSE_MAX_S)
            raise
        except DeviceError:
            self._silent = 0
            raise
        self._silent = 0
        return answer
