"""The twin's clock: real time, made up for in bounded steps; its state: whole or not there."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from mallee.runtime import twin_process
from mallee.runtime.board import Board
from mallee.runtime.twin_process import (
    AWAY_MAX_S,
    CATCH_UP_MS,
    STEP_MS,
    passing_events,
    run_clock,
)
from mallee.site.model import SiteModel
from mallee.twin.comms import CommsHealth
from mallee.twin.site_twin import SiteTwin


@dataclass
class ClockTwin:
    """Counts the time that it is advanced by."""

    time_ms: int = 0
    advances: list[int] = field(default_factory=list)
    comms: CommsHealth = field(default_factory=lambda: CommsHealth(0))

    def advance(self, duration_ms: int) -> None:
        self.time_ms += duration_ms
        self.advances.append(duration_ms)

    def save(self) -> dict[str, Any]:
        return {"time_ms": np.array(self.time_ms)}

    def restore(self, state: dict[str, Any]) -> None:
        self.time_ms = int(state["time_ms"])


class Stop(Exception):  # noqa: N818 - ends a test's endless loop
    """The story is over."""


def play(twin: ClockTwin, stalls_s: list[float], behind_s: float = 0.0) -> float:
    """Run the clock with a monotonic clock that jumps by each stall; returns the time passed."""
    now_s = [100.0]
    stalls = iter(stalls_s)

    async def sleep(duration_s: float) -> None:
        now_s[0] += duration_s
        if duration_s > 0.0:
            try:
                now_s[0] += next(stalls)
            except StopIteration:
                raise Stop from None

    async def story() -> None:
        await run_clock(cast(SiteTwin, twin), lambda: None, behind_s, lambda: now_s[0], sleep)

    with pytest.raises(Stop):
        asyncio.run(story())
    return now_s[0] - 100.0


def test_the_twin_keeps_step_with_the_clock() -> None:
    twin = ClockTwin()
    passed_s = play(twin, [0.0] * 50)
    assert twin.time_ms == pytest.approx(1000.0 * passed_s, abs=STEP_MS)
    assert set(twin.advances) == {STEP_MS}


def test_stalls_and_absence_are_made_up_for_in_bounded_steps() -> None:
    twin = ClockTwin(time_ms=5000)
    passed_s = play(twin, [0.0, 7.3, 0.0, 0.25, 0.0], behind_s=20.0)
    assert twin.time_ms - 5000 == pytest.approx(1000.0 * (passed_s + 20.0), abs=STEP_MS)
    assert max(twin.advances) == CATCH_UP_MS
    assert all(advance % STEP_MS == 0 for advance in twin.advances)


def test_a_long_sleep_is_left_out() -> None:
    twin = ClockTwin()
    play(twin, [0.0, AWAY_MAX_S + 3600.0, 0.0])
    assert twin.time_ms < 1000.0 * AWAY_MAX_S


def test_a_saved_twin_is_taken_up_only_by_the_run_that_saved_it(
    site: SiteModel, tmp_path: Path
) -> None:
    path = tmp_path / "twin.npz"
    twin = cast(SiteTwin, ClockTwin(time_ms=123_400))
    twin_process.save(twin, path, site, session=1)

    def restored(session: int) -> tuple[int, float]:
        fresh = ClockTwin()
        away_s = twin_process._restore(cast(SiteTwin, fresh), path, site, session)
        return fresh.time_ms, away_s

    time_ms, away_s = restored(1)
    assert time_ms == 123_400
    assert 0.0 <= away_s < AWAY_MAX_S
    assert restored(2) == (0, 0.0)
    path.write_bytes(path.read_bytes()[:100])
    assert restored(1) == (0, 0.0)
    path.unlink()
    assert restored(1) == (0, 0.0)


def test_breakers_of_the_twin_are_told_on_the_board(demo_site: SiteModel, tmp_path: Path) -> None:
    board = Board.create(tmp_path / "board", demo_site)
    twin = SiteTwin(demo_site)
    tell, reader = passing_events(twin, board, lambda: 100.0), board.event_reader()
    pod = demo_site.branch_index("q-pod")
    twin.branches.trip(pod, twin.time_ms)
    twin.advance(100)
    tell()
    twin.branches.reset(pod)
    twin.advance(100)
    tell()
    tell()
    told = [(event.kind, event.source, event.time_s) for event in reader.read().events]
    assert told == [("breaker-opened", "q-pod", 99.9), ("breaker-closed", "q-pod", 100.0)]
