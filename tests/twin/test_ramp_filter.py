"""The inverter's ramp filter at the true meter, on measured training runs and on hard steps."""

from pathlib import Path

import numpy as np
import pytest

from mallee.core.arrays import FloatArray
from mallee.site.model import SiteModel
from mallee.twin.clock import STEP_MS
from tests.twin.given import given_twin, ramp_excess_w, run, second_means_w, training_trace_w

STEPS_PER_S = 1000 // STEP_MS


def reference_energy_wh(load_w: FloatArray, time_s: float, ramp_w_per_s: float) -> float:
    """Energy span of a causal mean of `time_s` behind a ramp limiter, the textbook filter."""
    step_s = STEP_MS / 1000.0
    smooth = target = load_w[0]
    energy_j, seen = 0.0, [0.0]
    for value in load_w:
        smooth += (value - smooth) * step_s / (time_s + step_s)
        target += np.clip(smooth - target, -ramp_w_per_s * step_s, ramp_w_per_s * step_s)
        energy_j += (target - value) * step_s
        seen.append(energy_j)
    return float(np.ptp(seen)) / 3600.0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ckpt100", "ckpt500", "ckpt1000"])
def test_training_runs_keep_the_contract_at_the_meter(
    demo_site: SiteModel, shared: Path, name: str
) -> None:
    load_w = training_trace_w(shared, name, 264e3)
    twin = given_twin(demo_site, load_w)
    record = run(twin, len(load_w) / STEPS_PER_S)
    grid = demo_site.grid
    second_w = second_means_w(record["grid_w"])
    assert record["grid_w"].max() <= grid.import_max_w
    assert record["grid_w"].min() >= 0.0
    excess_w = ramp_excess_w(second_w, grid.ramp_up_w_per_s)
    assert excess_w <= 0.02 * grid.contracted_w
    battery_wh = np.cumsum(record["grid_w"] - record["load_w"]) * STEP_MS / 1000.0 / 3600.0
    reference_wh = reference_energy_wh(record["load_w"], 20.0, 950.0)
    assert np.ptp(battery_wh) <= 1.2 * reference_wh


def test_a_load_that_never_changes_needs_no_battery(demo_site: SiteModel) -> None:
    twin = given_twin(demo_site, np.full(10, 200e3))
    record = run(twin, 30)
    assert np.ptp(record["grid_w"]) < 200.0
    assert abs(twin.truth.battery_charge_w) < 1_500.0


def test_load_off_in_one_step_leaves_a_bounded_ramp(demo_site: SiteModel) -> None:
    load_w = np.concatenate([np.full(500, 264e3), np.full(20_000, 25e3)])
    twin = given_twin(demo_site, load_w)
    record = run(twin, 380)
    second_w = second_means_w(record["grid_w"])
    assert ramp_excess_w(second_w, 1_000.0) <= 12_000.0
    assert second_w[-1] < 60e3  # the target has come down with the ramp


def test_a_full_battery_drags_the_target_and_it_never_jumps_back(demo_site: SiteModel) -> None:
    low, high = np.full(60 * STEPS_PER_S, 30e3), np.full(60 * STEPS_PER_S, 260e3)
    twin = given_twin(demo_site, np.concatenate([high, low, high, high]), soc_start=1.0)
    record = run(twin, 240)
    second_w = second_means_w(record["grid_w"])
    # Full: it cannot charge when the load falls, so the meter falls with the load ...
    assert second_w[62] < 60e3
    # ... and when the load comes back it discharges and rises from where the meter was.
    rise_w = np.diff(second_w[118:])
    assert rise_w.max() <= 950.0 + 6_000.0
    assert second_w[125] < 80e3


def test_an_empty_battery_lets_the_load_through_and_catches_it_again(demo_site: SiteModel) -> None:
    low, high = np.full(40 * STEPS_PER_S, 30e3), np.full(120 * STEPS_PER_S, 260e3)
    twin = given_twin(demo_site, np.concatenate([low, high, low, low]), soc_start=0.0)
    record = run(twin, 200)
    second_w = second_means_w(record["grid_w"])
    assert second_w[45] > 240e3
    fall_w = np.diff(second_w[158:])
    assert fall_w.min() >= -950.0 - 6_000.0


def test_import_stays_under_the_filter_limit(demo_site: SiteModel) -> None:
    twin = given_twin(demo_site, np.full(10, 260e3))
    twin.batteries.write("battery", 0, "filter_import_max_w", 200e3, 10.0, 0)
    for _ in range(1_500):
        twin.batteries.write(
            "battery", 0, "heartbeat_count", float(twin.time_ms), 10.0, twin.time_ms
        )
        twin.advance(100)
    assert twin.truth.grid_w == pytest.approx(200e3, abs=500.0)


def test_bias_charges_the_battery(demo_site: SiteModel) -> None:
    twin = given_twin(demo_site, np.full(10, 150e3))
    before_soc = twin.truth.soc
    for _ in range(1_200):
        twin.batteries.write(
            "battery", 0, "heartbeat_count", float(twin.time_ms), 10.0, twin.time_ms
        )
        twin.batteries.write("battery", 0, "filter_charge_bias_w", 50e3, 10.0, twin.time_ms)
        twin.advance(100)
    assert twin.truth.soc > before_soc
    assert twin.truth.battery_charge_w == pytest.approx(50e3, rel=0.05)
