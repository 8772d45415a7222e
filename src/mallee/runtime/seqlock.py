"""Shared memory that one process writes and any number read, without a lock anywhere.

`Sequence` lets a reader notice that a writer was at work while it copied; `Blob` holds one
message of bytes that is always either the old or the new one, whenever its writer dies.
Both live in memory that processes map; nothing here knows what the bytes mean.
"""

import threading
import time
import zlib
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Words = NDArray[np.int64]

TRIES_MAX = 100
RETRY_S = 50e-6

_barrier = threading.Lock()


def fence() -> None:
    """Keep the loads and stores before this call ahead of those after it.

    Taking and giving a lock is a full memory barrier on every platform that CPython runs on; x86
    would do without, ARM would not.
    """
    with _barrier:
        pass


class Sequence:
    """Counters beside data, one a writer: odd while it changes its part, even when at rest.

    Args:
        words: the counters.  # (writers,)
        writer: which of them is this process's own, if it writes.
    """

    def __init__(self, words: Words, writer: int = 0) -> None:
        self._words, self._word = words, words[writer : writer + 1]

    def begin(self) -> None:
        """The writer starts to change the data; a counter that was left odd is taken over."""
        self._word[0] += 1 if self._word[0] % 2 == 0 else 2
        fence()

    def end(self) -> None:
        """The data is whole again."""
        fence()
        self._word[0] += 1

    def read(self, copy: Callable[[], T]) -> T:
        """What `copy` returns, repeated until no writer was at work meanwhile.

        After `TRIES_MAX` tries (about 10 ms: the writer was killed half way) the last copy is
        returned; writers order their stores so that a mixture does no harm.
        """
        for _ in range(TRIES_MAX):
            before = self._words.copy()
            fence()
            result = copy()
            fence()
            if not (before % 2).any() and (self._words == before).all():
                return result
            time.sleep(RETRY_S)
        return copy()


class Blob:
    """One message, written alternately into two slots: the last whole one survives anything.

    Args:
        head: number of messages written so far.  # (1,)
        sizes: length and CRC-32 of each slot.  # (2, 2)
        slots: the bytes.  # (2, capacity)
    """

    def __init__(self, head: Words, sizes: Words, slots: NDArray[np.uint8]) -> None:
        self._head, self._sizes, self._slots = head, sizes, slots

    @property
    def number(self) -> int:
        """How many messages were written so far: cheap to watch."""
        return int(self._head[0])

    def write(self, message: bytes) -> None:
        """Replace the message.

        Raises:
            ValueError: longer than the capacity.
        """
        capacity = self._slots.shape[1]
        if len(message) > capacity:
            raise ValueError(f"message of {len(message)} bytes, the board has room for {capacity}")
        number = int(self._head[0]) + 1
        slot = number % 2
        self._sizes[slot] = (len(message), zlib.crc32(message))
        self._slots[slot, : len(message)] = np.frombuffer(message, np.uint8)
        fence()
        self._head[0] = number

    def read(self) -> bytes | None:
        """The latest whole message; None before the first."""
        for _ in range(TRIES_MAX):
            number = int(self._head[0])
            if number == 0:
                return None
            fence()
            size, checksum = (int(word) for word in self._sizes[number % 2])
            message = self._slots[number % 2, :size].tobytes()
            if zlib.crc32(message) == checksum and len(message) == size:
                return message
            time.sleep(RETRY_S)
        return None
