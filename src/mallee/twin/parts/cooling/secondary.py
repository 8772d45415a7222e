"""The CDUs and their loops through the racks, one step at a time.

A loop is a row of well-mixed cells that coolant passes through: two of supply pipe, the rack, two
of return pipe, then the CDU's tank; the cells in series are the transport delay. Each cell is
solved implicitly, ``M (T' - T) = m dt (T_before' - T') + Q dt / cp``, and the loop closes through
the heat exchanger in closed form, so the step is stable at any flow, also none, and energy closes
to rounding.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray
from mallee.twin.kernel import kernel
from mallee.twin.parts.cooling.heat_exchanger import (
    counterflow_effectiveness,
    part_load_conductance,
)
from mallee.twin.parts.cooling.pump import RACK_HEAD, free_flow_frac, pump_shaft_frac

CELLS: Final = 5
RACK_CELL: Final = 2
CELL_SHARE: Final = (1.0 / 6.0, 1.0 / 6.0, 1.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0)
"""How a rack's coolant is spread over its cells."""

_RAMP_UP_S: Final = 2.0
"""Time constant of a pump drive speeding up [assumed]; Vertiv states 250 ms to start the change."""

_COAST_S: Final = 1.5
"""Time constant of a tripped pump coming to rest, 1..3 s [assumed]."""

_VALVE_STROKE_S: Final = 30.0
"""Full stroke of the primary valve's actuator [assumed]."""

_VALVE_GAIN_PER_K: Final = 0.02
_VALVE_INTEGRAL_S: Final = 20.0
_VALVE_RANGE: Final = 30.0
"""Equal-percentage valve: rangeability 30 (IEC 60534-2-4)."""

_FLOW_PRESSURE_FRAC: Final = 0.3
"""Below this share of static pressure the pumps draw air and lose flow [assumed]."""

PUMP_TO_COOLANT_FRAC: Final = 0.9
"""Share of pump power that ends in the coolant; the rest leaves by drive and motor [assumed]."""


@kernel
def step_flow(
    dt_s: float,
    loop_of_rack: IntArray,
    loop_of_cdu: IntArray,
    rack_design_kgps: FloatArray,
    air_lock_frac: FloatArray,
    rated_kgps: FloatArray,
    speed_min_frac: FloatArray,
    powered: NDArray[np.bool_],
    pump_ok: NDArray[np.bool_],
    pressure_frac: FloatArray,
    pump_speed_frac: FloatArray,
    rack_kgps: FloatArray,
    cdu_kgps: FloatArray,
    loops: FloatArray,
) -> None:
    """Pump speeds under differential-pressure control, then the flow of every CDU and rack.

    Pump 1 leads, pump 2 takes over while pump 1 is failed. The CDUs of a group push into one
    header; those that run share its flow. Writes `pump_speed_frac` (cdus, 2), `rack_kgps`,
    `cdu_kgps` and the scratch array `loops`: rated flow of those that run, conductance of the racks
    over it, flow.  # (3, loops)
    """
    running_kgps, conductance, loop_kgps = loops[0], loops[1], loops[2]
    _add_running(loop_of_cdu, rated_kgps, powered, pump_ok, loops)
    for rack in range(len(loop_of_rack)):
        loop = loop_of_rack[rack]
        if loop >= 0:
            open_kgps = rack_design_kgps[rack] * (1.0 - air_lock_frac[rack])
            conductance[loop] += open_kgps / running_kgps[loop] / math.sqrt(RACK_HEAD)
    up, coast = 1.0 - math.exp(-dt_s / _RAMP_UP_S), 1.0 - math.exp(-dt_s / _COAST_S)
    for cdu in range(len(rated_kgps)):
        loop = loop_of_cdu[cdu]
        free = free_flow_frac(conductance[loop])
        wanted = conductance[loop] * math.sqrt(RACK_HEAD) / free if free > 0.0 else 0.0
        wanted = min(max(wanted, speed_min_frac[cdu]), 1.0)
        leads = 0 if pump_ok[cdu, 0] else 1
        for pump in range(2):
            runs = powered[cdu] and pump_ok[cdu, pump] and pump == leads
            target = wanted if runs else 0.0
            share = up if runs else coast
            pump_speed_frac[cdu, pump] += share * (target - pump_speed_frac[cdu, pump])
            if pump_speed_frac[cdu, pump] < 1e-3:
                pump_speed_frac[cdu, pump] = 0.0
        speed = max(pump_speed_frac[cdu, 0], pump_speed_frac[cdu, 1])
        primed = min(pressure_frac[cdu] / _FLOW_PRESSURE_FRAC, 1.0)
        cdu_kgps[cdu] = speed * free * primed * rated_kgps[cdu]
        loop_kgps[loop] += cdu_kgps[cdu]
    for rack in range(len(loop_of_rack)):
        loop = loop_of_rack[rack]
        rack_kgps[rack] = 0.0
        if loop >= 0 and conductance[loop] > 0.0:
            open_kgps = rack_design_kgps[rack] * (1.0 - air_lock_frac[rack])
            share = open_kgps / running_kgps[loop] / math.sqrt(RACK_HEAD) / conductance[loop]
            rack_kgps[rack] = loop_kgps[loop] * share


@kernel
def _add_running(
    loop_of_cdu: IntArray,
    rated_kgps: FloatArray,
    powered: NDArray[np.bool_],
    pump_ok: NDArray[np.bool_],
    loops: FloatArray,
) -> None:
    """Rated flow of the CDUs of each loop that run; of its first where all stand."""
    loops[:] = 0.0
    for cdu in range(len(rated_kgps)):
        if powered[cdu] and (pump_ok[cdu, 0] or pump_ok[cdu, 1]):
            loops[0, loop_of_cdu[cdu]] += rated_kgps[cdu]
    for cdu in range(len(rated_kgps)):
        if loops[0, loop_of_cdu[cdu]] == 0.0:
            loops[0, loop_of_cdu[cdu]] = rated_kgps[cdu]


@kernel
def pump_power_w(
    pump_max_w: FloatArray,
    rated_kgps: FloatArray,
    pump_speed_frac: FloatArray,
    cdu_kgps: FloatArray,
    pump_w: FloatArray,
) -> None:
    """Electric power of each CDU's pumps; the faster pump carries the flow."""
    for cdu in range(len(pump_max_w)):
        flow_frac = cdu_kgps[cdu] / rated_kgps[cdu]
        first, second = pump_speed_frac[cdu, 0], pump_speed_frac[cdu, 1]
        fast, slow = max(first, second), min(first, second)
        shaft = pump_shaft_frac(fast, flow_frac) + pump_shaft_frac(slow, 0.0)
        pump_w[cdu] = pump_max_w[cdu] * shaft


@kernel
def step_valves(
    dt_s: float,
    set_degc: FloatArray,
    supply_degc: FloatArray,
    error_before_k: FloatArray,
    stuck_frac: FloatArray,
    powered: NDArray[np.bool_],
    valve_frac: FloatArray,
    valve_flow: FloatArray,
) -> None:
    """PI on the secondary supply temperature, in velocity form: no wind-up, limited stroke speed.

    Writes the opening and the flow over rated flow of an equal-percentage valve that closes fully.
    """
    stroke = dt_s / _VALVE_STROKE_S
    for cdu in range(len(valve_frac)):
        error_k = supply_degc[cdu] - set_degc[cdu]
        change = _VALVE_GAIN_PER_K * (
            error_k - error_before_k[cdu] + error_k * dt_s / _VALVE_INTEGRAL_S
        )
        error_before_k[cdu] = error_k
        if not math.isnan(stuck_frac[cdu]):
            valve_frac[cdu] = stuck_frac[cdu]
        elif powered[cdu]:
            moved = valve_frac[cdu] + min(max(change, -stroke), stroke)
            valve_frac[cdu] = min(max(moved, 0.0), 1.0)
        valve_flow[cdu] = (_VALVE_RANGE ** valve_frac[cdu] - 1.0) / (_VALVE_RANGE - 1.0)


def valve_frac_for(flow: float) -> float:
    """Opening of a valve that passes this share of its rated flow."""
    return math.log1p(flow * (_VALVE_RANGE - 1.0)) / math.log(_VALVE_RANGE)


@kernel
def step_loops(
    dt_s: float,
    loop_of_rack: IntArray,
    loop_of_cdu: IntArray,
    heat_w: FloatArray,
    rack_kgps: FloatArray,
    cdu_kgps: FloatArray,
    primary_kgps: FloatArray,
    facility_degc: float,
    design: tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray],
    clean_frac: FloatArray,
    pump_w: FloatArray,
    cell_kg: FloatArray,
    cell_degc: FloatArray,
    tank_kg: FloatArray,
    tank_degc: FloatArray,
    supply_degc: FloatArray,
    exchanged_w: FloatArray,
    cp: FloatArray,
    loops: FloatArray,
    cdus: FloatArray,
) -> None:
    """Advance all secondary temperatures by one step and give the heat passed to primary water.

    Args:
        heat_w: heat into each rack's coolant.  # (racks,)
        primary_kgps: facility water through each CDU.  # (cdus,)
        facility_degc: its temperature, that of the start of the step.
        design: UA, rated secondary and primary flow, their specific heats, each (cdus,).
        cell_kg: coolant of a rack's cells.  # (CELLS,)
        cell_degc: temperatures, updated.  # (racks, CELLS)
        tank_kg, tank_degc: the CDU's own coolant, updated.  # (cdus,)
        supply_degc, exchanged_w: results.  # (cdus,)
        cp: specific heat of each loop's coolant.  # (loops,)
        loops: scratch: what the return would be with supply at 0 degC, how much of the supply
            temperature arrives in it, CDUs, flow, and the header's supply in two parts. (6, loops)
        cdus: scratch: the same of each CDU's tank, and the share its exchanger takes. (3, cdus)
    """
    held, passed, members, flow, fixed, back = loops
    base, gain, taken = cdus
    loops[:] = 0.0
    for rack in range(len(loop_of_rack)):
        if loop_of_rack[rack] >= 0:
            _pass_rack(
                rack, loop_of_rack[rack], dt_s, heat_w, rack_kgps, cell_kg, cell_degc, cp, held,
                passed,
            )  # fmt: skip
    for cdu in range(len(cdu_kgps)):
        members[loop_of_cdu[cdu]] += 1.0
        flow[loop_of_cdu[cdu]] += cdu_kgps[cdu]
    for cdu in range(len(cdu_kgps)):
        loop = loop_of_cdu[cdu]
        part = 1.0 / members[loop] if flow[loop] <= 0.0 else cdu_kgps[cdu] / flow[loop]
        flow_kg = cdu_kgps[cdu] * dt_s
        warm = pump_w[cdu] * PUMP_TO_COOLANT_FRAC * dt_s / design[3][cdu]
        total_kg = tank_kg[cdu] + flow_kg
        base[cdu] = (tank_kg[cdu] * tank_degc[cdu] + part * held[loop] + warm) / total_kg
        gain[cdu] = part * passed[loop] / total_kg
        share = _taken_frac(cdu, cdu_kgps, primary_kgps, design, clean_frac)
        taken[cdu] = share
        fixed[loop] += part * ((1.0 - share) * base[cdu] + share * facility_degc)
        back[loop] += part * ((1.0 - share) * gain[cdu])
    for cdu in range(len(cdu_kgps)):
        loop = loop_of_cdu[cdu]
        header = fixed[loop] / (1.0 - back[loop])
        tank_degc[cdu] = base[cdu] + gain[cdu] * header
        secondary_w_per_k = cdu_kgps[cdu] * design[3][cdu]
        exchanged_w[cdu] = secondary_w_per_k * taken[cdu] * (tank_degc[cdu] - facility_degc)
        if cdu_kgps[cdu] > 0.0:  # the supply sensor keeps what stands in its pipe
            own = (1.0 - taken[cdu]) * tank_degc[cdu] + taken[cdu] * facility_degc
            supply_degc[cdu] = header if members[loop] == 1.0 else own
    for rack in range(len(loop_of_rack)):
        loop = loop_of_rack[rack]
        if loop < 0:
            continue
        before_degc = fixed[loop] / (1.0 - back[loop])
        flow_kg = rack_kgps[rack] * dt_s
        for cell in range(CELLS):
            warm = heat_w[rack] * dt_s / cp[loop] if cell == RACK_CELL else 0.0
            mixed = cell_kg[cell] * cell_degc[rack, cell] + flow_kg * before_degc + warm
            before_degc = mixed / (cell_kg[cell] + flow_kg)
            cell_degc[rack, cell] = before_degc


@kernel
def _pass_rack(
    rack: int,
    loop: int,
    dt_s: float,
    heat_w: FloatArray,
    rack_kgps: FloatArray,
    cell_kg: FloatArray,
    cell_degc: FloatArray,
    cp: FloatArray,
    held: FloatArray,
    passed: FloatArray,
) -> None:
    """What a rack's branch returns, as a part of its own and a multiple of the supply."""
    base, gain = 0.0, 1.0
    flow_kg = rack_kgps[rack] * dt_s
    for cell in range(CELLS):
        warm = heat_w[rack] * dt_s / cp[loop] if cell == RACK_CELL else 0.0
        total_kg = cell_kg[cell] + flow_kg
        base = (cell_kg[cell] * cell_degc[rack, cell] + flow_kg * base + warm) / total_kg
        gain *= flow_kg / total_kg
    held[loop] += flow_kg * base
    passed[loop] += flow_kg * gain


@kernel
def _taken_frac(
    cdu: int,
    cdu_kgps: FloatArray,
    primary_kgps: FloatArray,
    design: tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray],
    clean_frac: FloatArray,
) -> float:
    """Share of the way from tank to facility water that a CDU's exchanger takes the coolant."""
    rated_ua, rated_secondary, rated_primary, secondary_cp, primary_cp = design
    secondary_w_per_k = cdu_kgps[cdu] * secondary_cp[cdu]
    if secondary_w_per_k <= 0.0 or primary_kgps[cdu] <= 0.0:
        return 0.0
    primary_w_per_k = primary_kgps[cdu] * primary_cp[cdu]
    conductance = part_load_conductance(
        rated_ua[cdu],
        cdu_kgps[cdu] / rated_secondary[cdu],
        primary_kgps[cdu] / rated_primary[cdu],
        clean_frac[cdu],
    )
    effectiveness = counterflow_effectiveness(conductance, secondary_w_per_k, primary_w_per_k)
    return float(effectiveness * min(secondary_w_per_k, primary_w_per_k) / secondary_w_per_k)


@kernel
def show_racks(
    cdu_of_rack: IntArray,
    pod_of_rack: IntArray,
    rack_design_kgps: FloatArray,
    room_degc: FloatArray,
    cell_degc: FloatArray,
    rack_kgps: FloatArray,
    supply_degc: FloatArray,
    flow_frac: FloatArray,
    air_degc: FloatArray,
) -> None:
    """What each rack is given: inlet temperature, flow over design, air.  # (racks,)"""
    for rack in range(len(cdu_of_rack)):
        air_degc[rack] = room_degc[pod_of_rack[rack]]
        if cdu_of_rack[rack] < 0:
            supply_degc[rack] = air_degc[rack]
            continue
        supply_degc[rack] = cell_degc[rack, RACK_CELL - 1]
        if rack_design_kgps[rack] > 0.0:
            flow_frac[rack] = rack_kgps[rack] / rack_design_kgps[rack]


@kernel
def step_leaks(
    dt_s: float,
    loop_of_rack: IntArray,
    loop_of_cdu: IntArray,
    cdu_leak_kgps: FloatArray,
    rack_leak_kgps: FloatArray,
    spare_kg: FloatArray,
    tank_kg: FloatArray,
    pressure_frac: FloatArray,
    rack_lost_kg: FloatArray,
    cdu_lost_kg: FloatArray,
    lost_kg: FloatArray,
    loops: FloatArray,
) -> None:
    """Coolant lost in a step leaves the tanks of its loop; a leak slows as static pressure falls.

    Outflow goes with the root of pressure (Torricelli). The CDUs of a group stand under one
    pressure and lose alike. Writes the totals of racks and CDUs and `lost_kg` of this step per CDU;
    `loops` is scratch: lost, spare, CDUs, pressure.  # (4, loops)
    """
    lost, spare, members, pressure = loops
    loops[:] = 0.0
    for cdu in range(len(tank_kg)):
        loop = loop_of_cdu[cdu]
        members[loop] += 1.0
        spare[loop] += spare_kg[cdu]
        pressure[loop] = pressure_frac[cdu]
        leak_kg = cdu_leak_kgps[cdu] * math.sqrt(pressure_frac[cdu]) * dt_s
        lost[loop] += leak_kg
        cdu_lost_kg[cdu] += leak_kg
    for rack in range(len(loop_of_rack)):
        loop = loop_of_rack[rack]
        if loop >= 0 and rack_leak_kgps[rack] > 0.0:
            leak_kg = rack_leak_kgps[rack] * math.sqrt(pressure[loop]) * dt_s
            rack_lost_kg[rack] += leak_kg
            lost[loop] += leak_kg
    for cdu in range(len(tank_kg)):
        loop = loop_of_cdu[cdu]
        lost_kg[cdu] = lost[loop] / members[loop]
        if lost_kg[cdu] > 0.0:
            tank_kg[cdu] -= lost_kg[cdu]
            pressure_frac[cdu] = max(pressure[loop] - lost[loop] / spare[loop], 0.0)
