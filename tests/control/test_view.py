"""What control can see, and the worst case in place of what it cannot."""

import numpy as np
import pytest

from mallee.control.view import LoadsView, View, look, look_at_loads
from mallee.core.snapshot import Quality
from tests.control.site_view import SiteView

SITE = SiteView().site
CHARGER_W, NODE_W = 1e6, 6667.0


@pytest.fixture
def view() -> SiteView:
    """Battery at rest, a car at the first charger, nodes at work."""
    view = SiteView(SITE)
    view.set(import_w=300e3, charge_w=20e3, chargers_w=(40e3, 0.0))
    return view


def seen(view: SiteView) -> View:
    return look(view.snapshot(100.0), view.limits)


def loads_of(view: SiteView) -> LoadsView:
    return look_at_loads(view.snapshot(100.0), view.limits)


# Meters


def test_the_load_is_import_less_what_batteries_take(view: SiteView) -> None:
    now = seen(view)
    assert (now.import_w, now.charge_w, now.load_w) == (300e3, 20e3, 280e3)
    assert now.meter_seen
    assert now.meter_time_s == 100.0


def test_a_meter_counts_for_a_second(view: SiteView) -> None:
    row = view.limits.meter_row
    view.ages_s[row] = 1.0
    assert seen(view).meter_seen
    view.ages_s[row] = 1.01
    assert not seen(view).meter_seen
    assert seen(view).meter_time_s == pytest.approx(98.99)


@pytest.mark.parametrize("quality", [Quality.BAD, Quality.REFUSED, Quality.NEVER])
def test_a_reading_that_was_never_good_is_none(view: SiteView, quality: Quality) -> None:
    view.quality[view.limits.meter_row] = quality
    assert not seen(view).meter_seen


def test_a_reading_that_is_no_number_is_none(view: SiteView) -> None:
    view.values[view.limits.meter_row] = np.nan
    assert seen(view).seen == (False,)


# Batteries


def test_a_battery_that_cannot_be_seen_is_no_help_and_is_still_in_the_meter(
    view: SiteView,
) -> None:
    row = view.limits.batteries[0].rows["charge_w"]
    view.ages_s[row] = 3.0
    assert seen(view).batteries[0].seen
    view.ages_s[row] = 3.01
    battery = seen(view).batteries[0]
    assert not battery.seen
    assert (battery.discharge_max_w, battery.charge_max_w, battery.soc) == (0.0, 0.0, 0.0)
    assert battery.charge_w == 20e3


def test_an_absurd_battery_says_nothing(view: SiteView) -> None:
    view.battery("charge_w", -3.0 * 1.93e6)
    assert seen(view).batteries[0].seen
    view.battery("charge_w", -3.1 * 1.93e6)
    battery = seen(view).batteries[0]
    assert (battery.seen, battery.charge_w) == (False, 0.0)
    view.battery("charge_w", 20e3)
    for point in ("soc", "charge_available_w", "discharge_available_w"):
        before = view.values[view.limits.batteries[0].rows[point]]
        view.battery(point, np.nan)
        assert not seen(view).batteries[0].seen
        view.battery(point, before)


def test_a_battery_can_do_no_more_than_its_rating(view: SiteView) -> None:
    view.battery("discharge_available_w", 9e6)
    view.battery("charge_available_w", -5.0)
    view.battery("soc", 1.3)
    battery = seen(view).batteries[0]
    assert (battery.discharge_max_w, battery.charge_max_w, battery.soc) == (1.93e6, 0.0, 1.0)


# Loads


def test_a_load_that_cannot_be_seen_draws_its_whole_limit(view: SiteView) -> None:
    """C4: a charger without a reading is not an idle one."""
    view.values[view.limits.budget.loads.limit_rows[:3]] = 120e3, 130e3, 4000.0
    view.lose("ev1/power_w")
    view.values[view.limits.budget.loads.power_rows[1]] = np.nan
    view.lose("pod1/r1/n01/power_w")
    loads = loads_of(view)
    assert loads.power_w[:3].tolist() == [120e3, 130e3, 4000.0]
    assert loads.seen[:4].tolist() == [False, False, False, True]
    assert loads.wants_w[:2].tolist() == [120e3, 130e3]


def test_without_its_limit_a_load_may_draw_its_rating(view: SiteView) -> None:
    limits = view.limits.budget.loads.limit_rows
    view.values[limits[:3]] = 120e3, 130e3, 4000.0
    view.quality[limits[0]] = Quality.BAD
    view.quality[limits[1]] = Quality.STALE
    view.values[limits[2]] = np.nan
    loads = loads_of(view)
    assert np.isnan(loads.in_force_w[[0, 2]]).all()
    assert loads.may_w[:3].tolist() == [CHARGER_W, 130e3, NODE_W], "what was set goes on"


def test_a_limit_outside_the_device_is_taken_at_its_end(view: SiteView) -> None:
    limits = view.limits.budget.loads.limit_rows
    view.values[limits[:3]] = 5e6, -1.0, 100.0
    assert loads_of(view).may_w[:3].tolist() == [CHARGER_W, 0.0, 1927.0]


def test_a_load_does_not_give(view: SiteView) -> None:
    rows = view.limits.budget.loads.power_rows
    view.values[rows[:3]] = -40e3, 3e6, -5.0
    assert loads_of(view).power_w[:3].tolist() == [0.0, CHARGER_W, 0.0]


def test_chargers_want_a_little_more_than_they_draw_and_never_what_empty_posts_might(
    view: SiteView,
) -> None:
    """A trickle for an empty one; a twentieth of its rating more for one that its limit holds."""
    rows = view.limits.budget.loads
    assert loads_of(view).wants_w[:2].tolist() == [60e3, 10e3]
    view.values[rows.power_rows[0]] = 1e3
    assert loads_of(view).wants_w[0] == 21e3
    view.values[rows.limit_rows[0]] = 1e3
    assert loads_of(view).wants_w[0] == 51e3
    view.values[rows.power_rows[0]] = view.values[rows.limit_rows[0]] = 0.99e6
    assert loads_of(view).wants_w[0] == CHARGER_W
    assert (loads_of(view).wants_w[2:] == NODE_W).all()


def test_a_charger_that_cannot_count_its_cars_may_have_one(view: SiteView) -> None:
    row = view.limits.budget.loads.occupied_rows[1]
    view.quality[row] = Quality.STALE
    assert loads_of(view).wants_w[1] == 20e3
    view.quality[row] = Quality.GOOD
    view.values[row] = np.nan
    assert loads_of(view).wants_w[1] == 20e3


def test_hungry_is_who_is_held_by_the_limit_in_force(view: SiteView) -> None:
    view.values[view.limits.budget.loads.limit_rows[:2]] = 59e3, 59e3
    assert not loads_of(view).hungry.any(), "it may draw 59 kW and takes 40"
    view.values[view.limits.budget.loads.limit_rows[:2]] = 42e3, 42e3
    loads = loads_of(view)
    assert loads.hungry[:2].tolist() == [True, False]
    assert not loads.hungry[2:].any()
