"""The desk of a site: what it says, selects, reaches, and what it keeps over a restart."""

from pathlib import Path

import numpy as np
import pytest

from mallee.alarms import UNTIL_OVER, Desk, first_out, hidden_by
from mallee.alarms.keeping import (
    NAME,
    append,
    changes_of,
    journal,
    kept_of,
    lines_of,
    load,
    save,
    take_up,
)
from mallee.core.event import Event
from mallee.core.event_kinds import new_event
from mallee.core.snapshot import Quality, Snapshot
from tests.alarms.given import SITE, Watched

LEAK, HOT = "coolant-leak@pod1/cdu1", "die-hot@pod1/r1/n01"


class Seen:
    """A desk over readings that a test sets."""

    def __init__(self) -> None:
        self.desk, self.world = Desk(SITE), Watched()
        self.time_s = 1_000_000.0

    def go_on(self, seconds: int, *events: Event) -> None:
        told = list(events)
        for _ in range(seconds):
            self.time_s += 1.0
            snapshot = Snapshot(
                time_s=self.time_s,
                values=self.world.values,
                times_s=np.full(SITE.point_count, self.time_s),
                quality=self.world.quality,
                progress=np.zeros(SITE.point_count, np.uint8),
            )
            self.desk.look(snapshot, told, self.time_s)
            told = []

    def sounding(self) -> list[str]:
        return [self.desk.ids[row] for row in np.flatnonzero(self.desk.state.annunciated)]


@pytest.fixture
def seen() -> Seen:
    return Seen()


def test_an_alarm_says_which_point_was_beyond_what(seen: Seen) -> None:
    seen.world.read("pod1/r1/n01/gpu2_temp_degc", 93.0)
    seen.go_on(7)
    assert seen.sounding() == [HOT]
    assert seen.desk.said[seen.desk.row_of[HOT]] == "gpu2_temp_degc read 93, above 87."
    seen.go_on(1, new_event("breaker-trip", 0.0, "q-ev1", why="opened on overload"))
    row = seen.desk.row_of["breaker-open@q-ev1"]
    assert seen.desk.said[row] == "q-ev1 opened on overload."


def test_a_rack_whose_nodes_answer_and_draw_nothing_is_dark(seen: Seen) -> None:
    """The field's case: controllers live on, every badge stays grey."""
    for row in SITE.rows("node", "power_w").tolist():
        if SITE.point_path(row).startswith("pod1/r1/"):
            seen.world.values[row] = 0.0
    seen.go_on(20)
    assert seen.sounding() == ["rack-dark@pod1/r1"]
    node = seen.desk.row_of["node-off@pod1/r1/n01"]
    assert hidden_by(seen.desk.state, node) == "suppressed"
    one = Seen()
    one.world.read("pod1/r1/n01/power_w", 0.0)
    one.go_on(20)
    assert one.sounding() == ["node-off@pod1/r1/n01"], "one node is no rack"


def test_an_accelerator_that_left_its_bus_and_an_exporter_that_died(seen: Seen) -> None:
    seen.world.read("pod1/r1/n01/gpu1_power_w", 0.0)
    group = next(SITE.groups_of("node"))
    dcgm = [p.name for p in group.model.point if p.protocol == "dcgm"]
    rows = [SITE.find_point(f"pod1/r2/n02/{name}") for name in dcgm]
    seen.world.quality[[row for row in rows if row is not None]] = Quality.STALE
    seen.go_on(20)
    assert sorted(seen.sounding()) == [
        "accelerator-lost@pod1/r1/n01",
        "exporter-silent@pod1/r2/n02",
    ]


def test_alarms_are_chosen_by_name_and_by_place(seen: Seen) -> None:
    desk = seen.desk
    assert desk.select(["node-silent@pod1/r1/*"]) == [
        row for row, one in enumerate(desk.ids) if one.startswith("node-silent@pod1/r1/")
    ]
    assert {desk.ids[row] for row in desk.at("pod1/cdu1")} >= {LEAK, "cdu-silent@pod1/cdu1"}
    assert {desk.ids[row] for row in desk.at("q-pod")} >= {HOT, "breaker-open@q-pod"}
    assert len(desk.at("site")) == len(desk.ids)
    with pytest.raises(ValueError, match="did you mean coolant-leak@pod1/cdu1"):
        desk.select(["coolant-leek@pod1/cdu1"])
    with pytest.raises(ValueError, match="q-pot: no device, rack, pod or branch"):
        desk.at("q-pot")


def test_what_is_out_of_service_is_silent_below_a_whole_branch(seen: Seen) -> None:
    seen.desk.act("take out", seen.desk.at("q-pod"), seen.time_s, "anna", reason="new busbar")
    seen.world.lose("pod1/")
    seen.go_on(40, new_event("breaker-trip", 0.0, "q-pod", why="was opened"))
    assert seen.sounding() == []
    seen.desk.act("put back", seen.desk.at("q-pod"), seen.time_s, "anna")
    seen.go_on(10)
    assert seen.sounding() == ["pod-dark@pod1"]


def test_a_restart_forgets_nothing(seen: Seen, tmp_path: Path) -> None:
    seen.world.read("pod1/cdu1/leak_count", 1.0)
    seen.world.read("pod1/r1/n01/gpu2_temp_degc", 93.0)
    seen.go_on(7, new_event("safe-state", 0.0, "control", why="No meter."))
    leak, hot = seen.desk.row_of[LEAK], seen.desk.row_of[HOT]
    seen.desk.act("acknowledge", [leak], seen.time_s, "anna")
    seen.desk.act("shelve", [hot], seen.time_s, "ben", reason="known", for_s=UNTIL_OVER)
    seen.desk.note(leak, seen.time_s, "anna", "Bucket is below it.")
    save(tmp_path, kept_of(seen.desk, session=7))

    kept = load(tmp_path)
    assert kept is not None
    later = Seen()
    later.world, later.time_s = seen.world, seen.time_s
    take_up(later.desk, kept, session=7)
    before, after = seen.desk.state, later.desk.state
    for name in ("active", "acked", "latched", "out", "cause", "shelved_until_s", "raised_s"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name), name)
    assert later.desk.notes == seen.desk.notes
    assert later.desk.said == seen.desk.said
    assert first_out(after) == first_out(before)
    later.go_on(60)
    assert "safe-state@site" in later.sounding()
    assert later.desk.hidden_why[hot].text == "known"


def test_what_another_board_told_is_over_and_an_unreadable_file_is_none(
    seen: Seen, tmp_path: Path
) -> None:
    seen.go_on(7, new_event("safe-state", 0.0, "control", why="No meter."))
    kept = kept_of(seen.desk, session=7)
    later = Seen()
    take_up(later.desk, kept, session=8)
    later.time_s = seen.time_s
    later.go_on(12)
    row = later.desk.row_of["safe-state@site"]
    assert not later.desk.state.active[row]
    assert later.desk.state.annunciated[row], "nobody has seen it yet"
    assert load(tmp_path) is None
    (tmp_path / NAME).write_text("{")
    assert load(tmp_path) is None


def test_the_journal_is_read_back_and_a_torn_line_left_out(seen: Seen, tmp_path: Path) -> None:
    seen.world.lose("pod1/r1/")
    changes = []
    for _ in range(30):
        seen.time_s += 1.0
        snapshot = Snapshot(
            time_s=seen.time_s,
            values=seen.world.values,
            times_s=np.full(SITE.point_count, seen.time_s),
            quality=seen.world.quality,
            progress=np.zeros(SITE.point_count, np.uint8),
        )
        changes += seen.desk.look(snapshot, [], seen.time_s)
    append(tmp_path, lines_of(seen.desk, changes))
    (file,) = tmp_path.glob("alarms-*.jsonl")
    with file.open("ab") as torn:
        torn.write(b'{"time_s":1000')
    lines = journal(tmp_path, 0.0)
    assert len(changes_of(seen.desk, lines)) == len(changes) > 10
    assert {line.reason for line in lines if line.what == "suppressed"} == {"rack-dark@pod1/r1"}
    assert journal(tmp_path, seen.time_s + 1.0) == []
