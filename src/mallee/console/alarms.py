"""The alarm desk of a running site: looks, tells the page in one glance, and keeps what happened.

Looking never waits for the disk. What a person did is on the disk before it is answered; what
happened by itself follows within a moment, and a disk that fails is told on the page.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import numpy as np
import structlog

from mallee.alarms import Change, Desk, first_out
from mallee.alarms.keeping import Kept, Line, append, kept_of, lines_of, load, save, take_up
from mallee.console.notifier import Notifier
from mallee.core.arrays import BoolArray
from mallee.core.event import Event
from mallee.core.snapshot import Snapshot
from mallee.site.model import SiteModel

RETRY_S = 10.0
LINES_MAX = 100_000
_log = structlog.get_logger()


class AlarmSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The alarms at a glance.

    Attributes:
        sounding: annunciated ones by priority 1, 2, 3: nobody has seen them, nothing hides them.
        standing: all that stand and nothing hides, by priority.
        shelved, out, explained: how many are hidden, and how.
        first: id of the one that came first and explains most of the rest, empty if all is well.
        first_text: what it says.
        flood: more comes than a person can follow.
    """

    sounding: list[int]
    standing: list[int]
    shelved: int
    out: int
    explained: int
    first: str
    first_text: str
    flood: bool


NO_ALARMS = AlarmSummary(
    sounding=[0, 0, 0],
    standing=[0, 0, 0],
    shelved=0,
    out=0,
    explained=0,
    first="",
    first_text="",
    flood=False,
)


class AlarmWatch:
    """A desk that is kept, and that tells its receivers.

    Args:
        folder: where it is kept; None keeps nothing, for tests and stand-ins.
        session: of the board that is watched.

    Attributes:
        trouble: empty while everything is kept, else what stops it.
        notifier: tells people who do not watch; None where nobody is to be told.
    """

    def __init__(self, site: SiteModel, folder: Path | None = None, session: int = 0) -> None:
        self.desk = Desk(site)
        self.folder, self._session = folder, session
        kinds = self.desk.alarms.instances
        self._priority = np.array([kind.priority for kind in kinds.kinds])[kinds.kind]
        self._unsaved: list[Line] = []
        self._changed, self._saving = asyncio.Event(), asyncio.Lock()
        self.trouble = ""
        self.notifier: Notifier | None = None
        if folder is not None and (kept := load(folder)) is not None:
            take_up(self.desk, kept, session)

    def look(self, snapshot: Snapshot, events: Iterable[Event], time_utc_s: float) -> bool:
        """Judge everything anew; whether anything changed."""
        return self._take(self.desk.look(snapshot, events, time_utc_s), time_utc_s)

    def summary(self) -> AlarmSummary:
        """The alarms at a glance."""
        state = self.desk.state
        shown = state.stands & ~state.hidden
        first = first_out(state)
        return AlarmSummary(
            sounding=self._counts(state.annunciated),
            standing=self._counts(shown),
            shelved=int((state.shelved_until_s > -np.inf).sum()),
            out=int(state.out.sum()),
            explained=int((state.stands & (state.cause >= 0)).sum()),
            first="" if first is None else self.desk.ids[first],
            first_text="" if first is None else self.desk.said.get(first, ""),
            flood=self.desk.flood,
        )

    async def do(self, what: Callable[[float], list[Change]]) -> list[Change]:
        """Let a person do something at the present time; it is on the disk when this returns."""
        now_utc_s = time.time()
        changes = what(now_utc_s)
        self._take(changes, now_utc_s)
        await self.save()
        return changes

    async def run(self) -> None:
        """Keep what happens until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self.save()
            except OSError as error:
                self.trouble = f"alarms are not kept: {error.strerror}"
                _log.error("alarms are not kept", error=str(error))
                await asyncio.sleep(RETRY_S)
                self._changed.set()

    async def save(self) -> None:
        """Write what is new and how everything stands.

        Raises:
            OSError: it cannot be written; it is tried again with the next save.
        """
        if self.folder is None:
            return
        async with self._saving:
            lines, kept = self._unsaved, kept_of(self.desk, self._session)
            self._unsaved = []
            try:
                await asyncio.to_thread(_write, self.folder, lines, kept)
            except OSError:
                self._unsaved = (lines + self._unsaved)[-LINES_MAX:]
                raise
            self.trouble = ""

    def _take(self, changes: list[Change], time_utc_s: float) -> bool:
        if self.notifier is not None:
            self.notifier.hear(changes, time_utc_s)
        if changes:
            self._unsaved += lines_of(self.desk, changes)
            self._changed.set()
        return bool(changes)

    def _counts(self, which: BoolArray) -> list[int]:
        return [int(count) for count in np.bincount(self._priority[which], minlength=4)[1:4]]


def _write(folder: Path, lines: list[Line], kept: Kept) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    append(folder, lines)
    save(folder, kept)
