"""RTU frames in a TCP connection, as serial servers pass them on.

A frame is unit, PDU and a checksum. It says neither how long it is nor what it answers: the length
follows from the function, and a late answer cannot be told from the next one, so a connection is
given up after every silence. Source: MODBUS over Serial Line V1.02, section 2.5.1 and appendix B.
"""

from asyncio import StreamReader
from typing import Final

from mallee.core.errors import Malformed

_READS: Final = (1, 2, 3, 4)
_WRITES: Final = (5, 6, 15, 16)


def crc16(data: bytes) -> bytes:
    """The checksum of a frame, low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2, "little")


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """A frame as it stands on the line."""
    body = bytes([unit]) + pdu
    return body + crc16(body)


async def read_rtu(reader: StreamReader) -> tuple[int, bytes]:
    """Unit and PDU of the next frame.

    Raises:
        Malformed: a function that cannot be followed, or a wrong checksum.
    """
    head = await reader.readexactly(2)
    function = head[1]
    if function & 0x80:
        rest = await reader.readexactly(3)
    elif function in _READS:
        size = await reader.readexactly(1)
        rest = size + await reader.readexactly(size[0] + 2)
    elif function in _WRITES:
        rest = await reader.readexactly(6)
    else:
        raise Malformed(f"function {function} in an RTU frame", head)
    frame = head + rest
    if crc16(frame[:-2]) != frame[-2:]:
        raise Malformed("an RTU frame's checksum is wrong", frame)
    return frame[0], frame[1:-2]
