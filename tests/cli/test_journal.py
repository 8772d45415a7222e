"""`mallee events` and `mallee audit`: what happened and what was done, for people and programs."""

import json
import time
from pathlib import Path

import pytest

from mallee.cli import run
from mallee.core.audit import Outcome, Write
from mallee.core.event_kinds import new_event
from mallee.core.snapshot import Progress
from mallee.history import AuditStore, EventStore

PATH = "pod1/r1/n01/cap_w"


@pytest.fixture
def data(tmp_path: Path) -> str:
    """A data folder with two events and two commands, an hour and a minute old."""
    now_s = time.time()
    history = tmp_path / "history"
    with EventStore(history / "events.sqlite") as store:
        store.append([new_event("cycle-missed", -3600.0, "control", missed=2, period_s=0.1)], now_s)
        store.append([new_event("device-lost", -60.0, "bess1", why="no answer")], now_s)
    with AuditStore(history / "audit.sqlite") as audit:
        writes = [
            Write(
                number=number,
                time_s=time_s,
                path=PATH,
                value=value,
                lease_s=0.0,
                reason="the battery is empty",
                actor="control",
            )
            for number, time_s, value in ((1, -3600.0, 5000.0), (2, -60.0, 4000.0))
        ]
        done = Outcome(number=2, time_s=-59.0, path=PATH, progress=Progress.LOST, reading=5000.0)
        audit.append(writes, [done], now_s)
    return str(tmp_path)


def test_events_are_listed_newest_first_and_filtered(
    data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["events", "--data", data]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "device-lost" in lines[1]
    assert "bess1: no answer" in lines[1]
    assert "cycle-missed" in lines[2]
    assert run(["events", "--data", data, "--last", "10m", "--json"]) == 0
    (event,) = json.loads(capsys.readouterr().out)
    assert (event["kind"], event["severity"]) == ("device-lost", "warning")
    assert run(["events", "--data", data, "--kind", "cycle*", "--severity", "critical"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_the_audit_says_what_by_whom_why_and_what_came_of_it(
    data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", "--data", data]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[2:7] == [PATH, "4000", "control", "lost", "5000"]
    assert lines[1].endswith("the battery is empty")
    assert run(["audit", "pod1/*", "--data", data, "--last", "10m", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["value"], row["outcome"], row["reading"]) == (4000.0, "lost", 5000.0)
    assert run(["audit", "--verify", "--data", data]) == 0
    assert "whole" in capsys.readouterr().out


def test_where_nothing_was_kept_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", "--data", str(tmp_path)]) == 2
    assert "does not exist yet; start the site" in capsys.readouterr().err
