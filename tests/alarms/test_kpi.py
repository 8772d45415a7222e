"""Figures of the alarm system against journals counted by hand."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.alarms import acknowledge, is_flood, kpis
from mallee.alarms.kpi import FLOOD_BEGINS, FLOOD_ENDS, WINDOW_S, annunciations, floods
from mallee.alarms.state import Change
from tests.alarms.given import Watched

TIMES = st.lists(st.floats(0.0, 5000.0), max_size=60).map(sorted)


def count_at(times_s: list[float], time_s: float) -> int:
    return sum(time_s - WINDOW_S < one <= time_s for one in times_s)


@given(TIMES)
def test_a_flood_begins_above_ten_and_ends_below_five(times_s: list[float]) -> None:
    found = floods(times_s)
    assert all(begin_s < end_s for begin_s, end_s in found)
    for begin_s, end_s in found:
        assert count_at(times_s, begin_s) >= FLOOD_BEGINS
        assert count_at(times_s, end_s + 1e-6) <= FLOOD_ENDS
    for (_, end_s), (begin_s, _) in pairwise(found):
        assert end_s <= begin_s
    for time_s in times_s:
        if count_at(times_s, time_s) > FLOOD_BEGINS + 1:
            assert any(begin_s <= time_s < end_s for begin_s, end_s in found)
    if not found:
        assert max((count_at(times_s, one) for one in times_s), default=0) <= FLOOD_BEGINS


def test_ten_in_ten_minutes_are_no_flood_and_eleven_are() -> None:
    ten = [float(10 * n) for n in range(10)]
    assert floods(ten) == []
    assert floods([*ten, 100.0]) == [(100.0, 60.0 + WINDOW_S)]
    assert is_flood([*ten, 100.0], 100.0)
    assert not is_flood([*ten, 100.0], 60.0 + WINDOW_S)


def test_only_what_sounded_counts() -> None:
    journal = [
        Change(time_s=1.0, alarm=0, what="raised"),
        Change(time_s=1.0, alarm=1, what="raised"),
        Change(time_s=1.0, alarm=1, what="suppressed", reason="0"),
        Change(time_s=2.0, alarm=0, what="returned"),
        Change(time_s=70.0, alarm=1, what="released"),
    ]
    assert annunciations(journal) == [(1.0, 0), (70.0, 1)]


def test_the_figures_of_an_hour() -> None:
    watched = Watched()
    hot = watched.row("die-hot", "pod1/r1/n01")
    for _ in range(2):
        watched.read("pod1/r1/n01/gpu0_temp_degc", 95.0)
        watched.go_on(10.0)
        watched.state, seen = acknowledge(watched.state, [hot], watched.time_s, "anna")
        watched.journal += seen
        watched.read("pod1/r1/n01/gpu0_temp_degc", 50.0)
        watched.go_on(50.0)
    watched.read("pod1/cdu1/leak_count", 1.0)
    watched.go_on(3480.0, by_s=60.0)
    found = kpis(
        watched.journal, watched.state, watched.alarms.instances, from_s=0.0, until_s=3600.0
    )
    assert found.annunciated == 3
    assert found.per_10min == pytest.approx(0.5)
    assert found.flood_frac == 0.0
    assert found.top_frac == 1.0
    assert found.chattering == ()
    assert found.stale == ()
    assert found.priorities == {1: pytest.approx(1 / 3), 3: pytest.approx(2 / 3)}
    assert found.ack_p50_s == pytest.approx(4.0)


def test_chatter_and_stale_alarms_are_named() -> None:
    watched = Watched()
    row = watched.row("command-lost", "ev1")
    for _ in range(3):
        watched.go_on(10.0, ("command-lost", "ev1"))
    watched.read("pod1/cdu1/leak_count", 1.0)
    watched.go_on(1.0)
    found = kpis(
        watched.journal, watched.state, watched.alarms.instances, from_s=0.0, until_s=100_000.0
    )
    assert found.chattering == (row,)
    assert found.stale == (watched.row("coolant-leak", "pod1/cdu1"),)
    assert math.isnan(found.ack_p50_s)
