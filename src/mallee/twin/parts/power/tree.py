"""Power flows over the tree: who feeds whom, at what voltage, and what enters at the roots.

Going down: which source each branch has, state of breakers, voltage with the drop of each
transformer. Going up: loads, UPS and PDUs, the losses of cables and transformers. The roots,
utility feeds and gensets, are the first branches.
"""

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.core.units import SECONDS_PER_HOUR
from mallee.twin.kernel import kernel
from mallee.twin.parts.power.breakers import trip_step
from mallee.twin.parts.power.layout import BREAKER
from mallee.twin.parts.power.transfer import take_source
from mallee.twin.parts.power.ups import passed_pu, ups_book, ups_input_w, ups_watch

DEAD_PU = 0.1
"""Below this voltage nothing is supplied at all."""

REACTIVE_FRAC = 0.15
"""Reactive over active power of loads: power factor 0.99 of active front ends (assumed)."""


@kernel
def choose_sources(
    branches: NDArray[np.void],
    states: NDArray[np.void],
    ups_state: NDArray[np.void],
    root_pu: FloatArray,
    root_hz: FloatArray,
    now_ms: int,
) -> int:
    """Find what feeds each branch, without islands; returns how many parts have no source.

    Args:
        root_pu, root_hz: voltage and frequency of each feed and genset.  # (roots,)
    """
    dead = 0
    for f in range(branches.shape[0]):
        branch, state = branches[f], states[f]
        source, above_pu = -1, 0.0
        if f < root_pu.shape[0]:
            above_pu = root_pu[f]
            state["hz"] = root_hz[f]
        else:
            source = branch["parent"]
            if branch["standby"] >= 0:
                source = take_source(branch, state, states, now_ms)
            if state["closed"] == 0:
                source = -1
            if source >= 0:
                above_pu = states[source]["voltage_pu"]
        state["source"] = source
        state["head"] = f if source < 0 else states[source]["head"]
        if source < 0 and above_pu < DEAD_PU:
            dead += 1
        else:
            state["collapsed"] = 0
        state["islanded"] = 0
        _set_voltage(branch, state, ups_state, above_pu)
    return dead


@kernel
def energise_islands(
    branches: NDArray[np.void], states: NDArray[np.void], ups_state: NDArray[np.void]
) -> None:
    """Give nominal voltage to what hangs below islanded heads."""
    for f in range(branches.shape[0]):
        state = states[f]
        above_pu = state["above_pu"]
        if state["source"] >= 0:
            above_pu = states[state["source"]]["voltage_pu"]
        elif state["islanded"] == 1:
            above_pu = 1.0
        _set_voltage(branches[f], state, ups_state, above_pu)


@kernel
def _set_voltage(
    branch: np.void, state: np.void, ups_state: NDArray[np.void], above_pu: float
) -> None:
    """Voltage below a branch, with the drop ``R P + X Q`` in per unit of a transformer, at the
    flow of the step before.
    """
    flow_pu = state["flow_w"] / branch["rating_w"]
    drop_pu = (branch["resistance_frac"] + branch["reactance_frac"] * REACTIVE_FRAC) * flow_pu
    voltage_pu = above_pu - drop_pu if above_pu >= DEAD_PU else 0.0
    state["above_pu"] = above_pu
    state["fed"] = 1 if voltage_pu >= DEAD_PU else 0
    if branch["ups"] >= 0:
        ups = ups_state[branch["ups"]]
        ups["input_pu"] = voltage_pu
        voltage_pu = 0.0 if state["closed"] == 0 else passed_pu(ups)
    state["alive"] = 1 if voltage_pu >= DEAD_PU else 0
    state["voltage_pu"] = voltage_pu


@kernel
def watch_supplies(ups: NDArray[np.void], ups_state: NDArray[np.void], now_ms: int) -> None:
    """Let every UPS look at its input."""
    for u in range(ups.shape[0]):
        ups_watch(ups[u], ups_state[u], ups_state[u]["input_pu"], now_ms)


@kernel
def worst_departure_pu(states: NDArray[np.void]) -> float:
    """Largest departure of any branch's voltage from nominal."""
    worst = 0.0
    for f in range(states.shape[0]):
        worst = max(worst, abs(states[f]["voltage_pu"] - 1.0))
    return worst


@kernel
def sum_up(
    branches: NDArray[np.void],
    states: NDArray[np.void],
    ups: NDArray[np.void],
    ups_state: NDArray[np.void],
) -> None:
    """Add flows and losses upwards, each branch to the one that feeds it now.

    `own_w` holds the loads that hang on each branch itself. Loss is ``no-load + linear (P / rating)
    + load-loss (P / rating)^2``. Moves no time, so it may be repeated within a step.
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
            loss_w = branch["no_load_w"] + branch["linear_loss_w"] * abs(part)
            loss_w += branch["load_loss_w"] * part * part
        state["loss_w"] = loss_w
        state["flow_w"] = out_w + loss_w
        if state["source"] >= 0:
            states[state["source"]]["demand_w"] += state["flow_w"]


@kernel
def book(
    branches: NDArray[np.void],
    states: NDArray[np.void],
    ups: NDArray[np.void],
    ups_state: NDArray[np.void],
    step_s: float,
    now_ms: int,
) -> int:
    """Move time on: energies, heating of transformers and breakers; returns how many tripped."""
    trips = 0
    hours = step_s / SECONDS_PER_HOUR
    for f in range(branches.shape[0]):
        branch, state = branches[f], states[f]
        state["loss_wh"] += state["loss_w"] * step_s / SECONDS_PER_HOUR
        state["import_wh"] += max(0.0, state["flow_w"]) * hours
        state["export_wh"] += max(0.0, -state["flow_w"]) * hours
        part = state["flow_w"] / branch["rating_w"]
        state["square_s"] += part * part * step_s
        if branch["ups"] >= 0:
            ups_book(ups[branch["ups"]], ups_state[branch["ups"]], state["demand_w"], step_s)
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
        state = states[f]
        state["own_w"] = 0.0
        state["racks_w"], state["loads_w"], state["chargers_w"] = 0.0, 0.0, 0.0


def flows_w(states: NDArray[np.void]) -> FloatArray:
    """Power entering each branch from above.  # (branches,)"""
    return np.array(states["flow_w"])
