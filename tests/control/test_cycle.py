"""Stories of a site whose readings are set by hand: what is seen, and what control makes of it."""

import numpy as np
import pytest

from mallee.core.plan import Plan, PlanStep
from tests.control.site_view import SiteView, Story


def test_the_first_seconds_set_the_battery_and_leave_the_nodes_alone() -> None:
    story = Story().run(2.0)
    assert story.mode() == "auto"
    assert story.asked["bess1/mode"] == 2.0
    assert story.asked["bess1/filter_import_max_w"] == pytest.approx(588e3)
    assert story.asked["bess1/filter_ramp_up_w_per_s"] == pytest.approx(950.0)
    assert not any("cap_w" in path for path in story.asked)
    assert story.told == []


def test_devices_that_already_do_what_is_wanted_are_left_alone() -> None:
    story = Story().run(12.0)
    story.asked.clear()
    story.run(8.0)
    assert set(story.asked) <= {"bess1/heartbeat_count", "ev1/limit_w", "ev2/limit_w"}
    writes = [c for c in story.commands if story.view.limits.budget.loads.limit_rows[0] in c.rows]
    assert len(writes) <= 3, "leases are renewed every ten seconds, nothing else is written"


def test_a_device_that_forgot_its_setting_gets_it_back() -> None:
    story = Story().run(2.0)
    story.view.battery("mode", 1.0)
    story.asked.clear()
    assert story.run(1.0).asked["bess1/mode"] == 2.0


def test_cars_within_reach_of_the_battery_leave_the_nodes_alone() -> None:
    story = Story().run(2.0)
    story.view.set(import_w=588e3, charge_w=-1.3e6, chargers_w=(800e3, 800e3))
    story.run(5.0)
    assert story.state.nodes_cap_frac == 1.0
    assert story.state.binding == "import limit"
    assert "gives 1300 kW" in story.state.text


def test_an_empty_battery_makes_room_for_cars_by_the_policy() -> None:
    story = Story()
    story.view.battery("soc", 0.2)
    story.view.set(import_w=588e3, charge_w=0.0, chargers_w=(190e3, 190e3))
    story.run(30.0)
    assert story.state.nodes_cap_frac < 1.0
    assert "nodes-capped" in story.told
    other_w = story.state.other_w[0]
    assert story.caps_w() + story.chargers_w() + other_w <= 588e3 * 1.01


def test_caps_are_released_slowly() -> None:
    story = Story().run(2.0)
    loads, nodes = story.view.limits.budget.loads, story.view.nodes
    story.view.values[loads.limit_rows[nodes]] = loads.least_w[nodes]
    before_w = story.caps_w()
    story.run(1.0)
    assert story.caps_w() > before_w
    story.run(5.0)
    most_w = float((loads.most_w * loads.factor)[nodes].sum())
    assert story.caps_w() < 0.6 * most_w
    assert story.run(20.0).caps_w() == pytest.approx(most_w)


def test_a_silent_meter_is_stood_in_for_by_the_devices() -> None:
    story = Story().run(20.0)
    story.view.lose("meter/import_w")
    story.run(5.0)
    assert story.mode() == "degraded"
    assert story.told == ["meter-degraded"]
    assert "stand in" in story.state.text
    assert story.state.nodes_cap_frac == 1.0
    story.view.find()
    story.run(2.0)
    assert story.mode() == "auto"
    assert story.told == ["meter-degraded", "meter-restored"]


def test_without_meter_and_devices_everything_goes_to_what_is_safe_in_any_weather() -> None:
    story = Story().run(20.0)
    view, budget = story.view, story.view.limits.budget
    view.lose("meter/import_w")
    view.quality[budget.loads.power_rows] = 1
    story.run(3.0)
    assert story.mode() == "safe"
    assert story.told == ["safe-state"]
    assert "no good reading of the meter of grid" in story.state.text
    total_w = story.caps_w() + story.chargers_w() + budget.other_max_w[0]
    assert total_w <= story.view.limits.import_contract_w
    view.find()
    story.run(40.0)
    assert story.mode() == "auto"
    assert "safe-state-ended" in story.told
    assert story.state.nodes_cap_frac == 1.0


def test_a_meter_that_reads_nan_is_no_meter() -> None:
    story = Story().run(20.0)
    story.view.values[story.view.limits.meter_row] = np.nan
    assert story.run(1.0).mode() == "degraded"


def test_an_unseen_battery_is_not_counted_on_and_costs_no_work() -> None:
    """Its last reading was a charge; today that starved the nodes for ten minutes."""
    story = Story()
    story.view.set(import_w=300e3, charge_w=140e3)
    story.run(20.0)
    story.view.lose("bess1/charge_w")
    story.view.set(import_w=300e3, charge_w=0.0)
    story.view.battery("charge_w", 140e3)
    story.run(60.0)
    assert "battery-unseen" in story.told
    assert story.state.nodes_cap_frac == 1.0
    assert story.chargers_w() + story.caps_w() <= 588e3


def test_a_battery_that_does_not_deliver_is_found_and_not_counted_on() -> None:
    story = Story().run(10.0)
    story.view.set(import_w=900e3, charge_w=0.0, chargers_w=(300e3, 300e3))
    story.run(3.0)
    assert "battery-not-following" in story.told
    assert "bess1 gives 0 kW" in next(
        event.text for event in story.events if event.kind == "battery-not-following"
    )
    assert story.chargers_w() + story.caps_w() <= 600e3
    story.view.set(import_w=588e3, charge_w=-200e3, chargers_w=(300e3, 200e3))
    story.run(5.0)
    story.view.set(import_w=588e3, charge_w=-1.6e6, chargers_w=(900e3, 900e3))
    story.run(5.0)
    assert "battery-following" in story.told


def test_import_above_its_limit_is_fed_back_whatever_the_cause() -> None:
    """A load that nobody knows of: the trim takes it off the chargers."""
    story = Story()
    story.view.set(import_w=400e3, chargers_w=(50e3, 50e3))
    story.view.battery("soc", 0.2)
    story.run(10.0)
    story.view.values[story.view.limits.meter_row] = 640e3
    story.run(4.0)
    assert story.state.trims[0].trim_w > 40e3
    assert "import-over-limit" in story.told
    story.view.set(import_w=400e3, chargers_w=(50e3, 50e3))
    story.run(120.0)
    assert story.state.trims[0].trim_w < 1e3
    assert "import-within-limit" in story.told


def test_a_load_that_nobody_told_of_is_believed_and_told() -> None:
    story = Story()
    story.view.set(import_w=300e3)
    story.run(60.0)
    story.view.values[story.view.limits.meter_row] = 480e3
    story.run(60.0)
    assert story.mode() == "auto"
    assert "load-unknown" in story.told
    assert story.state.nodes_cap_frac > 0.9
    assert story.chargers_w() + story.caps_w() <= 588e3 - 150e3 + 1.93e6


@pytest.mark.parametrize(
    ("factor", "within_s"), [(-1.0, 6.0), (10.0, 6.0), (381.0, 6.0), (0.6, 8.0), (0.8, 45.0)]
)
def test_a_meter_that_contradicts_the_devices_is_not_gone_by(
    factor: float, within_s: float
) -> None:
    story = Story()
    story.view.set(import_w=500e3, chargers_w=(150e3, 150e3))
    story.run(60.0)
    story.view.values[story.view.limits.meter_row] *= factor
    story.run(within_s)
    assert story.mode() == "degraded"
    assert "not believed" in story.state.text
    assert not any("charge_set_w" in path for path in story.asked)
    story.view.set(import_w=500e3, chargers_w=(150e3, 150e3))
    story.run(45.0)
    assert story.mode() == "auto"


def test_a_stuck_meter_is_found_when_the_devices_move() -> None:
    story = Story()
    story.view.set(import_w=300e3)
    story.run(30.0)
    for step in range(20):
        known_w = 280e3 - 2e3 * step
        story.view.set(import_w=known_w)
        story.view.values[story.view.limits.meter_row] = 300e3
        story.run(1.0)
    assert story.mode() == "degraded"
    assert "has stood at 300.0 kW" in story.state.text


def test_a_swing_that_the_devices_report_late_is_no_lie() -> None:
    story = Story()
    story.view.set(import_w=300e3)
    story.run(30.0)
    loads, nodes = story.view.limits.budget.loads, story.view.nodes
    power_w = story.view.values[loads.power_rows[nodes]]
    for second in range(120):
        high, was_high = second % 4 < 2, (second - 1) % 4 < 2
        story.view.values[story.view.limits.meter_row] = 450e3 if high else 150e3
        story.view.values[loads.power_rows[nodes]] = power_w * (1.5 if was_high else 0.5)
        story.run(1.0)
    assert not {"meter-degraded", "safe-state"} & set(story.told)


def plan(target_w: float, from_s: float = 0.0, until_s: float = 1e4) -> Plan:
    step = PlanStep(
        from_s=from_s, until_s=until_s, import_target_w=target_w, reason="demand window evening"
    )
    return Plan(source="test", generation=1, made_s=0.0, valid_until_s=until_s, steps=(step,))


def test_a_demand_window_is_prepared_and_kept_as_far_as_the_energy_goes() -> None:
    story = Story()
    story.view.set(import_w=560e3, chargers_w=(130e3, 130e3))
    story.plans = (plan(500e3, from_s=200.0, until_s=3800.0),)
    story.run(20.0)
    assert story.asked["bess1/filter_import_max_w"] == pytest.approx(500e3), "before it opens"
    assert "demand window evening" in story.state.target_reason
    targets = []
    story.view.battery("soc", 0.205)
    for _ in range(300):
        story.run(1.0)
        targets.append(story.state.target_w)
    assert len(set(targets)) <= 7, "decided once a minute"
    assert min(targets[-60:]) > 530e3, "no more than the energy above the floor carries"


@pytest.mark.parametrize(("soc", "sign"), [(0.4, 1.0), (0.6, 0.0), (0.63, 0.0), (0.85, -1.0)])
def test_state_of_charge_is_brought_back(soc: float, sign: float) -> None:
    story = Story()
    story.view.battery("soc", soc)
    assert np.sign(story.run(2.0).state.charge_bias_w) == sign


def test_recovery_never_charges_beyond_the_room_under_the_limit() -> None:
    story = Story()
    story.view.battery("soc", 0.3)
    story.view.set(import_w=560e3, chargers_w=(150e3, 150e3))
    story.run(120.0)
    assert story.state.charge_bias_w > 0.0
    # The battery takes what it was asked for and import shows it: then the room is used up.
    story.view.set(import_w=588e3, charge_w=28e3, chargers_w=(150e3, 150e3))
    before_w = story.state.charge_bias_w
    assert story.run(60.0).state.charge_bias_w <= before_w + 1.0


def test_a_mode_that_lets_import_stand_above_the_limit_is_overridden_until_it_is_well() -> None:
    story = Story()
    story.obeys = False
    story.run(5.0)
    story.view.set(import_w=700e3, charge_w=400e3)
    story.run(7.0)
    assert story.state.filter_overridden
    assert story.asked["bess1/mode"] == 1.0
    assert story.asked["bess1/charge_set_w"] == pytest.approx(0.0)
    story.view.set(import_w=300e3)
    story.run(30.0)
    assert not story.state.filter_overridden
    story.view.battery("mode", 1.0)
    assert story.run(2.0).asked["bess1/mode"] == 2.0


def test_control_waits_a_moment_for_the_batteries_before_it_does_without_them() -> None:
    story = Story()
    story.view.lose("bess1/charge_w")
    story.run(0.1)
    assert story.mode() == "starting"
    assert set(story.asked) == {"bess1/heartbeat_count"}
    story.run(6.0)
    assert story.mode() == "auto"
    assert story.state.active == (("battery-unseen", "bess1"),)


def test_negative_and_absurd_readings_break_nothing() -> None:
    """A sign flip at the chargers divided by zero once."""
    story = Story().run(10.0)
    view, loads = story.view, story.view.limits.budget.loads
    view.battery("discharge_available_w", 0.0)
    for value in (-250e3, 1e12, np.nan, -np.inf):
        view.values[loads.power_rows] = value
        story.run(3.0)
        wanted = view.values[loads.limit_rows]
        assert np.isfinite(wanted).all()
        assert (wanted >= loads.least_w - 1.0).all()
        assert (wanted <= loads.most_w + 1.0).all()


def test_without_a_meter_nothing_that_began_is_told_to_be_over() -> None:
    """An empty battery caps the nodes while import is over its limit; then everything goes dark."""
    story = Story()
    story.view.battery("soc", 0.2)
    story.view.set(import_w=700e3, charge_w=0.0, chargers_w=(240e3, 240e3))
    story.run(4.0)
    assert {"import-over-limit", "nodes-capped", "charge-recovery"} <= set(story.told)
    story.events.clear()
    story.view.lose("meter/import_w")
    story.view.quality[story.view.limits.budget.loads.power_rows] = 1
    story.run(3.0)
    assert story.told == ["safe-state"]
    story.view.find()
    story.events.clear()
    story.run(0.1)
    assert "import-within-limit" not in story.told
    story.view.battery("soc", 0.6)
    story.view.set(import_w=300e3)
    story.run(40.0)
    ends = {"import-within-limit", "nodes-released", "charge-recovered", "safe-state-ended"}
    assert ends <= set(story.told)
    assert story.state.active == ()


def test_a_battery_that_comes_and_goes_is_told_of() -> None:
    story = Story().run(3.0)
    story.view.lose("bess1/charge_w")
    story.run(2.0)
    story.view.find()
    story.run(2.0)
    assert story.told == ["battery-unseen", "battery-seen"]


def test_the_battery_of_its_own_feeder_costs_no_work_while_the_posts_are_empty() -> None:
    """The rule that shared a transformer by nameplates held the pods at 20 % of their work."""
    story = Story(SiteView())
    story.run(30.0)
    assert story.state.nodes_cap_frac == 1.0
