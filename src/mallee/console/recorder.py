"""Writes history from the console process, and never lets it stop the page.

Points go to the history writer once a second, events and commands to their stores, in one thread
behind a short queue: a slow disk costs history seconds, not the page. A failure is told on the page
and tried again after a while, with a fresh writer.
"""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.core.audit import Outcome, Write
from mallee.core.event import Event
from mallee.history import AuditStore, EventStore, HistoryWriter
from mallee.site.model import SiteModel

QUEUE_MAX = 10
UNSAVED_MAX = 100_000
RETRY_S = 10.0
_log = structlog.get_logger()


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Up to where the board is in the stores; of another session it means nothing.

    Attributes:
        positions: events read of each process.
        records: commands and outcomes read, as `CommandReader.positions`.
    """

    session: int
    positions: dict[str, int]
    records: dict[str, int] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """What one second adds to history.

    Attributes:
        values, quality: of every point; powers of fast devices are means of the second.
        utc_offset_s: UTC less the monotonic clock.
        told: what is new, and `seen` the position after it.
    """

    time_utc_s: float
    values: FloatArray
    quality: NDArray[np.uint8]
    utc_offset_s: float
    told: "Told"
    seen: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What must not be lost when history is slow: events, commands and what came of them."""

    events: tuple[Event, ...] = ()
    writes: tuple[Write, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    def __add__(self, other: "Told") -> "Told":
        return Told(
            events=(*self.events, *other.events)[-UNSAVED_MAX:],
            writes=(*self.writes, *other.writes)[-UNSAVED_MAX:],
            outcomes=(*self.outcomes, *other.outcomes)[-UNSAVED_MAX:],
        )


class Recorder:
    """Keeps history going beside the page.

    Args:
        folder: the history folder.
        open_writer: makes the point writer; tests pass one that fails.
    """

    def __init__(
        self,
        folder: Path,
        site: SiteModel,
        open_writer: Callable[[Path, SiteModel], HistoryWriter] = HistoryWriter,
    ) -> None:
        self._folder, self._site, self._open_writer = folder, site, open_writer
        self._queue: asyncio.Queue[Second] = asyncio.Queue(QUEUE_MAX)
        self._unsaved, self._seen = Told(), Seen(session=0, positions={})
        self.trouble = ""

    def put(self, second: Second) -> None:
        """Hand over one second; never waits. What it tells is kept until it is stored."""
        self._unsaved, self._seen = self._unsaved + second.told, second.seen
        try:
            self._queue.put_nowait(second)
        except asyncio.QueueFull:
            self.trouble = self.trouble or "history is slower than the site: seconds are missing"

    async def run(self) -> None:
        """Write until cancelled; start again after a failure."""
        while True:
            writing = asyncio.create_task(self._write())
            try:
                await asyncio.wait([writing])
            finally:
                writing.cancel()
            error = writing.exception() if not writing.cancelled() else None
            self.trouble = f"history is not written: {error}"
            _log.error("history stopped", error=str(error), exc_info=error)
            await asyncio.sleep(RETRY_S)

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        with ExitStack() as stack:
            writer = await asyncio.to_thread(self._open_writer, self._folder, self._site)
            stack.callback(writer.close)
            stores = Stores(self._folder)
            stack.callback(stores.close)
            while True:
                second = await self._queue.get()
                told, seen = self._unsaved, self._seen
                self._unsaved = Told()
                try:
                    await loop.run_in_executor(None, self._keep, writer, stores, second, told, seen)
                except BaseException:
                    self._unsaved = told + self._unsaved
                    raise
                self.trouble = ""

    def _keep(
        self, writer: HistoryWriter, stores: "Stores", second: Second, told: Told, seen: Seen
    ) -> None:
        if told != Told():
            stores.append(told, seen.session, second.utc_offset_s)
            (self._folder / "events-seen.json").write_bytes(msgspec.json.encode(seen))
        writer.append(second.time_utc_s, second.values, second.quality)


class Stores:
    """Where events and the audit are kept; the audit opens with the first board that writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._events = EventStore(folder / "events.sqlite")
        self._audit: AuditStore | None = None

    def append(self, told: Told, session: int, utc_offset_s: float) -> None:
        """Keep all that was told by a board's session; it is on the disk when this returns."""
        self._events.append(told.events, utc_offset_s)
        if self._audit is None:
            self._audit = AuditStore(self._folder / "audit.sqlite", session)
        self._audit.append(told.writes, told.outcomes, utc_offset_s)

    def close(self) -> None:
        """Close both."""
        self._events.close()
        if self._audit is not None:
            self._audit.close()


def load_seen(folder: Path, session: int) -> Seen:
    """Up to where the board is in the stores already; nothing of a new board is."""
    try:
        seen = msgspec.json.decode((folder / "events-seen.json").read_bytes(), type=Seen)
    except (OSError, msgspec.DecodeError):
        return Seen(session=session, positions={})
    return seen if seen.session == session else Seen(session=session, positions={})


def stored_events(folder: Path, count_max: int) -> list[tuple[Event, float]]:
    """The latest stored events with their UTC times, oldest first; empty if none can be read."""
    path = folder / "events.sqlite"
    if not path.exists():
        return []
    with EventStore(path, read_only=True) as store:
        found = store.list(count_max=count_max)
    return [
        (
            Event(
                time_s=0.0,
                kind=event.kind,
                source=event.source,
                text=event.text,
                severity=event.severity,
            ),
            event.time_utc_s,
        )
        for event in reversed(found)
    ]
