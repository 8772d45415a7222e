"""Modbus TCP frames as pure functions.

Sources: MODBUS Application Protocol Specification V1.1b3 (functions 3, 6, 16, exceptions), MODBUS
Messaging on TCP/IP Implementation Guide V1.0b (MBAP header), MODBUS/TCP Security (a denied role
gets exception 1).
"""

import struct
from typing import Final, NamedTuple

from mallee.core.errors import DeviceError, Malformed, Refused, Rejected, Unreachable

READ_MAX: Final = 125
"""Most registers in one read."""
WRITE_MAX: Final = 123
"""Most registers in one write."""

HEADER = struct.Struct(">HHHB")
_READS: Final = {1: "coil", 2: "discrete input", 3: "register", 4: "input register"}
_WRITE_COIL, _WRITE_ONE, _WRITE_MANY = 5, 6, 16
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


def encode_read(
    transaction: int, unit: int, address: int, count: int, *, function: int = 3
) -> bytes:
    """Frame that reads `count` registers, 1..125, from `address`.

    Args:
        function: 3 holding registers, 4 input registers, 1 coils, 2 discrete inputs.
    """
    return HEADER.pack(transaction, 0, 6, unit) + struct.pack(">BHH", function, address, count)


def encode_write(
    transaction: int, unit: int, address: int, data: bytes, *, many: bool = False
) -> bytes:
    """Frame that writes registers: function 6 for one, function 16 for more (1..123).

    Args:
        many: function 16 for one, too; some devices have no other.
    """
    if len(data) == 2 and not many:
        pdu = struct.pack(">BH", _WRITE_ONE, address) + data
    else:
        pdu = struct.pack(">BHHB", _WRITE_MANY, address, len(data) // 2, len(data)) + data
    return HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def encode_coil(transaction: int, unit: int, address: int, *, on: bool) -> bytes:
    """Frame of function 5: switch one coil."""
    pdu = struct.pack(">BHH", _WRITE_COIL, address, 0xFF00 if on else 0)
    return HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def decode_header(data: bytes) -> Header:
    """The first seven bytes of an answer; `length` is that of the PDU which follows.

    Raises:
        Malformed: not Modbus, or an impossible length.
    """
    transaction, protocol, length, unit = HEADER.unpack(data)
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
    function, address = struct.unpack_from(">BH", request, HEADER.size)
    if pdu[0] == function | 0x80:
        raise _exception(function, address, pdu[1])
    if pdu[0] != function:
        raise Malformed(f"function {pdu[0]} answers function {function}", pdu)
    if function in _READS:
        count = int.from_bytes(request[-2:], "big")
        size = 2 * count if function in (3, 4) else -(-count // 8)
        if pdu[1] != size or len(pdu) != size + 2:
            what = f"read of {count} {_READS[function]}s"
            raise Malformed(f"{what} answered with {len(pdu)} bytes", pdu)
        return pdu[2:]
    if pdu[1:5] != request[HEADER.size + 1 : HEADER.size + 5]:
        raise Malformed(f"write to register {address} answered for another place", pdu)
    return b""


def _exception(function: int, address: int, code: int) -> DeviceError:
    what = f"read of {_READS[function]}" if function in _READS else "write to register"
    text = f"{what} {address}: exception {code}, {_EXCEPTIONS.get(code, 'unknown')}"
    if code == 1:
        return Refused(text)
    if code in _LATER:
        return Unreachable(text)
    return ReadDenied(text) if function in _READS else Rejected(text)
