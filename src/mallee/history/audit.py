"""The audit in SQLite: every value that was commanded, why, by whom, and what came of it.

Two tables that only grow, each chained as events are: writes, and outcomes of writes. Renewals of a
lease are no rows; `core.audit` says what is.
"""

import math
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import msgspec

from mallee.core.audit import Ledger, Outcome, Standing, Write
from mallee.core.snapshot import Progress
from mallee.history import actions
from mallee.history.chain import Fields, link

_SCHEMA = """
CREATE TABLE IF NOT EXISTS write (
  id INTEGER PRIMARY KEY,
  time_utc_s REAL NOT NULL,
  path TEXT NOT NULL,
  value REAL NOT NULL,
  lease_s REAL NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  session INTEGER NOT NULL,
  number INTEGER NOT NULL,
  chain TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS write_by_time ON write (time_utc_s);
CREATE INDEX IF NOT EXISTS write_by_path ON write (path, id);
CREATE TABLE IF NOT EXISTS outcome (
  id INTEGER PRIMARY KEY,
  write_id INTEGER NOT NULL,
  time_utc_s REAL NOT NULL,
  progress INTEGER NOT NULL,
  reading REAL,
  chain TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS outcome_by_write ON outcome (write_id, id);
"""
_COLUMNS = {
    "write": "time_utc_s, path, value, lease_s, reason, actor, session, number",
    "outcome": "write_id, time_utc_s, progress, reading",
}
_LAST = """
SELECT w.path, w.id, w.session, w.number, w.value, w.actor, o.progress
FROM write w LEFT JOIN outcome o ON o.id = (SELECT max(id) FROM outcome WHERE write_id = w.id)
WHERE w.id IN (SELECT max(id) FROM write GROUP BY path)
"""
_LIST = """
SELECT w.id, w.time_utc_s, w.path, w.value, w.lease_s, w.reason, w.actor,
       o.progress, o.time_utc_s, o.reading
FROM write w LEFT JOIN outcome o ON o.id = (SELECT max(id) FROM outcome WHERE write_id = w.id)
WHERE w.time_utc_s >= ? AND w.time_utc_s < ? AND w.path GLOB ? AND w.actor GLOB ?
ORDER BY w.time_utc_s DESC, w.id DESC LIMIT ?
"""


class StoredWrite(msgspec.Struct, frozen=True, kw_only=True):
    """A value that was commanded, and what is known of it.

    Attributes:
        outcome: ``none`` while nothing is known, else ``sent``, ``done``, ``rejected``, ``lost``.
        outcome_utc_s: when that became known; None while nothing is.
        reading: what was read back; None where nothing was.
    """

    id: int
    time_utc_s: float
    path: str
    value: float
    lease_s: float
    reason: str
    actor: str
    outcome: str
    outcome_utc_s: float | None
    reading: float | None


class AuditStore:
    """The audit of one site. One process writes; others may open it `read_only` meanwhile.

    Args:
        path: the database file, usually ``audit.sqlite`` in the history folder.
        session: of the board whose writes are appended; numbers of another session mean nothing.
        read_only: never write; the file must exist.
    """

    def __init__(self, path: Path, session: int = 0, read_only: bool = False) -> None:
        self._guard, self._session = threading.Lock(), session
        if read_only:
            self._database = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False
            )
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA + actions.SCHEMA)
        self._ledger = self._known()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        with self._guard:
            self._database.close()

    def append(
        self, writes: Iterable[Write], outcomes: Iterable[Outcome], utc_offset_s: float
    ) -> None:
        """Keep what is new; it is on the disk when this returns.

        Args:
            writes, outcomes: each in the order in which they came.
            utc_offset_s: UTC less the monotonic clock, now.
        """
        # A write before what came of it, even where both have the same time.
        told: list[Write | Outcome] = [*writes, *outcomes]
        told.sort(key=lambda one: (one.time_s, isinstance(one, Outcome), one.number))
        with self._guard, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            for one in told:
                if isinstance(one, Outcome):
                    self._add_outcome(one, utc_offset_s)
                elif self._ledger.is_new(one):
                    self._add_write(one, utc_offset_s)

    def list(
        self,
        start_utc_s: float = 0.0,
        end_utc_s: float = math.inf,
        *,
        path: str = "",
        actor: str = "",
        count_max: int = 1000,
    ) -> list[StoredWrite]:
        """Writes of ``[start, end)``, newest first; `path` and `actor` may hold ``*``."""
        bounds = (start_utc_s, end_utc_s, path or "*", actor or "*", count_max)
        with self._guard:
            rows = self._database.execute(_LIST, bounds).fetchall()
        return [
            StoredWrite(
                id=row[0],
                time_utc_s=row[1],
                path=row[2],
                value=row[3],
                lease_s=row[4],
                reason=row[5],
                actor=row[6],
                outcome=Progress(row[7] or 0).name.lower(),
                outcome_utc_s=row[8],
                reading=row[9],
            )
            for row in rows
        ]

    def verify(self) -> tuple[str, int] | None:
        """Table and number of the first record that does not fit its chain, or None if all do."""
        with self._guard:
            known = self._database.execute("SELECT name FROM sqlite_master").fetchall()
        there = {name for (name,) in known}
        for table, columns in {**_COLUMNS, **actions.COLUMNS}.items():
            if table not in there:
                continue  # an audit of before there were actions
            chain, expected = "", 1
            with self._guard:
                rows = self._database.execute(
                    f"SELECT id, {columns}, chain FROM {table} ORDER BY id"
                ).fetchall()
            for number, *fields, stored in rows:
                chain = link(chain, tuple(fields))
                if number != expected or chain != stored:
                    return table, int(number)
                expected += 1
        return None

    def _add_write(self, write: Write, utc_offset_s: float) -> None:
        key = self._insert(
            "write",
            (
                write.time_s + utc_offset_s,
                write.path,
                write.value,
                write.lease_s,
                write.reason,
                write.actor,
                self._session,
                write.number,
            ),
        )
        self._ledger.record(write, key)

    def _add_outcome(self, outcome: Outcome, utc_offset_s: float) -> None:
        key = self._ledger.key_of(outcome)
        if key is None:
            return
        reading = None if math.isnan(outcome.reading) else outcome.reading
        time_utc_s = outcome.time_s + utc_offset_s
        self._insert("outcome", (key, time_utc_s, int(outcome.progress), reading))

    def _insert(self, table: str, fields: Fields) -> int:
        last = self._database.execute(
            f"SELECT chain FROM {table} ORDER BY id DESC LIMIT 1"
        ).fetchone()
        chain = link(last[0] if last else "", fields)
        places = ", ".join("?" * (len(fields) + 1))
        done = self._database.execute(
            f"INSERT INTO {table} ({_COLUMNS[table]}, chain) VALUES ({places})", (*fields, chain)
        )
        return int(done.lastrowid or 0)

    def _known(self) -> Ledger:
        """What was recorded last of each point, by this board or an earlier one."""
        return Ledger(
            {
                path: Standing(
                    key=key,
                    number=number if session == self._session else 0,
                    value=value,
                    actor=actor,
                    progress=Progress(progress or 0),
                )
                for path, key, session, number, value, actor, progress in self._database.execute(
                    _LAST
                )
            }
        )
