"""Parts of the power tree that grid-forming batteries carry alone.

An island is what hangs below a head without a living source: a dead feed, an open breaker, a
transfer switch on its way. A forming inverter is a voltage source: its power is whatever the loads
and losses are, in the same instant, so the flow at the head is brought to zero by iteration.
"""

from typing import Final

import numpy as np

from mallee.core.units import SECONDS_PER_HOUR
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.kernel import kernel
from mallee.twin.parts.battery.cells import store
from mallee.twin.parts.battery.inverter import charge_available_w, discharge_available_w, stop
from mallee.twin.parts.battery.layout import GRID_FORMING
from mallee.twin.parts.power.tree import DEAD_PU, put_load, sum_up

ISLAND_PASSES: Final = 8
"""Losses follow the flow by about one part in a hundred, so each pass gains two digits."""


@kernel
def find_islands(plant: ElectricalArrays) -> int:
    """Mark the heads that a forming battery can give voltage to; returns how many."""
    count = 0
    states = plant.branch_state
    for b in range(plant.units.shape[0]):
        battery = plant.batteries[b]
        ready = battery["mode"] == GRID_FORMING and battery["healthy"] == 1
        if not ready or battery["soc"] <= 0.0:
            continue
        head = states[states[plant.battery_cords[b]["at"]]["head"]]
        if head["above_pu"] < DEAD_PU and head["collapsed"] == 0 and head["islanded"] == 0:
            head["islanded"] = 1
            head["hz"] = plant.site[0]["nominal_hz"] if head["hz"] <= 0.0 else head["hz"]
            count += 1
    return count


@kernel
def carry_islands(plant: ElectricalArrays, step_s: float) -> bool:
    """Let forming batteries carry their islands; returns False where some could not.

    Those are marked as collapsed, and nothing has been booked then.
    """
    states = plant.branch_state
    _add_up(plant)
    if _collapse(plant, True) > 0:
        return False
    for _ in range(ISLAND_PASSES):
        sum_up(plant.branches, states, plant.ups, plant.ups_state)
        for f in range(states.shape[0]):
            if states[f]["islanded"] == 1:
                states[f]["carried_w"] += states[f]["flow_w"]
        if _collapse(plant, False) > 0:
            return False
        for b in range(plant.units.shape[0]):
            at = plant.battery_cords[b]["at"]
            head = states[states[at]["head"]]
            if head["islanded"] == 1 and _forms(plant.batteries[b]):
                can_w = discharge_available_w(plant.units[b], plant.batteries[b])
                put_load(states, at, -head["flow_w"] * can_w / head["discharge_can_w"])
    sum_up(plant.branches, states, plant.ups, plant.ups_state)
    _book_islands(plant, step_s)
    return True


@kernel
def _forms(state: np.void) -> bool:
    """Whether a battery holds up an island."""
    return state["mode"] == GRID_FORMING and state["available"] == 1


@kernel
def _add_up(plant: ElectricalArrays) -> None:
    """What the forming batteries of each island can do; the others there stop."""
    states = plant.branch_state
    for f in range(states.shape[0]):
        state = states[f]
        state["charge_can_w"], state["discharge_can_w"] = 0.0, 0.0
        state["carried_w"], state["rated_w"] = 0.0, 0.0
    for b in range(plant.units.shape[0]):
        unit, battery = plant.units[b], plant.batteries[b]
        at = plant.battery_cords[b]["at"]
        head = states[states[at]["head"]]
        if head["islanded"] == 0:
            continue
        if not _forms(battery):
            stop(battery)
        else:
            head["charge_can_w"] += charge_available_w(unit, battery)
            head["discharge_can_w"] += discharge_available_w(unit, battery)
            head["rated_w"] += unit["discharge_max_w"]
        # The auxiliaries of the step before: those of this step follow from what is to be found.
        put_load(states, at, battery["auxiliary_w"] * battery["fed"])


@kernel
def _collapse(plant: ElectricalArrays, is_start: bool) -> int:
    """Mark the islands that cannot be carried; returns how many."""
    count = 0
    for f in range(plant.branch_state.shape[0]):
        head = plant.branch_state[f]
        if head["islanded"] == 0:
            continue
        fits = -head["charge_can_w"] <= head["carried_w"] <= head["discharge_can_w"]
        if head["discharge_can_w"] == 0.0 or not (is_start or fits):
            head["collapsed"] = 1
            count += 1
    return count


@kernel
def _book_islands(plant: ElectricalArrays, step_s: float) -> None:
    """Energy of the batteries in islands, and the islands' frequency by droop.

    Where charging takes all that the batteries can take, the frequency rises by the whole droop,
    so that solar inverters in the island give less (IEEE 1547 frequency-watt).
    """
    states, nominal_hz = plant.branch_state, plant.site[0]["nominal_hz"]
    for b in range(plant.units.shape[0]):
        unit, battery = plant.units[b], plant.batteries[b]
        head = states[states[plant.battery_cords[b]["at"]]["head"]]
        if head["islanded"] == 0:
            continue
        mean_w = 0.0
        if _forms(battery):
            can_w = discharge_available_w(unit, battery)
            mean_w = -head["carried_w"] * can_w / head["discharge_can_w"]
            part = head["carried_w"] / head["rated_w"]
            if part < 0.0 and head["charge_can_w"] > 0.0:
                part = max(-1.0, min(part, head["carried_w"] / head["charge_can_w"]))
            head["hz"] = nominal_hz * (1.0 - unit["droop_frac"] * part)
        battery["power_w"] = battery["mean_w"] = mean_w
        battery["smooth_w"] = battery["target_w"] = 0.0
        drawn_w = battery["auxiliary_w"] * battery["fed"]
        store(unit, battery, mean_w, step_s)
        late_w = drawn_w - battery["auxiliary_w"] * battery["fed"]
        battery["auxiliary_wh"] += late_w * step_s / SECONDS_PER_HOUR
