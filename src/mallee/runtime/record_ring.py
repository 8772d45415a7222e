"""A ring of equal records in shared memory: one process appends, any number read at their own pace.

The writer never waits. A reader keeps its own position and learns how many records it missed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import IntArray
from mallee.runtime.seqlock import Words, fence

Records = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """What a reader got.

    Attributes:
        records: in the order in which they were appended.  # (records,)
        missed: how many were overwritten before the reader came.
    """

    records: Records
    missed: int


class RecordRing:
    """The ring of one writer.

    Args:
        head: number of records appended so far.  # (1,)
        records: a structured array whose field ``number`` counts them from 1; 0 marks a record
            that is being written.  # (capacity,)
    """

    def __init__(self, head: Words, records: NDArray[Any]) -> None:
        self._head, self._records = head, records

    @property
    def appended(self) -> int:
        """How many records were ever appended."""
        return int(self._head[0])

    def append(self, count: int, **columns: Any) -> IntArray:
        """Add records.

        Args:
            count: how many; of more than the capacity the last ones are kept.
            columns: value or array of every field but ``number``.

        Returns:
            Their numbers.  # (count,)
        """
        numbers = np.arange(self.appended + 1, self.appended + 1 + count)
        kept = numbers[-len(self._records) :]
        slots = kept % len(self._records)
        self._records["number"][slots] = 0
        fence()
        for name, column in columns.items():
            last = np.broadcast_to(np.asarray(column), (count,))[count - len(kept) :]
            self._records[name][slots] = last
        fence()
        self._records["number"][slots] = kept
        fence()
        self._head[0] += count
        return numbers

    def read(self, position: int) -> RecordBatch:
        """Records after the first `position` ones."""
        last = self.appended
        fence()
        first = max(position + 1, last - len(self._records) + 1)
        numbers = np.arange(first, last + 1)
        slots = numbers % len(self._records)
        before = self._records["number"][slots]
        fence()
        copied = self._records[slots]
        fence()
        # Whole before the copy began, and not taken for another record until it had ended.
        whole = (before == numbers) & (self._records["number"][slots] == numbers)
        return RecordBatch(copied[whole], last - position - int(whole.sum()))
