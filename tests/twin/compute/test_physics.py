"""Single pieces of physics against their equations and published figures."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mallee.core.arrays import FloatArray
from mallee.site.model import SiteModel
from mallee.site.simulated import Load
from mallee.twin.parts.compute import Compute
from mallee.twin.parts.compute.noise import fill_uniform, normal
from mallee.twin.parts.compute.thermal import DIE_SHARE, step_matrix
from mallee.twin.parts.compute.throughput import throughput_at

MakeSite = Callable[..., SiteModel]
Run = Callable[..., FloatArray]


def test_the_thermal_step_is_exact() -> None:
    resistance, die, plate, flow = 0.03, 90.0, 350.0, 0.4
    a11, a12, a21, a22, b1, b2 = step_matrix(
        np.array([resistance]), np.array([die]), np.array([plate]), np.array([flow]), 1.0
    )[0].tolist()
    first, second = DIE_SHARE * resistance, (1 - DIE_SHARE) * resistance * flow**-0.8
    die_k, plate_k, power_w, dt_s = 20.0, 5.0, 1000.0, 1e-5
    for _ in range(100_000):
        through_w = (die_k - plate_k) / first
        die_k += dt_s * (power_w - through_w) / die
        plate_k += dt_s * (through_w - plate_k / second) / plate
    assert a11 * 20.0 + a12 * 5.0 + b1 * power_w == pytest.approx(die_k, rel=1e-4)
    assert a21 * 20.0 + a22 * 5.0 + b2 * power_w == pytest.approx(plate_k, rel=1e-4)


def test_dies_settle_at_power_times_resistance(make_site: MakeSite, run: Run) -> None:
    compute = Compute(make_site(Load(kind="constant", level=0.5, noise_frac=0.0)))
    run(compute, 60.0, block=50)
    rise_k = compute.dies.die_degc[:, :72] - 30.0
    expected_k = compute.slots.power_w[:, :72] * 0.03 * compute.dies.spread[:, :72]
    np.testing.assert_allclose(rise_k, expected_k, rtol=2e-3)
    assert 0.9 <= compute.dies.spread[:, :72].min() < 0.92
    assert 1.08 < compute.dies.spread[:, :72].max() <= 1.1


def test_caps_do_not_bound_the_first_80_ms_of_a_kernel(make_site: MakeSite, run: Run) -> None:
    load = Load(
        iteration_s=2.0,
        iteration_jitter_frac=0.0,
        compute_level=1.0,
        comm_level=0.0,
        bubbles=0,
        checkpoint_iterations=0,
        start_ramp_s=0.0,
        noise_frac=0.0,
    )
    compute = Compute(make_site(load))
    compute.write_caps(np.arange(36), np.full(36, 4000.0))
    run(compute, 4.0)
    power_w = []
    for _ in range(400):
        run(compute, 0.02, block=1)
        power_w.append(float(compute.slots.power_w[0, 0]))
    cap_w = float(compute.slots.cap_w[0, 0])
    over = np.array(power_w) > 1.05 * cap_w
    starts = np.flatnonzero(np.diff(over.astype(np.int8)) == 1)
    lengths_s = [0.02 * int(np.argmin(over[start + 1 :])) for start in starts[:-1]]
    assert max(power_w) > 1.3 * cap_w
    assert max(power_w) <= 1.6 * cap_w
    assert len(lengths_s) >= 2
    # 80 ms without a cap, then the fall with its 50 ms lag.
    assert all(0.04 <= length_s <= 0.22 for length_s in lengths_s)


def test_most_swing_energy_of_a_training_job_lies_below_3_hz(make_site: MakeSite, run: Run) -> None:
    compute = Compute(make_site(Load(checkpoint_iterations=0)))
    run(compute, 10.0, block=50)
    power_w = run(compute, 100.0, block=50).sum(axis=1)
    energy = np.abs(np.fft.rfft(power_w - power_w.mean())) ** 2
    frequency_hz = np.fft.rfftfreq(len(power_w), 0.02)
    band = (frequency_hz >= 0.2) & (frequency_hz <= 3.0)
    assert energy[band].sum() / energy[1:].sum() >= 0.8


def test_throughput_tables_against_the_published_sweep(shared: Path) -> None:
    classes = {"ft": "fine-tune", "in": "inference", "pt": "pre-train"}
    errors = []
    with (shared / "data/dr/emerald_dvfs_sweep_a100_256gpu.csv").open() as lines:
        for row in csv.DictReader(lines):
            name = classes[row["Workload"][:2]]
            cap_frac = np.array([float(row["GPU power cap"]) / 400.0])
            measured = float(row["normalized throughput"])
            errors.append(abs(float(throughput_at(name, cap_frac)[0]) - measured))
    assert np.mean(errors) <= 0.04


def test_noise_is_a_function_of_its_counters_alone() -> None:
    keys = np.arange(20_000)
    one, other = np.empty(20_000), np.empty(20_000)
    fill_uniform(1, keys, 3, one)
    fill_uniform(1, keys[::-1].copy(), 3, other)
    np.testing.assert_array_equal(one, other[::-1])
    assert one.mean() == pytest.approx(0.5, abs=0.01)
    assert one.var() == pytest.approx(1 / 12, rel=0.03)
    assert abs(np.corrcoef(one[:-1], one[1:])[0, 1]) < 0.03
    drawn = np.array([normal(5, 2, tick) for tick in range(5000)])
    assert drawn.mean() == pytest.approx(0.0, abs=0.05)
    assert drawn.std() == pytest.approx(1.0, rel=0.05)
