"""Faults in a running twin: each does what it says, ends, and repeats with its seed."""

from pathlib import Path

import numpy as np
import pytest

from mallee.catalogue import load_site
from mallee.core.errors import Rejected
from mallee.kinds.genset import GENSET
from mallee.kinds.solar import SOLAR
from mallee.site.model import SiteModel
from mallee.twin.comms import STATES
from mallee.twin.faults import KINDS, FaultEvent, FaultPlan
from mallee.twin.faults.targets import Targets
from mallee.twin.site_twin import SiteTwin


def event(
    kind: str, target: str, at_s: float = 1.0, until_s: float = 3.0, **values: float
) -> FaultEvent:
    return FaultEvent(at_s=at_s, until_s=until_s, target=target, kind=kind, parameters=values)


def twin_with(site: SiteModel, *events: FaultEvent) -> SiteTwin:
    return SiteTwin(site, 1, FaultPlan(events))


def reported(twin: SiteTwin, path: str) -> float:
    row = twin.site.find_point(path)
    assert row is not None
    return float(twin.reported[row])


def peak_w(twin: SiteTwin) -> float:
    """Highest IT power over 4 s: longer than an iteration."""
    highest_w = 0.0
    for _ in range(40):
        twin.advance(100)
        highest_w = max(highest_w, twin.truth.it_w)
    return highest_w


def test_battery_trips_and_returns(demo_site: SiteModel) -> None:
    twin = twin_with(demo_site, event("battery-trip", "bess1"))
    twin.advance(2000)
    assert twin.truth.battery_charge_w == 0.0
    twin.advance(2000)
    assert twin.truth.battery_charge_w != 0.0
    assert [e.text for e in twin.events] == [
        "battery-trip at bess1 starts",
        "battery-trip at bess1 is over",
    ]
    assert [e.time_s for e in twin.events] == [1.0, 3.0]


def test_job_abort_takes_the_load_in_one_step(demo_site: SiteModel) -> None:
    twin = twin_with(demo_site, event("job-abort", "load", 10.0, 20.0))
    twin.advance(6000)
    before_w = peak_w(twin)  # until 10 s
    twin.advance(500)
    assert peak_w(twin) < 0.5 * before_w
    twin.advance(10_000)  # it has restarted
    assert peak_w(twin) == pytest.approx(before_w, rel=0.1)


def test_breaker_opens_and_its_racks_are_dark(demo_site: SiteModel) -> None:
    twin = twin_with(demo_site, event("breaker-trip", "q-pod"))
    twin.advance(2000)
    assert twin.truth.pods_w == pytest.approx(0.0, abs=1.0)
    assert "q-pod" in twin.truth.tripped
    twin.advance(3000)
    assert "q-pod" not in twin.truth.tripped


def test_racks_return_after_a_sag_that_they_could_not_ride_through(demo_site: SiteModel) -> None:
    twin = twin_with(demo_site, event("grid-sag", "grid", 1.0, 1.1, voltage_pu=0.5))
    twin.advance(3000)
    assert twin.truth.it_w == 0.0
    twin.advance(40_000)
    assert peak_w(twin) > 30e3  # idle: a job that lost its nodes needs minutes to start again
    assert twin.cooling.faults.powered.all()


def test_meter_reads_a_thousandfold_while_the_truth_stays(demo_site: SiteModel) -> None:
    twin = twin_with(demo_site, event("sensor-scaled", "meter/import_w", factor=1000.0))
    twin.advance(2000)
    assert reported(twin, "meter/import_w") == pytest.approx(1000.0 * twin.truth.grid_w, rel=0.05)
    twin.advance(2000)
    assert reported(twin, "meter/import_w") == pytest.approx(twin.truth.grid_w, rel=0.05)


def test_devices_fall_silent_slow_or_refuse(demo_site: SiteModel) -> None:
    twin = twin_with(
        demo_site,
        event("comms-slow", "bess1", delay_s=4.0),
        event("comms-refuse", "pod1/r1/n*"),
    )
    twin.advance(1500)
    state = twin.comms.state
    assert STATES[state[1]] == "slow"
    assert twin.comms.delay_s[1] == 4.0
    assert (state == STATES.index("refuse")).sum() == 18
    assert [e.source for e in twin.events] == ["bess1", "pod1/r1/n*"]
    twin.advance(2000)
    assert (state == 0).all()


def test_commands_are_lost_halved_late_or_declined(demo_site: SiteModel) -> None:
    nodes = ["pod1/r1/n01", "pod1/r1/n02", "pod1/r1/n03", "pod1/r1/n04"]
    twin = twin_with(
        demo_site,
        event("write-ignored", nodes[0], 0.0, 60.0),
        event("write-half", nodes[1], 0.0, 60.0, share_frac=0.5),
        event("write-late", nodes[2], 0.0, 60.0, delay_s=3.0),
        event("write-rejected", nodes[3], 0.0, 60.0),
    )
    twin.advance(1000)
    (group,) = demo_site.groups_of("node")
    rows = [group.row(n, "cap_w") for n in range(4)]
    high_w = group.model.parameter("cap_max_w")
    for row in rows[:3]:
        twin.write(row, 3000.0, 60.0)
    with pytest.raises(Rejected, match="declines"):
        twin.write(rows[3], 3000.0, 60.0)
    twin.advance(2000)
    half_w = high_w + 0.5 * (3000.0 - high_w)
    assert twin.reported[rows].tolist() == pytest.approx([high_w, half_w, high_w, high_w])
    twin.advance(4000)
    assert twin.reported[rows[2]] == 3000.0


def test_reboot_forgets_the_set_point(demo_site: SiteModel) -> None:
    twin = twin_with(demo_site, event("reboot", "pod1/r1/n01", 3.0, 6.0))
    (group,) = demo_site.groups_of("node")
    row = group.row(0, "cap_w")
    twin.write(row, 3000.0, 60.0)
    twin.advance(2000)
    assert twin.reported[row] == 3000.0
    twin.advance(2000)
    assert STATES[twin.comms.state[group.first_device]] == "silent"
    twin.advance(3000)
    assert twin.reported[row] == group.model.parameter("cap_max_w")
    assert STATES[twin.comms.state[group.first_device]] == "ok"


def test_v12_dies_throttle_seconds_after_flow_is_lost(demo_site: SiteModel) -> None:
    """Both pumps stop: throttling from a warm die within the published 5..17 s and pump coast."""
    twin = twin_with(demo_site, event("pump-trip", "pod1/cdu1", 60.0, 600.0, pump=0.0))
    twin.advance(60_000)
    gpus = twin.compute.layout.gpu_slots[0]
    assert twin.compute.dies.die_degc[0, :gpus].max() < 80.0
    throttle_s = None
    for second in range(1, 40):
        twin.advance(1000)
        if throttle_s is None and (twin.compute.dies.state[0, :gpus] > 0).any():
            throttle_s = second
    assert throttle_s is not None
    assert 5 <= throttle_s <= 20


def test_overlapping_faults_leave_the_other_in_force(demo_site: SiteModel) -> None:
    twin = twin_with(
        demo_site,
        event("pump-trip", "pod1/cdu1", 1.0, 3.0, pump=1.0),
        event("pump-trip", "pod1/cdu1", 2.0, 6.0, pump=0.0),
        event("battery-string-out", "bess1", 1.0, 3.0, left_frac=0.5),
        event("battery-string-out", "bess1", 2.0, 6.0, left_frac=0.25),
    )
    rated_w = float(twin.batteries.units["charge_max_w"][0])
    twin.advance(4000)
    assert not twin.cooling.faults.pump_ok.any()
    assert twin.batteries.units["charge_max_w"][0] == pytest.approx(0.25 * rated_w)
    twin.advance(3000)
    assert twin.cooling.faults.pump_ok.all()
    assert twin.batteries.units["charge_max_w"][0] == rated_w


def test_every_kind_starts_and_ends_without_a_trace(demo_site: SiteModel) -> None:
    """Each kind at its defaults on its first target; afterwards every parameter is as before."""
    plan = FaultPlan.swarm(demo_site, 0, 1.0)  # only for its targets
    assert plan.source == "swarm of seed 0"
    first = {
        "grid": "grid", "plant": "plant", "rack": "pod1/r1", "job": "load", "breaker": "q-pod",
        "transformer": "tx1", "node": "pod1/r2/n05", "cdu": "pod1/cdu1", "battery": "bess1",
        "charger": "ev2", "point": "meter/import_w", "meter": "meter",
    }  # fmt: skip
    events = [
        event(kind.name, first[kind.targets[0]], 0.2, 1.0)
        for kind in KINDS.values()
        if kind.targets[0] in first
    ]
    here = [k for k in KINDS.values() if any(Targets(demo_site).names(t) for t in k.targets)]
    assert len(events) == len(here)
    twin = twin_with(demo_site, *events)
    units, caps = twin.batteries.units.copy(), twin.compute.caps.delay_ms.copy()
    branches, spread = twin.branches.units.copy(), twin.compute.dies.spread.copy()
    twin.advance(1500)
    assert np.array_equal(units, twin.batteries.units)
    assert np.array_equal(branches, twin.branches.units)
    assert np.array_equal(caps, twin.compute.caps.delay_ms)
    assert np.array_equal(spread, twin.compute.dies.spread)
    healthy = twin.cooling.faults
    assert healthy.pump_ok.all()
    assert (healthy.clean_frac == 1.0).all()
    assert healthy.facility_flow_frac == healthy.fans_frac == healthy.chiller_frac == 1.0
    assert (twin.comms.state == 0).all()
    assert (twin.write_path.mode == 0).all()


def test_same_plan_same_bytes_and_restore_continues(demo_site: SiteModel) -> None:
    plan = FaultPlan.swarm(demo_site, 11, 20.0, 60.0)
    assert len(plan.events) > 5
    first, second = SiteTwin(demo_site, 1, plan), SiteTwin(demo_site, 1, plan)
    first.advance(8000)
    saved = first.save()
    first.advance(6000)
    second.restore(saved)
    second.advance(6000)
    assert np.array_equal(first.reported, second.reported, equal_nan=True)
    assert np.array_equal(first.true_points, second.true_points, equal_nan=True)


@pytest.mark.parametrize("seed", range(4))
def test_swarms_break_no_balance(demo_site: SiteModel, seed: int) -> None:
    """Whatever fails together: the twin's own ledgers close and reports are numbers or missing."""
    plan = FaultPlan.swarm(demo_site, seed, 40.0, 40.0)
    twin = SiteTwin(demo_site, 1, plan)
    for _ in range(40):
        twin.advance(1000)
        assert not np.isinf(twin.reported).any(), plan
    assert np.isfinite(twin.truth.grid_w), plan


def test_a_reboot_forgets_what_was_written_to_generation(root: Path) -> None:
    site = load_site(root / "examples/sites/microgrid.toml")
    (genset, *_), (solar, *_) = site.groups_of(GENSET), site.groups_of(SOLAR)
    events = [event("reboot", group.names[0], 1.0, 2.0) for group in (genset, solar)]
    twin = twin_with(site, *events)
    limit, most_w = solar.row(0, "output_max_w"), solar.model.power_max_w
    twin.write(limit, 1000.0, 0.0)
    twin.gensets.write(GENSET.name, 0, "start_count", 1.0, 0.0, 0)
    twin.advance(500)
    assert (twin.true_points[limit], twin.gensets.state[0]["ordered"]) == (1000.0, 1)
    twin.advance(1000)
    assert (twin.true_points[limit], twin.gensets.state[0]["ordered"]) == (most_w, 0)
    silent = [STATES[twin.comms.state[group.first_device]] for group in (genset, solar)]
    assert silent == ["silent", "silent"]
