"""The points of CDUs, written from the state."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.twin.parts.cooling.plant import (
    ENTERING,
    FAN,
    LEAVING,
    RETURN,
    SUPPLY,
    WATER_J_PER_KGK,
    PlantDesign,
)
from mallee.twin.parts.cooling.plant_devices import PlantDevices
from mallee.twin.parts.cooling.state import CoolingState

LEAK_SEEN_KG: Final = 0.2
"""Coolant in a drip pan that a leak rope notices [assumed]."""


CHILLED_RISE_K: Final = 6.0
"""Chilled water warms by this in the air handlers [assumed]."""

SHOWN: Final = np.dtype(
    [
        (name, "f8")
        for name in (
            "power_w", "supply_degc", "supply_set_degc", "return_degc", "flow_kgps", "heat_w",
            "primary_supply_degc", "primary_return_degc", "pump1_speed_frac", "pump2_speed_frac",
            "leak_count",
        )
    ]
)  # fmt: skip


def show_cdus(state: CoolingState, power_w: FloatArray, shown: NDArray[np.void]) -> None:
    """Fill one record a CDU."""
    facility_degc = float(state.result[ENTERING])
    water_w_per_k = state.primary_kgps * WATER_J_PER_KGK
    rise_k = np.zeros_like(water_w_per_k)
    np.divide(state.exchanged_w, water_w_per_k, rise_k, where=water_w_per_k > 0.0)
    shown["power_w"] = power_w
    shown["supply_degc"] = state.supply_degc
    shown["supply_set_degc"] = state.set_degc
    shown["return_degc"] = state.tank_degc
    shown["flow_kgps"] = state.cdu_kgps
    shown["heat_w"] = state.exchanged_w
    shown["primary_supply_degc"] = facility_degc
    shown["primary_return_degc"] = facility_degc + rise_k
    shown["pump1_speed_frac"] = state.pump_speed_frac[:, 0]
    shown["pump2_speed_frac"] = state.pump_speed_frac[:, 1]
    shown["leak_count"] = np.where(state.cdu_lost_kg > LEAK_SEEN_KG, 1.0, 0.0)


def show_plant(state: CoolingState, plant: PlantDesign, devices: PlantDevices) -> None:
    """Water, air and speeds at the plant devices, class by class."""
    room_degc = float(state.room_degc.max(initial=0.0))
    supply_degc, return_degc = float(state.plant[SUPPLY]), float(state.plant[RETURN])
    leaving_degc, flow_kgps = float(state.result[LEAVING]), float(state.primary_kgps.sum())
    flow_frac = min(1.0, flow_kgps / plant.flow_max_kgps) if plant.flow_max_kgps > 0.0 else 0.0
    handler_frac = float(state.handler_frac.max(initial=0.0))
    chilled_degc = plant.chilled_degc
    devices.put_state(
        np.array([leaving_degc, chilled_degc, leaving_degc, chilled_degc, supply_degc]),
        np.array([return_degc, chilled_degc + CHILLED_RISE_K, return_degc, room_degc, return_degc]),
        np.array([1.0, 1.0, float(state.plant[FAN]), handler_frac, flow_frac]),
        flow_kgps,
    )
