"""Each concern by itself: what it narrows, by how much, and what it says."""

from dataclasses import replace

import numpy as np
import pytest
from msgspec.structs import replace as struct_replace

from mallee.control.bounds import Bounds, Reason
from mallee.control.concerns import capacity as capacities
from mallee.control.concerns import handover, heat, ramp, release
from mallee.control.concerns.heat import lost_loops
from mallee.core.snapshot import Quality
from tests.control.scene_of import at_branch_w, capacity, ratings, scene_of, state_of
from tests.control.site_view import SiteView

SITE = SiteView().site
NODES, NODE_W, LEAST_W, FLOOR_W = 36, 6667.0, 1927.0, 4267.0
SHELF = 1.0 / 0.94
HERE = Reason("test", "here")


@pytest.fixture
def view() -> SiteView:
    """Nodes at work, no car."""
    view = SiteView(SITE)
    view.set(import_w=200e3)
    return view


# Capacity


def test_where_all_fits_nothing_is_held(view: SiteView) -> None:
    scene = scene_of(view)
    assert (capacities.narrow(scene, ratings(scene)).by == -1).sum() >= NODES


def test_nodes_give_way_to_their_floor_before_cars_do(view: SiteView) -> None:
    """Chargers first: 100 kW of cars, 36 nodes on what is left of 300 kW."""
    view.set(import_w=300e3, chargers_w=(66.7e3, 0.0))
    scene = scene_of(view)
    scene = scene_of(view, capacity_w=capacity(scene, grid=300e3))
    bounds = capacities.narrow(scene, ratings(scene))
    assert at_branch_w(scene, bounds) == pytest.approx(300e3)
    wants_w = 66.7e3 + 20e3
    assert bounds.high_w[0] == pytest.approx(wants_w)
    assert bounds.high_w[1] == pytest.approx(10e3)
    left_w = (300e3 - wants_w - 10e3) / NODES / SHELF
    assert bounds.high_w[2:] == pytest.approx(np.full(NODES, left_w))
    assert {bounds.reasons[by].place for by in bounds.by[2:].tolist()} == {"grid"}
    scene = scene_of(view, capacity_w=capacity(scene, grid=NODES * FLOOR_W * SHELF + 40e3))
    bounds = capacities.narrow(scene, ratings(scene))
    assert bounds.high_w[2:] == pytest.approx(np.full(NODES, FLOOR_W))
    assert bounds.high_w[0] + bounds.high_w[1] == pytest.approx(40e3)


def test_the_policy_says_who_goes_first(view: SiteView) -> None:
    view.set(import_w=300e3, chargers_w=(100e3, 0.0))
    found = {}
    for policy in ("chargers-first", "compute-first", "shared"):
        object.__setattr__(view.limits, "policy", policy)
        scene = scene_of(view)
        scene = scene_of(view, capacity_w=capacity(scene, grid=300e3))
        high_w = capacities.narrow(scene, ratings(scene)).high_w
        found[policy] = (float(high_w[0]), float(high_w[2]))
    full_w = NODES * NODE_W * SHELF
    assert found["compute-first"][1] == pytest.approx(NODE_W)
    assert found["compute-first"][0] == pytest.approx(300e3 - full_w - 10e3)
    floors_w = 20e3 + NODES * FLOOR_W * SHELF
    left_w = (300e3 - 120e3 - 10e3) / NODES / SHELF
    assert found["chargers-first"] == pytest.approx((120e3, left_w))
    share = (300e3 - floors_w) / (110e3 + NODES * (NODE_W - FLOOR_W) * SHELF)
    assert found["shared"][0] == pytest.approx(10e3 + share * 110e3)
    assert found["shared"][1] == pytest.approx(FLOOR_W + share * (NODE_W - FLOOR_W))


def test_a_branch_binds_only_what_hangs_below_it(view: SiteView) -> None:
    scene = scene_of(view)
    scene = scene_of(view, capacity_w=capacity(scene, q_pod=200e3))
    bounds = capacities.narrow(scene, ratings(scene))
    assert bounds.high_w[2:] @ scene.limits.budget.loads.factor[2:] == pytest.approx(200e3)
    why = capacities.explain(scene, bounds)
    assert why is not None
    assert why.binding == "rating of q-pod"
    assert why.text.startswith("q-pod carries at most 326 kW")


# Release


def test_caps_rise_by_a_twentieth_of_their_range_a_second(view: SiteView) -> None:
    rows = view.limits.budget.loads.limit_rows
    view.values[rows[2:]] = 3000.0
    view.values[rows[:2]] = 100e3
    scene = scene_of(view)
    bounds = release.narrow(scene, ratings(scene))
    step_w = 0.05 * (NODE_W - LEAST_W)
    assert bounds.high_w[2:] == pytest.approx(np.full(NODES, 3000.0 + step_w))
    assert bounds.high_w[:2].tolist() == [1e6, 1e6], "not a matter of chargers"
    halted = scene_of(view, period_s=0.0)
    assert release.narrow(halted, ratings(halted)).high_w[2] == 3000.0
    why = release.explain(scene, bounds)
    assert why is not None
    assert why.binding == "release"


def test_a_cap_that_cannot_be_read_is_not_held_for_its_rise(view: SiteView) -> None:
    view.values[view.limits.budget.loads.limit_rows[2]] = np.nan
    scene = scene_of(view)
    assert release.narrow(scene, ratings(scene)).high_w[2] == NODE_W


# Handover


def test_what_goes_up_waits_for_what_comes_down(view: SiteView) -> None:
    """Chargers still hold 200 kW of 400: nodes rise into the other 200 only."""
    rows = view.limits.budget.loads.limit_rows
    view.values[rows[:2]] = 200e3, 0.0
    view.values[rows[2:]] = 3000.0
    scene = scene_of(view)
    scene = scene_of(view, capacity_w=capacity(scene, grid=400e3))
    wanted = ratings(scene).at_most(np.r_[0.0, 0.0, np.full(NODES, 6000.0)], HERE)
    bounds = handover.narrow(scene, wanted)
    assert bounds.high_w[2:] == pytest.approx(np.full(NODES, 200e3 / NODES / SHELF))
    assert bounds.high_w[:2].tolist() == [0.0, 0.0], "what goes down goes at once"
    view.values[rows[0]] = 0.0
    scene = scene_of(view, capacity_w=capacity(scene, grid=400e3))
    assert handover.narrow(scene, wanted).high_w[2:] == pytest.approx(np.full(NODES, 6000.0))


def test_without_any_room_nothing_rises_and_nothing_is_taken(view: SiteView) -> None:
    rows = view.limits.budget.loads.limit_rows
    view.values[rows[:2]], view.values[rows[2:]] = 0.0, 3000.0
    scene = scene_of(view)
    scene = scene_of(view, capacity_w=capacity(scene, grid=1e3))
    wanted = ratings(scene).at_most(np.r_[0.0, 0.0, np.full(NODES, 6000.0)], HERE)
    assert handover.narrow(scene, wanted).high_w[2:] == pytest.approx(np.full(NODES, 3000.0))


# Heat


def test_hot_dies_take_power_off_over_six_kelvin(view: SiteView) -> None:
    """Throttle point 87 degC, a guard of 1 K: full at 80, half at 83, lowest at 86."""
    rows = view.limits.heat.dies[0].rows
    for degc, part in ((80.0, 1.0), (83.0, 0.5), (85.0, 1 / 6), (86.0, 0.0), (99.0, 0.0)):
        view.values[rows[:]] = 60.0
        view.values[rows[3, 2]] = degc
        scene = scene_of(view)
        high_w = heat.narrow(scene, ratings(scene)).high_w
        assert high_w[5] == pytest.approx(LEAST_W + part * (NODE_W - LEAST_W))
        assert np.delete(high_w[2:], 3).min() == NODE_W


def test_a_die_that_cannot_be_read_is_not_hot(view: SiteView) -> None:
    rows = view.limits.heat.dies[0].rows
    view.values[rows[:]] = 60.0
    view.values[rows[3]], view.quality[rows[3]] = 99.0, Quality.BAD
    scene = scene_of(view)
    assert (heat.narrow(scene, ratings(scene)).high_w[2:] == NODE_W).all()


def test_a_loop_without_flow_takes_all_its_nodes_down(view: SiteView) -> None:
    """A litre a minute for a kilowatt is the least; below a quarter of it the flow is lost."""
    (loop,) = view.limits.heat.loops
    liquid_w = 200e3 / SHELF * 0.85
    lost_kgps = 0.25 * liquid_w / 60e3
    view.values[loop.flow_rows] = lost_kgps * 1.01
    scene = scene_of(view)
    assert lost_loops(scene) == []
    view.values[loop.flow_rows] = lost_kgps * 0.99
    scene = scene_of(view)
    assert [name for name, _ in lost_loops(scene)] == ["pod1/cdu1"]
    bounds = heat.narrow(scene, ratings(scene))
    assert (bounds.high_w[2:] == LEAST_W).all()
    assert bounds.high_w[:2].tolist() == [1e6, 1e6]
    why = heat.explain(scene, bounds)
    assert why is not None
    assert "36 nodes that it cools" in why.text


def test_a_loop_without_heat_or_reading_is_not_lost(view: SiteView) -> None:
    (loop,) = view.limits.heat.loops
    view.values[loop.flow_rows] = 0.0
    view.quality[loop.flow_rows] = Quality.STALE
    assert lost_loops(scene_of(view)) == []
    view.quality[loop.flow_rows] = Quality.GOOD
    view.values[view.limits.budget.loads.power_rows] = 0.0
    view.values[view.limits.meter_row] = 0.0
    assert lost_loops(scene_of(view)) == []


# Ramp


def test_cars_lean_on_the_battery_and_leave_the_nodes_their_most(view: SiteView) -> None:
    """Import + ramp + 0.95 of what the battery gives, less all nodes and what flows beside."""
    scene = scene_of(view)
    room_w = 200e3 + 1000.0 + 0.95 * 1.93e6 - NODES * NODE_W * SHELF - scene.other_w[0]
    assert scene.state.charger_room_w == pytest.approx(room_w)


def test_without_a_battery_the_room_grows_by_the_ramp_and_follows_what_is_drawn(
    view: SiteView,
) -> None:
    view.set(import_w=200e3, chargers_w=(60e3, 0.0))
    view.lose("bess1/charge_w")
    before = state_of(view, charger_room_w=70e3)
    assert scene_of(view, state=before).state.charger_room_w == pytest.approx(71e3)
    low = state_of(view, charger_room_w=0.0)
    assert scene_of(view, state=low).state.charger_room_w == pytest.approx(60e3)
    high = state_of(view, charger_room_w=1e6)
    ceiling_w = 60e3 + 20.0 * 1000.0 + 20e3  # twenty seconds of ramp and two trickles
    assert scene_of(view, state=high).state.charger_room_w == pytest.approx(ceiling_w)


def test_room_is_shared_by_what_each_wants_and_the_rest_alike(view: SiteView) -> None:
    view.set(import_w=300e3, chargers_w=(60e3, 20e3))
    view.values[view.limits.budget.loads.limit_rows[:2]] = 60e3, 500e3

    def shared(room_w: float) -> Bounds:
        scene = scene_of(view)
        scene = replace(scene, state=struct_replace(scene.state, charger_room_w=room_w))
        return ramp.narrow(scene, ratings(scene))

    bounds = shared(100e3)  # wants: 50 kW more for the one that is held, 20 kW for the other
    assert bounds.high_w[:2] == pytest.approx([60e3 + 50e3 * 2 / 7, 20e3 + 20e3 * 2 / 7])
    assert shared(170e3).high_w[:2] == pytest.approx([120e3, 50e3])
    bounds = shared(40e3)
    assert bounds.high_w[:2] == pytest.approx([30e3, 10e3]), "all fall alike"
    assert (bounds.high_w[2:] == NODE_W).all(), "no cap can hold up a load that falls"
    assert shared(-5.0).high_w[:2].tolist() == [0.0, 0.0]
