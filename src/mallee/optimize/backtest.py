"""Runs plans over past months in a closed loop and says what the bill would have been.

Beside plans with own or perfect forecasts: doing nothing, perfect foresight of the whole time, and
the peak-shaving rule that batteries are sold with. Bills come from the meter series and the tariff.
"""

from collections.abc import Callable

import numpy as np

from mallee.optimize.closed_loop import Case, Foresight, Loop, Outcome
from mallee.optimize.horizon import FINE_S, Horizon
from mallee.optimize.inputs import Connection, Demand, Problem
from mallee.optimize.planner import Planner
from mallee.optimize.tariff.clock import month_start_utc_s
from mallee.optimize.tariff.prices import demand_hours, import_prices


def play(
    case: Case,
    foresight: Foresight | None,
    *,
    use_targets: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Outcome:
    """Play a case with plans made every five minutes.

    Args:
        foresight: what forecasts know; None plays without plans and battery, the null case.
        use_targets: aim for the month's peak; without, each plan weighs only its own day.
        progress: called with the number of steps done.
    """
    loop = Loop(case, foresight, use_targets=use_targets)
    for k in range(loop.count):
        loop.step(k)
        if progress is not None:
            progress(k + 1)
    return loop.outcome()


def bound(case: Case) -> Outcome:
    """Perfect foresight of the whole time in one programme: no policy can do better."""
    count = round((case.until_utc_s - case.from_utc_s) / FINE_S)
    horizon = Horizon(case.from_utc_s, np.full(count, FINE_S))
    edges = horizon.edges_utc_s
    prices = import_prices(case.tariff, case.markets, float(edges[0]), float(edges[-1]))
    demands = []
    starts = [case.from_utc_s]
    while (turn := month_start_utc_s(starts[-1] + 1.0, case.tariff.timezone, 1)) < case.until_utc_s:
        starts.append(turn)
    for start, end in zip(starts, [*starts[1:], case.until_utc_s], strict=True):
        month = (edges[:-1] >= start) & (edges[:-1] < end)
        for rate in case.tariff.demand:
            hours = demand_hours(case.tariff, rate, float(edges[0]), float(edges[-1]))
            demands.append(
                Demand(
                    name=f"{rate.name} {start:.0f}",
                    usd_per_w=rate.usd_per_w_month * (1.0 + case.tariff.taxes_frac),
                    interval_s=float(rate.interval_s),
                    applies=np.where(month, hours.means(edges), 0.0),
                )
            )
    plan = Planner().plan(
        Problem(
            horizon=horizon,
            connection=Connection(import_max_w=np.full(count, case.import_max_w)),
            load_w=case.load_w.means(edges),
            import_usd_per_mwh=prices.means(edges),
            batteries=(case.battery,),
            demands=tuple(demands),
        ),
        explain=False,
    )
    loop = Loop(case, None, use_targets=False)
    for k in range(count):
        loop.follow(k, float(plan.battery_w[k]), np.inf)
    loop.plans, loop.lost = 1, int(not plan.good)
    return loop.outcome()


def rule(case: Case, peak_w: float, recharge_w: float) -> Outcome:
    """OpenEMS's peak-shaving rule: discharge above one power, recharge below another, else rest.

    Source: `ControllerEssPeakShavingImpl`, as described in docs/energy.md.
    """
    loop = Loop(case, None, use_targets=False)
    for k in range(loop.count):
        load = float(loop.load_w[k])
        wanted = peak_w - load if load >= peak_w else max(0.0, recharge_w - load)
        loop.follow(k, wanted, np.inf)
    return loop.outcome()
