"""What was commanded, why, by whom, and what came of it: the rule of what is worth a row.

A command is worth a row when it changes the value of a point or who wants it; renewals of a lease
are not. What comes of a command is worth a row when it differs from what was known of it.
"""

import math
from dataclasses import dataclass

from mallee.core.snapshot import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One value that was commanded.

    Attributes:
        number: counts all writes of a board; 0 where nobody counts.
        time_s: monotonic time of the command.
        path: of the point.
        value: in the point's unit.
        lease_s: how long it holds, 0 for a value that stands.
        reason, actor: why and by whom.
    """

    number: int
    time_s: float
    path: str
    value: float
    lease_s: float
    reason: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became known of a write.

    Attributes:
        number: of the write.
        time_s: monotonic time at which it became known.
        path: of the point.
        progress: how far it came.
        reading: what was read back; NaN where nothing was.
    """

    number: int
    time_s: float
    path: str
    progress: Progress
    reading: float = math.nan


@dataclass(slots=True)
class Standing:
    """The last recorded write to a point.

    Attributes:
        key: of its record.
        number: of the write, 0 for one of an earlier board.
    """

    key: int
    number: int
    value: float
    actor: str
    progress: Progress = Progress.NONE


class Ledger:
    """Remembers of each point what was recorded last, and so what the next record is."""

    def __init__(self, standing: dict[str, Standing] | None = None) -> None:
        self._standing = standing or {}

    def is_new(self, write: Write) -> bool:
        """Whether a write is worth a record: it is no renewal, and was not recorded before."""
        last = self._standing.get(write.path)
        if last is None:
            return True
        if 0 < write.number <= last.number:
            return False
        return last.value != write.value or last.actor != write.actor

    def record(self, write: Write, key: int) -> None:
        """A write was recorded under a key."""
        self._standing[write.path] = Standing(key, write.number, write.value, write.actor)

    def key_of(self, outcome: Outcome) -> int | None:
        """Key of the write that an outcome is news of; None where it is no news.

        That a renewal is on its way is no news, nor is anything of a write that another one has
        replaced meanwhile.
        """
        last = self._standing.get(outcome.path)
        if last is None or outcome.number < last.number or outcome.progress == last.progress:
            return None
        again = last.progress in (Progress.DONE, Progress.LOST)
        if outcome.progress == Progress.SENT and again:
            return None
        last.progress = outcome.progress
        return last.key
