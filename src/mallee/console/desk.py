"""The desk: where actions come in, become requests on the board, and are followed to their end.

One writer: this process alone puts requests on the board. They are kept beside it, so that a
console that starts again goes on with them. What became of each is read back: `requested` until the
readings show it, then `in force`; `refused` with the limit, `expired`, or `withdrawn` by somebody.
"""

import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from mallee.actions import ACTIONS, Action, place_of, request_of
from mallee.console.access.principal import Principal
from mallee.control import limits_of, why_not
from mallee.control.proof import proof_of
from mallee.core.request import Origin, Request
from mallee.history import ActionStore, StoredAction
from mallee.runtime.board import Board
from mallee.runtime.run_folder import write_private
from mallee.site.model import SiteModel

State = Literal["requested", "in force", "refused", "expired", "withdrawn", "noted"]

STANDING_MAX = 64
OVER_KEPT = 200
"""So many that are over stay listed; the audit keeps all."""
CONTROL_SILENT_S = 3.0


class RefusedByLimit(Exception):  # noqa: N818 - what happened, as in `core.errors`
    """What was asked lies outside a limit; the message names it."""


class RequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """One action as people and programs read it.

    Attributes:
        id: what `undo` takes.
        action, form: what was done, with what.
        what: what is asked of control, in words.
        where: the place it is about.
        via: how who did it came in: `page`, `token`, `local`.
        until_utc_s: when it ends by itself; None for what has no time.
        state: how far it is.
        text: what was read back, or why it was refused or ended.
    """

    id: str
    action: str
    form: dict[str, Any]
    what: str
    where: str
    actor: str
    via: str
    reason: str
    from_utc_s: float
    until_utc_s: float | None
    state: State
    text: str


class _Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A request that stands, and its row."""

    row: RequestRow
    request: Request
    was_seen: bool = False


class Desk:
    """Actions of one site.

    Args:
        folder: the run folder, where standing requests are kept.
        store: the audit.
        clock: UTC and monotonic time, now.
    """

    def __init__(
        self,
        site: SiteModel,
        board: Board,
        folder: Path,
        store: ActionStore,
        clock: Callable[[], tuple[float, float]],
    ) -> None:
        self._board, self._store, self._clock = board, store, clock
        self._limits = limits_of(site)
        self._path = folder / "requests.msgpack"
        self._guard = threading.RLock()
        self._over: list[RequestRow] = []
        self._standing = self._load()
        self._publish()

    def rows(self) -> list[RequestRow]:
        """What stands, newest first, then what is over."""
        with self._guard:
            return [one.row for one in reversed(self._standing.values())] + self._over[::-1]

    def find(self, id_: str) -> RequestRow | None:
        """A request that stands."""
        standing = self._standing.get(id_)
        return standing.row if standing else None

    def draft(
        self, action: Action, form: Any, who: Principal, id_: str = "draft"
    ) -> Request | None:
        """What an action would ask of control.

        Raises:
            RefusedByLimit: it lies outside a limit, which is named.
        """
        _, now_s = self._clock()
        origin: Origin = "scheduler" if who.via == "token" else "person"
        request = request_of(action, form, id_=id_, actor=who.name, origin=origin, from_s=now_s)
        refused = why_not(self._limits, request) if request is not None else ""
        if refused:
            raise RefusedByLimit(refused)
        if request is not None and len(self._standing) >= STANDING_MAX:
            raise RefusedByLimit(f"{STANDING_MAX} requests stand already: undo some")
        return request

    def file(self, action: Action, form: Any, who: Principal) -> RequestRow:
        """Do it: written to the audit first, then put before control.

        Raises:
            RefusedByLimit: as `draft`; the audit knows of the attempt.
        """
        with self._guard:
            return self._file(action, form, who)

    def _file(self, action: Action, form: Any, who: Principal) -> RequestRow:
        now_utc_s, _ = self._clock()
        id_ = f"r{self._store.count + 1}"
        fields = msgspec.to_builtins(form)
        self._store.add(
            StoredAction(
                time_utc_s=now_utc_s,
                request=id_,
                name=action.name,
                form=msgspec.json.encode(fields).decode(),
                actor=who.name,
                role=who.role,
                via=who.via,
                reason=form.reason,
            )
        )
        row = RequestRow(
            id=id_,
            action=action.name,
            form=fields,
            what=action.name,
            where=place_of(form),
            actor=who.name,
            via=who.via,
            reason=form.reason,
            from_utc_s=now_utc_s,
            until_utc_s=None,
            state="noted",
            text="",
        )
        try:
            request = self.draft(action, form, who, id_)
        except RefusedByLimit as error:
            self._end(row, "refused", str(error))
            raise
        if request is None:
            self._end(row, "noted", form.reason)
            return row
        until_utc_s = now_utc_s + request.until_s - request.from_s
        row = replace(row, what=request.what, until_utc_s=until_utc_s, state="requested")
        self._standing[id_] = _Standing(row=row, request=request)
        self._became(row)
        self._publish()
        return row

    def undo(self, id_: str, who: Principal, reason: str) -> RequestRow:
        """Withdraw a request that stands; control lets go of it in its next cycle.

        Raises:
            KeyError: no such request stands.
        """
        with self._guard:
            row = self._standing.pop(id_).row
            self._end(row, "withdrawn", f"by {who.name}: {reason}")
            self._publish()
            return self._over[-1]

    def tick(self) -> None:
        """Once a second: what ended, what control says, what the readings show."""
        with self._guard:
            now_s = self._clock()[1]
            ended = [id_ for id_, one in self._standing.items() if now_s >= one.request.until_s]
            for id_ in ended:
                self._end(self._standing.pop(id_).row, "expired", "its time is over")
            if ended:
                self._publish()
            if self._standing:
                self._look(now_s)

    def _look(self, now_s: float) -> None:
        """What control says of each request, and what the readings show."""
        snapshot, status = self._board.snapshot(now_s), self._board.status()
        is_silent = status is None or now_s - status.time_s > CONTROL_SILENT_S
        told = {} if status is None or is_silent else status.requests
        waiting = "control is silent" if is_silent else "control has not taken it yet"
        for id_, one in list(self._standing.items()):
            if told.get(id_):
                self._end(self._standing.pop(id_).row, "refused", told[id_])
                self._publish()
                continue
            holds, text = False, waiting
            if id_ in told:
                holds, text = proof_of(self._limits, snapshot, one.request)
            state: State = "in force" if holds else "requested"
            row = replace(one.row, state=state, text=text)
            if holds and not one.was_seen:
                self._became(row)
            self._standing[id_] = replace(one, row=row, was_seen=one.was_seen or holds)

    def _end(self, row: RequestRow, state: State, text: str) -> None:
        self._over = [*self._over, replace(row, state=state, text=text)][-OVER_KEPT:]
        self._became(self._over[-1])

    def _became(self, row: RequestRow) -> None:
        self._store.became(self._clock()[0], row.id, row.state, row.text)

    def _publish(self) -> None:
        requests = tuple(one.request for one in self._standing.values())
        generation = self._board.requests().generation + 1
        self._board.publish_requests(requests, generation)
        write_private(self._path, msgspec.msgpack.encode(list(self._standing.values())))

    def _load(self) -> dict[str, _Standing]:
        """What stood when the last console ended, in this boot's monotonic time."""
        try:
            standing = msgspec.msgpack.decode(self._path.read_bytes(), type=list[_Standing])
        except (OSError, msgspec.DecodeError):
            return {}
        now_utc_s, now_s = self._clock()
        found = {}
        for one in standing:
            ends_utc_s = -math.inf if one.row.until_utc_s is None else one.row.until_utc_s
            until_s, from_s = now_s + ends_utc_s - now_utc_s, now_s + one.row.from_utc_s - now_utc_s
            if one.row.action in ACTIONS and until_s > from_s:
                request = replace(one.request, from_s=from_s, until_s=until_s)
                found[one.row.id] = replace(one, request=request)
        return found
