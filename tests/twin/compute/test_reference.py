"""Compiled and plain Python runs of the same source give the same bits; so do two partitions."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from mallee.core.arrays import FloatArray
from mallee.site.model import SiteModel
from mallee.site.simulated import Job, Load
from mallee.twin.parts.compute import Compute

MakeSite = Callable[..., SiteModel]
Run = Callable[..., FloatArray]


def digest(root: Path, **environment: str) -> str:
    """What `reference.py` prints in a process of its own: numba reads the variable at import."""
    script = Path(__file__).with_name("reference.py")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script), str(root)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_compiled_and_reference_runs_agree_to_the_bit(root: Path) -> None:
    assert digest(root) == digest(root, NUMBA_DISABLE_JIT="1")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["training", "inference"])
def test_aggregated_racks_agree_with_single_accelerators(
    make_site: MakeSite, run: Run, kind: Literal["training", "inference"]
) -> None:
    site = make_site(Load(kind=kind, level=0.5, diurnal_frac=0.0))
    full, mean = Compute(site, seed=4), Compute(site, seed=4, mode="rack")
    full_w, mean_w = (run(c, 60.0, block=50)[500:].mean() for c in (full, mean))
    assert mean_w == pytest.approx(full_w, rel=0.02 if kind == "training" else 0.25)
    assert mean.layout.slots == 8
    values = np.full(site.point_count, np.nan)
    mean.show(values)
    assert np.isfinite(values[site.rows("node", "gpu3_temp_degc")]).all()
    node_w = values[site.rows("node", "power_w")]
    switch_w = values[site.rows("switch", "power_w")]
    assert node_w.sum() + switch_w.sum() == pytest.approx(
        values[site.rows("power_shelf", "output_w")].sum()
    )


def test_caps_bind_in_the_aggregated_form(make_site: MakeSite, run: Run) -> None:
    job = Job(name="all", on=["pod1"], load=Load(kind="constant", level=1.0))
    compute = Compute(make_site(Load(), jobs=[job]), mode="rack")
    run(compute, 2.0)
    compute.write_caps(np.arange(18), np.full(18, 4000.0))
    it_w = run(compute, 2.0)[-1]
    assert it_w[0] == pytest.approx(18 * 4000.0 + 9 * 800.0, rel=0.02)
    assert it_w[1] > 110e3


def test_steps_of_a_second_and_a_minute(make_site: MakeSite, run: Run) -> None:
    site = make_site(Load(checkpoint_iterations=0))
    means = []
    cases: tuple[tuple[int, Literal["gpu", "rack"], int], ...] = (
        (20, "gpu", 100),
        (1000, "gpu", 600),
        (60_000, "rack", 36_000),
    )
    for dt_ms, mode, seconds in cases:
        compute = Compute(site, dt_ms=dt_ms, mode=mode)
        it_w = run(compute, seconds, block=5)
        means.append(it_w[len(it_w) // 3 :].mean())
        assert compute.slots.energy_j.sum() == pytest.approx(it_w.sum() * dt_ms / 1000.0, rel=1e-9)
    assert means[1] == pytest.approx(means[0], rel=0.02)
    assert means[2] == pytest.approx(means[0], rel=0.02)
