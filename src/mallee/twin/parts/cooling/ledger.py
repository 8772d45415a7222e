"""Heat and coolant since the start: what came in, what left, what is held. Checked every step."""

import math
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.core.units import SECONDS_PER_HOUR
from mallee.twin.balance import TOLERANCE_FRAC, PhysicsError, check_closed, check_finite
from mallee.twin.kernel import kernel
from mallee.twin.parts.cooling.design import RACK_COOLANT_KG, CoolingDesign
from mallee.twin.parts.cooling.plant import (
    RETURN,
    SUPPLY,
    WATER_J_PER_KGK,
    PlantDesign,
    room_capacity_j_per_k,
)
from mallee.twin.parts.cooling.state import CoolingState

_J_PER_WH: Final = SECONDS_PER_HOUR
_IN, _OUT, _LEAKED, _WATER, _TIME = range(5)


@kernel
def heat_in_loops_j(
    cdu_of_rack: IntArray,
    cell_kg: FloatArray,
    cell_degc: FloatArray,
    tank_kg: FloatArray,
    tank_degc: FloatArray,
    coolant_j_per_kgk: FloatArray,
) -> float:
    """Heat over 0 degC in the coolant of all racks and CDUs."""
    total_j = 0.0
    for rack in range(len(cdu_of_rack)):
        cdu = cdu_of_rack[rack]
        if cdu >= 0:
            warm = 0.0
            for cell in range(len(cell_kg)):
                warm += cell_kg[cell] * cell_degc[rack, cell]
            total_j += warm * coolant_j_per_kgk[cdu]
    for cdu in range(len(tank_kg)):
        total_j += tank_kg[cdu] * tank_degc[cdu] * coolant_j_per_kgk[cdu]
    return total_j


class Ledger:
    """Balances of one site's cooling.

    Attributes:
        start_j, held_last_j: heat held at the start and at the last check.
        residual_j, through_j: gap of the energy balance, and what came in.
        residual_kg, through_kg: gap of the coolant balance, and the coolant filled in.
    """

    def __init__(
        self, design: CoolingDesign, plant: PlantDesign, state: CoolingState, cell_kg: FloatArray
    ) -> None:
        self._design, self._plant, self._state, self._cell_kg = design, plant, state, cell_kg
        self._names = tuple(name for group in design.groups for name in group.names)
        liquid = design.cdu_of_rack >= 0
        racks = np.bincount(design.cdu_of_rack[liquid], minlength=len(design.primary_kgps))
        self._racks_kg = racks * RACK_COOLANT_KG
        self._room_j_per_k = room_capacity_j_per_k(design)
        self.residual_j = self.through_j = self.residual_kg = 0.0
        self.through_kg = float(design.loop_kg.sum())
        self.start_j = self.held_last_j = self.held_j()

    @property
    def coolant_kg(self) -> FloatArray:
        """Coolant left in each CDU's loop.  # (cdus,)"""
        return np.asarray(self._state.tank_kg + self._racks_kg)

    @property
    def water_kg(self) -> float:
        """Water evaporated since the start."""
        return float(self._state.totals[_WATER])

    def held_j(self) -> float:
        """Heat in coolant, facility water and room air, over 0 degC."""
        design, state = self._design, self._state
        loops_j = heat_in_loops_j(
            design.cdu_of_rack,
            self._cell_kg,
            state.cell_degc,
            state.tank_kg,
            state.tank_degc,
            design.secondary_j_per_kgk,
        )
        headers_degc = float(state.plant[SUPPLY] + state.plant[RETURN])
        headers_j = self._plant.header_kg * WATER_J_PER_KGK * headers_degc
        return loops_j + headers_j + float((self._room_j_per_k * state.room_degc).sum())

    def book(self, dt_s: float, in_w: float, out_w: float, water_kgps: float) -> None:
        """Add one step: heat into coolant and air, heat to the outside, water evaporated."""
        totals = self._state.totals
        totals[_IN] += in_w * dt_s
        totals[_OUT] += out_w * dt_s
        totals[_WATER] += water_kgps * dt_s
        totals[_TIME] += dt_s

    def book_leak(self, lost_kg: FloatArray) -> None:
        """Add the heat in coolant that was lost from the CDUs' tanks.  # (cdus,)"""
        design, state = self._design, self._state
        leaked_j = lost_kg * design.secondary_j_per_kgk * state.tank_degc
        state.totals[_LEAKED] += float(leaked_j.sum())

    def check(self) -> None:
        """Compare what came in with what left and what is held, from the states themselves.

        Raises:
            PhysicsError: energy or coolant does not close, or a temperature is not a number.
        """
        state, totals = self._state, self._state.totals
        self.held_last_j = self.held_j()
        self.through_j = float(totals[_IN])
        terms_j = {
            "to the outside": float(totals[_OUT]),
            "leaked": float(totals[_LEAKED]),
            "stored": self.held_last_j - self.start_j,
        }
        self.residual_j = self.through_j - sum(terms_j.values())
        lost_kg = float(state.cdu_lost_kg.sum() + state.rack_lost_kg.sum())
        self.residual_kg = self.through_kg - lost_kg - float(self.coolant_kg.sum())
        time_ms = round(1000.0 * float(totals[_TIME]))
        if not math.isfinite(self.residual_j):
            check_finite("coolant supply", time_ms, state.supply_degc, self._names)
            check_finite("coolant in racks", time_ms, state.cell_degc.max(axis=1))
            check_finite("room air", time_ms, state.room_degc)
        terms_wh = {name: term_j / _J_PER_WH for name, term_j in terms_j.items()}
        check_closed("cooling", time_ms, self.through_j / _J_PER_WH, terms_wh)
        if not abs(self.residual_kg) <= TOLERANCE_FRAC * self.through_kg:
            raise PhysicsError(
                "coolant", time_ms, f"mass does not close: {self.residual_kg:.3g} kg are missing"
            )
