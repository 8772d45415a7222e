"""Shares follow what is drawn: what is idle is lent, short peaks are carried and repaid."""

from dataclasses import replace

import numpy as np
import pytest

from mallee.control.diversity import Diversity, lent_w, next_diversity
from mallee.control.protection import next_heat, spare_w
from mallee.control.view import look_at_loads
from tests.control.site_view import SiteView, Story


@pytest.fixture
def view() -> SiteView:
    return SiteView()


def test_what_nodes_do_not_draw_is_lent_less_the_swing_at_the_meter(view: SiteView) -> None:
    limits, memory = view.limits, Diversity()
    view.set(import_w=150e3)
    feed = int(limits.metered[0])
    may_w = Story(view).caps_w()
    loads = look_at_loads(view.snapshot(0.0), limits)
    for second in range(200):
        loads = look_at_loads(view.snapshot(second), limits)
        swing_w = 40e3 if second % 5 == 0 else 0.0
        memory = next_diversity(memory, loads, np.array([150e3 + swing_w]), limits, 1.0)
        if second == 0:
            assert lent_w(memory, loads, limits)[feed] == 20e3, "what was never seen counts whole"
    lent = lent_w(memory, loads, limits)[feed] - 20e3  # the trickle of two empty chargers
    assert may_w - 150e3 - 40e3 <= lent <= may_w - 150e3 - 25e3
    view.set(import_w=may_w)
    for second in range(200, 220):
        loads = look_at_loads(view.snapshot(second), limits)
        memory = next_diversity(memory, loads, np.array([may_w]), limits, 1.0)
    assert lent_w(memory, loads, limits)[feed] < 20e3 + 0.02 * may_w, "taken back within seconds"


def test_a_branch_carries_a_peak_until_it_is_as_hot_as_at_its_rating(view: SiteView) -> None:
    limits = view.limits
    pod = limits.branches.index("q-pod")
    steady = np.zeros(len(limits.branches))
    heat: tuple[float, ...] = ()
    flow_w = np.full(len(limits.metered), np.nan)
    loads = look_at_loads(view.snapshot(0.0), limits)
    idle = replace(loads, power_w=np.zeros_like(loads.power_w))
    heat = next_heat(heat, loads, steady, flow_w, limits, 1.0)
    assert spare_w(heat, limits).max() == 0.0, "control that has just started knows of no room"
    for _ in range(600):
        heat = next_heat(heat, loads, steady, flow_w, limits, 1.0)
    cool = spare_w(heat, limits)
    rating_w = limits.budget.limit_w[pod]
    assert cool[pod] == pytest.approx(rating_w * (limits.thermal_peak_frac[pod] - 1.0))
    assert cool[limits.metered].max() == 0.0, "a contract has no heat"
    for _ in range(600):
        steady[pod] = rating_w + spare_w(heat, limits)[pod]
        heat = next_heat(heat, idle, steady, flow_w, limits, 1.0)
        assert heat[pod] <= 1.0 + 1e-9
    assert spare_w(heat, limits)[pod] < 0.001 * rating_w


def test_cars_that_are_content_take_nothing_from_the_nodes() -> None:
    """Each charger was given half as much again as it drew, whether it was held back or not."""
    story = Story()
    story.view.battery("soc", 0.2)
    story.view.set(import_w=560e3, chargers_w=(150e3, 150e3))
    story.run(60.0)
    assert story.state.nodes_cap_frac > 0.98
    assert story.chargers_w() >= 300e3
