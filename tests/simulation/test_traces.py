"""The demo site on measured training runs: limits and ramps held, nothing lost."""

from pathlib import Path

import pytest

from mallee.simulation.figures import figures_of
from mallee.simulation.run import simulate, with_load
from mallee.site.model import SiteModel
from mallee.site.simulated import Load

pytestmark = pytest.mark.slow

POD_IT_W = 264e3


@pytest.mark.parametrize("steps", [100, 500, 1000])
def test_a_training_run_stays_inside_the_connection(
    shared: Path, demo_site: SiteModel, steps: int
) -> None:
    trace = shared / f"data/power/h100x8_train_ckpt{steps}_10hz.csv.gz"
    load = Load(kind="trace", trace=str(trace), scale_to_w=POD_IT_W)
    run = simulate(with_load(demo_site, load, ev_sessions=False), duration_s=700)
    figures = figures_of(run)
    assert figures["limit_violations"] == 0
    assert figures["ramp_violations"] == 0
    assert figures["throughput_lost"] == 0.0
    assert float(figures["battery_energy_used_wh"]) > 0.0
    assert not [event for event in run.events if event.kind == "nodes-capped"]


def test_the_same_seed_gives_the_same_bytes(demo_site: SiteModel) -> None:
    first, second = (simulate(demo_site, duration_s=90, seed=7) for _ in range(2))
    assert first.sha256 == second.sha256
    assert first.sha256 != simulate(demo_site, duration_s=90, seed=8).sha256


def test_cars_that_all_come_at_once_are_served_within_the_limit(demo_site: SiteModel) -> None:
    from mallee.twin.faults import FaultEvent, FaultPlan

    rush = FaultEvent(at_s=30.0, target="ev*", kind="plug-in-rush", parameters={"cars_count": 8.0})
    run = simulate(demo_site, duration_s=240, faults=FaultPlan((rush,)))
    figures = figures_of(run)
    assert run.series["chargers_w"].max() > 600e3
    assert figures["limit_violations"] == 0
    assert figures["ramp_violations"] == 0
