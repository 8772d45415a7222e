"""Stories of single cycles: what is seen on the left, what control asks on the right."""

import numpy as np
import pytest
from msgspec.structs import replace

from mallee.control import ControlState, cycle, initial_state
from mallee.core.command import Command
from mallee.core.event import Event
from mallee.core.plan import Plan, PlanStep
from mallee.core.request import Request
from tests.control.site_view import SiteView


def run(
    view: SiteView,
    state: ControlState,
    time_s: float,
    plans: tuple[Plan, ...] = (),
    requests: tuple[Request, ...] = (),
) -> tuple[ControlState, dict[str, float], list[Event]]:
    """One cycle; commands as a table of paths and values."""
    state, commands, events = cycle(
        state, view.snapshot(time_s), plans, requests, view.limits, time_s
    )
    return state, table(view, commands), events


def table(view: SiteView, commands: list[Command]) -> dict[str, float]:
    return {
        view.site.point_path(int(row)): float(value)
        for command in commands
        for row, value in zip(command.rows, command.values, strict=True)
    }


def auto(view: SiteView) -> ControlState:
    """State after a first, uneventful cycle, with a slow cycle due next."""
    state, _, _ = run(view, initial_state(), 0.0)
    return replace(state, cycle=10)


def obey(view: SiteView, commands: dict[str, float]) -> None:
    """The devices report what they were told."""
    for path, value in commands.items():
        row = view.site.find_point(path)
        assert row is not None
        view.values[row] = value


def test_first_cycle_sets_the_ramp_filter_and_the_charger_profiles() -> None:
    view = SiteView()
    state, asked, _ = run(view, initial_state(), 0.0)
    assert state.mode == "auto"
    assert asked["bess1/mode"] == 2.0
    assert asked["bess1/filter_import_max_w"] == pytest.approx(588e3)
    assert asked["bess1/filter_ramp_up_w_per_s"] == pytest.approx(950.0)
    assert asked["ev1/limit_w"] == asked["ev2/limit_w"] > 900e3


def test_devices_that_already_do_what_is_wanted_are_left_alone() -> None:
    view = SiteView()
    _, asked, _ = run(view, initial_state(), 0.0)
    obey(view, asked)
    _, again, _ = run(view, replace(auto(view), cycle=50), 5.0)
    assert set(again) == {"bess1/heartbeat_count"}


def test_a_device_that_forgot_its_setting_gets_it_back() -> None:
    view = SiteView()
    obey(view, run(view, initial_state(), 0.0)[1])
    view.battery("mode", 1.0)
    _, asked, _ = run(view, replace(auto(view), cycle=50), 5.0)
    assert asked["bess1/mode"] == 2.0


def test_cars_within_reach_of_the_battery_leave_the_nodes_alone() -> None:
    view = SiteView()
    view.set(import_w=588e3, charge_w=-1.3e6, chargers_w=(800e3, 800e3))
    state, asked, _ = run(view, auto(view), 1.0)
    assert state.nodes_cap_frac == 1.0
    assert not any("cap_w" in path for path in asked)
    assert state.binding == "import limit"


def test_an_empty_battery_caps_the_nodes_before_the_chargers() -> None:
    view = SiteView()
    state = auto(view)
    view.battery("soc", 0.2)
    view.set(import_w=588e3, charge_w=-60e3, chargers_w=(190e3, 190e3))
    state, asked, events = run(view, state, 1.0)
    assert state.nodes_cap_frac < 1.0
    assert state.binding == "battery energy"
    caps = [value for path, value in asked.items() if path.endswith("/cap_w")]
    assert len(caps) == 36
    assert max(caps) < 6667.0
    assert "nodes-capped" in [event.kind for event in events]
    pods_left_w = view.limits.import_aim_w - 380e3
    factor = view.limits.nodes.factor[0]
    assert (
        sum(caps) * factor + view.limits.overhead_w
        <= max(pods_left_w, view.limits.pods_min_w) + 1.0
    )


def test_caps_are_released_slowly() -> None:
    view = SiteView()
    state = replace(auto(view), nodes_cap_frac=0.2)
    state, _, _ = run(view, state, 1.0)
    assert state.nodes_cap_frac == pytest.approx(0.25)


def test_charger_limits_fit_what_site_and_battery_can_give() -> None:
    view = SiteView()
    view.battery("soc", 0.2)
    state, asked, _ = run(view, auto(view), 1.0)
    room_w = view.limits.import_aim_w - view.limits.pods_min_w
    assert asked["ev1/limit_w"] + asked["ev2/limit_w"] <= room_w + 1.0
    assert state.chargers_max_w <= room_w + 1.0


def test_a_lost_meter_leads_to_the_safe_state_and_back() -> None:
    view = SiteView()
    state = auto(view)
    view.lose("meter/import_w")
    state, asked, events = run(view, state, 2.0)
    assert state.mode == "safe"
    assert [event.kind for event in events] == ["safe-state"]
    standing_w = sum(charger.standing_w for charger in view.limits.chargers)
    assert asked["ev1/limit_w"] + asked["ev2/limit_w"] == pytest.approx(standing_w)
    assert standing_w + view.limits.pods_max_w <= view.limits.import_aim_w + 1.0
    view = SiteView()
    state, _, events = run(view, state, 3.0)
    assert state.mode == "auto"
    assert [event.kind for event in events] == ["safe-state-ended"]


def test_a_meter_that_reads_nan_is_no_meter() -> None:
    view = SiteView()
    state = auto(view)
    view.values[view.limits.meter_row] = np.nan
    assert run(view, state, 2.0)[0].mode == "safe"


def test_an_unseen_battery_is_not_counted_on() -> None:
    view = SiteView()
    state = auto(view)
    view.set(import_w=580e3, chargers_w=(190e3, 190e3))
    view.lose("bess1/charge_w")
    state, asked, events = run(view, state, 1.0)
    assert "battery-unseen" in [event.kind for event in events]
    assert state.nodes_cap_frac < 1.0
    assert asked["ev1/limit_w"] <= 200e3


def test_an_open_demand_window_lowers_the_filter_limit_while_the_battery_can_keep_it() -> None:
    view = SiteView()
    step = PlanStep(
        from_s=0.0, until_s=200.0, import_target_w=500e3, reason="demand window evening"
    )
    plan = Plan(source="test", generation=1, made_s=0.0, valid_until_s=100.0, steps=(step,))
    _, asked, _ = run(view, auto(view), 1.0, (plan,))
    assert asked["bess1/filter_import_max_w"] == pytest.approx(500e3)
    view.battery("soc", 0.2)
    view.set(import_w=560e3, chargers_w=(130e3, 130e3))
    _, asked, _ = run(view, auto(view), 1.0, (plan,))
    assert asked["bess1/filter_import_max_w"] == pytest.approx(588e3)
    _, asked, _ = run(view, auto(view), 101.0, (plan,))
    assert asked["bess1/filter_import_max_w"] == pytest.approx(588e3)


@pytest.mark.parametrize(("soc", "sign"), [(0.4, 1.0), (0.6, 0.0), (0.63, 0.0), (0.85, -1.0)])
def test_state_of_charge_is_brought_back(soc: float, sign: float) -> None:
    view = SiteView()
    view.battery("soc", soc)
    state, _, _ = run(view, auto(view), 1.0)
    assert np.sign(state.charge_bias_w) == sign


def test_recovery_never_charges_beyond_the_room_under_the_limit() -> None:
    view = SiteView()
    view.battery("soc", 0.3)
    view.set(import_w=560e3, chargers_w=(150e3, 150e3))
    state = auto(view)
    for second in range(1, 120):
        state, _, _ = run(view, replace(state, cycle=10 * second), float(second))
    assert 0.0 < state.charge_bias_w <= view.limits.import_aim_w - 560e3 + 1.0


def test_a_filter_that_lets_import_stand_above_the_limit_is_overridden_until_it_is_well() -> None:
    view = SiteView()
    state = auto(view)
    view.set(import_w=700e3, charge_w=400e3)
    asked: dict[str, float] = {}
    for tenth in range(61):
        state, asked, _ = run(view, replace(state, cycle=tenth), 1.0 + 0.1 * tenth)
    assert state.filter_overridden
    assert asked["bess1/mode"] == 1.0
    assert asked["bess1/charge_set_w"] == pytest.approx(0.0)
    view.set(import_w=300e3)
    for tenth in range(300):
        state, _, _ = run(view, replace(state, cycle=tenth), 10.0 + 0.1 * tenth)
    assert not state.filter_overridden
    view.battery("mode", 1.0)
    assert run(view, replace(state, cycle=500), 60.0)[1]["bess1/mode"] == 2.0


def test_a_battery_that_already_gives_all_it_can_is_not_overridden() -> None:
    view = SiteView()
    state = auto(view)
    view.set(import_w=700e3, charge_w=-1.93e6)
    for tenth in range(60):
        state, _, _ = run(view, replace(state, cycle=tenth), 1.0 + 0.1 * tenth)
    assert not state.filter_overridden


@pytest.mark.parametrize("factor", [-1.0, 10.0, 381.0])
def test_a_meter_that_contradicts_the_devices_is_not_acted_on(factor: float) -> None:
    view = SiteView()
    state = auto(view)
    view.set(import_w=560e3, chargers_w=(150e3, 150e3))
    view.values[view.limits.meter_row] *= factor
    asked: dict[str, float] = {}
    for tenth in range(100):
        state, asked, _ = run(view, replace(state, cycle=tenth), 1.0 + 0.1 * tenth)
        assert not state.filter_overridden
        assert not any("charge_set_w" in path for path in asked)
    assert state.mode == "safe"
    assert "contradicts" in state.binding
    view.set(import_w=300e3)
    for tenth in range(600):
        state, _, _ = run(view, replace(state, cycle=tenth), 20.0 + 0.1 * tenth)
    assert state.mode == "auto"


def test_control_waits_a_moment_for_the_batteries_before_it_does_without_them() -> None:
    view = SiteView()
    view.lose("bess1/charge_w")
    state, asked, _ = run(view, initial_state(), 0.0)
    assert state.mode == "starting"
    assert set(asked) == {"bess1/heartbeat_count"}
    for tenth in range(1, 60):
        state, asked, _ = run(view, state, 0.1 * tenth)
    assert state.mode == "auto"
    assert state.active == (("battery-unseen", "bess1"),)


def test_without_a_meter_nothing_that_began_is_told_to_be_over() -> None:
    """An empty battery caps the nodes while import is over its limit; then the meter goes."""
    view = SiteView()
    state = auto(view)
    view.battery("soc", 0.2)
    view.set(import_w=700e3, charge_w=-60e3, chargers_w=(240e3, 240e3))
    told: list[str] = []
    for tenth in range(31):
        state, _, events = run(view, replace(state, cycle=tenth), 1.0 + 0.1 * tenth)
        told += [event.kind for event in events]
    assert {"import-over-limit", "nodes-capped", "charge-recovery"} <= set(told)
    view.lose("meter/import_w")
    for tenth in range(30):
        state, _, events = run(view, state, 5.0 + 0.1 * tenth)
        told += [event.kind for event in events]
    assert told[-1] == "safe-state"
    view.ages_s[:], view.quality[:] = 0.0, 0
    state, _, events = run(view, state, 9.0)
    assert [event.kind for event in events] == ["safe-state-ended"], "all else still holds"
    view.battery("soc", 0.6)
    view.set(import_w=300e3)
    for tenth in range(300):
        state, _, events = run(view, replace(state, cycle=tenth), 10.0 + 0.1 * tenth)
        told += [event.kind for event in events]
    ends = {"import-within-limit", "nodes-released", "charge-recovered"}
    assert sorted(kind for kind in told if kind in ends) == sorted(ends), "each once, when seen"
    assert state.active == ()


def test_a_battery_that_comes_and_goes_is_told_of_without_a_meter_too() -> None:
    view = SiteView()
    state = auto(view)
    view.lose("meter/import_w")
    view.lose("bess1/charge_w")
    state, _, events = run(view, state, 2.0)
    assert {event.kind for event in events} == {"safe-state", "battery-unseen"}
    row = view.site.find_point("bess1/charge_w")
    view.quality[row], view.ages_s[row] = 0, 0.0
    state, _, events = run(view, state, 3.0)
    assert [event.kind for event in events] == ["battery-seen"]
    assert state.mode == "safe"
