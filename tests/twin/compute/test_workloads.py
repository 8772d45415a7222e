"""Generated loads: pace of gangs, checkpoints, stops, inference, throughput tables."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError
from mallee.site.model import SiteModel
from mallee.site.simulated import Job, Load
from mallee.twin.parts.compute import Compute
from mallee.twin.parts.compute.throughput import TABLES, throughput_at
from mallee.twin.parts.compute.workload.inference import arrival_rate, mean_activity
from mallee.twin.parts.compute.workload.requests import read_requests
from mallee.twin.parts.compute.workload.training import ITERATION

MakeSite = Callable[..., SiteModel]
Run = Callable[..., FloatArray]

STEADY = Load(iteration_s=1.0, iteration_jitter_frac=0.0, checkpoint_iterations=0, start_ramp_s=0.0)


def iterations(compute: Compute) -> float:
    return float(compute.jobs[0].workload.state[ITERATION])


def test_the_slowest_accelerator_paces_the_gang(make_site: MakeSite, run: Run) -> None:
    compute = Compute(make_site(STEADY))
    run(compute, 20.0)
    assert iterations(compute) == pytest.approx(20, abs=1)
    compute.write_cap(7, 4000.0)  # one node of 36
    run(compute, 1.0)
    before = iterations(compute)
    run(compute, 40.0)
    # Its accelerators get 200 + (4000 - 1927) / 4740 x 1000 = 637 W of the 1,147.5 W they ask.
    pace = float(throughput_at("training", np.array([637.3 / 1147.5]))[0])
    assert iterations(compute) - before == pytest.approx(40.0 * pace, abs=1.5)
    assert compute.throughput == pytest.approx(pace, abs=0.01)


def test_a_straggler_paces_the_gang(make_site: MakeSite, run: Run) -> None:
    compute = Compute(make_site(STEADY))
    compute.slow[1, 40] = 0.5
    run(compute, 1.0)
    before = iterations(compute)
    run(compute, 20.0)
    assert iterations(compute) - before == pytest.approx(10.0, abs=1.0)


def test_checkpoints_stall_the_gang(make_site: MakeSite, run: Run) -> None:
    load = Load(
        iteration_s=1.0, iteration_jitter_frac=0.0, checkpoint_iterations=5, checkpoint_s=3.0
    )
    it_w = run(Compute(make_site(load)), 30.0).sum(axis=1)
    stalled_s = 0.02 * (it_w[200:] < 0.4 * it_w.max()).sum()
    # Three stalls of 3 s and 18 % of the rest in communication.
    assert stalled_s == pytest.approx(9.0 + 0.18 * 17.0, abs=2.0)


def test_an_abort_takes_all_load_away_in_one_step(make_site: MakeSite, run: Run) -> None:
    compute = Compute(make_site(Load(kind="constant", level=1.0, noise_frac=0.0)))
    before_w = run(compute, 2.0)[-1].sum()
    compute.abort_job(0)
    after = run(compute, 1.0).sum(axis=1)
    assert before_w > 230e3
    assert after[15] < 50e3
    assert after[-1] == pytest.approx(2 * 21.6e3, rel=0.1)


def test_jobs_start_and_stop_at_their_times(make_site: MakeSite, run: Run) -> None:
    load = Load(kind="constant", level=1.0, stop_ramp_s=1.0)
    job = Job(name="a", on=["pod1"], load=load, start_s=1.0, stop_s=3.0)
    it_w = run(Compute(make_site(Load(), jobs=[job])), 6.0).sum(axis=1)
    assert it_w[45] < 50e3
    assert it_w[100] > 220e3
    assert 90e3 < it_w[175] < 200e3
    assert it_w[-1] < 50e3


def test_hot_dies_throttle_and_slow_the_job(make_site: MakeSite) -> None:
    compute = Compute(make_site(STEADY))
    supply, still = np.full(2, 30.0), np.full(2, 0.0)
    flowing = np.ones(2)
    for _ in range(40):
        compute.advance(compute.time_ms, 50, supply_degc=supply, flow_frac=flowing)
    start_degc = compute.dies.die_degc[0, 0]
    seconds = 0
    while not (compute.dies.state[:, :72] == 1).any():
        compute.advance(compute.time_ms, 50, supply_degc=supply, flow_frac=still)
        seconds += 1
    assert 55.0 < start_degc < 70.0
    assert 5 <= seconds <= 17  # published 5-10 s to throttle, computed 12 s at 1 kW
    for _ in range(3):
        compute.advance(compute.time_ms, 50, supply_degc=supply, flow_frac=still)
    assert compute.throughput < 0.95


def test_inference_reaches_its_level(make_site: MakeSite, run: Run) -> None:
    for level in (0.2, 0.4, 0.6):
        assert mean_activity(arrival_rate(level)) == pytest.approx(level, abs=1e-6)
    compute = Compute(make_site(Load(kind="inference", level=0.4, diurnal_frac=0.0)), seed=2)
    levels = []
    for _ in range(200):
        run(compute, 1.0, block=50)
        levels.append(compute.activity.mean[1:].mean())
    assert np.mean(levels) == pytest.approx(0.4, abs=0.12)


def test_requests_are_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "requests.csv"
    path.write_text("t_s,context_tokens\n1.0,800\n2.5,1600\n")
    time_s, prefill_s, _ = read_requests(path)
    np.testing.assert_allclose(time_s, [0.0, 1.5])
    np.testing.assert_allclose(prefill_s, [0.1, 0.2])
    path.write_text("t_s,context_tokens\n1.0,x\n")
    with pytest.raises(ConfigError, match="line 2: context_tokens is 'x'"):
        read_requests(path)
    path.write_text("t_s\n2\n1\n")
    with pytest.raises(ConfigError, match="line 3: t_s falls"):
        read_requests(path)


def test_throughput_tables_pass_through_their_points_and_rise() -> None:
    for name, points in TABLES.items():
        x, y = np.array(points).T
        np.testing.assert_allclose(throughput_at(name, x), y, atol=1e-12)
        curve = throughput_at(name, np.linspace(0.0, 1.2, 500))
        assert (np.diff(curve) >= -1e-12).all()
        assert curve[0] == 0.0
        assert curve[-1] == 1.0


def test_hpl_draws_near_nameplate(make_site: MakeSite, run: Run) -> None:
    it_w = run(Compute(make_site(Load(kind="hpl", level=1.0))), 30.0, block=50).sum(axis=1)
    assert it_w[-500:].mean() > 0.9 * 254e3


def test_a_cap_on_independent_work_slows_only_its_rack(make_site: MakeSite, run: Run) -> None:
    compute = Compute(make_site(Load(kind="constant", level=1.0)))
    compute.write_caps(np.arange(18), np.full(18, 1927.0))
    run(compute, 2.0)
    slowed = float(throughput_at("training", np.array([200.0 / 1200.0]))[0])
    assert compute.throughput == pytest.approx((1.0 + slowed) / 2.0, abs=0.01)


def test_shut_down_accelerators_stay_off_until_reset(make_site: MakeSite, run: Run) -> None:
    compute = Compute(make_site(Load(kind="constant", level=1.0)))
    compute.dies.die_degc[0, :4] = compute.dies.plate_degc[0, :4] = 130.0
    run(compute, 8.0)
    assert (compute.slots.power_w[0, :4] < 1.0).all()
    assert (compute.slots.power_w[0, 4:8] > 1000.0).all()
    compute.reset_gpus(0)
    run(compute, 2.0)
    assert (compute.slots.power_w[0, :4] > 1000.0).all()
