"""What the cooling remembers between steps; everything here is saved and restored."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.twin.parts.cooling.design import CDU_COOLANT_KG, CoolingDesign
from mallee.twin.parts.cooling.plant import (
    AIR_SET_DEGC,
    APPROACH_K,
    ENTERING,
    FAN,
    RESULTS,
    RETURN,
    SUPPLY,
)
from mallee.twin.parts.cooling.secondary import CELLS


@dataclass(slots=True, kw_only=True)
class CoolingState:
    """Arrays only, so that saving is copying.

    Attributes:
        set_degc: supply set points.  # (cdus,)
        cell_degc: coolant in the cells of each rack's branch.  # (racks, CELLS)
        tank_kg, tank_degc: coolant in the CDU itself.  # (cdus,)
        supply_degc: secondary supply.  # (cdus,)
        error_k: control error of the step before.  # (cdus,)
        valve_frac: opening of the primary valve.  # (cdus,)
        pump_speed_frac: speed of both pumps.  # (cdus, 2)
        pressure_frac: static pressure over its full value.  # (cdus,)
        cdu_lost_kg, rack_lost_kg: coolant lost since the start.  # (cdus,), (racks,)
        plant: the plant's state vector (see `plant.py`).
        room_degc, handler_frac: room air and air-handler speed.  # (pods,)
        rack_kgps, cdu_kgps, primary_kgps: flows of the last step.  # (racks,), (cdus,), (cdus,)
        exchanged_w, pump_w: heat to facility water and pump power of it.  # (cdus,)
        live: CDUs with voltage that nobody switched off.  # (cdus,)
        result: what the plant did in the last step (see `plant.py`).
        totals: energy in, out and leaked, water evaporated, time.  # (5,)
    """

    set_degc: FloatArray
    cell_degc: FloatArray
    tank_kg: FloatArray
    tank_degc: FloatArray
    supply_degc: FloatArray
    error_k: FloatArray
    valve_frac: FloatArray
    pump_speed_frac: FloatArray
    pressure_frac: FloatArray
    cdu_lost_kg: FloatArray
    rack_lost_kg: FloatArray
    plant: FloatArray
    room_degc: FloatArray
    handler_frac: FloatArray
    rack_kgps: FloatArray
    cdu_kgps: FloatArray
    primary_kgps: FloatArray
    exchanged_w: FloatArray
    pump_w: FloatArray
    live: NDArray[np.bool_]
    result: FloatArray
    totals: FloatArray

    def save(self) -> dict[str, NDArray[Any]]:
        """A copy of every array, by name."""
        return {item.name: getattr(self, item.name).copy() for item in fields(self)}

    def restore(self, saved: dict[str, NDArray[Any]]) -> None:
        """Back to what `save` gave."""
        for item in fields(self):
            getattr(self, item.name)[...] = saved[item.name]


def initial_state(design: CoolingDesign) -> CoolingState:
    """Everything runs at its set point with the racks cold."""
    racks, cdus = len(design.cdu_of_rack), len(design.secondary_kgps)
    set_degc = design.supply_set_degc.copy()
    mean_degc = float(set_degc.mean()) if cdus else AIR_SET_DEGC
    rack_degc = np.append(set_degc, mean_degc)[
        design.cdu_of_rack
    ]  # NO_INDEX takes the appended one
    speed_frac = np.zeros((cdus, 2))
    speed_frac[:, 0] = 0.6
    plant = np.zeros(5)
    plant[[SUPPLY, RETURN]] = (float(set_degc.min()) if cdus else AIR_SET_DEGC) - APPROACH_K
    plant[FAN] = 0.3
    plant[-1] = 1.0
    result = np.zeros(RESULTS)
    result[ENTERING] = plant[SUPPLY]
    return CoolingState(
        set_degc=set_degc,
        cell_degc=np.repeat(rack_degc[:, None], CELLS, axis=1),
        tank_kg=np.full(cdus, CDU_COOLANT_KG),
        tank_degc=set_degc.copy(),
        supply_degc=set_degc.copy(),
        error_k=np.zeros(cdus),
        valve_frac=np.full(cdus, 0.3),
        pump_speed_frac=speed_frac,
        pressure_frac=np.ones(cdus),
        cdu_lost_kg=np.zeros(cdus),
        rack_lost_kg=np.zeros(racks),
        plant=plant,
        room_degc=np.full(len(design.pod_air_max_w), AIR_SET_DEGC),
        handler_frac=np.full(len(design.pod_air_max_w), 0.5),
        rack_kgps=np.zeros(racks),
        cdu_kgps=np.zeros(cdus),
        primary_kgps=np.zeros(cdus),
        exchanged_w=np.zeros(cdus),
        pump_w=np.zeros(cdus),
        live=np.ones(cdus, np.bool_),
        result=result,
        totals=np.zeros(5),
    )
