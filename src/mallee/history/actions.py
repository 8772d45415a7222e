"""Actions in SQLite: who did what and why, and what became of it.

Two tables that only grow, chained as the audit's are: actions, and what became of them. They stand
in the audit's own file, and `AuditStore.verify` goes over them too.
"""

import math
import sqlite3
import threading
from pathlib import Path
from typing import Self

import msgspec

from mallee.history.chain import Fields, link

SCHEMA = """
CREATE TABLE IF NOT EXISTS action (
  id INTEGER PRIMARY KEY,
  time_utc_s REAL NOT NULL,
  request TEXT NOT NULL,
  name TEXT NOT NULL,
  form TEXT NOT NULL,
  actor TEXT NOT NULL,
  role TEXT NOT NULL,
  via TEXT NOT NULL,
  reason TEXT NOT NULL,
  chain TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS became (
  id INTEGER PRIMARY KEY,
  time_utc_s REAL NOT NULL,
  request TEXT NOT NULL,
  state TEXT NOT NULL,
  text TEXT NOT NULL,
  chain TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS became_by_request ON became (request, id);
"""
COLUMNS = {
    "action": "time_utc_s, request, name, form, actor, role, via, reason",
    "became": "time_utc_s, request, state, text",
}
_LIST = """
SELECT a.time_utc_s, a.request, a.name, a.form, a.actor, a.role, a.via, a.reason,
       b.state, b.time_utc_s, b.text
FROM action a LEFT JOIN became b ON b.id = (SELECT max(id) FROM became WHERE request = a.request)
WHERE a.time_utc_s >= ? ORDER BY a.id DESC LIMIT ?
"""


class StoredAction(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did.

    Attributes:
        request: number of the request that it filed, or its own where it filed none.
        name, form: which action, and what was given, as JSON.
        actor, role, via: who, as what, and from where: `page`, `token`, `local`.
        state, state_utc_s, text: what became of it last; empty while nothing is known.
    """

    time_utc_s: float
    request: str
    name: str
    form: str
    actor: str
    role: str
    via: str
    reason: str
    state: str = ""
    state_utc_s: float | None = None
    text: str = ""


class ActionStore:
    """The actions of one site. One process writes; others may open it `read_only` meanwhile.

    Args:
        path: the audit's database file.
        read_only: never write; the file must exist.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:
        self._guard = threading.Lock()
        if read_only:
            uri = f"{path.absolute().as_uri()}?mode=ro"
            self._database = sqlite3.connect(uri, uri=True, check_same_thread=False)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(
            path, check_same_thread=False, isolation_level=None, timeout=10.0
        )
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        with self._guard:
            self._database.close()

    def add(self, action: StoredAction) -> None:
        """Keep an action; it is on the disk when this returns."""
        self._insert(
            "action",
            (
                action.time_utc_s,
                action.request,
                action.name,
                action.form,
                action.actor,
                action.role,
                action.via,
                action.reason,
            ),
        )

    @property
    def count(self) -> int:
        """How many actions there are."""
        with self._guard:
            return int(self._database.execute("SELECT count(*) FROM action").fetchone()[0])

    def became(self, time_utc_s: float, request: str, state: str, text: str) -> None:
        """Keep what became of one."""
        self._insert("became", (time_utc_s, request, state, text))

    def list(self, start_utc_s: float = -math.inf, count_max: int = 1000) -> list[StoredAction]:
        """Actions since a time, newest first."""
        with self._guard:
            rows = self._database.execute(_LIST, (start_utc_s, count_max)).fetchall()
        return [
            StoredAction(
                **dict(zip(StoredAction.__struct_fields__[:8], row[:8], strict=True)),
                state=row[8] or "",
                state_utc_s=row[9],
                text=row[10] or "",
            )
            for row in rows
        ]

    def _insert(self, table: str, fields: Fields) -> None:
        with self._guard, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            last = self._database.execute(
                f"SELECT chain FROM {table} ORDER BY id DESC LIMIT 1"
            ).fetchone()
            chain = link(last[0] if last else "", fields)
            places = ", ".join("?" * (len(fields) + 1))
            self._database.execute(
                f"INSERT INTO {table} ({COLUMNS[table]}, chain) VALUES ({places})",
                (*fields, chain),
            )
