"""The board: what is written is what is read, by anyone, at any time, whoever was killed."""

import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.catalogue.read import load_models
from mallee.core.errors import ConfigError
from mallee.core.event import Event, Severity
from mallee.core.snapshot import Progress, Quality
from mallee.core.status import ControlStatus
from mallee.runtime.board import Board
from mallee.runtime.board_layout import TIMINGS
from mallee.runtime.event_ring import SLOTS, EventRing
from mallee.runtime.seqlock import Blob, Sequence
from mallee.site.build import build_site
from mallee.site.model import SiteModel

STATUS = ControlStatus(
    time_s=1.0,
    mode="auto",
    binding="none",
    acting="bess1 ramp filter",
    text="",
    import_in_force_w=600e3,
    import_target_w=3e5,
    charge_bias_w=0.0,
    chargers_max_w=2e6,
    nodes_max_w=2.4e5,
)
COMMANDS = -1
WRITER = Path(__file__).with_name("board_writer.py")


@pytest.fixture
def board(tmp_path: Path, site: SiteModel) -> Board:
    return Board.create(tmp_path / "board", site)


def status(cycle: int) -> ControlStatus:
    return msgspec.structs.replace(STATUS, cycle=cycle, text="x" * (cycle % 700))


def test_a_new_board_knows_nothing(board: Board, site: SiteModel) -> None:
    snapshot = board.snapshot(5.0)
    assert snapshot.values.shape == (site.point_count,)
    assert np.isnan(snapshot.values).all()
    assert (snapshot.quality == Quality.NEVER).all()
    assert (snapshot.progress == Progress.NONE).all()
    assert board.status() is None
    assert board.saved_state() is None
    assert board.heartbeat("control") == (0, -np.inf)
    assert board.event_reader().read().events == ()


def test_readings_reach_other_mappings_of_the_file(
    board: Board, site: SiteModel, tmp_path: Path
) -> None:
    rows = np.array([3, 7])
    board.write_readings(rows, [1.5, 2.5], Quality.GOOD, 10.0)
    other = Board.open(tmp_path / "board", site)
    assert other.session == board.session
    snapshot = other.snapshot(10.2)
    assert snapshot.values[rows].tolist() == [1.5, 2.5]
    assert snapshot.is_fresh(3, 0.25)
    assert not snapshot.is_fresh(4, 0.25)


def test_a_mark_keeps_value_and_time_and_what_was_never_read(board: Board) -> None:
    board.write_readings(np.array([1]), 4.0, Quality.GOOD, 10.0)
    board.mark(np.array([1, 2]), Quality.STALE)
    snapshot = board.snapshot(11.0)
    assert (snapshot.value(1), snapshot.times_s[1]) == (4.0, 10.0)
    assert snapshot.quality[1] == Quality.STALE
    assert snapshot.quality[2] == Quality.NEVER
    board.refuse(np.array([2]))
    assert board.snapshot(11.0).quality[2] == Quality.REFUSED


def test_a_command_is_sent_until_its_own_number_is_handled(board: Board) -> None:
    rows = np.array([5, 6])
    first = board.command(rows, [10.0, 20.0], lease_s=30.0, time_s=1.0)
    assert (board.snapshot(1.0).progress[rows] == Progress.SENT).all()
    board.set_progress(rows, first, Progress.DONE)
    assert (board.snapshot(1.0).progress[rows] == Progress.DONE).all()
    second = board.command(rows[:1], 11.0, lease_s=30.0, time_s=2.0)
    assert board.snapshot(2.0).progress[rows].tolist() == [Progress.SENT, Progress.DONE]
    commands = board.commands()
    assert commands.numbers[rows].tolist() == [second[0], first[1]]
    assert commands.values[rows].tolist() == [11.0, 20.0]
    assert commands.times_s[rows].tolist() == [2.0, 1.0]
    assert board.command_count == second[0] == 3
    assert board.handled()[rows].tolist() == first.tolist()


def test_status_and_state_are_the_last_ones_written(board: Board) -> None:
    for cycle in range(5):
        board.publish_status(status(cycle))
        board.save_state(bytes([cycle]) * cycle)
    assert board.status() == status(4)
    assert board.saved_state() == b"\x04" * 4
    with pytest.raises(ValueError, match="has room for"):
        board.save_state(b"x" * 10_000_000)
    assert board.saved_state() == b"\x04" * 4


def test_timing_keeps_the_last_cycles(board: Board) -> None:
    assert board.timing().count == 0
    for cycle in range(TIMINGS + 3):
        board.record_cycle(late_s=float(cycle), compute_s=2.0)
    timing = board.timing()
    assert timing.count == TIMINGS + 3
    assert timing.late_s[[0, -1]].tolist() == [3.0, TIMINGS + 2]
    assert (timing.compute_s == 2.0).all()


def event(number: int, kind: str = "test") -> Event:
    return Event(
        time_s=float(number),
        kind=kind,
        source="meter",
        text=f"event {number}",
        severity=Severity.WARNING,
        numbers={"number": float(number)},
    )


def test_events_come_in_order_of_time_and_only_once(board: Board) -> None:
    reader = board.event_reader()
    board.post("control", event(2))
    board.post("collect", event(1))
    assert reader.read().events == (event(1), event(2))
    assert reader.read().events == ()
    board.post("control", event(3))
    later = board.event_reader(reader.positions)
    assert later.read().events == (event(3),)


def test_a_slow_reader_learns_how_many_events_it_missed(board: Board) -> None:
    reader = board.event_reader()
    for number in range(SLOTS + 100):
        board.post("control", event(number))
    batch = reader.read(count_max=10 * SLOTS)
    assert batch.missed + len(batch.events) == SLOTS + 100
    assert batch.missed >= 100
    assert batch.events[-1] == event(SLOTS + 99)


@given(text=st.text(max_size=3000), source=st.text(max_size=200), count=st.integers(0, 40))
def test_any_event_fits_its_slot(text: str, source: str, count: int) -> None:
    ring = EventRing(
        np.zeros(1, np.int64), np.zeros((SLOTS, 3), np.int64), np.zeros((SLOTS, 1024), np.uint8)
    )
    long = Event(
        time_s=1.0, kind="k" * 30, source=source, text=text,
        numbers={f"number {n}": 1.0 for n in range(count)},
    )  # fmt: skip
    ring.post(long)
    got = ring.get(1)
    assert got is not None
    assert text.startswith(got.text.removesuffix("..."))
    assert got == long or len(msgspec.msgpack.encode(long)) > 1024


def test_a_board_of_another_site_is_refused(site: SiteModel, tmp_path: Path) -> None:
    Board.create(tmp_path / "board", site)
    pod = site.file.pod[0]
    smaller = msgspec.structs.replace(site.file, pod=[msgspec.structs.replace(pod, rack=[])])
    with pytest.raises(ConfigError, match="laid out for another site model"):
        Board.open(tmp_path / "board", build_site(smaller, load_models()))
    (tmp_path / "junk").write_bytes(b"not a board")
    with pytest.raises(ConfigError, match="no board of this version"):
        Board.open(tmp_path / "junk", site)
    with pytest.raises(ConfigError, match="mallee up"):
        Board.open(tmp_path / "absent", site)


@given(st.lists(st.binary(max_size=64), min_size=1, max_size=8), st.binary(max_size=64))
@settings(max_examples=50)
def test_a_writer_killed_half_way_leaves_the_message_before(
    messages: list[bytes], half: bytes
) -> None:
    head, sizes = np.zeros(1, np.int64), np.zeros((2, 2), np.int64)
    slots = np.zeros((2, 64), np.uint8)
    blob = Blob(head, sizes, slots)
    for message in messages:
        blob.write(message)
    other = (len(messages) + 1) % 2
    slots[other, : len(half)] = np.frombuffer(half, np.uint8)
    sizes[other] = (len(half), 0)
    assert blob.read() == messages[-1]


def test_a_sequence_left_odd_is_readable_and_taken_over() -> None:
    word = np.zeros(1, np.int64)
    Sequence(word).begin()
    assert Sequence(word).read(lambda: 7) == 7
    after = Sequence(word)
    after.begin()
    assert word[0] % 2 == 1
    after.end()
    assert word[0] % 2 == 0


def check_intent(board: Board, position: dict[int, int]) -> None:
    """Plans, commands with their reasons, and outcomes, as `board_writer` makes them."""
    planned = board.plans()
    assert len(planned.plans) == planned.generation % 3
    for plan in planned.plans:
        assert plan.generation == planned.generation == plan.steps[0].from_s
        assert len(plan.steps[0].reason) == planned.generation % 300
    told = board.commands_since(position[COMMANDS])
    position[COMMANDS] += len(told.records) + told.missed
    assert (told.records["value"] == told.records["lease_s"]).all()
    assert (told.records["value"] == told.records["time_s"]).all()
    for record in told.records[-1:]:
        reason = board.reason(int(record["reason"]))
        assert reason.text in (f"{record['value']:.0f}", "")
        assert reason.actor == reason.text
    came = board.outcomes_since(position).get(0)
    if came is not None:
        position[0] = position.get(0, 0) + len(came.records) + came.missed
        assert (came.records["reading"] == came.records["time_s"]).all()
        assert (came.records["progress"] == came.records["reading"] % 5).all()


def test_no_reader_ever_sees_half_of_a_write(
    board: Board, site: SiteModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Patient enough for a writer that a busy machine takes off the processor in mid-write.
    monkeypatch.setattr("mallee.runtime.seqlock.TRIES_MAX", 100_000)
    rows = np.arange(0, site.point_count, 3)
    board.write_readings(rows, 0.0, 0, 0.0)
    events = board.event_reader()
    writer = [sys.executable, str(WRITER), str(tmp_path / "board"), "1.0"]
    process = subprocess.Popen(writer)
    seen: set[float] = set()
    last_cycle, last_event, missed = 0, 0, 0
    position = {COMMANDS: 0}
    try:
        while process.poll() is None:
            snapshot = board.snapshot(0.0)
            values = snapshot.values[rows]
            assert (values == values[0]).all()
            assert (snapshot.times_s[rows] == values[0]).all()
            assert (snapshot.quality[rows] == values[0] % 5).all()
            seen.add(float(values[0]))
            commands = board.commands()
            assert (np.diff(commands.numbers[rows]) == (commands.numbers[0] > 0)).all()
            assert (
                commands.numbers[0] == 0 or (commands.values[rows] == commands.leases_s[rows]).all()
            )
            check_intent(board, position)
            said = board.status()
            if said is not None:
                assert len(said.text) == said.cycle % 700
                assert said.cycle >= last_cycle
                last_cycle = said.cycle
            batch = events.read()
            missed += batch.missed
            for one in batch.events:
                assert len(one.text) == one.time_s % 300
                assert one.time_s > last_event
                last_event = int(one.time_s)
    finally:
        process.wait()
    assert process.returncode == 0
    assert len(seen) > 10
    assert last_event > 10
    assert min(position[COMMANDS], position[0]) > 10 * rows.size
    assert board.heartbeat("control")[0] == process.pid
