"""Plans of whole sites: always an answer, proved, with every broken wish named."""

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.core.errors import ConfigError
from mallee.optimize.horizon import Horizon, even_horizon, horizon_at
from mallee.optimize.inputs import (
    Battery,
    CapBand,
    Charging,
    Connection,
    CoolingBuffer,
    Demand,
    EndValue,
    Genset,
    Problem,
    Response,
    Work,
)
from mallee.optimize.planner import Planner
from mallee.optimize.schedule import Schedule

START_UTC_S = 1_800_000_000.0


def bess(**more: Any) -> Battery:
    given: dict[str, Any] = {
        "name": "bess",
        "energy_wh": 8e6,
        "soc": 0.5,
        "charge_max_w": 4e6,
        "discharge_max_w": 4e6,
    }
    return Battery(**(given | more))


def site(horizon: Horizon, rng: np.random.Generator, **more: Any) -> Problem:
    """A whole site: everything in it, limits that can be kept."""
    count = horizon.count
    done = np.cumsum(horizon.length_h)
    hour = horizon.edges_utc_s[:-1] / 3600.0 % 24.0
    given: dict[str, Any] = {
        "horizon": horizon,
        "connection": Connection(
            import_max_w=np.full(count, 12e6), ramp_w_per_s=5e3, measured_w=7e6
        ),
        "load_w": 4e6 + 1e6 * np.sin(hour / 24 * 2 * np.pi),
        "import_usd_per_mwh": rng.uniform(20.0, 120.0, count),
        "solar_w": np.maximum(0.0, 2e6 * np.sin((hour - 6.0) / 12.0 * np.pi)),
        "batteries": (bess(reserve_wh=5e5, headroom_wh=5e5, reserve_w=2e5),),
        "work": (
            Work(
                name="nightly",
                arrived_wh=4e6 + done * 3e5,
                due_wh=np.maximum(0.0, done * 3e5 - 2e6),
                power_max_w=1e6,
            ),
        ),
        "caps": (
            CapBand(
                name="training",
                power_w=np.array([1e6, 2e6, 3e6]),
                throughput_frac=np.array([0.2, 0.8, 1.0]),
                value_usd_per_mwh=400.0,
            ),
        ),
        "cooling": (
            CoolingBuffer(
                name="loop",
                energy_wh=2e6,
                stored_wh=1e6,
                power_max_w=2.5e6,
                cop=4.0 + np.cos(hour / 24 * 2 * np.pi),
                heat_w=np.full(count, 3e6),
            ),
        ),
        "charging": (
            Charging(
                name="lot",
                earliest_wh=done * 4e5,
                latest_wh=np.maximum(0.0, done * 4e5 - 8e5),
                power_max_w=1e6,
            ),
        ),
        "gensets": (Genset(name="diesel", power_min_w=5e5, power_max_w=2e6),),
        "demands": (Demand(name="month", usd_per_w=15e-3, incumbent_w=7e6),),
    }
    return Problem(**(given | more))


def wishes(plan: Schedule) -> set[str]:
    return {broken.wish for broken in plan.broken}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 400))
def test_a_site_that_can_keep_its_limits_does(seed: int, fives: int) -> None:
    rng = np.random.default_rng(seed)
    plan = Planner().plan(site(horizon_at(START_UTC_S + 300.0 * fives), rng))
    assert plan.good
    assert plan.broken == ()
    assert np.all(plan.import_w <= 12e6 + 1.0)
    assert plan.stored_wh["bess"].min() >= 0.1 * 8e6 + 5e5 - 1.0
    assert plan.stored_wh["bess"].max() <= 0.95 * 8e6 - 5e5 + 1.0
    mids = (plan.horizon.edges_utc_s[1:] + plan.horizon.edges_utc_s[:-1]) / 2
    net_w = plan.import_w - plan.export_w
    assert np.all(np.abs(np.diff(net_w)) <= 5e3 * np.diff(mids) + 1.0)
    assert abs(net_w[0] - 7e6) <= 5e3 * 300.0 + 1.0
    assert np.all(np.diff(plan.done_wh["nightly"], prepend=0.0) >= -1e-3)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_nothing_is_ever_infeasible(seed: int) -> None:
    """Contracts that contradict each other, empty batteries, deadlines in the past."""
    rng = np.random.default_rng(seed)
    h = horizon_at(START_UTC_S)
    n = h.count
    plan = Planner().plan(
        site(
            h,
            rng,
            connection=Connection(
                import_max_w=rng.choice([0.0, 1e6, 20e6], n),
                export_max_w=float(rng.choice([0.0, 1e6])),
                ramp_w_per_s=float(rng.choice([1.0, 1e3, np.inf])),
                measured_w=float(rng.uniform(-5e6, 20e6)),
            ),
            import_usd_per_mwh=rng.uniform(-200.0, 5000.0, n),
            solar_w=rng.uniform(0.0, 30e6, n),
            batteries=(
                bess(
                    soc=float(rng.uniform(-0.2, 1.2)),
                    reserve_wh=float(rng.uniform(0.0, 20e6)),
                    headroom_wh=float(rng.uniform(0.0, 20e6)),
                    reserve_w=float(rng.uniform(0.0, 9e6)),
                    peak_reserve_wh=float(rng.uniform(0.0, 20e6)),
                ),
            ),
            work=(
                Work(
                    name="late", arrived_wh=np.full(n, 1e6), due_wh=np.full(n, 9e7), power_max_w=1e5
                ),
            ),
            gensets=(
                Genset(
                    name="diesel",
                    power_min_w=1e6,
                    power_max_w=rng.choice([0.0, 2e6], n),
                    ordered_w=rng.choice([0.0, 3e6], n),
                    energy_max_wh=2e6,
                ),
            ),
            responses=(
                Response(name="event", target_w=rng.choice([0.0, np.inf], n), usd_per_mwh=900.0),
            ),
        )
    )
    assert plan.proof.infeasibility <= 1e-6
    assert plan.balance_error_w <= 10.0
    assert plan.broken
    assert all("infeasible" not in broken.sentence for broken in plan.broken)


response = Response(name="event", target_w=np.ones(24), usd_per_mwh=9.0)


@pytest.mark.parametrize(
    ("change", "wish"),
    [
        ({"load_w": np.full(24, 30e6)}, {"load", "import limit"}),
        ({"batteries": (bess(soc=0.0, charge_max_w=1e5),)}, {"state of charge window"}),
        ({"batteries": (bess(reserve_wh=9e6),)}, {"fast reserve"}),
        ({"batteries": (bess(reserve_w=5e6),)}, {"fast reserve"}),
        ({"gensets": (Genset(name="d", power_max_w=60e6, ordered_w=60e6),)}, {"export limit"}),
        ({"gensets": (Genset(name="d", power_max_w=1e6, ordered_w=2e6),)}, {"order"}),
        ({"responses": (response,)}, {"response target"}),
    ],
)  # fmt: skip
def test_each_broken_wish_is_named(change: dict[str, Any], wish: set[str]) -> None:
    rng = np.random.default_rng(1)
    plain = {"work": (), "caps": (), "cooling": (), "charging": (), "gensets": (), "demands": ()}
    h = even_horizon(START_UTC_S, 3600.0, 24)
    plan = Planner().plan(site(h, rng, **(plain | change)))
    assert plan.good
    assert wishes(plan) & wish, plan.broken
    assert wishes(Planner().plan(site(h, rng, **plain))) == set()


def test_a_hard_limit_outranks_prices_peaks_and_values() -> None:
    """A spike of 9,000 USD/MWh buys neither the fast layer's reserve nor the import limit."""
    h = even_horizon(START_UTC_S, 900.0, 40)
    price = np.full(40, 30.0)
    price[20:32] = 9000.0
    plan = Planner().plan(
        site(
            h,
            np.random.default_rng(2),
            import_usd_per_mwh=price,
            batteries=(bess(reserve_wh=2e6),),
            gensets=(),
            caps=(),
        )
    )
    assert plan.broken == ()
    assert plan.stored_wh["bess"].min() == pytest.approx(0.8e6 + 2e6, abs=1e3)  # used to the edge


def test_negative_prices_never_charge_and_discharge_at_once() -> None:
    """Against trying all directions of six steps."""
    rng = np.random.default_rng(4)
    h = even_horizon(START_UTC_S, 3600.0, 6)
    price = np.array([-80.0, -120.0, -60.0, 10.0, -90.0, 40.0])
    plain: dict[str, Any] = {
        "horizon": h,
        "connection": Connection(import_max_w=np.full(6, 9e6)),
        "load_w": rng.uniform(1e6, 2e6, 6),
        "import_usd_per_mwh": price,
    }
    end = EndValue(energy_wh=np.array([9e6]), usd_per_mwh=np.array([0.0]))
    plan = Planner().plan(Problem(**plain, batteries=(bess(end=end),)))
    both = np.minimum(plan.charge_w["bess"], plan.discharge_w["bess"])
    assert plan.good
    assert "either-or" in plan.how
    assert both.max() < 1.0
    best = np.inf
    for way in itertools.product((0.0, 4e6), repeat=6):
        fixed = bess(end=end, charge_max_w=np.array(way), discharge_max_w=4e6 - np.array(way))
        tried = Planner().plan(Problem(**plain, batteries=(fixed,)))
        best = min(best, tried.cost_usd["energy"] + tried.cost_usd["wear"])
    assert plan.cost_usd["energy"] + plan.cost_usd["wear"] == pytest.approx(best, abs=1e-3)


def test_a_generator_runs_above_its_least_power_or_not_at_all() -> None:
    h = even_horizon(START_UTC_S, 3600.0, 24)
    price = np.where(np.arange(24) % 6 == 3, 600.0, 50.0)
    diesel = Genset(name="diesel", power_min_w=3e6, power_max_w=4e6, fuel_usd_per_mwh=280.0)
    limit = Connection(import_max_w=np.full(24, 6e6))
    plan = Planner().plan(
        site(
            h, np.random.default_rng(0), import_usd_per_mwh=price, gensets=(diesel,),
            connection=limit, batteries=(), solar_w=None, demands=(), load_w=np.full(24, 1e6),
        )
    )  # fmt: skip
    power = plan.genset_w["diesel"]
    assert plan.good
    assert np.all((power < 1.0) | (power >= 3e6 - 1.0))
    assert power.max() >= 3e6 - 1.0


def test_a_demand_charge_counts_what_was_used_before_and_never_below_the_incumbent() -> None:
    h = even_horizon(START_UTC_S + 600.0, 300.0, 12)  # ten minutes into a quarter of an hour
    load = np.full(12, 1e6)
    charge = Demand(name="month", usd_per_w=15e-3, incumbent_w=1.5e6, elapsed_wh=1e6)
    plain: dict[str, Any] = {
        "connection": Connection(import_max_w=np.full(12, 9e6)),
        "load_w": load,
        "import_usd_per_mwh": np.full(12, 50.0),
    }
    plan = Planner().plan(Problem(horizon=h, demands=(charge,), **plain))
    # 1 MWh in ten minutes and five more at 1 MW: (1 + 1/12) MWh in a quarter of an hour.
    assert plan.peak_w["month"] == pytest.approx((1e6 + 1e6 / 12) / 0.25, abs=1.0)
    quiet = dataclasses.replace(charge, elapsed_wh=0.0)
    plan = Planner().plan(Problem(horizon=h, demands=(quiet,), **plain))
    assert plan.peak_w["month"] == pytest.approx(1.5e6, abs=1.0)


@pytest.mark.slow
def test_equal_problems_have_equal_plans_warm_or_cold() -> None:
    rng = np.random.default_rng(6)
    problems = [site(horizon_at(START_UTC_S + 300.0 * i), rng) for i in range(8)]
    planner = Planner()
    warm = [planner.plan(p) for p in problems]
    for p, plan in zip(problems, warm, strict=True):
        cold = Planner().plan(p)
        assert plan.proof.objective == pytest.approx(cold.proof.objective, rel=1e-9)
    again = Planner()
    for p, plan in zip(problems, warm, strict=True):
        assert np.array_equal(again.plan(p).import_w, plan.import_w)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"load_w": np.full(44, np.nan)}, "load_w: is blank in step 1"),
        ({"import_usd_per_mwh": np.ones(3)}, "has 3 values for 44 steps"),
        ({"batteries": (bess(soc=np.nan),)}, "has no state of charge"),
        ({"batteries": (bess(soc_min=0.9, soc_max=0.2),)}, "0 <= soc_min < soc_max"),
        ({"batteries": (bess(charge_efficiency=94.0),)}, "charge_efficiency: is 94"),
    ],
)
def test_mistakes_are_one_sentence(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Planner().plan(site(horizon_at(START_UTC_S), np.random.default_rng(0), **change))


@given(st.integers(0, 288 * 7))
def test_steps_end_on_the_clock(fives: int) -> None:
    h = horizon_at(START_UTC_S + 300.0 * fives)
    edges = h.edges_utc_s
    assert h.count == 44
    assert edges[-1] - edges[0] >= 24 * 3600.0
    assert np.all(edges[12:][h.step_s[11:] > 300.0] % 900.0 == 0.0)
    long = h.step_s >= 3600.0
    assert np.all(edges[:-1][long] % 3600.0 == 0.0)
    assert np.all(h.step_s[:12] == 300.0)
