"""One step of all batteries of the site that hang on a living source, or on none."""

import math
from typing import Final

import numpy as np

from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.kernel import kernel
from mallee.twin.parts.battery.cells import store
from mallee.twin.parts.battery.inverter import (
    charge_available_w,
    discharge_available_w,
    respond,
    stop,
)
from mallee.twin.parts.battery.layout import GRID_FORMING, LOCAL, RAMP_FILTER, REMOTE, SET_POINT
from mallee.twin.parts.battery.ramp_filter import filter_set_points
from mallee.twin.parts.power.tree import put_load

VOLTAGE_DROOP_PU: Final = 0.05
"""Grid-forming units give full reactive power at this departure from nominal voltage (assumed)."""


@kernel
def find_available(plant: ElectricalArrays) -> None:
    """Which batteries may act: not failed, not tripped by voltage, on a living branch."""
    for b in range(plant.units.shape[0]):
        state, cord = plant.batteries[b], plant.battery_cords[b]
        alive = plant.branch_state[cord["at"]]["fed"]
        ready = state["healthy"] == 1 and alive == 1 and cord["tripped"] == 0
        state["fed"], state["available"] = alive, 1 if ready else 0
        if not ready:
            stop(state)


@kernel
def step_batteries(plant: ElectricalArrays, step_s: float) -> None:
    """All batteries outside islands: set points by mode, response, energy.

    A grid-following unit stops with its voltage, a grid-forming one adds frequency droop to its
    set point and voltage droop to its reactive power. The ramp filters of the batteries that hang
    below one source act together on the load behind its meter.
    """
    states, nominal_hz = plant.branch_state, plant.site[0]["nominal_hz"]
    for b in range(plant.units.shape[0]):
        unit, state = plant.units[b], plant.batteries[b]
        head = states[states[plant.battery_cords[b]["at"]]["head"]]
        state["head"] = states[plant.battery_cords[b]["at"]]["head"]
        if head["islanded"] == 1:
            continue
        set_w = 0.0
        if state["mode"] == SET_POINT:
            set_w = state["set_w"]
        elif state["mode"] == GRID_FORMING:
            away = head["hz"] / nominal_hz - 1.0
            set_w = state["set_w"] + unit["charge_max_w"] * away / unit["droop_frac"]
        set_w = min(set_w, charge_available_w(unit, state))
        plant.set_points_w[b] = max(set_w, -discharge_available_w(unit, state))
        _set_reactive(unit, state, head["above_pu"])
    for f in range(states.shape[0]):
        if states[f]["head"] == f and states[f]["islanded"] == 0:
            _filter_below(plant, f, step_s)
    for b in range(plant.units.shape[0]):
        unit, state = plant.units[b], plant.batteries[b]
        if states[state["head"]]["islanded"] == 1:
            continue
        path = REMOTE if state["mode"] == SET_POINT else LOCAL
        mean_w = 0.0
        if state["available"] == 1:
            mean_w = respond(state, unit["path"][path], plant.set_points_w[b], step_s)
        auxiliary_w = store(unit, state, mean_w, step_s)
        put_load(states, plant.battery_cords[b]["at"], mean_w + auxiliary_w)


@kernel
def _filter_below(plant: ElectricalArrays, head: int, step_s: float) -> None:
    """Run the ramp filters of the batteries below one source."""
    top = plant.branch_state[head]
    load_w, count = top["racks_w"] + top["loads_w"] + top["chargers_w"] + top["losses_w"], 0
    for b in range(plant.units.shape[0]):
        state = plant.batteries[b]
        if state["head"] != head:
            continue
        count += 1
        if state["mode"] != RAMP_FILTER:
            # What follows another command is not the filters' to correct: it is load to them.
            load_w += state["power_w"]
    if count > 0:
        filter_set_points(plant.units, plant.batteries, head, load_w, step_s, plant.set_points_w)


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
