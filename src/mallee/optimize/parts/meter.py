"""The meter: import in tiers, export, ramp, and what happens when nothing fits.

Import is the sum of `within` (the envelope, or a demand response target below it), `missed`
(above the target, at the contract's price) and `over` (above the envelope, at a price that no
wish below can pay). Tiers need no rows: their prices rise, so they fill in order.
"""

from dataclasses import dataclass

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.horizon import Horizon
from mallee.optimize.inputs import Problem
from mallee.optimize.ladder import Ladder
from mallee.optimize.lp import SCALE, Layout, Numbers


@dataclass(frozen=True, slots=True)
class MeterColumns:
    """Where the meter stands in the programme; absent tiers are empty slices."""

    imports: tuple[slice, ...]
    export: slice
    spill: slice
    unserved: slice
    solar: slice
    ramp_row: slice
    ramp_up: slice
    ramp_down: slice

    def imported(self, solution: FloatArray) -> FloatArray:
        """Import in each step, W."""
        total = np.zeros(self.export.stop - self.export.start)
        for columns in self.imports:
            total += solution[columns]
        return total / SCALE


def declare(layout: Layout, problem: Problem) -> MeterColumns:
    """Columns for all that crosses the meter, and a row for the ramp."""
    tiers = 3 if problem.responses else 2
    imports = tuple(layout.column() for _ in range(tiers))
    export, spill, unserved = layout.column(), layout.column(), layout.column()
    solar = layout.column(layout.steps if problem.solar_w is not None else 0)
    for columns in (*imports, unserved):
        layout.source(columns)
    layout.load(export)
    layout.load(spill)
    if problem.solar_w is not None:
        layout.source(solar)
    has_ramp = np.isfinite(problem.connection.ramp_w_per_s)
    count = layout.steps if has_ramp else 0
    row, up, down = layout.row(count), layout.column(count), layout.column(count)
    if has_ramp:
        for columns, sign in (*((c, 1.0) for c in imports), (export, -1.0), (spill, -1.0)):
            layout.entry(row, columns, sign)
            layout.chain(row, columns, -sign)
        layout.entry(row, up, -1.0)
        layout.entry(row, down, 1.0)
    return MeterColumns(imports, export, spill, unserved, solar, row, up, down)


def target_of(problem: Problem) -> FloatArray:
    """The lowest demand response target of each step, W; infinite where there is none."""
    lowest = np.full(problem.horizon.count, np.inf)
    for response in problem.responses:
        lowest = np.minimum(lowest, response.target_w)
    return lowest


def fill(at: MeterColumns, problem: Problem, numbers: Numbers, ladder: Ladder) -> None:
    """Write the meter's numbers."""
    d, connection = problem.horizon.length_h, problem.connection
    carbon = np.asarray(problem.carbon_kg_per_mwh) * problem.carbon_usd_per_kg
    price = problem.import_usd_per_mwh + carbon
    limit_w = np.maximum(connection.import_max_w, 0.0)
    within, *missed, over = at.imports
    numbers.upper[within] = limit_w * SCALE
    if missed:
        target_w = np.clip(target_of(problem), 0.0, limit_w)
        numbers.upper[within] = target_w * SCALE
        numbers.upper[missed[0]] = (limit_w - target_w) * SCALE
        fee = max(r.usd_per_mwh for r in problem.responses)
        numbers.cost[missed[0]] = (price + fee) * d
    numbers.cost[within] = price * d
    numbers.cost[over] = (price + ladder.hard) * d
    numbers.upper[at.export] = np.asarray(connection.export_max_w) * SCALE
    numbers.cost[at.export] = -np.asarray(problem.export_usd_per_mwh) * d
    numbers.cost[at.spill] = ladder.hard * d
    numbers.cost[at.unserved] = ladder.unserved * d
    if problem.solar_w is not None:
        numbers.upper[at.solar] = np.maximum(problem.solar_w, 0.0) * SCALE
    if at.ramp_row.stop > at.ramp_row.start:
        _fill_ramp(at, problem, numbers, ladder)


def _fill_ramp(at: MeterColumns, problem: Problem, numbers: Numbers, ladder: Ladder) -> None:
    """Step means may differ by the ramp over the time between the steps' middles.

    The first step is tied to the measured mean of the five minutes before.
    """
    horizon: Horizon = problem.horizon
    before_s = np.concatenate((horizon.step_s[:1], horizon.step_s[:-1]))
    allowed = problem.connection.ramp_w_per_s * (before_s + horizon.step_s) / 2.0 * SCALE
    low, high = -allowed, allowed.copy()
    measured_w = problem.connection.measured_w
    if np.isnan(measured_w):
        low[0], high[0] = -np.inf, np.inf
    else:
        low[0] += measured_w * SCALE
        high[0] += measured_w * SCALE
    numbers.row_lower[at.ramp_row] = low
    numbers.row_upper[at.ramp_row] = high
    # A MW too many is a MW too many for all steps after it.
    price = ladder.firm * float(horizon.length_h.sum())
    numbers.cost[at.ramp_up] = price
    numbers.cost[at.ramp_down] = price
