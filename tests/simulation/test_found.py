"""What seeded simulation found, each reduced to the faults that mattered and named."""

import pytest

from mallee.simulation.run import Simulation, simulate
from mallee.site.model import SiteModel
from mallee.twin.faults import FaultEvent, FaultPlan

pytestmark = pytest.mark.slow


def run(site: SiteModel, *faults: FaultEvent, duration_s: int = 300) -> Simulation:
    return simulate(site, duration_s=duration_s, faults=FaultPlan(faults))


def seconds_over_limit(result: Simulation) -> int:
    limit_w = result.site.grid.import_max_w
    return int((result.series["grid_w"] > limit_w).sum())


def test_a_supply_that_returns_after_sags_draws_no_surge(demo_site: SiteModel) -> None:
    """Racks that had long been dark refilled their hold-up at once: a thousand times the rating
    of their breaker, and the ramp filter kept what had been at the meter as its target."""
    sags = FaultEvent(
        at_s=60.0,
        target="grid",
        kind="grid-sag-burst",
        parameters={"sags_count": 8.0, "voltage_pu": 0.32, "length_s": 0.9, "pause_s": 2.0},
    )
    result = run(demo_site, sags)
    assert seconds_over_limit(result) == 0
    assert result.grid_20ms_w.max() < 2.0 * demo_site.grid.import_max_w


def test_a_filter_that_acts_late_is_overridden_and_given_back(demo_site: SiteModel) -> None:
    """A filter a second late swings against the load; control took the batteries but aimed at the
    mean, so each iteration broke the limit again and it never gave them back."""
    rush = FaultEvent(at_s=10.0, target="ev1", kind="plug-in-rush", parameters={"cars_count": 40.0})
    slow = FaultEvent(
        at_s=60.0,
        target="bess1",
        kind="battery-slow",
        until_s=170.0,
        parameters={"delay_s": 0.95, "tau_s": 0.5},
    )
    trip = FaultEvent(at_s=140.0, target="bess1", kind="battery-trip", until_s=142.0)
    result = run(demo_site, rush, slow, trip)
    assert seconds_over_limit(result) <= 10
    assert not result.state.filter_overridden
    assert (result.series["grid_w"][-60:] <= demo_site.grid.import_max_w).all()


def test_sixteen_cars_and_a_battery_that_trips(demo_site: SiteModel) -> None:
    """All that the battery carried stands at the meter at once: chargers give way in seconds."""
    rush = FaultEvent(at_s=10.0, target="ev*", kind="plug-in-rush", parameters={"cars_count": 8.0})
    trip = FaultEvent(at_s=120.0, target="bess1", kind="battery-trip", until_s=240.0)
    result = run(demo_site, rush, trip)
    over = result.series["grid_w"] > demo_site.grid.import_max_w
    assert over[:120].sum() == 0
    assert over[120:].sum() <= 10
    assert (result.series["grid_w"][-30:] <= demo_site.grid.import_max_w).all()


def test_a_meter_with_a_wrong_ratio_does_not_make_the_battery_export(demo_site: SiteModel) -> None:
    """Control believed a meter that read 381 times the truth, overrode the filter and sent a
    megawatt into the grid."""
    ratio = FaultEvent(
        at_s=30.0,
        target="meter/import_w",
        kind="sensor-scaled",
        until_s=40.0,
        parameters={"factor": 381.0},
    )
    result = run(demo_site, ratio, duration_s=180)
    assert result.series["grid_w"].min() >= 0.0
    assert result.state.mode == "auto"
