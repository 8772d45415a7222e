"""Keeps the alarms of a site over a restart, and the journal of what happened to them.

    alarms.json            what does not stand at its default, replaced as a whole
    alarms-2026-11.jsonl   the journal, a line a change, a file a month

Alarms are kept by kind and place, not by number: a changed site file drops what is gone.
"""

import math
import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from mallee.alarms.desk import Desk, Remark
from mallee.alarms.kind import Told
from mallee.alarms.state import Change, Happening
from mallee.core.arrays import NO_INDEX

NAME = "alarms.json"
UNTIL_IT_IS_OVER_S = 0.0
"""Stands for an end that only the condition brings: JSON knows no infinity."""


class KeptAlarm(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One alarm that is not as it was at the beginning.

    Attributes:
        shelved_until_s: None if it is not; 0 until its condition is over.
    """

    id: str
    active: bool = False
    acked: bool = True
    latched: bool = False
    out: bool = False
    raised_s: float | None = None
    acked_s: float | None = None
    shelved_until_s: float | None = None
    cause: str = ""
    said: str = ""
    hidden_why: Remark | None = None
    notes: list[Remark] = []


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept.

    Attributes:
        session: of the board that was watched: conditions told on another one are over.
        time_s: of the last look.
    """

    session: int
    time_s: float
    alarms: list[KeptAlarm]


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the journal."""

    time_s: float
    id: str
    what: Happening
    actor: str = ""
    reason: str = ""
    reading: float | None = None


def kept_of(desk: Desk, session: int) -> Kept:
    """What is worth keeping."""
    state = desk.state
    shelved = state.shelved_until_s > -np.inf
    rows = set(np.flatnonzero(state.stands | shelved | state.out).tolist())
    rows |= desk.notes.keys() | set(np.flatnonzero(np.isfinite(state.raised_s)).tolist())
    return Kept(
        session=session,
        time_s=desk.time_s,
        alarms=[_kept(desk, row, is_shelved=bool(shelved[row])) for row in sorted(rows)],
    )


def _kept(desk: Desk, row: int, *, is_shelved: bool) -> KeptAlarm:
    state, until_s = desk.state, float(desk.state.shelved_until_s[row])
    is_hidden = is_shelved or bool(state.out[row])
    end_s = UNTIL_IT_IS_OVER_S if math.isinf(until_s) else until_s
    return KeptAlarm(
        id=desk.ids[row],
        active=bool(state.active[row]),
        acked=bool(state.acked[row]),
        latched=bool(state.latched[row]),
        out=bool(state.out[row]),
        raised_s=_or_none(state.raised_s[row]),
        acked_s=_or_none(state.acked_s[row]),
        shelved_until_s=end_s if is_shelved else None,
        cause=desk.id_of(int(state.cause[row])),
        said=desk.said.get(row, ""),
        hidden_why=desk.hidden_why.get(row) if is_hidden else None,
        notes=desk.notes.get(row, []),
    )


def take_up(desk: Desk, kept: Kept, session: int) -> None:
    """Go on where an earlier desk of the site stopped."""
    state = desk.state
    arrays = {
        name: getattr(state, name).copy()
        for name in ("active", "acked", "latched", "out", "holds", "raised_s", "acked_s")
    }
    shelved_until_s, cause = state.shelved_until_s.copy(), state.cause.copy()
    for one in kept.alarms:
        row = desk.row_of.get(one.id)
        if row is None:
            continue
        for name in ("active", "acked", "latched", "out"):
            arrays[name][row] = getattr(one, name)
        lasts = session == kept.session or not isinstance(desk.kind_of(row).condition, Told)
        arrays["holds"][row] = one.active and lasts
        arrays["raised_s"][row] = math.nan if one.raised_s is None else one.raised_s
        arrays["acked_s"][row] = math.nan if one.acked_s is None else one.acked_s
        if one.shelved_until_s is not None:
            is_open = one.shelved_until_s == UNTIL_IT_IS_OVER_S
            shelved_until_s[row] = math.inf if is_open else one.shelved_until_s
        cause[row] = desk.row_of.get(one.cause, NO_INDEX)
        desk.said[row] = one.said
        if one.hidden_why is not None:
            desk.hidden_why[row] = one.hidden_why
        if one.notes:
            desk.notes[row] = list(one.notes)
    desk.state = replace(state, **arrays, shelved_until_s=shelved_until_s, cause=cause)
    desk.time_s = max(desk.time_s, kept.time_s)


def load(folder: Path) -> Kept | None:
    """What was kept; None where nothing was, or nothing that can be read."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError):
        return None


def save(folder: Path, kept: Kept) -> None:
    """Replace what was kept; it is on the disk when this returns."""
    fresh = folder / (NAME + ".new")
    with fresh.open("wb") as file:
        file.write(msgspec.json.encode(kept))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / NAME)


def lines_of(desk: Desk, changes: Iterable[Change]) -> list[Line]:
    """Changes as the journal has them."""
    return [
        Line(
            time_s=change.time_s,
            id=desk.ids[change.alarm],
            what=change.what,
            actor=change.actor,
            reason=(desk.ids[int(change.reason)] if change.what == "suppressed" else change.reason),
            reading=_or_none(change.reading),
        )
        for change in changes
    ]


def append(folder: Path, lines: Iterable[Line]) -> None:
    """Add to the journal."""
    by_file: dict[str, bytes] = {}
    for line in lines:
        month = datetime.fromtimestamp(line.time_s, UTC).strftime("alarms-%Y-%m.jsonl")
        by_file[month] = by_file.get(month, b"") + msgspec.json.encode(line) + b"\n"
    for name, text in by_file.items():
        with (folder / name).open("ab") as file:
            file.write(text)


def journal(folder: Path, from_s: float, until_s: float = math.inf) -> list[Line]:
    """Lines of ``[from_s, until_s)`` in order; one that a crash has torn is left out."""
    found: list[Line] = []
    first = datetime.fromtimestamp(max(from_s, 0.0), UTC).strftime("alarms-%Y-%m.jsonl")
    for path in sorted(folder.glob("alarms-*.jsonl")):
        if path.name < first:
            continue
        for text in path.read_bytes().splitlines():
            try:
                line = msgspec.json.decode(text, type=Line)
            except msgspec.DecodeError:
                continue
            if from_s <= line.time_s < until_s:
                found.append(line)
    return found


def changes_of(desk: Desk, lines: Iterable[Line]) -> list[Change]:
    """The journal as the figures need it; alarms that the site no longer has are left out."""
    return [
        Change(
            time_s=line.time_s,
            alarm=desk.row_of[line.id],
            what=line.what,
            actor=line.actor,
            reason=line.reason,
            reading=math.nan if line.reading is None else line.reading,
        )
        for line in lines
        if line.id in desk.row_of
    ]


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
