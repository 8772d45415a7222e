"""What loads below each branch may draw together, from limit, plant, trim and batteries."""

import numpy as np
import pytest

from mallee.control.trim import Trim
from mallee.control.trust import Trust
from mallee.core.request import Request
from tests.control.scene_of import KEPT_W, LEARNED_W, LENT_W, scene_of, state_of
from tests.control.site_view import SiteView

SITE = SiteView().site
AIM_W = 588e3
BRANCHES = ("grid", "tx1", "q-battery", "q-ev1", "q-ev2", "q-pod")


@pytest.fixture
def view() -> SiteView:
    """Import of 300 kW, an empty battery: nothing helps."""
    view = SiteView(SITE)
    view.set(import_w=200e3)
    view.battery("soc", 0.2)
    return view


def test_a_feed_carries_its_limit_less_margin_and_plant(view: SiteView) -> None:
    scene = scene_of(view)
    assert scene.import_aim_w == pytest.approx(AIM_W)
    assert scene.capacity_w[0] == pytest.approx(AIM_W - LEARNED_W + LENT_W)
    assert scene.limits.branches == BRANCHES


def test_other_branches_carry_their_rating_less_what_is_fixed_below(view: SiteView) -> None:
    """400 A at 480 V, 0.98 of it; switches, CDU and the plant that runs take their part."""
    scene = scene_of(view)
    pod_w = 400 * 480 * np.sqrt(3.0) * 0.98
    assert scene.capacity_w[5] == pytest.approx(pod_w - scene.other_w[5])
    assert scene.capacity_w[3] == pytest.approx(1250 * 480 * np.sqrt(3.0) * 0.98 + LENT_W / 2.0)
    assert np.isinf(scene.capacity_w[1]), "all of the feed goes through it: it is in its limit"


def test_a_battery_helps_at_its_feed_as_far_as_its_energy_and_credit_reach(
    view: SiteView,
) -> None:
    view.battery("soc", 0.25)
    scene = scene_of(view)
    assert scene.capacity_w[0] == pytest.approx(AIM_W - LEARNED_W + LENT_W + 770e3)
    view.battery("soc", 0.6)
    view.battery("discharge_available_w", 1e6)
    assert scene_of(view).capacity_w[0] == pytest.approx(AIM_W - LEARNED_W + LENT_W + 1e6)
    doubted = state_of(view, trusts=(Trust(proven_w=1e5, failures=1),))
    scene = scene_of(view, state=doubted)
    assert scene.capacity_w[0] == pytest.approx(AIM_W - LEARNED_W + LENT_W + 1e5 + 6e3)


def test_charging_for_the_state_of_charge_takes_from_the_branches_that_carry_it(
    view: SiteView,
) -> None:
    """The battery's own branch; not the feed, where its mode keeps the limit itself."""
    calm, charging = scene_of(view), scene_of(view, state=state_of(view, charge_bias_w=50e3))
    finite = np.isfinite(calm.capacity_w)
    change_w = calm.capacity_w[finite] - charging.capacity_w[finite]
    assert change_w.tolist() == [0.0, 50e3, 0.0, 0.0, 0.0], "the transformer is in the feed's limit"
    giving = scene_of(view, state=state_of(view, charge_bias_w=-50e3))
    assert giving.capacity_w[2] == calm.capacity_w[2]


def test_a_trim_lowers_the_branch_of_its_meter(view: SiteView) -> None:
    trimmed = state_of(view, trims=(Trim(trim_w=25e3, added_s=599.0, mean_w=200e3),))
    scene = scene_of(view, state=trimmed)
    given_back_w = 0.05 * ((AIM_W + 600e3) / 2.0 - 200e3)  # half of the margin is left to noise
    left_w = 25e3 - given_back_w
    assert scene.capacity_w[0] == pytest.approx(AIM_W - LEARNED_W + LENT_W - left_w)


def test_a_request_lowers_the_aim_and_a_higher_one_does_not(view: SiteView) -> None:
    def asked(high: float, subject: str = "grid") -> Request:
        return Request(
            id="r1", origin="person", actor="anna", reason="works", subject=subject, high=high,
            from_s=0.0, until_s=1e4,
        )  # fmt: skip

    scene = scene_of(view, requests=(asked(300e3),))
    assert scene.aims[0].power_w == pytest.approx(0.98 * 300e3)
    assert scene.aims[0].shown_w == 300e3
    assert scene.aims[0].request is not None
    assert scene_of(view, requests=(asked(700e3),)).import_aim_w == pytest.approx(AIM_W)
    both = scene_of(view, requests=(asked(300e3), asked(200e3), asked(250e3)))
    assert both.import_aim_w == pytest.approx(0.98 * 200e3)


def test_while_devices_stand_in_for_the_meter_more_is_kept_free(view: SiteView) -> None:
    view.lose("meter/import_w")
    scene = scene_of(view)
    assert scene.state.mode == "degraded"
    assert scene.import_aim_w == pytest.approx(0.95 * AIM_W)
    assert scene.import_w == pytest.approx(200e3 + KEPT_W), "known loads and the rest"


def test_an_unseen_battery_counts_with_what_the_meter_shows_of_it(view: SiteView) -> None:
    """Loads of 700 kW behind an import of 500 kW: it gives 200 kW and the rest is its own."""
    view.set(import_w=200e3, chargers_w=(250e3, 250e3))
    view.values[view.limits.meter_row] = 500e3
    view.lose("bess1/charge_w")
    scene = scene_of(view)
    drawn_w = float(scene.loads.power_w @ scene.limits.budget.loads.factor)
    assert scene.load_w == pytest.approx(drawn_w + KEPT_W)
    assert scene.support_w[0] == pytest.approx(scene.load_w - 500e3)
