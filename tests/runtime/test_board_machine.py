"""The board against a plain model of it: any calls in any order, by processes that come and go.

Two mappings of one file play the processes: one writes, the other reads, and now and then either is
mapped anew, as after a restart.
"""

import itertools
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mallee.catalogue import load_site
from mallee.core.plan import Plan, PlanStep
from mallee.core.request import Request
from mallee.core.snapshot import Progress, Quality
from mallee.runtime.board import Board
from mallee.runtime.roles import COLLECTORS_MAX, PROCESSES

SITE = load_site(Path(__file__).parents[2] / "examples/sites/charging-site.toml")
POINTS = 8
"""As many rows as the machine writes: few, so that calls meet."""

ROWS = st.lists(st.integers(0, POINTS - 1), min_size=1, max_size=POINTS, unique=True).map(np.array)
VALUES = st.floats(-1e6, 1e6)
TIMES = st.integers(0, 1000).map(float)
QUALITIES = st.sampled_from([Quality.STALE, Quality.BAD, Quality.REFUSED])
OUTCOMES = st.sampled_from([Progress.SENT, Progress.DONE, Progress.REJECTED, Progress.LOST])


class BoardMachine(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "board"
        self.writer = Board.create(self.path, SITE)
        self.reader = Board.open(self.path, SITE)
        self.values: dict[int, float] = {}
        self.times_s: dict[int, float] = {}
        self.quality: dict[int, Quality] = {}
        self.commands: dict[int, tuple[int, float, str, str]] = {}
        self.handled: dict[int, tuple[int, Progress]] = {}
        self.log: list[tuple[int, int, float, str]] = []
        self.outcomes: dict[int, list[tuple[int, int, Progress]]] = {}
        self.read_up_to, self.outcomes_read = 0, dict[int, int]()
        self.seen_log: list[tuple[int, int, float, str]] = []
        self.plans: tuple[Plan, ...] = ()
        self.requests: tuple[Request, ...] = ()
        self.generations = itertools.count(1)
        self.beats: dict[str, float] = {}

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @rule(shard=st.integers(0, COLLECTORS_MAX - 1))
    def the_writer_restarts(self, shard: int) -> None:
        self.writer = Board.open(self.path, SITE, shard)
        self.shard = shard

    @rule()
    def the_reader_restarts(self) -> None:
        self.reader = Board.open(self.path, SITE)

    @rule(rows=ROWS, value=VALUES, time_s=TIMES)
    def readings_come(self, rows: Any, value: float, time_s: float) -> None:
        self.writer.write_readings(rows, value, Quality.GOOD, time_s)
        for row in rows.tolist():
            self.values[row], self.times_s[row] = value, time_s
            self.quality[row] = Quality.GOOD

    @rule(rows=ROWS, quality=QUALITIES)
    def quality_changes(self, rows: Any, quality: Quality) -> None:
        if quality == Quality.REFUSED:
            self.writer.refuse(rows)
        else:
            self.writer.mark(rows, quality)
        for row in rows.tolist():
            was_read = row in self.times_s
            self.quality[row] = quality if was_read or quality == Quality.REFUSED else Quality.NEVER

    @rule(
        rows=ROWS,
        value=VALUES,
        time_s=TIMES,
        why=st.sampled_from(["limit", "ramp", "a test"]),
        actor=st.sampled_from(["control", "anna"]),
    )
    def control_commands(
        self, rows: Any, value: float, time_s: float, why: str, actor: str
    ) -> None:
        numbers = self.writer.command(rows, value, 30.0, time_s, reason=why, actor=actor)
        for row, number in zip(rows.tolist(), numbers.tolist(), strict=True):
            self.commands[row] = (number, value, why, actor)
            self.log.append((number, row, value, why))

    @rule(row=st.integers(0, POINTS - 1), progress=OUTCOMES, reading=VALUES, time_s=TIMES)
    def something_comes_of_it(
        self, row: int, progress: Progress, reading: float, time_s: float
    ) -> None:
        if row not in self.commands:
            return
        number = self.commands[row][0]
        self.writer.set_progress(np.array([row]), number, progress, readings=reading, time_s=time_s)
        self.handled[row] = (number, progress)
        shard = getattr(self, "shard", 0)
        self.outcomes.setdefault(shard, []).append((number, row, progress))

    @rule(aims=st.lists(st.floats(1.0, 1e6), max_size=3))
    def plans_come(self, aims: list[float]) -> None:
        self.plans = tuple(
            Plan(
                source=f"plan {place}",
                generation=place,
                made_s=0.0,
                valid_until_s=math.inf,
                steps=(PlanStep(from_s=0.0, until_s=60.0, import_target_w=target_w),),
            )
            for place, target_w in enumerate(aims)
        )
        self.plan_generation = next(self.generations)
        self.writer.publish_plans(self.plans, self.plan_generation)

    @rule(highs=st.lists(st.floats(0.0, 1e6), max_size=3))
    def requests_come(self, highs: list[float]) -> None:
        self.requests = tuple(
            Request(
                id=f"r{place}",
                origin="grid",
                actor="utility",
                reason="demand response",
                subject="grid",
                high=high,
                from_s=0.0,
                until_s=60.0,
            )
            for place, high in enumerate(highs)
        )
        self.request_generation = next(self.generations)
        self.writer.publish_requests(self.requests, self.request_generation)

    @rule(process=st.sampled_from(PROCESSES), time_s=TIMES)
    def a_process_lives(self, process: str, time_s: float) -> None:
        self.writer.beat(process, time_s)
        self.beats[process] = time_s

    @rule()
    def the_audit_reads(self) -> None:
        batch = self.reader.commands_since(self.read_up_to)
        assert batch.missed == 0
        for number, row, value, _, _, why in batch.records.tolist():
            self.seen_log.append((number, row, value, self.reader.reason(why).text))
        self.read_up_to += len(batch.records)
        assert self.seen_log == self.log
        for shard, came in self.reader.outcomes_since(self.outcomes_read).items():
            known = self.outcomes[shard][self.outcomes_read.get(shard, 0) :]
            records = came.records
            assert [
                (number, row, Progress(progress))
                for _, number, row, _, _, progress in records.tolist()
            ] == known
            self.outcomes_read[shard] = len(self.outcomes[shard])
        assert self.reader.outcomes_since(self.outcomes_read) == {}

    @invariant()
    def readers_see_what_was_written(self) -> None:
        if not hasattr(self, "reader"):
            return
        snapshot = self.reader.snapshot(0.0)
        commands = self.reader.commands()
        for row in range(POINTS):
            assert snapshot.values[row] == self.values.get(row, math.nan) or (
                row not in self.values and math.isnan(snapshot.values[row])
            )
            assert snapshot.times_s[row] == self.times_s.get(row, -math.inf)
            assert snapshot.quality[row] == self.quality.get(row, Quality.NEVER)
            number, value, why, actor = self.commands.get(row, (0, math.nan, "", ""))
            assert commands.numbers[row] == number
            assert commands.values[row] == value or math.isnan(value)
            reason = self.reader.reason(int(commands.reasons[row]))
            assert (reason.actor, reason.text) == (actor, why)
            handled, progress = self.handled.get(row, (0, Progress.NONE))
            assert snapshot.progress[row] == (Progress.SENT if number > handled else progress)
        assert not np.isfinite(snapshot.values[POINTS:]).any(), "nothing else was touched"
        plans, requests = self.reader.plans(), self.reader.requests()
        assert plans.plans == self.plans
        assert plans.generation == getattr(self, "plan_generation", 0)
        assert requests.requests == self.requests
        assert requests.generation == getattr(self, "request_generation", 0)
        for process in PROCESSES:
            assert self.reader.heartbeat(process)[1] == self.beats.get(process, -math.inf)


TestBoardMachine = BoardMachine.TestCase
TestBoardMachine.settings = settings(max_examples=15, stateful_step_count=25)
