"""Steady state of all loops at once, for steps of a minute and more.

Loops settle within minutes, so a run of a year at one-minute steps need not follow them. While
nothing is broken all CDUs are taken as alike, each with the mean heat; one solution serves all.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.twin.kernel import kernel
from mallee.twin.parts.cooling.chiller import carnot_cop
from mallee.twin.parts.cooling.design import CoolingDesign
from mallee.twin.parts.cooling.dry_cooler import dry_cooler_heat_w, fan_speed_for
from mallee.twin.parts.cooling.faults import CoolingFaults
from mallee.twin.parts.cooling.heat_exchanger import (
    counterflow_effectiveness,
    part_load_conductance,
)
from mallee.twin.parts.cooling.plant import (
    APPROACH_K,
    CLASS_W,
    DRY_W,
    ENTERING,
    FAN,
    LEAVING,
    PLANT_W,
    RETURN,
    SUPPLY,
    TRIM_W,
    TRIMMED_W,
    WATER_J_PER_KGK,
    PlantDesign,
    Weather,
)
from mallee.twin.parts.cooling.plant_devices import DRY, PUMPS, TRIM
from mallee.twin.parts.cooling.pump import cube
from mallee.twin.parts.cooling.secondary import RACK_CELL, valve_frac_for
from mallee.twin.parts.cooling.state import CoolingState

# What a settled loop looks like, the same for every CDU.
SUPPLY_DEGC, RETURN_DEGC, VALVE_FLOW, PRIMARY_KGPS = range(4)
SETTLED: Final = 4

_HALVINGS: Final = 24


class MeanLoop(NamedTuple):
    """One CDU that stands for all; flows are rated flows."""

    cdus: int
    conductance_w_per_k: float
    secondary_kgps: float
    primary_kgps: float
    secondary_j_per_kgk: float
    primary_max_kgps: float


def mean_loop(design: CoolingDesign, plant: PlantDesign) -> MeanLoop:
    """The mean of a site's CDUs; at least one."""
    cdus, rated_kgps = len(design.primary_kgps), float(design.primary_kgps.mean())
    return MeanLoop(
        cdus=cdus,
        conductance_w_per_k=float(design.conductance_w_per_k.mean()),
        secondary_kgps=float(design.secondary_kgps.mean()),
        primary_kgps=rated_kgps,
        secondary_j_per_kgk=float(design.secondary_j_per_kgk.mean()),
        primary_max_kgps=min(rated_kgps, plant.flow_max_kgps / cdus),
    )


@kernel
def rise_over_facility_k(
    loop: MeanLoop, heat_w: float, flow_kgps: float, primary_kgps: float, clean_frac: float
) -> float:
    """Secondary supply over facility supply at which a CDU passes `heat_w`."""
    secondary_w_per_k = flow_kgps * loop.secondary_j_per_kgk
    primary_w_per_k = primary_kgps * WATER_J_PER_KGK
    conductance_w_per_k = part_load_conductance(
        loop.conductance_w_per_k,
        flow_kgps / loop.secondary_kgps,
        primary_kgps / loop.primary_kgps,
        clean_frac,
    )
    share = counterflow_effectiveness(conductance_w_per_k, secondary_w_per_k, primary_w_per_k)
    return heat_w / (share * min(secondary_w_per_k, primary_w_per_k)) - heat_w / secondary_w_per_k


@kernel
def primary_flow_for(
    loop: MeanLoop, heat_w: float, flow_kgps: float, wanted_k: float, clean_frac: float
) -> float:
    """Least primary flow that keeps the supply at most `wanted_k` over facility water."""
    low_kgps, high_kgps = 1e-4 * loop.primary_max_kgps, loop.primary_max_kgps
    for _ in range(_HALVINGS):
        middle_kgps = 0.5 * (low_kgps + high_kgps)
        if rise_over_facility_k(loop, heat_w, flow_kgps, middle_kgps, clean_frac) > wanted_k:
            low_kgps = middle_kgps
        else:
            high_kgps = middle_kgps
    return high_kgps


@kernel
def settle(
    loop: MeanLoop,
    plant: PlantDesign,
    weather: Weather,
    heat_w: float,
    set_points_degc: FloatArray,
    flows_kgps: FloatArray,
    clean_fracs: FloatArray,
    state: FloatArray,
    result: FloatArray,
    settled: FloatArray,
) -> None:
    """Find loop, dry coolers and chiller in balance; fills plant state, result and `settled`.

    Args:
        heat_w: heat of all CDUs.
        set_points_degc, flows_kgps, clean_fracs: of every CDU; flows > 0.  # (cdus,)
    """
    set_degc, flow_kgps, clean_frac = set_points_degc[0], 0.0, 0.0
    for cdu in range(loop.cdus):
        set_degc = min(set_degc, set_points_degc[cdu])
        flow_kgps += flows_kgps[cdu] / loop.cdus
        clean_frac += clean_fracs[cdu] / loop.cdus
    result[:] = 0.0
    rejected_w = max(heat_w, 1.0)
    each_w = rejected_w / loop.cdus
    facility_degc = set_degc - APPROACH_K
    primary_kgps = primary_flow_for(loop, each_w, flow_kgps, APPROACH_K, clean_frac)
    water_w_per_k = loop.cdus * primary_kgps * WATER_J_PER_KGK
    entering_degc = facility_degc + rejected_w / water_w_per_k
    per_k = dry_cooler_heat_w(plant.dry_cooler, 1.0, 1.0, water_w_per_k, 1.0, 0.0)
    most_w = max(per_k * (entering_degc - weather.dry_degc), 0.0)
    trim_w = min(max(rejected_w - most_w, 0.0), plant.trim_max_w)
    if rejected_w - trim_w > most_w:  # not enough: valves open, and all gets warmer until it is
        primary_kgps = loop.primary_max_kgps
        water_w_per_k = loop.cdus * primary_kgps * WATER_J_PER_KGK
        per_k = dry_cooler_heat_w(plant.dry_cooler, 1.0, 1.0, water_w_per_k, 1.0, 0.0)
        entering_degc = weather.dry_degc + (rejected_w - trim_w) / per_k
        facility_degc = entering_degc - rejected_w / water_w_per_k
    dry_w = rejected_w - trim_w
    state[FAN] = fan_speed_for(
        plant.dry_cooler, dry_w, 1.0, water_w_per_k, entering_degc, weather.dry_degc
    )
    state[SUPPLY], state[RETURN], state[TRIM_W] = facility_degc, entering_degc, trim_w
    rise_k = rise_over_facility_k(loop, each_w, flow_kgps, primary_kgps, clean_frac)
    settled[SUPPLY_DEGC] = facility_degc + rise_k
    settled[RETURN_DEGC] = settled[SUPPLY_DEGC] + each_w / (flow_kgps * loop.secondary_j_per_kgk)
    settled[VALVE_FLOW] = primary_kgps / loop.primary_kgps
    settled[PRIMARY_KGPS] = primary_kgps
    share = loop.cdus * primary_kgps / plant.flow_max_kgps
    result[DRY_W], result[TRIMMED_W], result[LEAVING] = dry_w, trim_w, facility_degc
    result[ENTERING] = facility_degc
    fans_w = plant.dry_cooler.fan_max_w * cube(state[FAN])
    pumps_w = plant.pump_max_w * (0.2 * min(share, 1.0) + 0.8 * cube(share))
    compressor_w = trim_w / carnot_cop(set_degc - APPROACH_K, weather.dry_degc)
    result[PLANT_W] = fans_w + pumps_w + compressor_w
    result[CLASS_W + DRY], result[CLASS_W + PUMPS] = fans_w, pumps_w
    result[CLASS_W + TRIM] = compressor_w


def settle_loops(
    loop: MeanLoop,
    plant: PlantDesign,
    weather: Weather,
    heat_w: float,
    clean_frac: FloatArray,
    state: CoolingState,
) -> None:
    """Put every loop and the plant into the steady state of a heat, CDUs taken as alike.

    Args:
        heat_w: heat into all coolant, that of the pumps included.
        clean_frac: UA left by fouling.  # (cdus,)
    """
    settled = np.zeros(SETTLED)
    settle(
        loop,
        plant,
        weather,
        heat_w,
        state.set_degc,
        state.cdu_kgps,
        clean_frac,
        state.plant,
        state.result,
        settled,
    )
    supply_degc, return_degc, valve_flow, primary_kgps = settled.tolist()
    state.supply_degc[:], state.tank_degc[:] = supply_degc, return_degc
    state.cell_degc[:, :RACK_CELL] = supply_degc
    state.cell_degc[:, RACK_CELL:] = return_degc
    state.valve_frac[:] = valve_frac_for(valve_flow)
    state.primary_kgps[:], state.exchanged_w[:] = primary_kgps, heat_w / loop.cdus
    state.error_k[:] = 0.0


def is_whole(faults: CoolingFaults, state: CoolingState) -> bool:
    """Nothing is broken, so that all loops are alike and can settle."""
    shares = (
        faults.facility_flow_frac,
        faults.fans_frac,
        faults.chiller_frac,
        faults.air_handler_frac,
    )
    return min(shares) == 1.0 and bool(
        are_whole(
            faults.powered,
            faults.switched_on,
            faults.pump_ok,
            faults.valve_stuck_frac,
            faults.cdu_leak_kgps,
            state.pressure_frac,
            faults.air_lock_frac,
            faults.rack_leak_kgps,
        )
    )


@kernel
def are_whole(
    powered: NDArray[np.bool_],
    switched_on: NDArray[np.bool_],
    pump_ok: NDArray[np.bool_],
    valve_stuck_frac: FloatArray,
    cdu_leak_kgps: FloatArray,
    pressure_frac: FloatArray,
    air_lock_frac: FloatArray,
    rack_leak_kgps: FloatArray,
) -> bool:
    """No CDU and no rack has a fault."""
    for cdu in range(len(powered)):
        runs = powered[cdu] and switched_on[cdu] and pump_ok[cdu, 0] and pump_ok[cdu, 1]
        tight = cdu_leak_kgps[cdu] == 0.0 and pressure_frac[cdu] == 1.0
        if not (runs and tight and math.isnan(valve_stuck_frac[cdu])):
            return False
    for rack in range(len(air_lock_frac)):
        if air_lock_frac[rack] != 0.0 or rack_leak_kgps[rack] != 0.0:
            return False
    return True
