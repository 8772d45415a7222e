"""Power smoothing: floor, ramps, hysteresis and averages, exactly."""

from collections.abc import Callable

import numpy as np
import pytest

from mallee.core.arrays import FloatArray
from mallee.site.model import SiteModel
from mallee.site.simulated import Load, Smoothing
from mallee.twin.parts.compute import Compute

MakeSite = Callable[..., SiteModel]
Run = Callable[..., FloatArray]

BURST = Load(
    iteration_s=3.0,
    iteration_jitter_frac=0.0,
    compute_frac=0.5,
    compute_level=1.0,
    comm_level=0.0,
    bubbles=0,
    checkpoint_iterations=0,
    start_ramp_s=0.0,
    noise_frac=0.0,
)
DT_S = 0.02


def gpu_power(compute: Compute, run: Run, seconds: float) -> FloatArray:
    """Power of the first accelerator in every sub-step."""
    steps = []
    for _ in range(round(seconds / DT_S)):
        run(compute, DT_S, block=1)
        steps.append(float(compute.slots.power_w[0, 0]))
    return np.array(steps)


def test_ramps_are_bounded_and_the_floor_holds_through_short_pauses(
    make_site: MakeSite, run: Run
) -> None:
    profile = Smoothing(
        floor_frac=0.5, ramp_up_w_per_s=2000.0, ramp_down_w_per_s=1000.0, hysteresis_s=2.0
    )
    power_w = gpu_power(Compute(make_site(BURST, smoothing=profile)), run, 6.0)
    slope_w_per_s = np.diff(power_w) / DT_S
    assert slope_w_per_s.max() <= 2000.0 + 0.5
    assert slope_w_per_s.min() >= -1000.0 - 0.5
    # Pauses of 1.5 s are shorter than the hysteresis: never below half of 1200 W once working.
    assert power_w[100:].min() == pytest.approx(600.0, abs=1.0)


def test_the_floor_ends_after_the_hysteresis(make_site: MakeSite, run: Run) -> None:
    profile = Smoothing(floor_frac=0.5, hysteresis_s=0.5, secondary_floor_w=300.0)
    power_w = gpu_power(Compute(make_site(BURST, smoothing=profile)), run, 3.0)
    # Work stops at 1.5 s; the activation average falls below the floor about 0.1 s later.
    assert power_w[int(2.0 / DT_S)] == pytest.approx(600.0, abs=2.0)
    assert power_w[-1] == pytest.approx(300.0, abs=2.0)


def test_light_work_does_not_engage_the_primary_floor(make_site: MakeSite, run: Run) -> None:
    light = Load(kind="constant", level=0.2, noise_frac=0.0)
    profile = Smoothing(floor_frac=0.6, activation_offset_w=100.0)
    power_w = gpu_power(Compute(make_site(light, smoothing=profile)), run, 2.0)
    assert power_w.max() < 400.0


def test_the_target_window_lets_the_floor_grow_with_the_work(make_site: MakeSite, run: Run) -> None:
    quick, slow = (
        Compute(
            make_site(
                BURST, smoothing=Smoothing(floor_frac=0.8, hysteresis_s=5.0, target_window=window)
            )
        )
        for window in (0.0, 50.0)
    )
    after_first_burst = int(2.8 / DT_S)
    assert gpu_power(quick, run, 3.0)[after_first_burst] == pytest.approx(960.0, abs=5.0)
    assert gpu_power(slow, run, 3.0)[after_first_burst] < 500.0


def test_caps_win_over_the_floor(make_site: MakeSite, run: Run) -> None:
    compute = Compute(make_site(BURST, smoothing=Smoothing(floor_frac=0.9)))
    run(compute, 1.0)
    compute.write_caps(np.arange(36), np.full(36, 3000.0))
    run(compute, 1.0)
    power_w = gpu_power(compute, run, 2.0)
    cap_w = float(compute.slots.cap_w[0, 0])
    assert power_w.max() <= cap_w + 0.5
