"""Power shelves: losses, lost units, storage, hold-up."""

from collections.abc import Callable

import numpy as np
import pytest

from mallee.core.arrays import FloatArray
from mallee.site.model import SiteModel
from mallee.site.simulated import Load
from mallee.twin.parts.compute import Compute

MakeSite = Callable[..., SiteModel]
Run = Callable[..., FloatArray]


def swing(iteration_s: float) -> Load:
    """A square wave of 80 % duty whose swing is 850 W for each of the rack's accelerators."""
    return Load(
        iteration_s=iteration_s,
        iteration_jitter_frac=0.0,
        compute_frac=0.8,
        compute_level=0.95,
        comm_level=0.372,
        bubbles=0,
        checkpoint_iterations=0,
        start_ramp_s=0.0,
        noise_frac=0.0,
    )


def test_losses_follow_the_published_efficiency(make_site: MakeSite, run: Run) -> None:
    compute = Compute(make_site(Load(kind="constant", level=1.0)))
    run(compute, 5.0)
    output_w, input_w = compute.it_w, compute.input_w
    load = output_w / (8 * 33e3)
    expected_w = (0.0065 - 0.0044 * load + 0.0342 * load**2) * 8 * 33e3
    np.testing.assert_allclose(input_w - output_w, expected_w, rtol=1e-9)


def test_a_lost_shelf_loads_the_others(make_site: MakeSite, run: Run) -> None:
    site = make_site(Load(kind="constant", level=1.0))
    compute = Compute(site)
    run(compute, 2.0)
    compute.set_shelf_lost(0, 4)
    run(compute, 2.0)
    values = np.full(site.point_count, np.nan)
    compute.show(values)
    output_w = values[site.rows("power_shelf", "output_w")]
    assert (output_w[4:8] == 0.0).all()
    assert output_w[0] > 28e3
    energy_wh = values[site.rows("power_shelf", "input_energy_wh")]
    assert energy_wh.sum() == pytest.approx(compute.shelves.input_j.sum() / 3600.0)


@pytest.mark.parametrize(("iteration_s", "least", "most"), [(0.5, 0.0, 0.15), (2.0, 0.65, 1.0)])
def test_65_joules_flatten_half_a_second_but_not_two(
    make_site: MakeSite, run: Run, iteration_s: float, least: float, most: float
) -> None:
    compute = Compute(make_site(swing(iteration_s), shelf_storage_j=65.0))
    run(compute, 40.0, block=50)
    raw_w, even_w = [], []
    for _ in range(40):
        raw_w.append(run(compute, 0.1)[:, 0])
        even_w.append(compute.block_input_w[:, 0])
    left = np.concatenate(even_w).std() / np.concatenate(raw_w).std()
    assert least <= left <= most


def test_a_short_sag_is_held_and_a_long_one_goes_dark(make_site: MakeSite, run: Run) -> None:
    compute = Compute(make_site(Load(restart_s=3.0, compute_frac=1.0)))
    run(compute, 5.0)
    supply, flow = np.full(2, 30.0), np.ones(2)
    held_w = compute.advance(compute.time_ms, 1, supply_degc=supply, flow_frac=flow, voltage_pu=0.0)
    assert (held_w == 0.0).all()
    assert (compute.it_w > 50e3).all()
    run(compute, 1.0)
    assert (compute.it_w > 50e3).all()
    one_dark = np.array([0.0, 1.0])
    for _ in range(5):
        compute.advance(compute.time_ms, 5, supply_degc=supply, flow_frac=flow, voltage_pu=one_dark)
    assert compute.it_w[0] == 0.0
    run(compute, 1.0)
    assert (compute.it_w < 30e3).all(), "the gang stopped on both racks"
    run(compute, 5.0)
    assert (compute.it_w > 50e3).all(), "and started again"
    shelves = compute.shelves
    closed_j = shelves.output_j + shelves.loss_j + compute.stored_j
    np.testing.assert_allclose(shelves.input_j, closed_j, rtol=1e-9)
