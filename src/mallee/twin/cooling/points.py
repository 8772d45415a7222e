"""The points of CDUs, written from the state."""

from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.twin.cooling.design import CoolingDesign
from mallee.twin.cooling.plant import ENTERING, WATER_J_PER_KGK
from mallee.twin.cooling.state import CoolingState

LEAK_SEEN_KG: Final = 0.2
"""Coolant in a drip pan that a leak rope notices [assumed]."""


def point_rows(design: CoolingDesign) -> dict[str, IntArray]:
    """Rows of every CDU point over all groups, in the order of the CDU rows."""
    if not design.groups:
        return {}
    names = design.groups[0].model.index
    return {name: np.concatenate([g.rows(name) for g in design.groups]) for name in names}


def fill_points(
    rows: dict[str, IntArray], state: CoolingState, power_w: FloatArray, true_points: FloatArray
) -> None:
    """Write the true value of every CDU point at its row."""
    facility_degc = float(state.result[ENTERING])
    water_w_per_k = state.primary_kgps * WATER_J_PER_KGK
    rise_k = np.zeros_like(water_w_per_k)
    np.divide(state.exchanged_w, water_w_per_k, rise_k, where=water_w_per_k > 0.0)
    values = {
        "power_w": power_w,
        "supply_degc": state.supply_degc,
        "supply_set_degc": state.set_degc,
        "return_degc": state.tank_degc,
        "flow_kgps": state.cdu_kgps,
        "heat_w": state.exchanged_w,
        "primary_supply_degc": np.full(len(power_w), facility_degc),
        "primary_return_degc": facility_degc + rise_k,
        "pump1_speed_frac": state.pump_speed_frac[:, 0],
        "pump2_speed_frac": state.pump_speed_frac[:, 1],
        "leak_count": np.where(state.cdu_lost_kg > LEAK_SEEN_KG, 1.0, 0.0),
    }
    for point, at in rows.items():
        true_points[at] = values[point]
