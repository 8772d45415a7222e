"""Modbus TCP: frames as pure functions, and a client that keeps one request under way.

Many devices and gateways lose or mix answers when requests overlap, so a client sends the next
one when the last is answered; several clients poll side by side. Sources: MODBUS Application
Protocol Specification V1.1b3 (functions 3, 6, 16, exceptions), MODBUS Messaging on TCP/IP
Implementation Guide V1.0b (MBAP header), MODBUS/TCP Security (a denied role gets exception 1).
"""

import asyncio
import contextlib
import struct
from collections.abc import Coroutine
from typing import Any, Final, NamedTuple, TypeVar

from mallee.core.errors import ConfigError, DeviceError, Malformed, Refused, Rejected, Unreachable

T = TypeVar("T")

READ_MAX: Final = 125
"""Most registers in one read."""
WRITE_MAX: Final = 123
"""Most registers in one write."""

_HEADER = struct.Struct(">HHHB")
_READ, _WRITE_ONE, _WRITE_MANY = 3, 6, 16
_PDU_MAX = 253
_EXCEPTIONS: Final = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target does not respond",
}
_LATER: Final = frozenset({5, 6, 10, 11})
"""Exceptions that mean: not now."""


class ReadDenied(Malformed):
    """The device answers a read with an exception: it has no such registers."""


class Header(NamedTuple):
    """MBAP header: what answers what, and how long it is."""

    transaction: int
    unit: int
    length: int


def split_address(address: str, default_port: int) -> tuple[str, int]:
    """Host and port of "host:port", "host" or "[IPv6]:port".

    Raises:
        ConfigError: a port that is no number in 1..65535.
    """
    host, colon, port = address.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        host, port = address, str(default_port)
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ConfigError(
            f"address {address!r}", f"{port!r} is no port", "host:port, such as 10.0.0.5:502"
        )
    return host.strip("[]"), int(port)


def encode_read(transaction: int, unit: int, address: int, count: int) -> bytes:
    """Frame of function 3: read `count` holding registers, 1..125, from `address`."""
    return _HEADER.pack(transaction, 0, 6, unit) + struct.pack(">BHH", _READ, address, count)


def encode_write(transaction: int, unit: int, address: int, data: bytes) -> bytes:
    """Frame that writes registers: function 6 for one, function 16 for more (1..123)."""
    if len(data) == 2:
        pdu = struct.pack(">BH", _WRITE_ONE, address) + data
    else:
        pdu = struct.pack(">BHHB", _WRITE_MANY, address, len(data) // 2, len(data)) + data
    return _HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def decode_header(data: bytes) -> Header:
    """The first seven bytes of an answer; `length` is that of the PDU which follows.

    Raises:
        Malformed: not Modbus, or an impossible length.
    """
    transaction, protocol, length, unit = _HEADER.unpack(data)
    if protocol != 0:
        raise Malformed(f"answer is not Modbus TCP: protocol {protocol}, must be 0", data)
    if not 3 <= length <= _PDU_MAX + 1:
        raise Malformed(f"answer has length {length}, must be 3..{_PDU_MAX + 1}", data)
    return Header(transaction, unit, length - 1)


def decode_answer(request: bytes, pdu: bytes) -> bytes:
    """What a PDU says to a request: register bytes of a read, nothing for a write.

    Raises:
        Rejected: an exception to a write.
        Refused: exception 1, which is how a device denies permission.
        Unreachable: busy, or a gateway without its device.
        ReadDenied: another exception to a read.
        Malformed: an answer that does not fit the request.
    """
    function, address = struct.unpack_from(">BH", request, _HEADER.size)
    if pdu[0] == function | 0x80:
        raise _exception(function, address, pdu[1])
    if pdu[0] != function:
        raise Malformed(f"function {pdu[0]} answers function {function}", pdu)
    if function == _READ:
        size = 2 * int.from_bytes(request[-2:], "big")
        if pdu[1] != size or len(pdu) != size + 2:
            raise Malformed(f"read of {size // 2} registers answered with {len(pdu)} bytes", pdu)
        return pdu[2:]
    if pdu[1:5] != request[_HEADER.size + 1 : _HEADER.size + 5]:
        raise Malformed(f"write to register {address} answered for another place", pdu)
    return b""


def _exception(function: int, address: int, code: int) -> DeviceError:
    what = "read of" if function == _READ else "write to"
    text = f"{what} register {address}: exception {code}, {_EXCEPTIONS.get(code, 'unknown')}"
    if code == 1:
        return Refused(text)
    if code in _LATER:
        return Unreachable(text)
    return ReadDenied(text) if function == _READ else Rejected(text)


class ModbusClient:
    """One connection to one unit; opens by itself, and anew after a failure.

    Attributes:
        connections: how often it has connected; a change tells that the device may have restarted.
    """

    def __init__(self, host: str, port: int, unit: int = 1, timeout_s: float = 2.0) -> None:
        self.connections = 0
        self._host, self._port, self._unit, self._timeout_s = host, port, unit, timeout_s
        self._transaction = 0
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()

    @property
    def address(self) -> str:
        """Where it connects to, as "host:port"."""
        return f"{self._host}:{self._port}"

    async def connect(self) -> None:
        """Make sure there is a connection.

        Raises:
            Unreachable: nothing listens there, or it takes too long.
        """
        async with self._turn:
            await self._guard(self._connected())

    async def read(self, address: int, count: int) -> bytes:
        """Bytes of `count` holding registers from `address`, 1..125.

        Raises:
            Unreachable, Refused, Malformed: as `decode_answer`.
        """
        async with self._turn:
            frame = encode_read(self._next(), self._unit, address, count)
            return await self._guard(self._exchange(frame))

    async def write(self, address: int, data: bytes) -> None:
        """Write registers from `address`; two bytes each, at most 123.

        Raises:
            Rejected, Unreachable, Refused, Malformed: as `decode_answer`.
        """
        async with self._turn:
            frame = encode_write(self._next(), self._unit, address, data)
            await self._guard(self._exchange(frame))

    async def close(self) -> None:
        """Disconnect; the next request connects again."""
        async with self._turn:
            streams = self._streams
            self._drop()
            if streams is not None:
                with contextlib.suppress(OSError):
                    await streams[1].wait_closed()

    def _next(self) -> int:
        self._transaction = (self._transaction + 1) & 0xFFFF
        return self._transaction

    async def _guard(self, work: Coroutine[Any, Any, T]) -> T:
        """Bound the time; after a failure that leaves the stream in doubt, drop the connection."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await work
        except TimeoutError:
            self._drop()
            text = f"{self.address}: no answer within {self._timeout_s:g} s"
            raise Unreachable(text) from None
        except (OSError, EOFError) as error:
            self._drop()
            what = "closed the connection" if isinstance(error, EOFError) else str(error)
            raise Unreachable(f"{self.address}: {what}") from None
        except DeviceError as error:
            if isinstance(error, Malformed) and not isinstance(error, ReadDenied):
                self._drop()
                raise Malformed(f"{self.address}: {error}", error.sample) from None
            raise type(error)(f"{self.address}: {error}") from None
        except asyncio.CancelledError:
            self._drop()  # an answer may still come: nobody must take it for the next one
            raise

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and self._streams[0].at_eof():
            self._drop()
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
            self.connections += 1
        return self._streams

    async def _exchange(self, frame: bytes) -> bytes:
        reader, writer = await self._connected()
        writer.write(frame)
        while True:
            header = decode_header(await reader.readexactly(_HEADER.size))
            pdu = await reader.readexactly(header.length)
            if header.transaction == self._transaction:
                return decode_answer(frame, pdu)
            # The late answer to a request that was given up.

    def _drop(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
