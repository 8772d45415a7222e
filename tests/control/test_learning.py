"""What flows beside known loads, and what control counts with of it: worked out by hand."""

import math

import numpy as np
import pytest

from mallee.control.learning import known_w, learn_other, other_w
from mallee.control.view import look, look_at_loads
from tests.control.site_view import SiteView

VIEW = SiteView()
LIMITS = VIEW.limits
BUDGET = LIMITS.budget
MOST_W = float(BUDGET.other_max_w[0])


def learn(before_w: float, beside_w: float, learned_s: float, period_s: float = 1.0) -> float:
    known = np.array([300e3])
    (after,) = learn_other((before_w,), known + beside_w, known, LIMITS, learned_s, period_s)
    return after


def test_nameplates_of_what_cannot_be_steered() -> None:
    """Switches, CDU and standing loads; plant for the worst day; 3 % of losses at the feed only."""
    assert BUDGET.loss_w[0] == pytest.approx(0.03 * 600e3)
    assert (BUDGET.loss_w[1:] == 0.0).all()
    assert BUDGET.other_max_w[0] == pytest.approx(BUDGET.fixed_w[0] + BUDGET.plant_w[0] + 18e3)
    switches_w = 18 * 800.0 / 0.94
    assert BUDGET.fixed_w[5] == pytest.approx(switches_w + 13e3)
    assert BUDGET.fixed_w[0] == pytest.approx(BUDGET.fixed_w[5] + 5e3)


def test_known_loads_and_batteries_count_with_their_signs() -> None:
    view = SiteView(VIEW.site)
    view.set(import_w=200e3, charge_w=-150e3, chargers_w=(100e3, 50e3))
    snapshot = view.snapshot(0.0)
    known = known_w(look(snapshot, LIMITS), look_at_loads(snapshot, LIMITS), LIMITS)
    assert known == pytest.approx([200e3]), "350 kW of loads less what the battery gives"


def test_the_first_seconds_count_alike_then_a_minute_forgets() -> None:
    assert learn(math.nan, 40e3, 0.0) == 40e3
    assert learn(40e3, 60e3, 1.0) == pytest.approx(50e3)
    assert learn(50e3, 20e3, 2.0) == pytest.approx(40e3)
    assert learn(40e3, 100e3, 600.0) == pytest.approx(40e3 + 60e3 / 60.0)


def test_what_is_not_measured_is_not_learned() -> None:
    assert learn(40e3, math.nan, 600.0) == 40e3
    assert math.isnan(learn(math.nan, math.nan, 0.0))


def test_one_absurd_reading_is_bounded() -> None:
    """At most the nameplates and the whole limit above; a tenth of the limit below them."""
    high_w = MOST_W + 600e3
    assert learn(40e3, 1e12, 600.0) == pytest.approx(40e3 + (high_w - 40e3) / 60.0)
    low_w = -MOST_W - 60e3
    assert learn(40e3, -1e12, 600.0) == pytest.approx(40e3 + (low_w - 40e3) / 60.0)


def test_nameplates_give_way_to_what_is_learned() -> None:
    """A margin of 1 % of the limit stays; after ten seconds 1/e of the distance is left."""
    assert other_w((math.nan,), 0.0, LIMITS)[0] == pytest.approx(MOST_W)
    assert other_w((40e3,), 0.0, LIMITS)[0] == pytest.approx(MOST_W)
    young_w = 46e3 + (MOST_W - 46e3) / math.e
    assert other_w((40e3,), 10.0, LIMITS)[0] == pytest.approx(young_w)
    assert other_w((40e3,), 1e4, LIMITS)[0] == pytest.approx(46e3)


def test_branches_without_a_meter_carry_their_share_of_the_plant_that_runs() -> None:
    """Shown less half of the named loads, over the plant's bound; nothing before it is learned."""
    fixed_w, plant_w = float(BUDGET.fixed_w[0]), float(BUDGET.plant_w[0])
    pod = 5
    assert other_w((40e3,), 9.9, LIMITS)[pod] == pytest.approx(BUDGET.fixed_w[pod])
    share = (46e3 - 0.5 * fixed_w) / plant_w
    expected_w = BUDGET.fixed_w[pod] + share * BUDGET.plant_w[pod]
    assert other_w((40e3,), 1e4, LIMITS)[pod] == pytest.approx(expected_w)
    most_w = BUDGET.fixed_w[pod] + BUDGET.plant_w[pod]
    assert other_w((1e6,), 1e4, LIMITS)[pod] == pytest.approx(most_w)
    assert other_w((-1e6,), 1e4, LIMITS)[pod] == pytest.approx(BUDGET.fixed_w[pod])
