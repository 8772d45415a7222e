"""One step of all batteries of the site: with the grid, or carrying an island."""

import math
from typing import Final

import numpy as np

from mallee.core.units import SECONDS_PER_HOUR
from mallee.twin.battery.cells import store
from mallee.twin.battery.inverter import charge_available_w, discharge_available_w, respond, stop
from mallee.twin.battery.layout import GRID_FORMING, LOCAL, RAMP_FILTER, REMOTE, SET_POINT
from mallee.twin.battery.ramp_filter import filter_set_points
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.kernel import kernel
from mallee.twin.power.tree import put_load, sum_up

ISLAND_PASSES: Final = 8
"""Losses follow the flow by about one part in a hundred, so each pass gains two digits."""

VOLTAGE_DROOP_PU: Final = 0.05
"""Grid-forming units give full reactive power at this departure from nominal voltage (assumed)."""


@kernel
def find_available(plant: ElectricalArrays) -> None:
    """Which batteries may act: not failed, not tripped by voltage, on a living branch."""
    first = plant.rack_branch.shape[0] + plant.stations.shape[0]
    for b in range(plant.units.shape[0]):
        state = plant.batteries[b]
        alive = plant.branch_state[plant.units[b]["branch"]]["fed"]
        ready = state["healthy"] == 1 and alive == 1 and plant.guards[first + b]["tripped"] == 0
        state["fed"], state["available"] = alive, 1 if ready else 0
        if not ready:
            stop(state)


@kernel
def step_batteries(plant: ElectricalArrays, step_s: float) -> None:
    """All batteries beside a living grid: set points by mode, response, energy.

    A grid-following unit stops with its voltage, a grid-forming one adds frequency droop to its
    set point and voltage droop to its reactive power.
    """
    site = plant.site[0]
    find_available(plant)
    load_w = site["pods_w"] + site["chargers_w"] + site["losses_w"]
    for b in range(plant.units.shape[0]):
        unit, state = plant.units[b], plant.batteries[b]
        set_w = 0.0
        if state["mode"] == SET_POINT:
            set_w = state["set_w"]
        elif state["mode"] == GRID_FORMING:
            away = site["frequency_hz"] / site["nominal_hz"] - 1.0
            set_w = state["set_w"] + unit["charge_max_w"] * away / unit["droop_frac"]
        set_w = min(set_w, charge_available_w(unit, state))
        plant.set_points_w[b] = max(set_w, -discharge_available_w(unit, state))
        _set_reactive(unit, state, site["voltage_pu"])
        if state["mode"] != RAMP_FILTER:
            # What follows another command is not the filters' to correct: it is load to them.
            load_w += state["power_w"]
    filter_set_points(plant.units, plant.batteries, load_w, step_s, plant.set_points_w)
    for b in range(plant.units.shape[0]):
        unit, state = plant.units[b], plant.batteries[b]
        path = REMOTE if state["mode"] == SET_POINT else LOCAL
        mean_w = 0.0
        if state["available"] == 1:
            mean_w = respond(state, unit["path"][path], plant.set_points_w[b], step_s)
        auxiliary_w = store(unit, state, mean_w, step_s)
        put_load(plant.branch_state, unit["branch"], mean_w + auxiliary_w)


@kernel
def _set_reactive(unit: np.void, state: np.void, voltage_pu: float) -> None:
    """Voltage droop of a grid-forming unit inside the P/Q circle; others keep to unity."""
    if state["mode"] != GRID_FORMING or state["available"] == 0:
        state["reactive_var"] = 0.0
        return
    most = unit["apparent_max_va"]
    room = math.sqrt(max(0.0, most * most - state["power_w"] ** 2))
    want = most * (voltage_pu - 1.0) / VOLTAGE_DROOP_PU
    state["reactive_var"] = max(-room, min(room, want))


@kernel
def carry_island(plant: ElectricalArrays, step_s: float) -> bool:
    """Let the grid-forming batteries carry the site alone; returns False when they cannot.

    A forming inverter is a voltage source: its power is whatever the loads and losses are, in
    the same instant, so the flow at the connection is brought to zero by iteration.
    """
    find_available(plant)
    charge_can_w, discharge_can_w = 0.0, 0.0
    for b in range(plant.units.shape[0]):
        unit, state = plant.units[b], plant.batteries[b]
        if not _forms(state):
            stop(state)
        else:
            charge_can_w += charge_available_w(unit, state)
            discharge_can_w += discharge_available_w(unit, state)
        # The auxiliaries of the step before: those of this step follow from what is to be found.
        put_load(plant.branch_state, unit["branch"], state["auxiliary_w"] * state["fed"])
    if discharge_can_w == 0.0:
        return False
    carried_w = 0.0
    for _ in range(ISLAND_PASSES):
        flow_w = sum_up(plant.branches, plant.branch_state, plant.ups, plant.ups_state)
        carried_w += flow_w
        if not -charge_can_w <= carried_w <= discharge_can_w:
            return False
        for b in range(plant.units.shape[0]):
            if _forms(plant.batteries[b]):
                can_w = discharge_available_w(plant.units[b], plant.batteries[b])
                put_load(
                    plant.branch_state, plant.units[b]["branch"], -flow_w * can_w / discharge_can_w
                )
    sum_up(plant.branches, plant.branch_state, plant.ups, plant.ups_state)
    _book_island(plant, carried_w, discharge_can_w, step_s)
    return True


@kernel
def _forms(state: np.void) -> bool:
    """Whether a battery holds up an island."""
    return state["mode"] == GRID_FORMING and state["available"] == 1


@kernel
def _book_island(
    plant: ElectricalArrays, carried_w: float, discharge_can_w: float, step_s: float
) -> None:
    """Energy of the batteries in an island, and its frequency by droop."""
    site, rated_w, droop_frac = plant.site[0], 0.0, 0.0
    for b in range(plant.units.shape[0]):
        unit, state = plant.units[b], plant.batteries[b]
        mean_w = 0.0
        if _forms(state):
            mean_w = -carried_w * discharge_available_w(unit, state) / discharge_can_w
            rated_w += unit["discharge_max_w"]
            droop_frac = unit["droop_frac"]
        state["power_w"] = state["mean_w"] = mean_w
        state["smooth_w"] = state["target_w"] = 0.0
        drawn_w = state["auxiliary_w"] * state["fed"]
        store(unit, state, mean_w, step_s)
        late_w = drawn_w - state["auxiliary_w"] * state["fed"]
        state["auxiliary_wh"] += late_w * step_s / SECONDS_PER_HOUR
    if rated_w > 0.0:
        site["island_hz"] = site["nominal_hz"] * (1.0 - droop_frac * carried_w / rated_w)
