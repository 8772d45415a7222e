"""The control process: a plain loop, ten times a second, nothing beside it.

No event loop, no web server, no database. Cycle k runs at a fixed instant of the monotonic clock.
What an unexpected exception costs: this cycle, an event, and the safe state; the third in a row
ends the process, and the supervisor starts a fresh one.
"""

import gc
import signal
import time
from pathlib import Path

import msgspec
import structlog

from mallee.control import (
    PERIOD_S,
    ControlState,
    Limits,
    cycle,
    initial_state,
    limits_now,
    limits_of,
    safe_commands,
    status_of,
)
from mallee.core.command import Command
from mallee.core.event_kinds import new_event
from mallee.core.request import Request
from mallee.core.snapshot import Snapshot
from mallee.runtime.board import Board
from mallee.runtime.pace import Pace
from mallee.runtime.run_folder import RunFolder, load_run
from mallee.site.model import SiteModel

FAILURES_MAX = 3
STATUS_EVERY_CYCLES = 2
SCHEDULE_EVERY_CYCLES = 10
COLLECT_EVERY_CYCLES = 600
_log = structlog.get_logger()


def main(folder: Path) -> None:
    """Control until told to stop.

    Raises:
        SystemExit: three cycles in a row failed.
    """
    place = RunFolder(folder)
    _, site = load_run(place)
    loop = ControlLoop(site, Board.open(place.board, site))
    signal.signal(signal.SIGTERM, lambda *_: loop.stop())
    # A garbage collection in the middle of a cycle would delay it: `run` has them between two.
    gc.collect()
    gc.freeze()
    gc.disable()
    loop.run()


class ControlLoop:
    """One controller of one site."""

    def __init__(self, site: SiteModel, board: Board) -> None:
        self._board = board
        self._file, self._site_limits = site.file, limits_of(site)
        self._limits: Limits = self._site_limits
        self._state = self._saved_state()
        self._failures = 0
        self._stopped = False

    def stop(self) -> None:
        """End after the cycle under way."""
        self._stopped = True

    def run(self) -> None:
        """Cycle until stopped."""
        _log.info("controlling", cycle=self._state.cycle, mode=self._state.mode)
        pace = Pace(PERIOD_S)
        while not self._stopped:
            now_s = time.monotonic()
            due_s = pace.next_s(now_s)
            if pace.missed:
                self._post_missed(now_s, pace.missed)
            time.sleep(max(0.0, due_s - now_s))
            started_s = time.monotonic()
            self.step(started_s)
            ended_s = time.monotonic()
            self._board.record_cycle(started_s - due_s, ended_s - started_s)
            if self._state.cycle % COLLECT_EVERY_CYCLES == 0:
                gc.collect()

    def step(self, time_s: float) -> None:
        """One cycle: look, decide, command, remember.

        Raises:
            SystemExit: the third in a row that failed.
        """
        snapshot = self._board.snapshot(time_s)
        try:
            if self._state.cycle % SCHEDULE_EVERY_CYCLES == 0:
                self._limits = limits_now(self._site_limits, self._file, time.time())
            plans, requests = self._board.plans().plans, self._board.requests().requests
            state, commands, events = cycle(
                self._state, snapshot, plans, requests, self._limits, time_s
            )
        except Exception as error:  # noqa: BLE001
            # A bug in a decision. The devices' standing values are safe; say so and go there.
            self._fail(error, snapshot, time_s)
            return
        self._failures = 0
        self._send(commands, time_s)
        for event in events:
            self._board.post("control", event)
        self._state = state
        self._remember(time_s, requests)

    def _send(self, commands: list[Command], time_s: float) -> None:
        for command in commands:
            self._board.command(
                command.rows,
                command.values,
                command.lease_s,
                time_s,
                reason=command.reason,
                actor=command.actor,
            )

    def _remember(self, time_s: float, requests: tuple[Request, ...]) -> None:
        self._board.save_state(msgspec.msgpack.encode(self._state))
        if self._state.cycle % STATUS_EVERY_CYCLES == 0:
            status = status_of(self._state, self._limits, time_s, requests)
            self._board.publish_status(status)
        self._board.beat("control", time_s)

    def _fail(self, error: Exception, snapshot: Snapshot, time_s: float) -> None:
        self._failures += 1
        _log.error("cycle failed", failures=self._failures, exc_info=error)
        self._board.post(
            "control",
            new_event(
                "control-failed",
                time_s,
                "control",
                {"failures": float(self._failures)},
                cycle=self._state.cycle,
                error=repr(error),
            ),
        )
        self._send(safe_commands(snapshot, self._limits, "a control cycle failed"), time_s)
        if self._failures >= FAILURES_MAX:
            raise SystemExit(1)

    def _post_missed(self, time_s: float, missed: int) -> None:
        self._board.post(
            "control",
            new_event(
                "cycle-missed",
                time_s,
                "control",
                {"missed": float(missed)},
                missed=missed,
                period_s=PERIOD_S,
            ),
        )

    def _saved_state(self) -> ControlState:
        """Where the last controller stopped; afresh if it kept another kind of state."""
        message = self._board.saved_state()
        if message is None:
            return initial_state()
        try:
            return msgspec.msgpack.decode(message, type=ControlState)
        except msgspec.DecodeError as error:
            _log.warning("saved state cannot be read, starting afresh", error=str(error))
            return initial_state()
