"""Power flows over the tree: who is alive, at what voltage, and what enters the connection.

Going down: state of breakers, voltage with the drop of each transformer. Going up: loads, the
UPS behind a branch, the losses of cables and transformers.
"""

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.core.units import SECONDS_PER_HOUR
from mallee.twin.kernel import kernel
from mallee.twin.power.breakers import trip_step
from mallee.twin.power.layout import BREAKER
from mallee.twin.power.ups import EMPTY, ups_book, ups_input_w, ups_watch

DEAD_PU = 0.1
"""Below this voltage nothing is supplied at all."""

REACTIVE_FRAC = 0.15
"""Reactive over active power of loads: power factor 0.99 of active front ends (assumed)."""


@kernel
def energise(
    branches: NDArray[np.void],
    states: NDArray[np.void],
    ups_state: NDArray[np.void],
    source_pu: float,
    now_ms: int,
) -> float:
    """Find which branches are alive and at which voltage; returns the largest departure from 1 pu.

    The drop is ``R P + X Q`` in per unit of each transformer, with the flows of the step before.
    """
    worst = 0.0
    for f in range(branches.shape[0]):
        branch, state = branches[f], states[f]
        parent = branch["parent"]
        above_pu = source_pu if parent < 0 else states[parent]["voltage_pu"]
        flow_pu = state["flow_w"] / branch["rating_w"]
        drop_pu = (branch["resistance_frac"] + branch["reactance_frac"] * REACTIVE_FRAC) * flow_pu
        voltage_pu = above_pu - drop_pu if above_pu >= DEAD_PU and state["closed"] == 1 else 0.0
        state["fed"] = 1 if voltage_pu >= DEAD_PU else 0
        k = branch["ups"]
        if k >= 0:
            ups_watch(ups_state[k], voltage_pu, now_ms)
            voltage_pu = 0.0 if ups_state[k]["does"] == EMPTY else 1.0
        state["alive"] = 1 if voltage_pu >= DEAD_PU else 0
        state["voltage_pu"] = voltage_pu
        worst = max(worst, abs(voltage_pu - 1.0))
    return worst


@kernel
def sum_up(
    branches: NDArray[np.void],
    states: NDArray[np.void],
    ups: NDArray[np.void],
    ups_state: NDArray[np.void],
) -> float:
    """Add children's flows and losses upwards; returns the power that enters branch 0.

    `own_w` holds the loads that hang on each branch itself. Loss is ``no-load + load-loss
    (P / rating)^2``. Moves no time, so it may be repeated within a step.
    """
    for f in range(branches.shape[0]):
        states[f]["demand_w"] = states[f]["own_w"]
    for f in range(branches.shape[0] - 1, -1, -1):
        branch, state = branches[f], states[f]
        out_w = state["demand_w"]
        if branch["ups"] >= 0:
            out_w = ups_input_w(ups[branch["ups"]], ups_state[branch["ups"]], out_w)
        loss_w = 0.0
        if state["fed"] == 1:
            part = out_w / branch["rating_w"]
            loss_w = branch["no_load_w"] + branch["load_loss_w"] * part * part
        state["loss_w"] = loss_w
        state["flow_w"] = out_w + loss_w
        if branch["parent"] >= 0:
            states[branch["parent"]]["demand_w"] += state["flow_w"]
    return states[0]["flow_w"]


@kernel
def book(
    branches: NDArray[np.void],
    states: NDArray[np.void],
    ups_state: NDArray[np.void],
    step_s: float,
    now_ms: int,
) -> int:
    """Move time on: energies, heating of transformers and breakers; returns how many tripped."""
    trips = 0
    for f in range(branches.shape[0]):
        branch, state = branches[f], states[f]
        state["loss_wh"] += state["loss_w"] * step_s / SECONDS_PER_HOUR
        part = state["flow_w"] / branch["rating_w"]
        state["square_s"] += part * part * step_s
        if branch["ups"] >= 0:
            ups_book(ups_state[branch["ups"]], state["demand_w"], step_s)
        if branch["kind"] != BREAKER or state["closed"] == 0:
            continue
        state["current_pu"] = abs(part) / max(state["voltage_pu"], DEAD_PU)
        why = trip_step(branch, state, state["current_pu"], step_s)
        if why != 0:
            state["closed"], state["why_open"], state["open_ms"] = 0, why, now_ms
            trips += 1
    return trips


@kernel
def unserved(states: NDArray[np.void], branch: int, voltage_min_pu: float) -> bool:
    """Whether a load on this branch draws nothing: dead, or too little voltage to convert."""
    return states[branch]["alive"] == 0 or states[branch]["voltage_pu"] < voltage_min_pu


@kernel
def put_load(states: NDArray[np.void], branch: int, load_w: float) -> None:
    """Hang a load on a branch for this step."""
    states[branch]["own_w"] += load_w


@kernel
def clear_loads(states: NDArray[np.void]) -> None:
    """Start a step with empty branches."""
    for f in range(states.shape[0]):
        states[f]["own_w"] = 0.0


def flows_w(states: NDArray[np.void]) -> FloatArray:
    """Power entering each branch from above.  # (branches,)"""
    return np.array(states["flow_w"])
