"""Events, newest first: from the store where there is one, else the latest that are kept."""

import asyncio
import time
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec
from aiohttp import web

from mallee.console.api.serving import Route, answer, seconds, served, whole
from mallee.console.live import EventRow
from mallee.core.event import Severity
from mallee.history import EventStore

EVENTS_MAX = 1000


class EventList(msgspec.Struct, frozen=True, kw_only=True):
    """Events, newest first."""

    events: list[EventRow]


async def _events(request: web.Request) -> web.StreamResponse:
    """Query: count, severity (least), source and kind (may end in `*`), from, until."""
    count = whole(request, "count", 50, EVENTS_MAX)
    severity = Severity(whole(request, "severity", 0, int(max(Severity))))
    source, kind = request.query.get("source", "*"), request.query.get("kind", "*")
    start_utc_s = seconds(request, "from", 0.0)
    end_utc_s = seconds(request, "until", time.time() + 60.0)
    folder = served(request).history
    store = folder / "events.sqlite" if folder is not None else None
    if store is not None and store.exists():
        span = (start_utc_s, end_utc_s)
        rows = await asyncio.to_thread(_stored, store, span, kind, source, severity, count)
        return answer(EventList(events=rows))
    found = [
        event
        for event in served(request).live.events
        if event.severity >= severity
        and start_utc_s <= event.time_utc_s < end_utc_s
        and fnmatchcase(event.source, source)
        and fnmatchcase(event.kind, kind)
    ]
    return answer(EventList(events=found[:count]))


def _stored(
    path: Path, span: tuple[float, float], kind: str, source: str, severity: Severity, count: int
) -> list[EventRow]:
    with EventStore(path, read_only=True) as store:
        found = store.list(*span, kind=kind, source=source, severity_min=severity, count_max=count)
    return [
        EventRow(
            time_utc_s=event.time_utc_s,
            kind=event.kind,
            source=event.source,
            text=event.text,
            severity=int(event.severity),
        )
        for event in found
    ]


ROUTES: tuple[Route, ...] = (("/api/v1/events", _events),)
ANSWERS = (EventList,)
