"""What people are told: the why line, the share of work lost, events, the pace of decisions."""

from dataclasses import replace

import numpy as np
import pytest
from msgspec.structs import replace as struct_replace

from mallee.control import status_of
from mallee.control.bounds import Bounds, Reason
from mallee.control.events import CONTROL, conditions_after, events_of_change
from mallee.control.scene import Scene
from mallee.control.state import ControlState
from mallee.control.tell import reason_of
from mallee.control.why import calm_why, duration, kilowatts, work_lost
from mallee.core.request import Request
from tests.control.scene_of import ratings, scene_of, state_of
from tests.control.site_view import SiteView, Story

SITE = SiteView().site
NODES = 36


@pytest.fixture
def view() -> SiteView:
    view = SiteView(SITE)
    view.set(import_w=200e3)
    return view


def capped(scene: Scene, power_frac: float, nodes: int = NODES) -> Bounds:
    """Some of the nodes at a share of their power."""
    loads = scene.limits.budget.loads
    high_w = loads.most_w.copy()
    high_w[2 : 2 + nodes] *= power_frac
    return ratings(scene).at_most(high_w, Reason("test", "here"))


# Words


def test_powers_and_times_as_sentences_say_them() -> None:
    assert [kilowatts(power_w) for power_w in (0.0, 1499.0, 250e3)] == ["0 kW", "1 kW", "250 kW"]
    said = [duration(time_s) for time_s in (5.0, 59.4, 60.0, 3599.0, 3600.0, 5000.0)]
    assert said == ["5 s", "59 s", "1 min", "60 min", "1 h 00 min", "1 h 23 min"]


@pytest.mark.parametrize(
    ("power_frac", "nodes", "lost"),
    [(1.0, NODES, "less than 1 %"), (0.995, NODES, "less than 1 %"), (0.695, NODES, "about 18%"),
     (0.695, NODES // 2, "about 9%"), (0.39, NODES, "about 100%")],
)  # fmt: skip
def test_work_lost_follows_the_published_curve(
    view: SiteView, power_frac: float, nodes: int, lost: str
) -> None:
    """Half way between 0.39 and 1 of the power: 0.5^0.29 = 0.82 of the work is left."""
    scene = scene_of(view)
    assert work_lost(scene, capped(scene, power_frac, nodes)) == lost


# What goes on while nothing is held back


def test_calm(view: SiteView) -> None:
    why = calm_why(scene_of(view))
    assert (why.binding, why.acting) == ("none", "")
    assert why.text == "Import 200 kW of 600 kW; no limit binds, nothing is held back."


def test_a_battery_that_carries_the_excess_says_how_long(view: SiteView) -> None:
    """Load of 788 kW over 588: 200 kW from 0.4 of 3.85 MWh above the floor, 7.7 h."""
    view.set(import_w=588e3, charge_w=-200e3, chargers_w=(300e3, 250e3))
    why = calm_why(scene_of(view))
    assert (why.binding, why.acting) == ("import limit", "bess1 discharging")
    assert "Load is 788 kW behind the import limit of 600 kW; bess1 gives 200 kW" in why.text
    assert "for 7 h 42 min at this rate" in why.text
    # While import still climbs within its ramp the battery gives more than what is over the limit.
    view.set(import_w=388e3, charge_w=-400e3)
    assert "gives 400 kW, for 3 h 51 min at this rate" in calm_why(scene_of(view)).text


def test_recovery_says_from_where_to_where(view: SiteView) -> None:
    for soc, words in ((0.3, "charging from 30% towards 60%"), (0.8, "discharging from 80%")):
        view.battery("soc", soc)
        scene = scene_of(view, state=state_of(view, soc_recovering=True))
        assert words in calm_why(scene).text


def test_a_filtered_swing_says_its_side_and_rate(view: SiteView) -> None:
    """More than 3 % of the contract between the mean load and the import."""
    for mean_w, words in ((218.1e3, "18 kW above it"), (181.9e3, "18 kW below it")):
        why = calm_why(scene_of(view, state=state_of(view, load_mean_w=mean_w)))
        assert why.binding == "ramp"
        assert words in why.text
        assert "within 60 kW/min" in why.text
    assert calm_why(scene_of(view, state=state_of(view, load_mean_w=217.9e3))).binding == "none"
    view.lose("bess1/charge_w")
    assert calm_why(scene_of(view, state=state_of(view, load_mean_w=230e3))).binding == "none"


def test_commands_name_who_asked_for_a_lower_import(view: SiteView) -> None:
    scene = scene_of(view)
    assert reason_of(scene, "Why.") == "Why."
    asked = Request(
        id="r1", origin="person", actor="anna", reason="works", subject="grid", high=3e5,
        from_s=0.0, until_s=1e4,
    )  # fmt: skip
    scene = scene_of(view, requests=(asked,))
    assert reason_of(scene, "Why.") == "Import limit asked for by anna (works). Why."


# Events


def test_what_was_not_observed_stays_as_it_was() -> None:
    before = (("import-over-limit", CONTROL), ("nodes-capped", CONTROL))
    after = conditions_after(before, {("nodes-capped", CONTROL): False})
    assert after == (("import-over-limit", CONTROL),)
    after = conditions_after((), {("battery-unseen", "bess1"): True})
    assert after == (("battery-unseen", "bess1"),)


def test_one_event_when_it_comes_and_one_when_it_is_over(view: SiteView) -> None:
    over = ("import-over-limit", CONTROL)
    calm = ControlState(flow_mean_w=(650e3,), import_w=650e3, text="why it is")
    loud = struct_replace(calm, active=(over,))
    began = events_of_change(calm, loud, view.limits, 7.0)
    assert [(event.kind, event.time_s) for event in began] == [("import-over-limit", 7.0)]
    assert "650" in began[0].text
    assert "600" in began[0].text
    assert events_of_change(loud, loud, view.limits, 8.0) == []
    ended = events_of_change(loud, calm, view.limits, 9.0)
    assert [event.kind for event in ended] == ["import-within-limit"]


# Status


def test_the_status_says_which_band_is_covered(view: SiteView) -> None:
    limits = view.limits
    state = state_of(view, import_in_force_w=588e3)
    band = "0.05 to 5 Hz"
    assert status_of(state, limits, 1.0).bands[band] == "battery inverter, on its own at the meter"
    held = struct_replace(state, filter_overridden=True)
    assert "control holds" in status_of(held, limits, 1.0).bands[band]
    blind = struct_replace(state, active=(("battery-unseen", "bess1"),))
    assert "not known" in status_of(blind, limits, 1.0).bands[band]
    bare = replace(limits, batteries=())
    assert "no battery here" in status_of(state, bare, 1.0).bands[band]


def test_the_status_s_target_is_the_load_and_the_bias_under_the_limit(view: SiteView) -> None:
    state = state_of(view, load_mean_w=210e3, charge_bias_w=15e3, import_in_force_w=588e3)
    assert status_of(state, view.limits, 1.0).import_target_w == 225e3
    high = struct_replace(state, load_mean_w=900e3)
    assert status_of(high, view.limits, 1.0).import_target_w == pytest.approx(588e3)
    young = struct_replace(state, mode="starting", import_in_force_w=0.0)
    assert status_of(young, view.limits, 1.0).import_in_force_w == pytest.approx(588e3)


# Pace


def decided(story: Story) -> bool:
    """Whether the next cycle writes anything or changes what is told."""
    before = len(story.commands)
    story.run(0.1)
    return len(story.commands) > before


def test_decisions_come_once_a_second_and_at_once_when_a_limit_is_crossed() -> None:
    story = Story(SiteView(SITE)).run(20.0)
    pace = [decided(story) for _ in range(20)]
    assert sum(pace) == 2, "a heartbeat a second"
    while story.state.cycle % 10 != 4:
        story.run(0.1)
    story.view.set(import_w=590e3, chargers_w=(200e3, 190e3))
    text, learned_s = story.state.text, story.state.learned_s
    assert story.run(0.1).state.text == text, "below the limit: in its turn"
    story.view.set(import_w=640e3, chargers_w=(200e3, 240e3))
    assert story.run(0.1).state.text != text, "across it: at once"
    assert story.state.learned_s == learned_s, "and nothing learned in no time"


def test_means_follow_meters_in_a_second_and_the_load_in_half_a_minute() -> None:
    story = Story(SiteView(SITE)).run(20.0)
    before = story.state
    story.view.set(import_w=400e3)
    story.run(0.1)
    assert story.state.flow_mean_w[0] == pytest.approx(before.flow_mean_w[0] + 0.1 * 100e3)
    assert story.state.load_mean_w == pytest.approx(before.load_mean_w + 100e3 / 300.0)
    assert story.state.import_w == 400e3
    story.view.lose("meter/import_w")
    seen_s = story.state.meter_seen_s
    story.run(0.1)
    assert (story.state.import_w, story.state.meter_seen_s) == (400e3, seen_s)


def test_control_waits_five_seconds_for_its_batteries_and_for_ever_for_the_meter() -> None:
    story = Story(SiteView(SITE))
    story.view.lose("bess1/charge_w")
    story.run(5.0)
    assert story.mode() == "starting"
    assert np.isinf(story.state.target_w)
    story.run(0.1)
    assert story.mode() == "auto"
    story = Story(SiteView(SITE))
    story.view.lose("meter/import_w")
    story.run(10.0)
    assert story.mode() == "starting"
    assert set(story.asked) == {"bess1/heartbeat_count"}, "it lives, and asks for nothing yet"
