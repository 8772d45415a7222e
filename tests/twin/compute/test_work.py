"""Work that was lost, by cause: power, restart, cooling, caps, faults; and none without one."""

import numpy as np
import pytest

from mallee.site.model import SiteModel
from mallee.site.simulated import Load
from mallee.twin.faults import FaultEvent, FaultPlan
from mallee.twin.parts.compute.work import CAUSES, mean_level
from mallee.twin.site_twin import SiteTwin
from tests.twin.plants import with_twin


def lost(site: SiteModel, seconds: int, *faults: FaultEvent) -> dict[str, float]:
    """Share of the work on offer that each cause took."""
    twin = SiteTwin(site, 1, FaultPlan(faults))
    twin.advance(1000 * seconds)
    work = twin.truth.work
    offered_s = work.done_s + sum(work.lost_s)
    return {name: part / offered_s for name, part in zip(CAUSES, work.lost_s, strict=True)}


def event(kind: str, target: str, at_s: float, until_s: float, **values: float) -> FaultEvent:
    return FaultEvent(at_s=at_s, until_s=until_s, target=target, kind=kind, parameters=values)


@pytest.fixture(scope="module")
def site(demo_site: SiteModel) -> SiteModel:
    return with_twin(demo_site, load=Load(restart_s=10.0), ev_sessions_per_day=0.0)


def test_nothing_is_lost_without_a_cause(site: SiteModel) -> None:
    assert sum(lost(site, 20).values()) == pytest.approx(0.0, abs=1e-9)


def test_dark_racks_and_their_restart_are_lost_work(site: SiteModel) -> None:
    """The field's case: pods dark for minutes, and throughput lost said 0.00 %."""
    found = lost(site, 60, event("breaker-trip", "q-pod", 20.0, 30.0))
    assert found["power"] == pytest.approx(15.0 / 60.0, abs=0.05)  # and 5 s until it returns
    assert found["restart"] == pytest.approx(10.0 / 60.0, abs=0.05)
    assert found["caps"] == found["fault"] == 0.0
    assert found["cooling"] < 0.02  # its CDU comes back later than the racks


def test_an_aborted_job_and_a_lost_accelerator_are_faults(site: SiteModel) -> None:
    found = lost(site, 40, event("job-abort", "load", 10.0, 20.0))
    assert found["fault"] == pytest.approx(0.25, abs=0.05)
    found = lost(site, 40, event("gpu-lost", "pod1/r1/n01", 10.0, 20.0))
    assert found["fault"] == pytest.approx(0.25, abs=0.05)
    assert found["cooling"] == 0.0


def test_hot_accelerators_are_lost_to_cooling(site: SiteModel) -> None:
    found = lost(site, 90, event("pump-trip", "pod1/cdu1", 5.0, 600.0, pump=0.0))
    assert found["cooling"] > 0.3
    assert found["power"] == found["fault"] == 0.0


def test_the_mean_level_of_a_gang_is_what_it_does(site: SiteModel) -> None:
    twin = SiteTwin(site)
    twin.advance(60_000)
    gpus = float(np.sum(twin.compute.layout.node_gpus))
    assert mean_level(Load()) * gpus * 60.0 == pytest.approx(twin.truth.work.done_s, rel=0.05)
