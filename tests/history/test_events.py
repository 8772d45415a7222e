"""Events survive, are found again, and cannot be changed unnoticed."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from mallee.core.event import Event, Severity
from mallee.history import EventStore

OFFSET_S = 1_800_000_000.0


def event(time_s: float, kind: str = "limit-binding", **more: object) -> Event:
    return Event(time_s=time_s, kind=kind, source="meter", text=f"at {time_s}", **more)  # type: ignore[arg-type]


def test_events_come_back_newest_first(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with EventStore(path) as store:
        store.append([event(1.0), event(2.0, numbers={"limit_w": 600e3})], OFFSET_S)
        store.append([event(3.0, "device-lost", severity=Severity.CRITICAL)], OFFSET_S)
        store.append([], OFFSET_S)
    with EventStore(path, read_only=True) as store:
        assert [e.time_utc_s - OFFSET_S for e in store.list()] == [3.0, 2.0, 1.0]
        assert store.list(count_max=2)[1].numbers == {"limit_w": 600e3}
        assert [e.kind for e in store.list(severity_min=Severity.WARNING)] == ["device-lost"]
        assert [e.id for e in store.list(kind="limit*", end_utc_s=OFFSET_S + 2)] == [1]
        assert store.list(source="bess1") == []
        assert store.verify() is None


@pytest.mark.parametrize(
    ("change", "first_broken"),
    [
        ("UPDATE event SET text = 'nothing happened' WHERE id = 2", 2),
        ("DELETE FROM event WHERE id = 2", 3),
        ("UPDATE event SET severity = 0 WHERE id = 3", 3),
    ],
)
def test_a_changed_past_shows(tmp_path: Path, change: str, first_broken: int) -> None:
    path = tmp_path / "events.sqlite"
    with EventStore(path) as store:
        store.append([event(t, severity=Severity.WARNING) for t in (1.0, 2.0, 3.0, 4.0)], OFFSET_S)
    database = sqlite3.connect(path)
    with database:
        database.execute(change)
    database.close()
    with EventStore(path) as store:
        assert store.verify() == first_broken


def test_a_killed_writer_loses_no_event(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    script = (
        "import sys, os, signal; from pathlib import Path\n"
        "from mallee.core.event import Event; from mallee.history import EventStore\n"
        "store = EventStore(Path(sys.argv[1]))\n"
        "for t in range(20): store.append([Event(time_s=t, kind='k', source='s', text='t')], 0.0)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == -9
    with EventStore(path) as store:
        assert len(store.list()) == 20
        assert store.verify() is None


def test_readers_see_events_while_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with EventStore(path) as writer:
        writer.append([event(1.0)], OFFSET_S)
        with EventStore(path, read_only=True) as reader:
            assert len(reader.list()) == 1
            writer.append([event(2.0)], OFFSET_S)
            assert len(reader.list()) == 2
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                reader.append([event(3.0)], OFFSET_S)
