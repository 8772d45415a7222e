"""The linear programme against an exact solution, and both against trying everything."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.core.arrays import FloatArray
from mallee.optimize.exact import Market, end_value, solve, solve_with_peak
from mallee.optimize.horizon import even_horizon
from mallee.optimize.inputs import Battery, Connection, Demand, EndValue, Problem
from mallee.optimize.planner import Planner

START_UTC_S = 1_800_000_000.0


def market(rng: np.random.Generator, steps: int, *, sun: bool = False) -> Market:
    load_w = rng.uniform(2e6, 8e6, steps) - (6e6 * rng.random(steps) if sun else 0.0)
    price = rng.uniform(0.0, 150.0, steps)
    return Market(
        length_h=np.full(steps, 0.5),
        load_w=load_w,
        import_usd_per_mwh=price,
        export_usd_per_mwh=price * 0.6,
        import_max_w=np.full(steps, 9e6),
        export_max_w=np.full(steps, 5e6 if sun else 0.0),
    )


def battery(rng: np.random.Generator, end: EndValue | None) -> Battery:
    return Battery(
        name="bess",
        energy_wh=float(rng.uniform(2e6, 12e6)),
        soc=float(rng.uniform(0.1, 0.9)),
        soc_min=0.1,
        soc_max=0.9,
        charge_max_w=float(rng.uniform(0.5e6, 4e6)),
        discharge_max_w=float(rng.uniform(0.5e6, 2e6)),
        charge_efficiency=0.95,
        discharge_efficiency=0.93,
        wear_usd_per_mwh=float(rng.uniform(0.0, 4.0)),
        end=end,
    )


def problem(bess: Battery, m: Market, **more: object) -> Problem:
    steps = len(m.length_h)
    return Problem(
        horizon=even_horizon(START_UTC_S, 1800.0, steps),
        connection=Connection(import_max_w=m.import_max_w, export_max_w=m.export_max_w),
        load_w=m.load_w,
        import_usd_per_mwh=m.import_usd_per_mwh,
        export_usd_per_mwh=m.export_usd_per_mwh,
        batteries=(bess,),
        **more,  # type: ignore[arg-type]
    )


def cost_of(m: Market, bess: Battery, battery_w: FloatArray, stored_wh: FloatArray) -> float:
    """Independent: what a sequence of battery powers costs."""
    net_mwh = (m.load_w + battery_w) * m.length_h / 1e6
    money = np.where(net_mwh > 0, net_mwh * m.import_usd_per_mwh, net_mwh * m.export_usd_per_mwh)
    wear = bess.wear_usd_per_mwh * np.abs(battery_w) * m.length_h / 1e6
    left = 0.0
    if bess.end is not None:
        edges = np.concatenate(([0.0], np.cumsum(bess.end.energy_wh)))
        worth = np.concatenate(([0.0], np.cumsum(bess.end.energy_wh * bess.end.usd_per_mwh / 1e6)))
        left = float(np.interp(stored_wh[-1], edges, worth))
    return float(np.sum(money + wear)) - left


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_programme_and_exact_solution_agree(seed: int, sun: bool) -> None:
    rng = np.random.default_rng(seed)
    end = EndValue(energy_wh=np.array([3e6, 9e6]), usd_per_mwh=np.array([70.0, 20.0]))
    m, bess = market(rng, 30, sun=sun), battery(rng, end)
    exact = solve(bess, m)
    plan = Planner().plan(problem(bess, m))
    planned_w = plan.charge_w["bess"] - plan.discharge_w["bess"]
    planned = cost_of(m, bess, planned_w, plan.stored_wh["bess"])
    assert plan.good
    assert plan.broken == ()
    assert exact.cost_usd == pytest.approx(
        cost_of(m, bess, exact.battery_w, exact.stored_wh), abs=1e-6
    )
    assert planned == pytest.approx(exact.cost_usd, rel=1e-7, abs=1e-4)


def test_exact_solution_agrees_with_trying_everything() -> None:
    rng = np.random.default_rng(5)
    for _ in range(3):
        m = market(rng, 3)
        bess = Battery(
            name="bess",
            energy_wh=4e6,
            soc=0.5,
            soc_min=0.0,
            soc_max=1.0,
            charge_max_w=1e6,
            discharge_max_w=1e6,
            charge_efficiency=1.0,
            discharge_efficiency=1.0,
            wear_usd_per_mwh=1.0,
        )
        grid = np.linspace(-1e6, 1e6, 17)
        best = np.inf
        for powers in itertools.product(grid, repeat=3):
            used = np.array(powers)
            stored = 2e6 + np.cumsum(used * 0.5)
            inside = stored.min() >= 0.0 and stored.max() <= 4e6
            fits = np.all(m.load_w + used <= m.import_max_w) and np.all(m.load_w + used >= 0.0)
            if inside and fits:
                best = min(best, cost_of(m, bess, used, stored))
        assert solve(bess, m).cost_usd <= best + 1e-9
        assert solve(bess, m).cost_usd == pytest.approx(best, abs=5.0)  # the grid is 125 kW wide


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10**6))
def test_demand_charge_agrees_with_a_search_over_the_peak(seed: int) -> None:
    rng = np.random.default_rng(seed)
    m, bess = market(rng, 10), battery(rng, None)
    exact = solve_with_peak(bess, m, 15e-3, 4e6)
    charge = Demand(name="month", usd_per_w=15e-3, interval_s=1800.0, incumbent_w=4e6)
    worthless = EndValue(energy_wh=np.array([20e6]), usd_per_mwh=np.array([0.0]))
    bess = Battery(**{name: getattr(bess, name) for name in bess.__slots__} | {"end": worthless})
    plan = Planner().plan(problem(bess, m, demands=(charge,)))
    total = plan.cost_usd["energy"] + plan.cost_usd["wear"] + 15e-3 * plan.peak_w["month"]
    assert plan.good
    assert total == pytest.approx(exact.cost_usd, rel=1e-6)
    assert plan.peak_w["month"] == pytest.approx(max(4e6, plan.import_w.max()), abs=1.0)


def test_value_of_energy_beyond_the_horizon_joins_two_horizons_without_a_seam() -> None:
    rng = np.random.default_rng(3)
    whole = market(rng, 40)
    halves = [
        Market(**{name: getattr(whole, name)[part] for name in whole.__slots__})
        for part in (slice(0, 20), slice(20, 40))
    ]
    bess = battery(rng, None)
    later = end_value(bess, halves[1])
    assert np.all(np.diff(later.usd_per_mwh) <= 1e-9)
    joined = Battery(**{name: getattr(bess, name) for name in bess.__slots__} | {"end": later})
    first = solve(joined, halves[0])
    alone = solve(bess, whole)
    assert first.stored_wh == pytest.approx(alone.stored_wh[:20], abs=1.0)


def test_burning_energy_for_money_is_refused() -> None:
    rng = np.random.default_rng(1)
    m = market(rng, 4)
    burnt = Market(
        length_h=m.length_h,
        load_w=m.load_w,
        import_usd_per_mwh=np.full(4, -100.0),
        export_usd_per_mwh=np.full(4, -100.0),
        import_max_w=m.import_max_w,
        export_max_w=m.export_max_w,
    )
    with pytest.raises(ValueError, match="not convex"):
        solve(battery(rng, None), burnt)
