"""Energy between two envelopes: deferrable work by class, and groups of cars.

    E_k = due_k - late_k + early_k,   0 <= early_k <= arrived_k - due_k,   E_k - E_k-1 = p_k d_k

`late` costs, so that a deadline that cannot be kept is missed by as little as possible and told.
"""

from dataclasses import dataclass

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.horizon import Horizon
from mallee.optimize.lp import SCALE, Layout, Numbers


@dataclass(frozen=True, slots=True)
class EnvelopeColumns:
    """Where it stands in the programme."""

    power: slice
    late: slice
    early: slice
    row: slice
    power_entry: slice


def declare(layout: Layout) -> EnvelopeColumns:
    """Columns for power, lateness and earliness, a row for the cumulative energy."""
    power, late, early, row = layout.column(), layout.column(), layout.column(), layout.row()
    layout.load(power)
    for columns, sign in ((late, -1.0), (early, 1.0)):
        layout.entry(row, columns, sign)
        layout.chain(row, columns, -sign)
    return EnvelopeColumns(power, late, early, row, layout.entry(row, power))


def fill(
    at: EnvelopeColumns,
    numbers: Numbers,
    horizon: Horizon,
    *,
    arrived_wh: FloatArray,
    due_wh: FloatArray,
    power_max_w: FloatArray | float,
    value_usd_per_mwh: float,
    late_usd_per_mwh: float,
) -> None:
    """Write the numbers of one envelope; what is due but has not arrived cannot be asked for."""
    due_wh = np.minimum(due_wh, arrived_wh)
    numbers.upper[at.power] = np.asarray(power_max_w) * SCALE
    numbers.upper[at.late] = due_wh * SCALE
    numbers.upper[at.early] = (arrived_wh - due_wh) * SCALE
    numbers.cost[at.power] = -value_usd_per_mwh * horizon.length_h
    numbers.cost[at.late] = late_usd_per_mwh
    numbers.values[at.power_entry] = -horizon.length_h
    rest = -np.diff(due_wh, prepend=0.0) * SCALE
    numbers.row_lower[at.row] = rest
    numbers.row_upper[at.row] = rest
