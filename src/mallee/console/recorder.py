"""Writes history from the console process, and never lets it stop the page.

Points go to the history writer once a second, events to the event store. Both run in one thread
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
from mallee.core.event import Event
from mallee.history import EventStore, HistoryWriter
from mallee.site.model import SiteModel

QUEUE_MAX = 10
UNSAVED_MAX = 10_000
RETRY_S = 10.0
_log = structlog.get_logger()


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Up to where the board's events are in the store; of another session it means nothing."""

    session: int
    positions: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """What one second adds to history.

    Attributes:
        values, quality: of every point; powers of fast devices are means of the second.
        utc_offset_s: UTC less the monotonic clock.
        events: new ones, and `seen` the position after them.
    """

    time_utc_s: float
    values: FloatArray
    quality: NDArray[np.uint8]
    utc_offset_s: float
    events: tuple[Event, ...]
    seen: Seen


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
        self._unsaved: list[Event] = []
        self.trouble = ""

    def put(self, second: Second) -> None:
        """Hand over one second; never waits. Its events are kept until they are stored."""
        self._unsaved.extend(second.events)
        del self._unsaved[:-UNSAVED_MAX]
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
            store = stack.enter_context(EventStore(self._folder / "events.sqlite"))
            while True:
                second = await self._queue.get()
                events = tuple(self._unsaved)
                await loop.run_in_executor(None, self._keep, writer, store, second, events)
                del self._unsaved[: len(events)]
                self.trouble = ""

    def _keep(
        self, writer: HistoryWriter, store: EventStore, second: Second, events: tuple[Event, ...]
    ) -> None:
        if events:
            store.append(events, second.utc_offset_s)
            (self._folder / "events-seen.json").write_bytes(msgspec.json.encode(second.seen))
        writer.append(second.time_utc_s, second.values, second.quality)


def load_seen(folder: Path, session: int) -> dict[str, int]:
    """Positions of the board's events that are in the store already; empty for a new board."""
    try:
        seen = msgspec.json.decode((folder / "events-seen.json").read_bytes(), type=Seen)
    except (OSError, msgspec.DecodeError):
        return {}
    return seen.positions if seen.session == session else {}


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
