"""Cooling with a buffer: the plant's electricity moves to hours of cold air and cheap power.

    Q' = Q (1 - sigma d) + COP(T_ambient) q d - heat d + missing

The COP comes from the forecast, so the rows stay linear. Heat of planned work is in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.horizon import Horizon
from mallee.optimize.inputs import CoolingBuffer
from mallee.optimize.ladder import Ladder
from mallee.optimize.lp import SCALE, Layout, Numbers


@dataclass(frozen=True, slots=True)
class CoolingColumns:
    """Where it stands in the programme."""

    power: slice
    stored: slice
    missing: slice
    row: slice
    power_entry: slice
    carry_entry: slice
    missing_entry: slice
    heat_entries: tuple[slice, ...]


def declare(layout: Layout, heating: Sequence[slice]) -> CoolingColumns:
    """Columns for power, cold stored and heat not removed; a row for the cold.

    Args:
        heating: columns of planned work whose power becomes heat here.
    """
    power, stored, missing, row = layout.column(), layout.column(), layout.column(), layout.row()
    layout.load(power)
    layout.entry(row, stored)
    return CoolingColumns(
        power,
        stored,
        missing,
        row,
        layout.entry(row, power),
        layout.chain(row, stored),
        layout.entry(row, missing),
        tuple(layout.entry(row, columns) for columns in heating),
    )


def fill(
    at: CoolingColumns,
    buffer: CoolingBuffer,
    numbers: Numbers,
    horizon: Horizon,
    ladder: Ladder,
    least_w: FloatArray,
    end_usd_per_mwh: float,
) -> None:
    """Write one buffer's numbers; cold left at the end is worth its electricity.

    Args:
        least_w: what planned work draws at least.
    """
    d = horizon.length_h
    keep = 1.0 - buffer.loss_frac * d
    numbers.upper[at.power] = np.asarray(buffer.power_max_w) * SCALE
    numbers.upper[at.stored] = buffer.energy_wh * SCALE
    numbers.cost[at.missing] = ladder.hard * d
    numbers.cost[at.stored.stop - 1] = -end_usd_per_mwh / float(np.mean(buffer.cop))
    numbers.values[at.power_entry] = -buffer.cop * d
    numbers.values[at.carry_entry] = -keep[1:]
    numbers.values[at.missing_entry] = -d
    for entry in at.heat_entries:
        numbers.values[entry] = buffer.heat_frac * d
    rest = -(buffer.heat_w + buffer.heat_frac * least_w) * d * SCALE
    rest[0] += keep[0] * min(max(buffer.stored_wh, 0.0), buffer.energy_wh) * SCALE
    numbers.row_lower[at.row] = rest
    numbers.row_upper[at.row] = rest
