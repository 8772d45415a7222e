"""The audit: every commanded value with its reason, actor and outcome, in a chain that shows."""

import math
import sqlite3
from pathlib import Path

import pytest

from mallee.core.audit import Outcome, Write
from mallee.core.snapshot import Progress
from mallee.history import AuditStore

OFFSET_S = 1_800_000_000.0
PATH = "pod1/r1/n01/cap_w"


def write(number: int, value: float, **changes: object) -> Write:
    fields = {
        "number": number,
        "time_s": float(number),
        "path": PATH,
        "value": value,
        "lease_s": 0.0,
        "reason": "battery energy",
        "actor": "control",
    }
    return Write(**{**fields, **changes})  # type: ignore[arg-type]


def outcome(number: int, progress: Progress, reading: float = math.nan) -> Outcome:
    return Outcome(
        number=number, time_s=number + 0.5, path=PATH, progress=progress, reading=reading
    )


def test_a_command_and_what_came_of_it_are_one_row(tmp_path: Path) -> None:
    path = tmp_path / "audit.sqlite"
    with AuditStore(path, session=5) as store:
        store.append(
            [write(1, 5000.0), write(2, 6000.0, actor="anna", reason="a test")],
            [outcome(1, Progress.SENT), outcome(1, Progress.DONE, 5000.0)],
            OFFSET_S,
        )
        store.append([], [outcome(2, Progress.SENT)], OFFSET_S)
        store.append([], [outcome(2, Progress.LOST, 5000.0)], OFFSET_S)
        store.append([], [], OFFSET_S)
    with AuditStore(path, read_only=True) as store:
        last, first = store.list()
        assert (first.value, first.outcome, first.reading) == (5000.0, "done", 5000.0)
        assert (first.time_utc_s, first.outcome_utc_s) == (OFFSET_S + 1.0, OFFSET_S + 1.5)
        assert (last.actor, last.reason, last.outcome) == ("anna", "a test", "lost")
        assert [one.id for one in store.list(actor="anna")] == [last.id]
        assert [one.id for one in store.list(path="pod1/*", end_utc_s=OFFSET_S + 2)] == [first.id]
        assert store.list(path="bess1/*") == []
        assert store.verify() is None


def test_a_new_console_goes_on_where_the_old_one_was(tmp_path: Path) -> None:
    path = tmp_path / "audit.sqlite"
    with AuditStore(path, session=5) as store:
        store.append([write(1, 5000.0)], [outcome(1, Progress.SENT)], OFFSET_S)
    with AuditStore(path, session=5) as store:  # reads some again: it was killed before it noted
        store.append([write(1, 5000.0)], [outcome(1, Progress.DONE, 5000.0)], OFFSET_S)
        assert [(one.value, one.outcome) for one in store.list()] == [(5000.0, "done")]
    with AuditStore(path, session=6) as store:  # a new board counts from 1 again
        store.append([write(1, 5000.0)], [outcome(1, Progress.LOST, 1.0)], OFFSET_S + 100.0)
        assert [(one.value, one.outcome) for one in store.list()] == [(5000.0, "lost")]
        store.append([write(2, 4000.0)], [], OFFSET_S + 100.0)
        assert [one.value for one in store.list()] == [4000.0, 5000.0]
        assert store.verify() is None


@pytest.mark.parametrize(
    ("change", "first_broken"),
    [
        ("UPDATE write SET actor = 'nobody' WHERE id = 2", ("write", 2)),
        ("DELETE FROM write WHERE id = 2", ("write", 3)),
        ("UPDATE outcome SET progress = 2 WHERE id = 2", ("outcome", 2)),
        ("UPDATE outcome SET reading = NULL WHERE id = 3", ("outcome", 3)),
    ],
)
def test_a_changed_past_shows(tmp_path: Path, change: str, first_broken: tuple[str, int]) -> None:
    path = tmp_path / "audit.sqlite"
    with AuditStore(path) as store:
        for number in (1, 2, 3):
            store.append(
                [write(number, 1000.0 * number)], [outcome(number, Progress.LOST, 7.0)], OFFSET_S
            )
    database = sqlite3.connect(path)
    with database:
        database.execute(change)
    database.close()
    with AuditStore(path) as store:
        assert store.verify() == first_broken
