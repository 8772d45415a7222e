"""Diesel gensets: start, speed governor, block load, overload, fuel.

The speed follows ``2 H dn/dt = torque - load`` per unit of rating; a PI governor orders torque,
which follows within a lag and, above the block load that the engine takes at once, only as fast as
its turbocharger comes up. A load step within `block_load_frac` then dips the frequency by less than
the 7 % that class G3 of ISO 8528-5 allows; a larger one stalls the engine, as in the field.
"""

from typing import Final

import numpy as np

from mallee.core.units import SECONDS_PER_HOUR
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.kernel import kernel
from mallee.twin.parts.generation.layout import COOLING, RUNNING, STARTING, STOPPED, TRIPPED

NOTICE_MS: Final = 1_000
"""The normal source must be bad this long before the engine is cranked (NFPA 110: 1 s)."""

GOVERNOR_GAIN: Final = 12.0
GOVERNOR_PER_S: Final = 6.0
TORQUE_TAU_S: Final = 0.1
"""Isochronous electronic governor and its actuator (assumed)."""

TORQUE_MAX_PU: Final = 1.10
"""Standby gensets carry 110 % for a while."""

OVERLOAD_PU: Final = 1.05
OVERLOAD_S: Final = 10.0
SLOW_PU: Final = 0.85
SLOW_S: Final = 1.0
STALL_PU: Final = 0.7
"""Protection: overload, under-frequency, stall (assumed)."""

FULL_VOLTAGE_PU: Final = 0.95
"""Below this speed the regulator lets voltage fall with it (volts per hertz)."""

WARM_DEGC: Final = 85.0
COLD_DEGC: Final = 40.0
WARM_TAU_S: Final = 300.0
"""Jacket water: kept warm at standstill, up to temperature within minutes (assumed)."""


@kernel
def step_gensets(plant: ElectricalArrays, step_s: float, now_ms: int) -> None:
    """One step of all gensets with the load that the tree put on them; sets voltage and frequency
    of their roots for the next one.
    """
    for g in range(plant.gensets.shape[0]):
        unit, state = plant.gensets[g], plant.genset_state[g]
        root = unit["root"]
        load_w = plant.branch_state[root]["flow_w"]
        wanted = state["ordered"] == 1 or is_called(plant, g, now_ms)
        _change(unit, state, wanted, now_ms)
        _turn(unit, state, load_w, step_s)
        _burn(unit, state, load_w, step_s)
        _protect(state, load_w / unit["rating_w"], step_s, now_ms)
        runs = state["does"] == RUNNING or state["does"] == COOLING
        speed_pu = state["speed_pu"] if runs else 0.0
        plant.root_pu[root] = min(1.0, speed_pu / FULL_VOLTAGE_PU)
        plant.root_hz[root] = unit["nominal_hz"] * speed_pu


@kernel
def is_called(plant: ElectricalArrays, genset: int, now_ms: int) -> bool:
    """Whether a branch that can transfer to this genset has lost its normal source, or is still on
    the genset.
    """
    for k in range(plant.genset_starters.shape[0]):
        if plant.genset_starters[k, 1] != genset:
            continue
        state = plant.branch_state[plant.genset_starters[k, 0]]
        if state["position"] == 1 or now_ms - state["good_ms"] >= NOTICE_MS:
            return True
    return False


@kernel
def _change(unit: np.void, state: np.void, wanted: bool, now_ms: int) -> None:
    """Start, come up, run on to cool down, stop."""
    waited_s = (now_ms - state["since_ms"]) / 1000.0
    does = state["does"]
    if does == STOPPED and wanted and state["fuel_wh"] > 0.0:
        state["starts"] += 1
        _become(state, STARTING, now_ms)
    elif does == STARTING:
        if not wanted:
            _become(state, STOPPED, now_ms)
        elif state["fails_to_start"] == 0 and waited_s >= unit["start_s"]:
            _become(state, RUNNING, now_ms)
            state["speed_pu"], state["torque_pu"], state["integral_pu"] = 1.0, 0.0, 0.0
            state["reach_pu"] = unit["block_load_frac"]
            state["overload_s"], state["slow_s"] = 0.0, 0.0
    elif does == RUNNING and not wanted:
        _become(state, COOLING, now_ms)
    elif does == COOLING:
        if wanted:
            _become(state, RUNNING, now_ms)
        elif waited_s >= unit["cool_down_s"]:
            _become(state, STOPPED, now_ms)
    if state["fuel_wh"] <= 0.0 and (state["does"] == RUNNING or state["does"] == COOLING):
        _become(state, TRIPPED, now_ms)


@kernel
def _become(state: np.void, does: int, now_ms: int) -> None:
    state["does"], state["since_ms"] = does, now_ms


@kernel
def _turn(unit: np.void, state: np.void, load_w: float, step_s: float) -> None:
    """Speed and torque of a running engine, in ten parts of a step for the governor's sake."""
    state["output_w"] = load_w
    if state["does"] != RUNNING and state["does"] != COOLING:
        state["speed_pu"] = 0.0
        state["output_w"] = 0.0
        return
    load_pu = load_w / unit["rating_w"]
    reach_pu = unit["block_load_frac"]
    if state["torque_pu"] > 0.9 * state["reach_pu"]:
        reach_pu = state["reach_pu"] + unit["rise_frac_per_s"] * step_s
    state["reach_pu"] = min(TORQUE_MAX_PU, max(state["reach_pu"], reach_pu))
    part_s = step_s / 10.0
    for _ in range(10):
        error_pu = 1.0 - state["speed_pu"]
        asked_pu = GOVERNOR_GAIN * error_pu + state["integral_pu"]
        given_pu = min(state["reach_pu"], max(0.0, asked_pu))
        if given_pu == asked_pu:
            state["integral_pu"] += GOVERNOR_PER_S * error_pu * part_s
        share = part_s / (TORQUE_TAU_S + part_s)
        state["torque_pu"] += share * (given_pu - state["torque_pu"])
        drag_pu = state["torque_pu"] - load_pu
        state["speed_pu"] += drag_pu * part_s / (2.0 * unit["inertia_s"])
    state["speed_pu"] = max(0.0, state["speed_pu"])


@kernel
def _burn(unit: np.void, state: np.void, load_w: float, step_s: float) -> None:
    """Fuel, energy, time at low load, temperature."""
    goal_degc = COLD_DEGC
    if state["does"] == RUNNING or state["does"] == COOLING:
        goal_degc = WARM_DEGC
        part = max(0.0, load_w / unit["rating_w"])
        rate = unit["idle_fuel_frac"] + (1.0 - unit["idle_fuel_frac"]) * part
        burnt_w = rate * unit["rating_w"] / unit["efficiency"]
        state["fuel_wh"] = max(0.0, state["fuel_wh"] - burnt_w * step_s / SECONDS_PER_HOUR)
        state["energy_wh"] += state["output_w"] * step_s / SECONDS_PER_HOUR
        if part < unit["load_min_frac"] and state["does"] == RUNNING:
            state["low_load_s"] += step_s
    state["coolant_degc"] += (goal_degc - state["coolant_degc"]) * step_s / WARM_TAU_S


@kernel
def _protect(state: np.void, load_pu: float, step_s: float, now_ms: int) -> None:
    """Shut down on overload, under-frequency or stall."""
    if state["does"] != RUNNING and state["does"] != COOLING:
        return
    over, slow = load_pu > OVERLOAD_PU, state["speed_pu"] < SLOW_PU
    state["overload_s"] = state["overload_s"] + step_s if over else 0.0
    state["slow_s"] = state["slow_s"] + step_s if slow else 0.0
    if (
        state["overload_s"] >= OVERLOAD_S
        or state["slow_s"] >= SLOW_S
        or state["speed_pu"] < STALL_PU
    ):
        state["trips"] += 1
        _become(state, TRIPPED, now_ms)
