"""A demand charge: the highest mean import over the tariff's interval, never below the incumbent.

    p >= sum of import_k d_k / interval over each interval, the elapsed part included

Steps longer than the interval stand for all of theirs.
"""

from dataclasses import dataclass

import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.core.units import SECONDS_PER_HOUR
from mallee.optimize.horizon import Horizon
from mallee.optimize.inputs import Demand
from mallee.optimize.lp import SCALE, Layout, Numbers


@dataclass(frozen=True, slots=True)
class DemandColumns:
    """Where it stands: one column for the peak, a row for each interval (some unused)."""

    peak: slice
    row: slice
    import_entries: tuple[slice, ...]
    steps_of_entry: IntArray
    used: IntArray


def groups(horizon: Horizon, interval_s: float) -> IntArray:
    """Number of the billing interval that each step belongs to, counted from the first."""
    began = np.floor(horizon.edges_utc_s[:-1] / interval_s)
    return np.unique(began, return_inverse=True)[1].astype(np.int64)


def declare(
    layout: Layout, imports: tuple[slice, ...], demand: Demand, horizon: Horizon
) -> DemandColumns:
    """A column and as many rows as there are steps, so that the shape never changes."""
    peak, row = layout.column(1), layout.row()
    group = groups(horizon, demand.interval_s)
    counts = np.ones(horizon.count, bool) if demand.applies is None else demand.applies > 0
    steps = np.flatnonzero(counts)
    used = np.unique(group[steps])
    layout.entry(row.start + used, np.full(len(used), peak.start))
    entries = tuple(
        layout.entry(row.start + group[steps], columns.start + steps) for columns in imports
    )
    return DemandColumns(peak, row, entries, steps, used)


def fill(at: DemandColumns, demand: Demand, numbers: Numbers, horizon: Horizon) -> None:
    """Write one charge's numbers."""
    numbers.lower[at.peak] = demand.incumbent_w * SCALE
    numbers.cost[at.peak] = demand.usd_per_w / SCALE
    interval_h = demand.interval_s / SECONDS_PER_HOUR
    share = np.minimum(horizon.length_h / interval_h, 1.0)[at.steps_of_entry]
    for entry in at.import_entries:
        numbers.values[entry] = -share
    least: FloatArray = np.full(horizon.count, -np.inf)
    least[at.used] = 0.0
    if len(at.used) and at.used[0] == 0:
        least[0] = demand.elapsed_wh / interval_h * SCALE
    numbers.row_lower[at.row] = least
    numbers.row_upper[at.row] = np.inf
