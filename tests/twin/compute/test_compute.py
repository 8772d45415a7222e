"""Racks as a whole: energy, caps, placement, points."""

from collections.abc import Callable

import numpy as np
import pytest

from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError, Rejected
from mallee.site.model import SiteModel
from mallee.site.simulated import Job, Load
from mallee.twin.parts.compute import Compute

MakeSite = Callable[..., SiteModel]
Run = Callable[..., FloatArray]


def test_energy_is_the_integral_of_power(make_site: MakeSite, run: Run) -> None:
    compute = Compute(make_site(Load()), seed=3)
    it_w = run(compute, 12.0)
    expected_j = it_w.sum() * 0.02
    assert compute.slots.energy_j.sum() == pytest.approx(expected_j, rel=1e-12)
    shelves = compute.shelves
    stored_j = compute.stored_j
    closed_j = shelves.output_j + shelves.loss_j + stored_j
    np.testing.assert_allclose(shelves.input_j, closed_j, rtol=1e-9)


def test_full_load_is_nameplate(make_site: MakeSite, run: Run) -> None:
    compute = Compute(make_site(Load(kind="constant", level=1.0, noise_frac=0.0)))
    it_w = run(compute, 30.0, block=50)
    assert it_w[-1].sum() == pytest.approx(2 * (18 * 6667 + 9 * 800), rel=0.03)


def test_what_is_shut_down_comes_to_nothing(make_site: MakeSite, run: Run) -> None:
    """Power that decays for ever becomes denormal, and the twin half as fast."""
    compute = Compute(make_site(Load()))
    compute.dies.state[:, :36] = 2
    compute.slots.hot_w[:, :36] = 0.0
    compute.racks.stale[:] = True
    run(compute, 1.0)
    falling_w = compute.slots.power_w[:, :36].copy()
    run(compute, 3.0)
    assert (compute.slots.power_w[:, :36] == 0.0).all()
    assert (falling_w < 1.0).all()
    assert (compute.slots.power_w[:, 36:72] > 0.0).all()


def test_caps_hold_after_their_delay(make_site: MakeSite, run: Run) -> None:
    compute = Compute(make_site(Load(kind="constant", level=1.0)))
    run(compute, 2.0)
    nodes = np.arange(36)
    compute.write_caps(nodes, np.full(36, 4000.0))
    before = run(compute, 0.4)
    assert before.min() > 120e3
    after = run(compute, 1.0)
    assert (after[-10:] <= 18 * 4000.0 + 9 * 800.0 + 1.0).all()
    assert compute.throughput < 0.9


def test_caps_outside_the_limits_are_rejected(make_site: MakeSite) -> None:
    compute = Compute(make_site(Load()))
    with pytest.raises(Rejected, match="outside 1927 to 6667 W"):
        compute.write_cap(3, 1000.0)
    with pytest.raises(Rejected):
        compute.write_cap(3, float("nan"))
    with pytest.raises(Rejected, match="node 2: cap_w 9000 W"):
        compute.write_caps(np.arange(4), np.array([3e3, 3e3, 9e3, 3e3]))
    assert compute.caps.next_ms > 1 << 50, "none of a rejected batch is on its way"


def test_writes_faster_than_the_delay_all_take_effect(make_site: MakeSite, run: Run) -> None:
    compute = Compute(make_site(Load()))
    seen = []
    for number in range(20):
        compute.write_cap(0, 3000.0 + 100.0 * number)
        run(compute, 0.1)
        seen.append(float(compute.caps.cap_w[0]))
    # 0.5 s of delay: the node follows the writes five blocks late.
    np.testing.assert_array_equal(seen[5:], 3000.0 + 100.0 * np.arange(15))


def test_every_point_of_nodes_switches_and_shelves_is_written(
    make_site: MakeSite, run: Run
) -> None:
    site = make_site(Load())
    compute = Compute(site)
    run(compute, 2.0)
    values = np.full(site.point_count, np.nan)
    compute.show(values)
    for group in site.groups:
        rows = slice(group.first_row, group.first_row + group.count * group.stride)
        if group.kind in ("node", "switch", "power_shelf"):
            assert np.isfinite(values[rows]).all(), group.model.model
        else:
            assert np.isnan(values[rows]).all()
    node_w = values[site.rows("node", "power_w")].sum()
    switch_w = values[site.rows("switch", "power_w")].sum()
    assert values[site.rows("power_shelf", "output_w")].sum() == pytest.approx(node_w + switch_w)


def test_jobs_go_to_their_nodes(make_site: MakeSite, run: Run) -> None:
    busy = Job(name="a", on=["pod1/r1"], load=Load(kind="constant", level=1.0))
    compute = Compute(make_site(Load(kind="idle"), jobs=[busy]))
    it_w = run(compute, 2.0)[-1]
    assert it_w[0] > 115e3
    assert it_w[1] < 25e3


def test_a_job_on_nothing_is_an_error(make_site: MakeSite) -> None:
    lost = Job(name="a", on=["pod9"], load=Load())
    with pytest.raises(ConfigError, match=r"twin\.jobs\.a\.on.*pod9"):
        Compute(make_site(Load(), jobs=[lost]))
    twice = [Job(name=n, on=["pod1/r1"], load=Load()) for n in ("a", "b")]
    with pytest.raises(ConfigError, match="shares nodes with 'a'"):
        Compute(make_site(Load(), jobs=twice))


def test_blocks_of_any_length_give_the_same(make_site: MakeSite, run: Run) -> None:
    one, other = (Compute(make_site(Load()), seed=5) for _ in range(2))
    np.testing.assert_array_equal(run(one, 6.0, block=5), run(other, 6.0, block=25))


def test_restore_continues_exactly(make_site: MakeSite, run: Run) -> None:
    site = make_site(Load())
    one = Compute(site, seed=5)
    run(one, 2.0)
    one.write_cap(4, 3000.0)
    run(one, 0.3)
    saved = one.save()
    other = Compute(site, seed=5)
    other.restore(saved)
    np.testing.assert_array_equal(run(one, 4.0), run(other, 4.0))
