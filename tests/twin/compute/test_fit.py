"""The training generator fitted to traces: spectrum and ramps."""

from pathlib import Path

import numpy as np
import pytest

from mallee.core.errors import ConfigError
from mallee.site.simulated import Load
from mallee.twin.parts.compute.workload.fit import TrainingFit, compare, fit_training, generate
from mallee.twin.parts.compute.workload.trace_file import Trace, read_trace


@pytest.mark.parametrize(
    ("name", "checkpoint_every_s"), [("ckpt100", 23.4), ("ckpt500", 116.0), ("ckpt1000", 234.0)]
)
def test_measured_traces_are_reproduced(shared: Path, name: str, checkpoint_every_s: float) -> None:
    trace = read_trace(shared / f"data/power/h100x8_train_{name}_10hz.csv.gz")
    fit = fit_training(trace)
    every_s = fit.load.checkpoint_iterations * fit.load.iteration_s
    assert every_s == pytest.approx(checkpoint_every_s, rel=0.03)
    for seed in (1, 2):
        quality = compare(trace, fit, seed)
        assert quality.share_fitted == pytest.approx(quality.share, abs=0.10)
        np.testing.assert_allclose(quality.ramps_fitted[:4], quality.ramps[:4], atol=0.08)
        assert quality.ramps_fitted[4] == pytest.approx(quality.ramps[4], abs=0.15)


def test_a_visible_iteration_is_found() -> None:
    known = Load(
        iteration_s=4.0,
        iteration_jitter_frac=0.0,
        compute_level=0.9,
        comm_level=0.4,
        bubbles=0,
        checkpoint_iterations=25,
        checkpoint_s=12.0,
        setup_s=30.0,
        start_ramp_s=0.0,
    )
    known_fit = TrainingFit(load=known, idle_w=600.0, most_w=5600.0, stop_s=500.0)
    seen_w = np.concatenate([np.full(200, 600.0), generate(known_fit, 500.0, 1)])
    time_s = np.linspace(0.0, 0.1 * (len(seen_w) - 1), len(seen_w))
    trace = Trace(source="made", time_s=time_s, total_w=seen_w, gpu_w=np.empty((len(seen_w), 0)))
    fit = fit_training(trace, nameplate_w=5600.0)
    assert fit.load.iteration_s == pytest.approx(4.0, rel=0.02)
    assert fit.load.comm_level == pytest.approx(0.4, abs=0.1)
    assert fit.load.compute_level == pytest.approx(0.9, abs=0.05)
    assert fit.load.checkpoint_s == pytest.approx(12.0, abs=1.0)
    assert fit.load.checkpoint_iterations == pytest.approx(25, abs=1)
    quality = compare(trace, fit)
    assert quality.share_fitted == pytest.approx(quality.share, abs=0.10)


def test_a_flat_trace_is_refused() -> None:
    flat = Trace(
        source="flat", time_s=np.arange(100.0), total_w=np.full(100, 5.0), gpu_w=np.empty((100, 0))
    )
    with pytest.raises(ConfigError, match="swings only from 5 to 5 W"):
        fit_training(flat)
