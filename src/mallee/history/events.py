"""Events in SQLite: durable when `append` returns, and chained so that a gap shows.

Whoever changes or removes a stored event breaks the chain from there on; `verify` says where.
"""

import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import msgspec

from mallee.core.event import Event, Severity
from mallee.history.chain import link

_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
  id INTEGER PRIMARY KEY,
  time_utc_s REAL NOT NULL,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  severity INTEGER NOT NULL,
  text TEXT NOT NULL,
  numbers TEXT NOT NULL,
  chain TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS event_by_time ON event (time_utc_s);
"""


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event as history keeps it: with a number and the time of day."""

    id: int
    time_utc_s: float
    kind: str
    source: str
    severity: Severity
    text: str
    numbers: dict[str, float]


class EventStore:
    """Events of one site. One process writes; others may open it `read_only` meanwhile.

    Args:
        path: the database file, usually ``events.sqlite`` in the history folder.
        read_only: never write; the file must exist.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:
        self._guard = threading.Lock()
        if read_only:
            self._database = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False
            )
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        with self._guard:
            self._database.close()

    def append(self, events: Iterable[Event], utc_offset_s: float) -> None:
        """Keep events; they are on the disk when this returns.

        Args:
            events: as control and the runtime make them, with monotonic times.
            utc_offset_s: UTC less the monotonic clock, now.
        """
        with self._guard, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            row = self._database.execute(
                "SELECT chain FROM event ORDER BY id DESC LIMIT 1"
            ).fetchone()
            chain = row[0] if row else ""
            for event in events:
                fields = (
                    event.time_s + utc_offset_s,
                    event.kind,
                    event.source,
                    int(event.severity),
                    event.text,
                    msgspec.json.encode(event.numbers, order="sorted").decode(),
                )
                chain = link(chain, fields)
                self._database.execute(
                    "INSERT INTO event (time_utc_s, kind, source, severity, text, numbers, chain) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (*fields, chain),
                )

    def list(
        self,
        start_utc_s: float = 0.0,
        end_utc_s: float = float("inf"),
        *,
        kind: str = "",
        source: str = "",
        severity_min: Severity = Severity.INFO,
        count_max: int = 1000,
    ) -> list[StoredEvent]:
        """Events of ``[start, end)``, newest first; `kind` and `source` may end in ``*``."""
        query = (
            "SELECT id, time_utc_s, kind, source, severity, text, numbers FROM event "
            "WHERE time_utc_s >= ? AND time_utc_s < ? AND severity >= ? "
            "AND kind GLOB ? AND source GLOB ? ORDER BY time_utc_s DESC, id DESC LIMIT ?"
        )
        bounds = (start_utc_s, end_utc_s, int(severity_min), kind or "*", source or "*", count_max)
        with self._guard:
            rows = self._database.execute(query, bounds).fetchall()
        return [
            StoredEvent(
                id=row[0],
                time_utc_s=row[1],
                kind=row[2],
                source=row[3],
                severity=Severity(row[4]),
                text=row[5],
                numbers=msgspec.json.decode(row[6], type=dict[str, float]),
            )
            for row in rows
        ]

    def verify(self) -> int | None:
        """Number of the first event that does not fit the chain, or None if all do."""
        chain, expected = "", 1
        with self._guard:
            rows = self._database.execute(
                "SELECT id, time_utc_s, kind, source, severity, text, numbers, chain "
                "FROM event ORDER BY id"
            ).fetchall()
        for number, *fields, stored in rows:
            chain = link(chain, tuple(fields))
            if number != expected or chain != stored:
                return int(number)
            expected += 1
        return None
