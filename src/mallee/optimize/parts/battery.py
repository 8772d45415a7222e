"""A battery: stored energy in convex bands, so that every limit is soft without a row of its own.

    e' = e (1 - sigma d) + eta_c c d - x d / eta_x        (docs/energy.md)
    e  = base - below - spent - low + mid + high + above

`below` eats the window and the fast layer's reserve, `spent` the reserve against unforeseen peaks,
`low` and `high` the comfortable band, `above` the head room; their prices rise outwards.
"""

from dataclasses import dataclass

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.horizon import Horizon
from mallee.optimize.inputs import Battery, EndValue
from mallee.optimize.ladder import Ladder
from mallee.optimize.lp import SCALE, Layout, Numbers

TIE_USD_PER_MWH = 1e-4
"""A price that rises with time by this much over the horizon: of equal plans the early one wins."""


@dataclass(frozen=True, slots=True)
class BatteryColumns:
    """Where a battery stands in the programme; `bands` are the parts of its stored energy."""

    charge: slice
    discharge: slice
    bands: tuple[tuple[str, slice, float], ...]
    row: slice
    charge_entry: slice
    discharge_entry: slice
    chains: tuple[tuple[slice, float], ...]
    end: slice
    end_row: slice

    def energy(self, solution: FloatArray, base_wh: FloatArray) -> FloatArray:
        """Stored energy at the end of each step, Wh."""
        total = base_wh * SCALE
        for _, columns, sign in self.bands:
            total = total + sign * solution[columns]
        return total / SCALE


def declare(layout: Layout, battery: Battery) -> BatteryColumns:
    """Columns for power and bands, a row for the stored energy."""
    charge, discharge, row = layout.column(), layout.column(), layout.row()
    layout.load(charge)
    layout.source(discharge)
    charge_entry, discharge_entry = layout.entry(row, charge), layout.entry(row, discharge)
    names = [("below", -1.0), ("spent", -1.0), ("mid", 1.0), ("above", 1.0)]
    if battery.band_soc is not None:
        names += [("low", -1.0), ("high", 1.0)]
    bands = tuple((name, layout.column(), sign) for name, sign in names)
    for _, columns, sign in bands:
        layout.entry(row, columns, sign)
    chains = tuple((layout.chain(row, columns, -sign), -sign) for _, columns, sign in bands)
    segments = len(battery.end.energy_wh) if battery.end is not None else 0
    end, end_row = layout.column(segments), layout.row(1 if segments else 0)
    if segments:
        here = np.array([end_row.start])
        for _, columns, sign in bands:
            layout.entry(here, np.array([columns.stop - 1]), sign)
        layout.entry(np.repeat(here, segments), end, -1.0)
    return BatteryColumns(
        charge, discharge, bands, row, charge_entry, discharge_entry, chains, end, end_row
    )


def levels(battery: Battery, steps: int) -> dict[str, FloatArray]:
    """Edges between the bands at each step, Wh, rising: floor, kept, low, high, ceiling.

    Reserves that do not fit give way to the window: what is missing is told as a broken wish.
    """
    full = battery.energy_wh
    zeros = np.zeros(steps)
    ceiling = np.maximum(
        battery.soc_max * full - battery.headroom_wh, battery.soc_min * full + zeros
    )
    floor = np.minimum(battery.soc_min * full + battery.reserve_wh + zeros, ceiling)
    kept = np.minimum(floor + battery.peak_reserve_wh, ceiling)
    low, high = kept, ceiling
    if battery.band_soc is not None:
        low = np.clip(battery.band_soc[0] * full, kept, ceiling)
        high = np.clip(battery.band_soc[1] * full, low, ceiling)
    return {"floor": floor, "kept": kept, "low": low, "high": high, "ceiling": ceiling}


def fill(
    at: BatteryColumns,
    battery: Battery,
    numbers: Numbers,
    horizon: Horizon,
    ladder: Ladder,
    end_usd_per_mwh: float,
) -> FloatArray:
    """Write one battery's numbers; returns the base of its bands, Wh.

    Args:
        end_usd_per_mwh: worth of a stored MWh at the end where the battery brings no `end`.
    """
    d, steps = horizon.length_h, horizon.count
    keep = 1.0 - battery.self_discharge_frac * d
    edge = levels(battery, steps)
    widths = {
        "below": edge["floor"],
        "spent": edge["kept"] - edge["floor"],
        "low": edge["low"] - edge["kept"],
        "mid": edge["high"] - edge["low"],
        "high": edge["ceiling"] - edge["high"],
        "above": battery.energy_wh - edge["ceiling"],
    }
    band_price = battery.band_usd_per_mwh * d
    prices: dict[str, FloatArray | float] = {
        "below": ladder.firm,
        "spent": ladder.soft,
        "low": band_price,
        "mid": 0.0,
        "high": band_price,
        "above": ladder.firm,
    }
    for name, columns, _ in at.bands:
        numbers.upper[columns] = widths[name] * SCALE
        numbers.cost[columns] = prices[name]
    tie = np.linspace(0.0, TIE_USD_PER_MWH, steps)
    numbers.cost[at.charge] = (battery.wear_usd_per_mwh + tie) * d
    numbers.cost[at.discharge] = (battery.wear_usd_per_mwh + tie) * d
    spare_w = np.asarray(battery.reserve_w)
    numbers.upper[at.charge] = np.maximum(0.0, battery.charge_max_w - spare_w) * SCALE
    numbers.upper[at.discharge] = np.maximum(0.0, battery.discharge_max_w - spare_w) * SCALE
    numbers.values[at.charge_entry] = -battery.charge_efficiency * d
    numbers.values[at.discharge_entry] = d / battery.discharge_efficiency
    if battery.self_discharge_frac:
        for entry, value in at.chains:
            numbers.values[entry] = value * keep[1:]
    base_wh = edge["low"]
    stored_wh = min(max(battery.soc, 0.0), 1.0) * battery.energy_wh
    before_wh = np.concatenate(([stored_wh], base_wh[:-1]))
    rest = (keep * before_wh - base_wh) * SCALE
    numbers.row_lower[at.row] = rest
    numbers.row_upper[at.row] = rest
    _fill_end(at, battery.end, numbers, float(base_wh[-1]), end_usd_per_mwh)
    return base_wh


def _fill_end(
    at: BatteryColumns, end: EndValue | None, numbers: Numbers, base_wh: float, usd_per_mwh: float
) -> None:
    if end is None:
        for _, columns, sign in at.bands:
            numbers.cost[columns.stop - 1] -= sign * usd_per_mwh
        return
    numbers.upper[at.end] = end.energy_wh * SCALE
    numbers.upper[at.end.stop - 1] = np.inf
    numbers.cost[at.end] = -end.usd_per_mwh
    numbers.row_lower[at.end_row] = -base_wh * SCALE
    numbers.row_upper[at.end_row] = -base_wh * SCALE
