"""Energy in the cells: losses one way, auxiliaries, state of charge and its estimate."""

import math

import numpy as np
from numpy.typing import NDArray

from mallee.core.units import SECONDS_PER_HOUR
from mallee.twin.kernel import kernel
from mallee.twin.parts.battery.layout import STANDBY

KNEE_SOC = 0.05
"""Outside 5..95 % the voltage of LFP cells tells the state of charge; between, it is flat."""

KNEE_TIME_S = 120.0
ESTIMATE_ERROR_MAX = 0.05
"""Field estimates of LFP containers are wrong by up to 5 % (Fluence, dispatchable energy)."""

CELL_J_PER_K_PER_WH = 6.5
"""Heat capacity of LFP cells: 1,000 J/(kg K) at 155 Wh/kg."""

LOOP_FRAC_PER_K = 0.003
"""Heat taken by the liquid loop per kelvin, of rated power: +13 K at full power (assumed)."""

LOOP_DEGC = 25.0
OUTSIDE_FRAC = 0.2
HOT_DEGC, HOT_END_DEGC = 45.0, 55.0
COLD_DEGC, COLD_END_DEGC = 5.0, -10.0
"""Full power between 5 and 45 degC, none below -10 and above 55 (assumed, LFP containers)."""


@kernel
def store(unit: np.void, state: np.void, power_w: float, step_s: float) -> float:
    """Book one step of mean terminal power; returns what the auxiliaries draw from the branch.

    Without voltage on its branch the unit lives on its cells, as long as they hold. Loss one way
    is ``no-load + linear |P| + square P^2 / rating``, the no-load part while the inverter
    switches; the square terms of charging and discharging differ,
    so that both one-way efficiencies are met at rating.
    """
    hours = step_s / SECONDS_PER_HOUR
    size_w = abs(power_w)
    if power_w >= 0.0:
        rating_w = unit["charge_max_w"]
        square_frac = unit["square_loss_frac"] + unit["charge_cell_loss_frac"]
    else:
        rating_w = unit["discharge_max_w"]
        square_frac = unit["square_loss_frac"] + unit["discharge_cell_loss_frac"]
    idle_w = 0.0 if state["mode"] == STANDBY or state["available"] == 0 else unit["idle_loss_w"]
    loss_w = idle_w + unit["linear_loss_frac"] * size_w + square_frac * size_w * size_w / rating_w
    self_w = unit["self_discharge_per_h"] * unit["energy_wh"] * state["soc"]
    auxiliary_w = unit["auxiliary_w"] + unit["auxiliary_frac"] * size_w
    own_w = 0.0
    if state["fed"] == 0:
        auxiliary_w *= 1.0 if state["soc"] > unit["soc_min"] else 0.0
        own_w = auxiliary_w
    cell_wh = (power_w - loss_w - self_w - own_w) * hours
    change = cell_wh / (unit["energy_wh"] * state["soh"])
    state["soc"] += change
    state["stored_wh"] += cell_wh
    state["loss_wh"] += (loss_w + self_w) * hours
    state["auxiliary_wh"] += auxiliary_w * hours
    state["through_wh"] += abs(power_w) * hours
    if power_w >= 0.0:
        state["charge_wh"] += power_w * hours
    else:
        state["discharge_wh"] -= power_w * hours
    state["cell_loss_w"] = loss_w
    state["auxiliary_w"] = auxiliary_w
    _estimate(unit, state, change, step_s)
    return auxiliary_w - own_w


@kernel
def _estimate(unit: np.void, state: np.void, change: float, step_s: float) -> None:
    """The management system counts ampere-hours with a gain and an offset error.

    Only near empty and full does the cell voltage correct it.
    """
    drift = unit["estimate_offset_per_h"] * step_s / SECONDS_PER_HOUR
    estimate = state["soc_estimate"] + change * (1.0 + unit["estimate_gain_frac"]) + drift
    if state["soc"] < KNEE_SOC or state["soc"] > 1.0 - KNEE_SOC:
        estimate += (state["soc"] - estimate) * step_s / KNEE_TIME_S
    low, high = state["soc"] - ESTIMATE_ERROR_MAX, state["soc"] + ESTIMATE_ERROR_MAX
    state["soc_estimate"] = min(1.0, max(0.0, min(high, max(low, estimate))))


@kernel
def step_cells(
    units: NDArray[np.void], states: NDArray[np.void], ambient_degc: float, dt_s: float
) -> None:
    """Cell temperature, and the derate that it brings: above 45 and below 5 degC.

    One heat capacity with the losses as source, tied to the container's liquid loop, which holds
    25 degC and follows the outside by a fifth (assumed).
    """
    for b in range(units.shape[0]):
        unit, state = units[b], states[b]
        conductance_w_per_k = LOOP_FRAC_PER_K * unit["charge_max_w"]
        heat_j_per_k = CELL_J_PER_K_PER_WH * unit["energy_wh"]
        goal_degc = LOOP_DEGC + OUTSIDE_FRAC * (ambient_degc - LOOP_DEGC)
        goal_degc += state["cell_loss_w"] / conductance_w_per_k
        decay = math.exp(-dt_s * conductance_w_per_k / heat_j_per_k)
        state["cell_degc"] = goal_degc + (state["cell_degc"] - goal_degc) * decay
        hot = (HOT_END_DEGC - state["cell_degc"]) / (HOT_END_DEGC - HOT_DEGC)
        cold = (state["cell_degc"] - COLD_END_DEGC) / (COLD_DEGC - COLD_END_DEGC)
        state["derate_frac"] = min(1.0, max(0.0, min(hot, cold)))


@kernel
def cell_voltage_v(soc: float, power_pu: float) -> float:
    """Highest cell voltage: the flat LFP curve of 3.2..3.35 V with its knees, and resistance."""
    knees = 0.25 * math.exp(-(1.0 - soc) / 0.02) - 0.5 * math.exp(-soc / 0.02)
    return 3.2 + 0.15 * soc + knees + 0.05 * power_pu
