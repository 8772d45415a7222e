"""Alarms: what stands, what hides it and until when, the figures, and what a person does about it.

An alarm is named ``kind@place``. Actions name their actor and are journalled before they are
answered.
"""

import asyncio
import math
import time
from collections.abc import Sequence
from typing import Final, Literal

import msgspec
import numpy as np
from aiohttp import web

from mallee.actions import Role
from mallee.alarms import UNTIL_OVER, Act, Change, Remark, first_out, hidden_by, kpis, state_of
from mallee.alarms.desk import WHOLE_SITE
from mallee.alarms.keeping import Line, changes_of, journal
from mallee.alarms.state import Hidden, State
from mallee.console.access.door import DOOR
from mallee.console.alarms import NO_ALARMS, AlarmSummary, AlarmWatch
from mallee.console.api.serving import (
    Route,
    answer,
    body,
    may_write,
    number_or_none,
    seconds,
    served,
    whole,
)
from mallee.core.arrays import IntArray
from mallee.core.request import SITE

ROWS_MAX = 2000
LINES_MAX = 1000
ROLE: Final[Role] = "operator"
"""Who may act on alarms."""
Which = Literal["open", "sounding", "explained", "shelved", "out", "all"]


class AlarmRow(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm.

    Attributes:
        id: ``kind@place``.
        text: why it was raised.
        raised_utc_s: when it came last, None for never.
        within_s: time there is to respond.
        hidden: what hides it, empty for nothing; `hidden_until_utc_s` is None where nothing ends
            it but a person or its own condition; `hidden_why` says who did it and why.
        cause: id of the alarm that explains it.
        explains: how many standing ones it explains.
        first: whether it came first.
    """

    id: str
    kind: str
    place: str
    priority: int
    state: State
    text: str
    consequence: str
    response: str
    within_s: float
    raised_utc_s: float | None
    hidden: Hidden
    hidden_until_utc_s: float | None
    hidden_why: Remark | None
    cause: str
    explains: int
    first: bool
    notes: list[Remark]


class AlarmList(msgspec.Struct, frozen=True, kw_only=True):
    """Alarms by priority and age, and all of them at a glance; `more` were left out."""

    alarms: list[AlarmRow]
    more: int
    summary: AlarmSummary


class AlarmJournal(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to alarms, newest first."""

    lines: list[Line]


class AlarmFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How well the alarms serve their people, after ISA-18.2 and EEMUA 191; see `alarms.kpi`."""

    hours: float
    annunciated: int
    per_10min: float
    flood_frac: float
    top_frac: float
    chattering: list[str]
    stale: list[str]
    priorities: dict[str, float]
    ack_p50_s: float | None
    ack_p95_s: float | None


class AlarmAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person asks for.

    Attributes:
        actor: who it is, where no login says so.
        alarms: ids, in which ``*`` stands for any letters.
        place: instead, all alarms about a device, rack, pod, branch and what hangs on it.
        reason: why; needed to shelve, to take out of service, and as the text of a note.
        for_s: how long to shelve; None until the condition is over.
    """

    what: Literal[Act, "note"]
    actor: str = ""
    alarms: list[str] = []
    place: str = ""
    reason: str = ""
    for_s: float | None = None


class AlarmDone(msgspec.Struct, frozen=True, kw_only=True):
    """Ids of the alarms that it changed."""

    changed: list[str]


class AlarmReach(msgspec.Struct, frozen=True, kw_only=True):
    """What is dark if a branch opens: devices by name, racks by name."""

    branch: str
    devices: list[str]
    racks: list[str]


async def _list(request: web.Request) -> web.StreamResponse:
    """Query: show (open, sounding, explained, shelved, out, all), cause, place, count."""
    watch = served(request).alarms
    if watch is None:
        return answer(AlarmList(alarms=[], more=0, summary=NO_ALARMS))
    rows = _ordered(watch, _shown(watch, request))
    count = whole(request, "count", 200, ROWS_MAX)
    found = [_row(watch, row) for row in rows[:count].tolist()]
    more = max(0, len(rows) - count)
    return answer(AlarmList(alarms=found, more=more, summary=watch.summary()))


def _shown(watch: AlarmWatch, request: web.Request) -> IntArray:
    state, desk = watch.desk.state, watch.desk
    shelved = state.shelved_until_s > -np.inf
    show = request.query.get("show", "open")
    shows = {
        "open": state.stands & ~state.hidden,
        "sounding": state.annunciated,
        "explained": state.stands & (state.cause >= 0),
        "shelved": shelved,
        "out": state.out,
        "all": np.ones(len(desk.ids), bool),
    }
    if show not in shows:
        raise web.HTTPBadRequest(text=f"show={show}: must be one of {', '.join(shows)}")
    chosen = shows[show]
    try:
        if cause := request.query.get("cause"):
            chosen = chosen & np.isin(state.cause, desk.select([cause]))
        if place := request.query.get("place"):
            chosen = chosen & np.isin(np.arange(len(desk.ids)), desk.at(place))
    except ValueError as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    return np.flatnonzero(chosen)


def _ordered(watch: AlarmWatch, rows: IntArray) -> IntArray:
    """Unseen before seen, then by priority, then the oldest first."""
    state, instances = watch.desk.state, watch.desk.alarms.instances
    priorities = np.array([kind.priority for kind in instances.kinds])[instances.kind]
    order = np.lexsort((state.raised_s[rows], priorities[rows], state.acked[rows]))
    return rows[order]


def _row(watch: AlarmWatch, row: int) -> AlarmRow:
    desk = watch.desk
    state, kind = desk.state, desk.kind_of(row)
    hidden = hidden_by(state, row)
    until_s = float(state.shelved_until_s[row]) if hidden == "shelved" else math.inf
    return AlarmRow(
        id=desk.ids[row],
        kind=kind.name,
        place=desk.alarms.instances.source[row],
        priority=kind.priority,
        state=state_of(state, row),
        text=desk.said.get(row, ""),
        consequence=kind.consequence,
        response=kind.response,
        within_s=kind.respond_within_s,
        raised_utc_s=number_or_none(float(state.raised_s[row])),
        hidden=hidden,
        hidden_until_utc_s=number_or_none(until_s),
        hidden_why=desk.hidden_why.get(row) if hidden in ("shelved", "out of service") else None,
        cause=desk.id_of(int(state.cause[row])),
        explains=desk.explained_by(row),
        first=first_out(state) == row,
        notes=desk.notes.get(row, []),
    )


async def _journal(request: web.Request) -> web.StreamResponse:
    """Query: count, from, until, alarm (an id)."""
    watch = served(request).alarms
    count = whole(request, "count", 200, LINES_MAX)
    from_s, until_s = seconds(request, "from", 0.0), seconds(request, "until", time.time() + 60.0)
    lines: Sequence[Line] = []
    if watch is not None and watch.folder is not None:
        lines = await asyncio.to_thread(journal, watch.folder, from_s, until_s)
    wanted = request.query.get("alarm", "")
    lines = [line for line in lines if wanted in ("", line.id)]
    return answer(AlarmJournal(lines=list(reversed(lines[-count:]))))


async def _figures(request: web.Request) -> web.StreamResponse:
    """Query: hours back from now, 24 if left out."""
    watch = served(request).alarms
    hours = whole(request, "hours", 24, 24 * 366)
    if watch is None or watch.folder is None or hours == 0:
        raise web.HTTPNotFound(text="nothing keeps a journal of alarms here, or hours=0")
    until_s = time.time()
    from_s = until_s - hours * 3600.0
    lines = await asyncio.to_thread(journal, watch.folder, from_s, until_s)
    desk = watch.desk
    changes = changes_of(desk, lines)
    found = kpis(changes, desk.state, desk.alarms.instances, from_s=from_s, until_s=until_s)
    return answer(
        AlarmFigures(
            hours=float(hours),
            annunciated=found.annunciated,
            per_10min=found.per_10min,
            flood_frac=found.flood_frac,
            top_frac=found.top_frac,
            chattering=[desk.ids[row] for row in found.chattering],
            stale=[desk.ids[row] for row in found.stale],
            priorities={str(one): share for one, share in found.priorities.items()},
            ack_p50_s=number_or_none(found.ack_p50_s),
            ack_p95_s=number_or_none(found.ack_p95_s),
        )
    )


async def _reach(request: web.Request) -> web.StreamResponse:
    """Query: branch."""
    watch = served(request).alarms
    branch = request.query.get("branch", "")
    names = [one.name for one in served(request).live.site.branches]
    if watch is None or branch not in names:
        raise web.HTTPNotFound(text=f"branch={branch}: no branch of this site")
    instances, hit = watch.desk.alarms.instances, watch.desk.hit(names.index(branch))
    about = [instances.source[row] for row in np.flatnonzero(hit & (instances.device >= 0))]
    is_rack = hit & (instances.rack >= 0) & (instances.device < 0)
    racks = [instances.source[row] for row in np.flatnonzero(is_rack)]
    return answer(AlarmReach(branch=branch, devices=sorted(set(about)), racks=sorted(set(racks))))


async def _act(request: web.Request) -> web.StreamResponse:
    """Body: `AlarmAsked`."""
    asked = await body(request, AlarmAsked)
    watch = served(request).alarms
    if watch is None:
        raise web.HTTPServiceUnavailable(text="nothing watches alarms here")
    try:
        rows = _chosen(watch, asked)
        who = _who(request, asked, {watch.desk.alarms.instances.source[row] for row in rows})
        changes = await watch.do(lambda time_s: _done(watch, asked, rows, who, time_s))
    except ValueError as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    except OSError as error:
        raise web.HTTPServiceUnavailable(
            text=f"done, but it cannot be kept: {error.strerror}"
        ) from None
    return answer(AlarmDone(changed=[watch.desk.ids[change.alarm] for change in changes]))


def _chosen(watch: AlarmWatch, asked: AlarmAsked) -> list[int]:
    if bool(asked.alarms) == bool(asked.place):
        raise ValueError("name alarms (kind@place), or a place with all of its alarms")
    return watch.desk.select(asked.alarms) if asked.alarms else watch.desk.at(asked.place)


def _who(request: web.Request, asked: AlarmAsked, places: set[str]) -> str:
    """Who acts, if they may at all of these places.

    Where nobody has an account yet, programs and pages of this computer may, by the name that they
    give; so may a command of the site's owner.
    """
    door = request.app.get(DOOR)
    if door is None or (door.principal(request) is None and not door.accounts.kept.users):
        may_write(request)
        return asked.actor
    where = sorted(SITE if place == WHOLE_SITE else place for place in places)
    who = door.let_in(request, ROLE, where[0])
    for place in where[1:]:
        if why_not := who.why_not(ROLE, place):
            raise web.HTTPForbidden(text=why_not)
    return asked.actor if who.via == "local" and asked.actor else who.name


def _done(
    watch: AlarmWatch, asked: AlarmAsked, rows: list[int], who: str, time_s: float
) -> list[Change]:
    desk = watch.desk
    if asked.what == "note":
        for row in rows:
            desk.note(row, time_s, who, asked.reason)
        return []
    for_s = UNTIL_OVER if asked.for_s is None else asked.for_s
    return desk.act(asked.what, rows, time_s, who, reason=asked.reason, for_s=for_s)


ROUTES: Final[tuple[Route, ...]] = (
    ("/api/v1/alarms", _list),
    ("/api/v1/alarms/journal", _journal),
    ("/api/v1/alarms/kpi", _figures),
    ("/api/v1/alarms/reach", _reach),
)
POSTS: Final[tuple[Route, ...]] = (("/api/v1/alarms", _act),)
ANSWERS = (AlarmList, AlarmJournal, AlarmFigures, AlarmReach, AlarmAsked, AlarmDone)
