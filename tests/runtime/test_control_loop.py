"""The control process: commands reach the board, state outlives it, a bug means the safe state."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mallee.control import cycle
from mallee.control.safe_state import standing_values
from mallee.core.snapshot import Progress, Quality
from mallee.runtime import control_loop
from mallee.runtime.board import Board
from mallee.runtime.control_loop import FAILURES_MAX, ControlLoop
from mallee.site.model import SiteModel


@pytest.fixture
def board(site: SiteModel, tmp_path: Path) -> Board:
    return Board.create(tmp_path / "board", site)


def see_everything(site: SiteModel, board: Board, time_s: float) -> None:
    """Readings of a quiet site."""
    rows = np.arange(site.point_count)
    board.write_readings(rows, np.zeros(rows.size), Quality.GOOD, time_s)
    for kind, point, value in (
        ("meter", "import_w", 200e3),
        ("battery", "soc", 0.6),
        ("battery", "capacity_wh", 3.85e6),
        ("battery", "charge_available_w", 1.93e6),
        ("battery", "discharge_available_w", 1.93e6),
        ("node", "cap_w", 6667.0),
    ):
        board.write_readings(site.rows(kind, point), value, Quality.GOOD, time_s)


def test_what_control_decides_is_on_the_board(site: SiteModel, board: Board) -> None:
    loop = ControlLoop(site, board)
    for number in range(12):
        see_everything(site, board, number / 10)
        loop.step(number / 10)
    commands = board.commands()
    mode = site.rows("battery", "mode")
    assert commands.values[mode].tolist() == [2.0]
    assert (board.snapshot(1.2).progress[mode] == Progress.SENT).all()
    said = board.status()
    assert said is not None
    assert said.mode == "auto"
    assert board.heartbeat("control")[1] == 1.1


def test_a_new_process_goes_on_where_the_old_one_was_killed(site: SiteModel, board: Board) -> None:
    first = ControlLoop(site, board)
    for number in range(25):
        see_everything(site, board, number / 10)
        first.step(number / 10)
    second = ControlLoop(site, board)
    see_everything(site, board, 2.5)
    second.step(2.5)
    said = board.status()
    assert said is not None
    assert said.cycle == 26
    assert said.mode == "auto"
    assert board.event_reader().read().events == ()


def test_a_state_of_another_version_is_not_taken_over(site: SiteModel, board: Board) -> None:
    board.save_state(b"\x93\x01\x02\x03")
    loop = ControlLoop(site, board)
    loop.step(0.0)
    said = board.status()
    assert said is None or said.cycle <= 1


def test_an_exception_is_the_safe_state_and_the_third_in_a_row_the_end(
    site: SiteModel, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = ControlLoop(site, board)
    events = board.event_reader()
    decide = cycle

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    see_everything(site, board, 0.0)
    for _ in range(2):  # two failures are forgiven by a cycle that works
        monkeypatch.setattr(control_loop, "cycle", broken)
        for _ in range(FAILURES_MAX - 1):
            loop.step(0.0)
        monkeypatch.setattr(control_loop, "cycle", decide)
        loop.step(0.0)
    told = events.read().events
    assert [event.kind for event in told] == ["control-failed"] * 2 * (FAILURES_MAX - 1)
    assert "a bug" in told[0].text

    monkeypatch.setattr(control_loop, "cycle", broken)
    with pytest.raises(SystemExit):
        for _ in range(FAILURES_MAX):
            loop.step(0.1)
    commands = board.commands()
    for row, value in standing_values(site).items():
        assert commands.values[row] == value


def test_the_loop_keeps_time_and_measures_itself(site: SiteModel, board: Board) -> None:
    loop = ControlLoop(site, board)
    count = 5
    step = loop.step

    def step_then_stop(time_s: float) -> None:
        step(time_s)
        if board.timing().count == count - 1:
            loop.stop()

    loop.step = step_then_stop  # type: ignore[method-assign]
    loop.run()
    timing = board.timing()
    assert timing.count == count
    assert (timing.late_s >= 0.0).all()
    assert (timing.compute_s > 0.0).all()


def test_the_control_process_loads_no_server_database_or_compiler() -> None:
    script = "import sys, mallee.runtime.child, mallee.runtime.control_loop; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "mallee.control" in loaded
    assert not loaded & {"aiohttp", "duckdb", "sqlite3", "numba", "uvloop", "mallee.twin"}
