"""One second of the console as bytes: encoded once, sent to everyone who watches.

Little-endian, version 1:

====== ====== =======================================================================
offset type   field
====== ====== =======================================================================
0      u8     version, 1
1      u8     flags, see `Flag`
2      u16    schema: changes whenever the list of signals changes
4      u32    count of signals
8      f64    time, UTC seconds
16     u32    length of the text in bytes
20     u32    sequence number, wraps
24     f32    values, one a signal; NaN where nothing is known
..     f32    ages in seconds of the oldest reading in each signal
..     u8     states, see `SignalState`
..     utf-8  text: JSON with control's status, process health and the latest events
====== ====== =======================================================================

The browser's decoder is `web/src/lib/frame.ts`; both are held to the same golden file.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

from mallee.core.errors import Malformed

VERSION = 1
HEADER = struct.Struct("<BBHIdII")


class Flag(IntFlag):
    """What holds for the whole frame."""

    TWIN = 1  # the site is simulated
    METER_STALE = 2  # the meter at the grid connection does not answer
    CONTROL_STALE = 4  # control has not reported for a while


class SignalState(IntEnum):
    """How far one number can be trusted."""

    GOOD = 0
    STALE = 1  # most of the readings in it are old, or some were never made
    UNKNOWN = 2  # nothing was read yet
    PARTLY = 3  # all readings are known, most are fresh, some are old


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One second of the console.

    Attributes:
        time_utc_s: when it was put together.
        values, ages_s: one a signal, float32 on the wire.  # (signals,)
        states: `SignalState` of each.  # (signals,)
        text: JSON bytes.
    """

    schema: int
    flags: int
    sequence: int
    time_utc_s: float
    values: NDArray[np.float32]
    ages_s: NDArray[np.float32]
    states: NDArray[np.uint8]
    text: bytes = b""


def encode_frame(frame: Frame) -> bytes:
    """The frame as bytes."""
    header = HEADER.pack(
        VERSION,
        frame.flags,
        frame.schema,
        len(frame.values),
        frame.time_utc_s,
        len(frame.text),
        frame.sequence & 0xFFFFFFFF,
    )
    numbers = frame.values.astype("<f4").tobytes() + frame.ages_s.astype("<f4").tobytes()
    return header + numbers + frame.states.astype(np.uint8).tobytes() + frame.text


def decode_frame(data: bytes) -> Frame:
    """A frame from bytes, for programs in Python and for tests.

    Raises:
        Malformed: another version, or a length that does not fit the header.
    """
    if len(data) < HEADER.size:
        raise Malformed(f"a frame has at least {HEADER.size} bytes, this has {len(data)}", data)
    version, flags, schema, count, time_utc_s, text_length, sequence = HEADER.unpack_from(data)
    if version != VERSION:
        raise Malformed(f"frame version {version}, this reads version {VERSION}", data)
    wanted = HEADER.size + 9 * count + text_length
    if len(data) != wanted:
        raise Malformed(f"frame of {count} signals has {len(data)} bytes, not {wanted}", data)
    states_at = HEADER.size + 8 * count
    return Frame(
        schema=schema,
        flags=flags,
        sequence=sequence,
        time_utc_s=time_utc_s,
        values=np.frombuffer(data, "<f4", count, HEADER.size),
        ages_s=np.frombuffer(data, "<f4", count, HEADER.size + 4 * count),
        states=np.frombuffer(data, np.uint8, count, states_at),
        text=data[states_at + count :],
    )
