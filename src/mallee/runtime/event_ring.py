"""Messages on the board: a ring for each process that posts, read by whoever wants to.

The poster never waits. A reader keeps its own position and learns how many messages it missed, so
a console that was down for an hour costs control nothing. Events are one use of it, the reasons
of commands another.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from mallee.core.event import Event
from mallee.runtime.seqlock import Words, fence

SLOTS = 1024
SLOT_BYTES = 1024

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Event)


class MessageRing:
    """The ring of one process.

    Args:
        head: number of messages posted so far.  # (1,)
        marks: message number, length and CRC-32 of each slot.  # (slots, 3)
        slots: the bytes.  # (slots, bytes)
    """

    def __init__(self, head: Words, marks: Words, slots: NDArray[np.uint8]) -> None:
        self._head, self._marks, self._slots = head, marks, slots

    @property
    def posted(self) -> int:
        """How many messages were ever posted."""
        return int(self._head[0])

    def put(self, message: bytes) -> int:
        """Add a message that fits a slot; returns its number, counted from 1."""
        number = self.posted + 1
        slot = number % len(self._slots)
        self._marks[slot, 0] = 0
        fence()
        self._slots[slot, : len(message)] = np.frombuffer(message, np.uint8)
        self._marks[slot, 1:] = (len(message), zlib.crc32(message))
        fence()
        self._marks[slot, 0] = number
        self._head[0] = number
        return number

    def message(self, number: int) -> bytes | None:
        """The `number`-th message ever posted; None once it was overwritten."""
        slot = number % len(self._slots)
        found, size, checksum = (int(word) for word in self._marks[slot])
        fence()
        message = self._slots[slot, :size].tobytes()
        return message if found == number and zlib.crc32(message) == checksum else None


class EventRing:
    """The events of one process, in a `MessageRing` made of the same arguments."""

    def __init__(self, head: Words, marks: Words, slots: NDArray[np.uint8]) -> None:
        self._ring = MessageRing(head, marks, slots)

    @property
    def posted(self) -> int:
        """How many events were ever posted."""
        return self._ring.posted

    def post(self, event: Event) -> None:
        """Add an event; one too long for a slot loses its numbers, then the end of its text."""
        self._ring.put(_fitting(event))

    def get(self, number: int) -> Event | None:
        """The `number`-th event ever posted, counted from 1; None once it was overwritten."""
        message = self._ring.message(number)
        return None if message is None else _decoder.decode(message)


def _fitting(event: Event) -> bytes:
    message = _encoder.encode(event)
    for text_max in (500, 150):  # a character takes 1..4 bytes
        if len(message) <= SLOT_BYTES:
            break
        short = Event(
            time_s=event.time_s,
            kind=event.kind[:20],
            source=event.source[:40],
            text=event.text[:text_max] + ("..." if len(event.text) > text_max else ""),
            severity=event.severity,
        )
        message = _encoder.encode(short)
    return message


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBatch:
    """What a reader got: events in order of time, and how many were overwritten before it came."""

    events: tuple[Event, ...]
    missed: int


class EventReader:
    """Reads all rings from its own position onwards.

    Args:
        rings: by the name of the posting process.
        positions: events already read of each, as `positions` of an earlier reader gave it.
    """

    def __init__(self, rings: Mapping[str, EventRing], positions: Mapping[str, int]) -> None:
        self._rings = rings
        self.positions = {name: positions.get(name, 0) for name in rings}

    def read(self, count_max: int = 1000) -> EventBatch:
        """New events since the last call, at most `count_max` of each process."""
        events: list[Event] = []
        missed = 0
        for name, ring in self._rings.items():
            posted = ring.posted
            first = max(self.positions[name] + 1, posted - SLOTS + 2)
            missed += first - self.positions[name] - 1
            last = min(posted, first + count_max - 1)
            for number in range(first, last + 1):
                event = ring.get(number)
                if event is None:
                    missed += 1
                else:
                    events.append(event)
            self.positions[name] = max(last, self.positions[name])
        return EventBatch(events=tuple(sorted(events, key=lambda e: e.time_s)), missed=missed)
