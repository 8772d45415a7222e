"""What a device does wrong becomes quality and events, delays nobody else, and heals by itself."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mallee.core.arrays import FloatArray
from mallee.core.device_model import PointSpec
from mallee.core.errors import DeviceError, Malformed, Refused, Rejected, Unreachable
from mallee.core.identity import Identity
from mallee.core.snapshot import Progress, Quality
from mallee.runtime import link as link_module
from mallee.runtime.board import Board
from mallee.runtime.collector import make_links, watch_commands
from mallee.runtime.drivers_of import Connection
from mallee.runtime.link import Link
from mallee.runtime.notices import MANY, Notices
from mallee.site.model import SiteModel

POLL_S = 0.01


class FakeDriver:
    """A device in memory: its points can be set, it follows writes, and can be told to fail."""

    def __init__(self, points: tuple[PointSpec, ...]) -> None:
        self.points = points
        self.values = np.array([60.0 if p.name == "frequency_hz" else 1.0 for p in points])
        self.fault: DeviceError | Exception | None = None
        self.delay_s = 0.0
        self.follows = True
        self.identity = Identity()
        self.remarks: tuple[str, ...] = ()
        self.reads = 0
        self.written: list[tuple[str, float, float]] = []
        self.at_once = self.at_once_max = 0

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""

    async def read(self) -> FloatArray:
        self.reads += 1
        await asyncio.sleep(self.delay_s)
        if self.fault is not None:
            raise self.fault
        return self.values.copy()

    async def identify(self) -> Identity:
        return self.identity

    async def write(self, point: str, value: float, lease_s: float) -> None:
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        await asyncio.sleep(0.002)
        self.at_once -= 1
        if self.fault is not None:
            raise self.fault
        self.written.append((point, value, lease_s))
        if self.follows:
            self.values[[p.name for p in self.points].index(point)] = value


class Bench:
    """The site's battery and meter behind fake drivers, collected in a background task."""

    def __init__(self, site: SiteModel, path: Path) -> None:
        self.site, self.board = site, Board.create(path / "board", site)
        self.drivers: dict[str, FakeDriver] = {}
        self.connections = [self._connection(kind) for kind in ("meter", "battery")]
        self.notices = Notices(self.board)
        self.events = self.board.event_reader()
        self.kinds: list[str] = []

    def _connection(self, kind: str) -> Connection:
        group = next(g for g in self.site.groups if g.kind == kind)
        driver = self.drivers[kind] = FakeDriver(tuple(group.model.point))
        settable = [p.name for p in group.model.point if p.access == "readwrite"]
        rows = [group.row(0, name) for name in settable]
        return Connection(
            device=group.names[0],
            protocol="sunspec",
            driver=driver,
            first_row=group.first_row,
            names=group.model.index,
            poll_s=POLL_S,
            timeout_s=0.01,
            read_back_rows=dict(zip(rows, rows, strict=True)),
        )

    def row(self, kind: str, point: str) -> int:
        return next(g for g in self.site.groups if g.kind == kind).row(0, point)

    def quality(self, kind: str) -> set[int]:
        group = next(g for g in self.site.groups if g.kind == kind)
        here = slice(group.first_row, group.first_row + group.stride)
        return set(self.board.snapshot(0.0).quality[here].tolist())

    def progress(self, row: int) -> Progress:
        return Progress(int(self.board.snapshot(0.0).progress[row]))

    def saw(self, kind: str, count: int = 1) -> bool:
        self.notices.flush()
        self.kinds += [event.kind for event in self.events.read().events]
        return self.kinds.count(kind) >= count

    def run(self, story: Callable[["Bench"], "asyncio.Future[None] | object"]) -> None:
        """Collect while `story`, a coroutine function, goes on."""

        async def play() -> None:
            links = make_links(self.site, self.board, self.connections, self.notices)
            work = [asyncio.create_task(link.run()) for link in links]
            work.append(asyncio.create_task(watch_commands(self.site, self.board, links)))
            try:
                await story(self)  # type: ignore[misc]
            finally:
                for task in work:
                    task.cancel()
                results = await asyncio.gather(*work, return_exceptions=True)
            assert [r for r in results if not isinstance(r, asyncio.CancelledError)] == []

        asyncio.run(play())


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that must happen."""
    async with asyncio.timeout(10.0):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.002)


@pytest.fixture
def bench(site: SiteModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(link_module, "LOST_AFTER_S", 0.03)
    monkeypatch.setattr(link_module, "START_GRACE_S", 0.0)
    monkeypatch.setattr(link_module, "REFUSED_PAUSE_S", 0.03)
    monkeypatch.setattr(link_module, "WRITE_RETRY_S", 0.01)
    monkeypatch.setattr("mallee.core.read_back.GRACE_MIN_S", 0.05)
    return Bench(site, tmp_path)


FAULTS = [
    (Unreachable("no answer in 0.5 s"), Quality.STALE),
    (Malformed("not Modbus", b"\xff\xff"), Quality.BAD),
    (Refused("login denied"), Quality.REFUSED),
    (ZeroDivisionError("a bug in a driver"), Quality.BAD),
]


@pytest.mark.parametrize(("fault", "quality"), FAULTS, ids=lambda f: type(f).__name__)
def test_a_fault_is_a_quality_and_one_event_each_way(
    bench: Bench, fault: Exception, quality: Quality
) -> None:
    async def story(bench: Bench) -> None:
        meter = bench.drivers["meter"]
        await until(lambda: bench.quality("meter") == {Quality.GOOD})
        meter.fault = fault
        await until(lambda: bench.quality("meter") == {quality})
        await until(lambda: bench.saw("device-lost"))
        assert bench.board.snapshot(0.0).value(bench.row("meter", "import_w")) == 1.0
        assert bench.quality("battery") == {Quality.GOOD}
        meter.fault = None
        await until(lambda: bench.quality("meter") == {Quality.GOOD})
        await until(lambda: bench.saw("device-back"))
        assert [bench.kinds.count(kind) for kind in ("device-lost", "device-back")] == [1, 1]

    bench.run(story)


def test_another_device_behind_the_address_is_told_and_not_believed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "IDENTIFY_EVERY_S", 0.02)
    monkeypatch.setattr(link_module, "IDENTIFY_AGAIN_S", 0.02)
    wanted = {"sunspec_model": "Meter 9*"}
    bench.connections[1] = replace(bench.connections[1], identity=wanted)
    battery = bench.drivers["battery"]
    battery.identity = Identity(model="meter 900")

    async def story(bench: Bench) -> None:
        row = bench.row("battery", "charge_set_w")
        await until(lambda: bench.quality("battery") == {Quality.GOOD})
        battery.identity = Identity(manufacturer="Acme", model="Kettle", serial="7")
        await until(lambda: bench.quality("battery") == {Quality.BAD})
        assert bench.quality("meter") == {Quality.GOOD}
        bench.board.command(np.array([row]), 5.0, lease_s=0.0, time_s=0.0)
        await until(lambda: bench.progress(row) == Progress.REJECTED)
        assert battery.written == []
        assert bench.saw("device-mistaken")
        battery.identity = Identity(model="Meter 99")
        await until(lambda: bench.quality("battery") == {Quality.GOOD})
        await until(lambda: bench.saw("device-recognised"))
        assert bench.kinds.count("device-mistaken") == 1

    bench.run(story)


def test_a_slow_device_is_its_own_problem(bench: Bench) -> None:
    async def story(bench: Bench) -> None:
        bench.drivers["battery"].delay_s = 30.0
        await until(lambda: bench.drivers["meter"].reads >= 20)
        assert bench.drivers["battery"].reads == 1
        assert bench.quality("meter") == {Quality.GOOD}
        assert bench.quality("battery") == {Quality.NEVER}

    bench.run(story)


def test_missing_and_impossible_values_are_bad_and_keep_the_last_good_one(bench: Bench) -> None:
    async def story(bench: Bench) -> None:
        row, other = bench.row("meter", "import_w"), bench.row("meter", "voltage_v")
        index = bench.connections[0].names["import_w"]
        values = bench.drivers["meter"].values
        for wrong in (math.nan, 5e9, -math.inf):
            values[index] = 250e3
            await until(lambda: bench.board.snapshot(0.0).quality[row] == Quality.GOOD)
            values[index] = wrong
            await until(lambda: bench.board.snapshot(0.0).quality[row] == Quality.BAD)
            snapshot = bench.board.snapshot(0.0)
            assert snapshot.value(row) == 250e3
            assert snapshot.quality[other] == Quality.GOOD
        assert bench.saw("reading-implausible")
        assert bench.kinds.count("reading-implausible") == 1

    bench.run(story)


def test_commands_are_written_in_order_one_at_a_time_and_proven_by_a_reading(bench: Bench) -> None:
    async def story(bench: Bench) -> None:
        await until(lambda: bench.quality("battery") == {Quality.GOOD})
        names = ["filter_import_max_w", "filter_ramp_up_w_per_s", "mode"]
        rows = np.array([bench.row("battery", name) for name in names])
        bench.board.command(rows, [588e3, 950.0, 2.0], lease_s=60.0, time_s=time.monotonic())
        await until(lambda: all(bench.progress(row) == Progress.DONE for row in rows.tolist()))
        battery = bench.drivers["battery"]
        assert [name for name, _, _ in battery.written] == names
        assert all(50.0 < lease_s <= 60.0 for _, _, lease_s in battery.written)
        assert battery.at_once_max == 1

    bench.run(story)


def test_a_command_that_readings_do_not_show_is_lost_until_they_do(bench: Bench) -> None:
    async def story(bench: Bench) -> None:
        battery, row = bench.drivers["battery"], bench.row("battery", "charge_set_w")
        battery.follows = False
        bench.board.command(np.array([row]), 5e5, lease_s=0.0, time_s=time.monotonic())
        await until(lambda: bench.progress(row) == Progress.LOST)
        assert bench.saw("command-lost")
        bench.board.command(np.array([row]), 5e5, lease_s=0.0, time_s=time.monotonic())
        await until(lambda: len(battery.written) == 2 and bench.progress(row) == Progress.LOST)
        battery.values[bench.connections[1].names["charge_set_w"]] = 5e5 * 1.009
        await until(lambda: bench.progress(row) == Progress.DONE)
        bench.saw("command-lost")
        assert bench.kinds.count("command-lost") == 1

    bench.run(story)


def test_a_declined_command_is_rejected_and_said_once(bench: Bench) -> None:
    async def story(bench: Bench) -> None:
        battery, row = bench.drivers["battery"], bench.row("battery", "charge_set_w")
        battery.fault = Rejected("charge_set_w: 9e9 is outside -1.9e6..1.9e6")
        for _ in range(2):
            bench.board.command(np.array([row]), 9e9, lease_s=5.0, time_s=time.monotonic())
            await until(lambda: bench.progress(row) == Progress.REJECTED)
        bench.saw("command-rejected")
        assert bench.kinds.count("command-rejected") == 1

    bench.run(story)


def test_a_command_waits_for_a_lost_device_but_not_beyond_its_lease(bench: Bench) -> None:
    async def story(bench: Bench) -> None:
        battery, row = bench.drivers["battery"], bench.row("battery", "charge_set_w")
        battery.fault = Unreachable("gone")
        bench.board.command(np.array([row]), 1e5, lease_s=0.05, time_s=time.monotonic())
        await until(lambda: bench.progress(row) == Progress.LOST)
        bench.board.command(np.array([row]), 2e5, lease_s=60.0, time_s=time.monotonic())
        await until(lambda: bench.progress(row) == Progress.SENT)
        battery.fault = None
        await until(lambda: bench.progress(row) == Progress.DONE)
        assert [value for _, value, _ in battery.written] == [2e5]

    bench.run(story)


def test_a_new_collector_takes_up_what_the_old_one_left(bench: Bench) -> None:
    rows = np.array([bench.row("battery", name) for name in ("mode", "filter_time_s")])
    numbers = bench.board.command(rows, [2.0, 20.0], lease_s=0.0, time_s=time.monotonic())
    bench.board.set_progress(rows[:1], numbers[:1], Progress.DONE)
    bench.board.set_progress(rows[1:], numbers[1:], Progress.SENT)

    async def story(bench: Bench) -> None:
        await until(lambda: bench.progress(int(rows[1])) == Progress.DONE)
        assert [name for name, _, _ in bench.drivers["battery"].written] == ["filter_time_s"]

    bench.run(story)


def test_links_spread_over_their_period(site: SiteModel, tmp_path: Path) -> None:
    bench = Bench(site, tmp_path)
    links: list[Link] = make_links(site, bench.board, bench.connections, bench.notices)
    assert [link.phase_s / POLL_S for link in links] == [0.25, 0.75]


def test_many_devices_lost_at_once_are_one_event(site: SiteModel, tmp_path: Path) -> None:
    board = Board.create(tmp_path / "board", site)
    notices, events = Notices(board), board.event_reader()
    for number in range(MANY):
        notices.lost(f"n{number}", "dcgm: no answer")
        notices.lost(f"n{number}", "redfish: no answer")
    notices.flush()
    assert [event.source for event in events.read().events] == [f"n{n}" for n in range(MANY)]
    notices.flush()
    assert events.read().events == ()
    for number in range(MANY + 1):
        notices.lost(f"n{number}", "dcgm: no answer")
    notices.flush()
    (told,) = events.read().events
    assert told.source == "site"
    assert told.text == f"{MANY + 1} devices stopped answering, among them n0: dcgm: no answer"
