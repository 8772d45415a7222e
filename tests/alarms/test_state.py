"""States: every transition that ISA-18.2 knows, and none that it does not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.alarms import (
    ALARMS,
    UNTIL_OVER,
    acknowledge,
    hidden_by,
    put_back,
    reset,
    shelve,
    state_of,
    take_out,
    unshelve,
)
from mallee.alarms.state import Change
from mallee.core.snapshot import Quality
from tests.alarms.given import Watched

HOT = "pod1/r1/n01/gpu0_temp_degc"
DIE, NODE = "die-hot", "pod1/r1/n01"
LEAK = ("coolant-leak", "pod1/cdu1")


def hot(watched: Watched, seconds: float = 6.0) -> int:
    """A die stays above its limit until the alarm has come."""
    watched.read(HOT, 92.0)
    watched.go_on(seconds)
    return watched.row(DIE, NODE)


def test_an_alarm_comes_after_its_delay_and_goes_after_its_other_one() -> None:
    watched = Watched()
    watched.read(HOT, 92.0)
    assert watched.names(watched.go_on(5.0), "raised") == []
    assert watched.names(watched.go_on(1.0), "raised") == [(DIE, NODE)]
    assert watched.journal[-1].reading == 92.0
    watched.read(HOT, 60.0)
    assert watched.names(watched.go_on(30.0), "returned") == []
    assert watched.names(watched.go_on(1.0), "returned") == [(DIE, NODE)]
    assert watched.state_of(DIE, NODE) == "returned unacknowledged"


def test_a_reading_that_is_beyond_for_less_than_the_delay_is_nothing() -> None:
    watched = Watched()
    for _ in range(20):
        watched.read(HOT, 92.0)
        watched.go_on(4.0)
        watched.read(HOT, 60.0)
        watched.go_on(1.0)
    assert watched.journal == []


def test_inside_the_deadband_everything_stays_as_it_is() -> None:
    watched = Watched()
    watched.read(HOT, 85.0)  # above 87 less 5, but never above 87
    watched.go_on(60.0)
    assert watched.journal == []
    hot(watched)
    watched.read(HOT, 84.0)
    watched.go_on(120.0)
    assert watched.state_of(DIE, NODE) == "unacknowledged"


def test_a_reading_that_is_not_good_neither_raises_nor_clears() -> None:
    watched = Watched()
    hot(watched)
    watched.lose(HOT)
    watched.read(HOT.replace("gpu0", "gpu1"), 50.0)
    watched.lose(HOT.replace("n01", "n02"))
    watched.values[:] = np.where(watched.quality > 0, 500.0, watched.values)
    watched.go_on(60.0)
    assert watched.state_of(DIE, NODE) == "unacknowledged"
    assert watched.state_of(DIE, "pod1/r1/n02") == "normal"


def test_the_whole_life_of_an_alarm() -> None:
    watched = Watched()
    row = hot(watched)
    assert watched.annunciated() == [(DIE, NODE)]
    watched.state, changes = acknowledge(watched.state, [row], watched.time_s, "anna")
    assert [(one.what, one.actor) for one in changes] == [("acknowledged", "anna")]
    assert watched.state_of(DIE, NODE) == "acknowledged"
    assert watched.annunciated() == []
    assert acknowledge(watched.state, [row], watched.time_s, "ben")[1] == [], "seen is seen"
    watched.read(HOT, 60.0)
    watched.go_on(31.0)
    assert watched.state_of(DIE, NODE) == "normal"
    hot(watched)
    assert watched.annunciated() == [(DIE, NODE)], "it is new again"


def test_a_latched_alarm_stands_until_it_is_seen_over_and_reset() -> None:
    watched = Watched()
    row = watched.row(*LEAK)
    watched.read("pod1/cdu1/leak_count", 1.0)
    watched.go_on(1.0)
    assert watched.annunciated() == [LEAK]
    watched.state, _ = acknowledge(watched.state, [row], watched.time_s, "anna")
    with pytest.raises(ValueError, match="still holds"):
        reset(watched.state, [row], watched.time_s, "anna")
    watched.read("pod1/cdu1/leak_count", 0.0)
    watched.go_on(1.0)
    assert watched.state_of(*LEAK) == "latched"
    watched.state, changes = reset(watched.state, [row], watched.time_s, "anna")
    assert [one.what for one in changes] == ["reset"]
    assert watched.state_of(*LEAK) == "normal"
    for reading in (1.0, 0.0):
        watched.read("pod1/cdu1/leak_count", reading)
        watched.go_on(1.0)
    watched.state, _ = acknowledge(watched.state, [row], watched.time_s, "anna")
    assert watched.state_of(*LEAK) == "latched"
    watched.read("pod1/cdu1/leak_count", 1.0)
    watched.go_on(1.0)
    watched.read("pod1/cdu1/leak_count", 0.0)
    watched.go_on(1.0)
    assert watched.annunciated() == [LEAK], "it sounds again, though it was latched all the time"
    with pytest.raises(ValueError, match="acknowledge the alarm"):
        reset(watched.state, [row], watched.time_s, "anna")


def test_an_unread_leak_detector_is_not_dry() -> None:
    watched = Watched()
    watched.lose("pod1/cdu1/leak_count", Quality.BAD)
    watched.go_on(31.0)
    assert watched.annunciated() == [("leak-detector-silent", "pod1/cdu1")]


def test_an_event_that_nothing_ends_stands_until_it_is_seen() -> None:
    watched = Watched()
    watched.go_on(1.0, ("command-lost", "ev1"))
    row = watched.row("command-lost", "ev1")
    assert watched.state_of("command-lost", "ev1") == "returned unacknowledged"
    watched.go_on(600.0, by_s=10.0)
    assert watched.annunciated() == [("command-lost", "ev1")]
    watched.state, _ = acknowledge(watched.state, [row], watched.time_s, "anna")
    assert watched.state_of("command-lost", "ev1") == "normal"


def test_an_event_that_another_ends_lasts_until_then() -> None:
    watched = Watched()
    watched.go_on(30.0, ("safe-state", "control"))
    assert watched.annunciated() == [("safe-state", "site")]
    watched.go_on(12.0, ("safe-state-ended", "control"))
    assert watched.state_of("safe-state", "site") == "returned unacknowledged"


# What people do


def test_a_shelf_hides_for_its_time_and_gives_back_by_itself() -> None:
    watched = Watched()
    row = hot(watched)
    watched.state, changes = shelve(
        watched.state, [row], watched.time_s, "anna", reason="sensor is being changed", for_s=900.0
    )
    assert (changes[0].what, changes[0].reason) == ("shelved", "sensor is being changed")
    assert hidden_by(watched.state, row) == "shelved"
    assert watched.annunciated() == []
    watched.go_on(880.0, by_s=20.0)
    watched.go_on(19.0)
    assert watched.annunciated() == []
    assert watched.names(watched.go_on(1.0), "unshelved") == [(DIE, NODE)]
    assert watched.annunciated() == [(DIE, NODE)]


def test_a_shelf_until_the_condition_is_over_ends_with_it() -> None:
    watched = Watched()
    row = hot(watched)
    watched.state, _ = shelve(
        watched.state, [row], watched.time_s, "anna", reason="known", for_s=UNTIL_OVER
    )
    watched.go_on(3600.0, by_s=60.0)
    assert hidden_by(watched.state, row) == "shelved"
    watched.read(HOT, 60.0)
    watched.go_on(31.0)
    assert hidden_by(watched.state, row) == ""


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda s, r: acknowledge(s, [r], 0.0, " "), "who does it"),
        (lambda s, r: shelve(s, [r], 0.0, "anna", reason="", for_s=60.0), "a reason to shelve"),
        (lambda s, r: shelve(s, [r], 0.0, "anna", reason="x", for_s=0.0), "at most 24 h"),
        (
            lambda s, r: shelve(s, [r], 0.0, "anna", reason="x", for_s=86401.0),
            "than 0 and at most 24 h",
        ),
        (
            lambda s, r: shelve(s, [r], 0.0, "anna", reason="x", for_s=float("nan")),
            "more than 0 and at most 24 h",
        ),
        (lambda s, r: shelve(s, [r], 0.0, "anna", reason="x", for_s=UNTIL_OVER), "does not hold"),
        (lambda s, r: take_out(s, [r], 0.0, "anna", reason=" "), "a reason to take"),
    ],
)
def test_what_makes_no_sense_is_refused(act: Callable[[Any, int], Any], message: str) -> None:
    watched = Watched()
    with pytest.raises(ValueError, match=message):
        act(watched.state, watched.row(DIE, NODE))


def test_out_of_service_is_silent_and_back_in_service_is_as_new() -> None:
    watched = Watched()
    row = hot(watched)
    watched.state, _ = take_out(watched.state, [row], watched.time_s, "anna", reason="service")
    assert hidden_by(watched.state, row) == "out of service"
    assert state_of(watched.state, row) == "normal"
    assert watched.go_on(600.0, by_s=10.0) == []
    watched.state, _ = put_back(watched.state, [row], watched.time_s, "anna")
    assert watched.names(watched.go_on(5.0), "raised") == []
    assert watched.names(watched.go_on(1.0), "raised") == [(DIE, NODE)]


# Any order of anything

ACTIONS = st.lists(
    st.sampled_from(
        ["hot", "cool", "lost", "leak", "dry", "told", "ack", "reset", "shelve", "unshelve", "out",
         "in", "wait", "long wait"]
    ),
    max_size=30,
)  # fmt: skip


def do(watched: Watched, action: str, rows: list[int]) -> list[Change]:
    """One thing that may happen; what is refused changes nothing."""
    deeds: dict[str, Callable[[], Any]] = {
        "ack": lambda: acknowledge(watched.state, rows, watched.time_s, "anna"),
        "reset": lambda: reset(watched.state, rows, watched.time_s, "anna"),
        "shelve": lambda: shelve(watched.state, rows, watched.time_s, "a", reason="b", for_s=60.0),
        "unshelve": lambda: unshelve(watched.state, rows, watched.time_s, "anna"),
        "out": lambda: take_out(watched.state, rows, watched.time_s, "anna", reason="service"),
        "in": lambda: put_back(watched.state, rows, watched.time_s, "anna"),
    }
    if action in deeds:
        try:
            watched.state, changes = deeds[action]()
        except ValueError:
            return []
        return list(changes)
    if action in ("hot", "cool"):
        watched.read(HOT, 92.0 if action == "hot" else 50.0)
    elif action == "lost":
        watched.lose(HOT)
    elif action in ("leak", "dry"):
        watched.read("pod1/cdu1/leak_count", float(action == "leak"))
    events = [("command-lost", "ev1")] if action == "told" else []
    return watched.go_on(40.0 if action == "long wait" else 2.0, *events)


@given(ACTIONS)
@settings(max_examples=30)
def test_whatever_happens_the_states_are_those_of_the_standard(actions: list[str]) -> None:
    watched = Watched()
    rows = [watched.row(DIE, NODE), watched.row(*LEAK), watched.row("command-lost", "ev1")]
    latching = np.array([ALARMS[kind.name].latched for kind in watched.alarms.instances.kinds])
    may_latch = latching[watched.alarms.instances.kind]
    for action in actions:
        before = watched.state
        changes = do(watched, action, rows)
        state = watched.state
        assert not (state.latched & ~may_latch).any()
        assert not (state.out & state.stands).any(), "out of service is silent"
        assert not (state.annunciated & (state.hidden | state.acked)).any()
        for one in changes:
            if one.what == "raised":
                assert not state.out[one.alarm]
            if one.what in ("acknowledged", "reset", "shelved"):
                assert one.actor
        # Nobody's alarm goes away unseen: only a person, or service, makes it acknowledged.
        became = state.acked & ~before.acked
        told = {one.alarm for one in changes if one.what in ("acknowledged", "out of service")}
        assert set(np.flatnonzero(became).tolist()) <= told
        # A latch opens by reset or service only.
        opened = before.latched & ~state.latched
        told = {one.alarm for one in changes if one.what in ("reset", "out of service")}
        assert set(np.flatnonzero(opened).tolist()) <= told
