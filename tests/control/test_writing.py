"""Which limits are written and when: only what differs, leases in time, in whose name."""

from dataclasses import replace

import numpy as np
import pytest
from msgspec.structs import replace as struct_replace

from mallee.control.bounds import Bounds, Reason
from mallee.control.reconcile import (
    CHARGER_LEASE_S,
    CHARGER_RENEW_CYCLES,
    load_commands,
    wanted_w,
)
from mallee.core.command import CONTROL, Command
from tests.control.scene_of import capacity, ratings, scene_of
from tests.control.site_view import SiteView

SITE = SiteView().site
NODE_W, CHARGER_W = 6667.0, 1e6


@pytest.fixture
def view() -> SiteView:
    view = SiteView(SITE)
    view.set(import_w=200e3)
    return view


def written(
    view: SiteView, wanted: dict[int, float], *, renew: bool = False, bounds: Bounds | None = None
) -> list[Command]:
    """Commands where some loads should get another limit than they report."""
    scene = scene_of(view)
    values = view.values[view.limits.budget.loads.limit_rows].copy()
    for load, value in wanted.items():
        values[load] = value
    return load_commands(
        scene, scene.snapshot, values, bounds or ratings(scene), renew=renew, text="a test"
    )


def rows(view: SiteView, commands: list[Command]) -> list[int]:
    """Positions of the loads that are written to."""
    where = view.limits.budget.loads.limit_rows.tolist()
    return [where.index(row) for command in commands for row in command.rows.tolist()]


def test_what_is_as_it_should_be_is_not_written(view: SiteView) -> None:
    assert written(view, {}) == []


def test_a_cap_is_written_when_it_is_one_per_cent_off_either_way(view: SiteView) -> None:
    for value, expected in (
        (NODE_W * 0.991, []), (NODE_W * 0.989, [5]), (NODE_W * 1.009, []), (NODE_W * 1.011, [5]),
    ):  # fmt: skip
        assert rows(view, written(view, {5: value})) == expected


def test_a_charger_is_lowered_for_one_per_cent_and_raised_for_five(view: SiteView) -> None:
    view.values[view.limits.budget.loads.limit_rows[0]] = 500e3
    for value, expected in (
        (491e3, []), (489e3, [0]), (549e3, []), (551e3, [0]),
    ):  # fmt: skip
        assert rows(view, written(view, {0: value})) == expected


def test_leases_of_chargers_are_renewed_in_time_for_two_to_be_lost(view: SiteView) -> None:
    """C5: every ten seconds for thirty; nodes have no timer and are left alone."""
    assert CHARGER_RENEW_CYCLES * 0.1 * 3 <= CHARGER_LEASE_S
    commands = written(view, {}, renew=True)
    assert rows(view, commands) == [0, 1]
    assert [command.lease_s for command in commands] == [30.0]


def test_what_cannot_be_read_is_written_where_a_lease_would_end(view: SiteView) -> None:
    """A charger gets its limit blindly; a node's cap stands and is written once it can be read."""
    view.values[view.limits.budget.loads.limit_rows[[0, 5]]] = np.nan
    assert rows(view, written(view, {0: CHARGER_W, 5: 3000.0})) == [0]


def test_nodes_and_chargers_have_their_own_leases(view: SiteView) -> None:
    commands = written(view, {0: 300e3, 5: 3000.0, 6: 3000.0})
    assert [(rows(view, [c]), c.lease_s) for c in commands] == [([0], 30.0), ([5, 6], 0.0)]
    assert {c.actor for c in commands} == {CONTROL}
    assert {c.reason for c in commands} == {"a test"}


def test_one_command_in_the_name_of_each_who_asked(view: SiteView) -> None:
    scene = scene_of(view)
    where = np.zeros(38, bool)
    where[5] = True
    bounds = ratings(scene).at_most(
        np.full(38, 3000.0), Reason("request", "r1", "anna", "works"), where
    )
    commands = written(view, {5: 3000.0, 6: 2500.0}, bounds=bounds)
    found = {(c.actor, c.reason): rows(view, [c]) for c in commands}
    assert found == {("anna", "works"): [5], (CONTROL, "a test"): [6]}


# Limits that may stay


def kept(view: SiteView, high_w: list[float], grid_w: float, room_w: float = 1e9) -> list[float]:
    scene = scene_of(view)
    scene = replace(
        scene,
        capacity_w=capacity(scene, grid=grid_w),
        state=struct_replace(scene.state, charger_room_w=room_w),
    )
    narrow = np.full(38, NODE_W)
    narrow[:2] = high_w
    bounds = ratings(scene).at_most(narrow, Reason("test", "here"))
    return [float(value) for value in wanted_w(scene, bounds)[:2]]


def test_a_higher_limit_stays_where_everything_fits(view: SiteView) -> None:
    """Set points wear: 500 kW stay although 400 would be enough for what is wanted."""
    view.values[view.limits.budget.loads.limit_rows[:2]] = 500e3, 20e3
    nodes_w = 36 * NODE_W / 0.94
    assert kept(view, [400e3, 20e3], nodes_w + 521e3) == [500e3, 20e3]
    assert kept(view, [400e3, 20e3], nodes_w + 519e3) == [400e3, 20e3]
    assert kept(view, [400e3, 20e3], 1e9, room_w=519e3) == [400e3, 20e3]
    assert kept(view, [600e3, 20e3], 1e9) == [600e3, 20e3]


def test_but_not_where_another_car_waits_for_it(view: SiteView) -> None:
    view.set(import_w=300e3, chargers_w=(0.0, 19e3))
    view.values[view.limits.budget.loads.limit_rows[:2]] = 500e3, 20e3
    assert kept(view, [400e3, 120e3], 1e9) == [500e3, 120e3], "it gets its own all the same"
    assert kept(view, [400e3, 120e3], 1e9, room_w=600e3) == [400e3, 120e3]
