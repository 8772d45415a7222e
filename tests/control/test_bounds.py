"""Bounds of loads and the guard behind them: who binds, why, and that nothing widens."""

import numpy as np
import pytest

from mallee.control.bounds import NO_REASON, Bounds, Reason
from mallee.control.guard import guard
from mallee.core.command import Command
from tests.control.site_view import SiteView

VIEW = SiteView()
LIMITS = VIEW.limits
HEAT, RAMP = Reason("heat", "loop 1"), Reason("ramp", "contract")


def ratings() -> Bounds:
    return Bounds.of_ratings(np.array([0.0, 1e3, 2e3]), np.array([9e3, 9e3, 9e3]))


def test_ratings_bind_for_no_reason() -> None:
    bounds = ratings()
    assert bounds.by.tolist() == [NO_REASON] * 3
    assert bounds.reason_of(0) is None
    assert not bounds.bound_by("heat").any()


def test_the_last_that_is_narrower_binds_row_by_row() -> None:
    bounds = ratings().at_most(np.array([5e3, 10e3, 5e3]), HEAT)
    assert bounds.high_w.tolist() == [5e3, 9e3, 5e3]
    bounds = bounds.at_most(np.array([6e3, 8e3, 4e3]), RAMP)
    assert bounds.high_w.tolist() == [5e3, 8e3, 4e3]
    assert [bounds.reason_of(row) for row in range(3)] == [HEAT, RAMP, RAMP]
    assert bounds.bound_by("heat").tolist() == [True, False, False]
    assert bounds.bound_by("ramp").tolist() == [False, True, True]


def test_equal_is_not_narrower() -> None:
    """A thousandth of a watt is rounding: who bound first keeps the word."""
    bounds = ratings().at_most(np.full(3, 5e3), HEAT)
    again = bounds.at_most(np.full(3, 5e3 - 0.5e-3), RAMP)
    assert again is bounds
    assert bounds.at_most(np.full(3, 5e3 - 2e-3), RAMP).reason_of(0) == RAMP


def test_nothing_goes_below_what_a_device_can_be_set_to() -> None:
    bounds = ratings().at_most(np.full(3, -5.0), HEAT)
    assert bounds.high_w.tolist() == [0.0, 1e3, 2e3]


def test_only_the_rows_that_are_meant() -> None:
    where = np.array([True, False, True])
    bounds = ratings().at_most(np.full(3, 5e3), HEAT, where)
    assert bounds.high_w.tolist() == [5e3, 9e3, 5e3]
    assert where.tolist() == [True, False, True]
    assert ratings().at_most(np.full(3, 5e3), HEAT, np.zeros(3, bool)).reasons == ()


def test_reasons_by_row_keep_their_place_behind_earlier_ones() -> None:
    branches = (Reason("capacity", "tx1"), Reason("capacity", "q-pod"))
    bounds = ratings().at_most(np.array([5e3, 9e3, 9e3]), HEAT)
    bounds = bounds.at_most_each(np.array([9e3, 5e3, 4e3]), np.array([0, 1, 0]), branches)
    places = [reason.place for reason in map(bounds.reason_of, range(3)) if reason]
    assert places == ["loop 1", "q-pod", "tx1"]


# Guard


def command(path: str, value: float, *more: tuple[str, float]) -> Command:
    paths, values = zip((path, value), *more, strict=True)
    rows = [VIEW.site.find_point(one) for one in paths]
    return Command(rows=np.array(rows), values=np.array(values), lease_s=5.0, reason="a test")


@pytest.mark.parametrize(
    ("path", "asked", "passed"),
    [
        ("bess1/filter_import_max_w", 600e3, 600e3),
        ("bess1/filter_import_max_w", 600e3 + 1.0, 600e3),
        ("bess1/filter_import_min_w", -1.0, 0.0),
        ("bess1/filter_ramp_up_w_per_s", 0.0, 1.0),
        ("bess1/filter_ramp_down_w_per_s", 1e9, 1000.0),
        ("bess1/charge_set_w", -3e6, -1.93e6),
        ("bess1/charge_set_w", 3e6, 1.93e6),
        ("ev1/limit_w", 2e6, 1e6),
        ("ev1/limit_w", -1.0, 0.0),
        ("pod1/r1/n01/cap_w", 100.0, 1927.0),
        ("pod1/r1/n01/cap_w", 7000.0, 6667.0),
    ],
)
def test_values_are_clipped_to_what_a_device_may_be_asked(
    path: str, asked: float, passed: float
) -> None:
    commands, events = guard([command(path, asked)], LIMITS, 7.0)
    assert commands[0].values.tolist() == [passed]
    assert (len(events), commands[0].lease_s) == (int(asked != passed), 5.0)


def test_what_is_no_number_or_no_set_point_never_passes() -> None:
    mixed = command("ev1/limit_w", np.nan, ("meter/import_w", 5.0), ("ev2/limit_w", 2e6))
    commands, events = guard([mixed, command("meter/import_w", 1.0)], LIMITS, 7.0)
    (left,) = commands
    assert left.rows.tolist() == [VIEW.site.find_point("ev2/limit_w")]
    assert left.values.tolist() == [1e6]
    assert [event.kind for event in events] == ["command-clipped"] * 2
    assert events[0].time_s == 7.0
    assert "3" in events[0].text
    assert "1" in events[1].text
