"""A generator: fuel, an order to run, a fuel or permit budget; its least power is a binary."""

from dataclasses import dataclass

import numpy as np

from mallee.optimize.horizon import Horizon
from mallee.optimize.inputs import Genset
from mallee.optimize.ladder import Ladder
from mallee.optimize.lp import SCALE, Layout, Numbers


@dataclass(frozen=True, slots=True)
class GensetColumns:
    """Where it stands; the budget's row is absent where there is no budget."""

    power: slice
    excess: slice
    row: slice
    entry: slice


def declare(layout: Layout, genset: Genset) -> GensetColumns:
    """A column for power, and a row where its energy is limited."""
    power = layout.column()
    layout.source(power)
    limited = int(np.isfinite(genset.energy_max_wh))
    excess, row = layout.column(limited), layout.row(limited)
    entry = slice(0, 0)
    if limited:
        entry = layout.entry(np.full(layout.steps, row.start), power)
        layout.entry(row, excess, -1.0)
    return GensetColumns(power, excess, row, entry)


def fill(
    at: GensetColumns,
    genset: Genset,
    numbers: Numbers,
    horizon: Horizon,
    ladder: Ladder,
    carbon_usd_per_kg: float,
) -> None:
    """Write one generator's numbers."""
    most_w = np.broadcast_to(np.asarray(genset.power_max_w, dtype=float), (horizon.count,))
    numbers.upper[at.power] = most_w * SCALE
    numbers.lower[at.power] = np.minimum(np.asarray(genset.ordered_w), most_w) * SCALE
    price = genset.fuel_usd_per_mwh + genset.carbon_kg_per_mwh * carbon_usd_per_kg
    numbers.cost[at.power] = price * horizon.length_h
    if at.row.stop > at.row.start:
        numbers.values[at.entry] = horizon.length_h
        numbers.cost[at.excess] = ladder.firm
        numbers.row_lower[at.row] = -np.inf
        numbers.row_upper[at.row] = genset.energy_max_wh * SCALE
