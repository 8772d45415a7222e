"""From the board to the audit: every command once, whoever reads it again."""

from pathlib import Path

import numpy as np
import pytest

from mallee.console.commands import CommandReader
from mallee.core.command import HEARTBEAT
from mallee.core.snapshot import Progress
from mallee.history import AuditStore
from mallee.runtime.board import Board
from mallee.site.model import SiteModel


@pytest.fixture
def board(demo_site: SiteModel, tmp_path: Path) -> Board:
    return Board.create(tmp_path / "board", demo_site)


def row_of(site: SiteModel, path: str) -> int:
    row = site.find_point(path)
    assert row is not None
    return row


def test_the_reason_the_actor_and_the_reading_arrive(
    demo_site: SiteModel, board: Board, tmp_path: Path
) -> None:
    row = row_of(demo_site, "ev1/limit_w")
    beat = row_of(demo_site, "bess1/heartbeat_count")
    numbers = board.command(np.array([row]), 150e3, 30.0, 10.0, reason="works at tx1", actor="anna")
    board.command(np.array([beat]), 7.0, 0.0, 10.0, reason=HEARTBEAT)
    board.set_progress(np.array([row]), numbers, Progress.SENT, time_s=10.1)
    board.set_progress(np.array([row]), numbers, Progress.DONE, readings=149.9e3, time_s=11.0)
    reader = CommandReader(demo_site, board, {})
    writes, outcomes = reader.read()
    assert [(one.path, one.value, one.actor, one.reason) for one in writes] == [
        ("ev1/limit_w", 150e3, "anna", "works at tx1")
    ]
    assert [one.progress for one in outcomes] == [Progress.SENT, Progress.DONE]
    assert reader.read() == ([], [])
    again = CommandReader(demo_site, board, reader.positions)
    assert again.read() == ([], [])
    with AuditStore(tmp_path / "audit.sqlite", board.session) as store:
        store.append(writes, outcomes, 0.0)
        (kept,) = store.list()
    assert (kept.outcome, kept.reading) == ("done", 149.9e3)


def test_a_reader_that_was_away_too_long_goes_on_with_what_is_left(
    demo_site: SiteModel, board: Board
) -> None:
    rows = demo_site.rows("node", "cap_w")
    reader = CommandReader(demo_site, board, {})
    for number in range(300):
        board.command(rows, float(number), 0.0, float(number), reason=f"reason {number}")
    writes, _ = reader.read()
    assert writes[-1].value == 299.0
    assert writes[-1].reason == "reason 299"
    assert reader.positions["commands"] == 300 * rows.size == board.command_count
    board.command(rows[:1], 5.0, 0.0, 300.0, reason="one more")
    assert [one.reason for one in reader.read()[0]] == ["one more"]
