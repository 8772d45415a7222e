"""The inverter's own ramp filter at the meter: swings stay behind the battery, ramps are bounded.

Every 20 ms each battery in this mode takes the load behind the meter (meter less batteries),
smooths it over `time_s`, adds the charge bias, keeps inside the import limits and moves its import
target towards that by no more than the ramp limits allow. Together the batteries then charge with
target less load. What they cannot do (full, empty, rating) shows at the meter, and the target is
put where the meter really is, so it neither winds up nor jumps when the battery can follow again,
except that it never leaves the import limits: those are hard, a ramp after a fault is not.
"""

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.twin.kernel import kernel
from mallee.twin.parts.battery.inverter import charge_available_w, discharge_available_w
from mallee.twin.parts.battery.layout import RAMP_FILTER


@kernel
def move_target(state: np.void, load_w: float, step_s: float) -> float:
    """One step of one filter; returns the new import target."""
    rule = state["filter"]
    state["smooth_w"] += (load_w - state["smooth_w"]) * step_s / (rule["time_s"] + step_s)
    want_w = state["smooth_w"] + rule["charge_bias_w"]
    want_w = min(rule["import_max_w"], max(rule["import_min_w"], want_w))
    target_w = state["target_w"]
    rise_w = min(rule["ramp_up_w_per_s"] * step_s, want_w - target_w)
    target_w += max(-rule["ramp_down_w_per_s"] * step_s, rise_w)
    state["target_w"] = target_w
    return target_w


@kernel
def filter_set_points(
    units: NDArray[np.void],
    states: NDArray[np.void],
    head: int,
    load_w: float,
    step_s: float,
    set_points_w: FloatArray,
) -> None:
    """Set points of the batteries in filter mode below one source for one step.

    Args:
        units: what the batteries are.  # (batteries,)
        states: their state; targets move on.  # (batteries,)
        head: only those below this branch act.
        load_w: power at its meter without the batteries in filter mode.
        step_s: length of the step.
        set_points_w: charge power, written for the batteries in filter mode.  # (batteries,)
    """
    rated_w = 0.0
    for b in range(units.shape[0]):
        if _acts(states[b], head):
            rated_w += units[b]["charge_max_w"]
    wanted_w = load_w
    real_w = load_w
    for b in range(units.shape[0]):
        if _acts(states[b], head):
            share = units[b]["charge_max_w"] / rated_w
            charge_w = share * (move_target(states[b], load_w, step_s) - load_w)
            can_w = min(charge_available_w(units[b], states[b]), charge_w)
            can_w = max(-discharge_available_w(units[b], states[b]), can_w)
            set_points_w[b] = can_w
            wanted_w += charge_w
            real_w += can_w
    for b in range(units.shape[0]):
        if states[b]["head"] != head:
            continue
        rule, target_w = states[b]["filter"], states[b]["target_w"]
        if not _acts(states[b], head):
            # A filter that does not act stays where the meter is: it starts without a jump,
            # but for the import limits, which hold at once.
            states[b]["smooth_w"] = real_w
            states[b]["target_w"] = clip_w(real_w, rule["import_min_w"], rule["import_max_w"])
        elif wanted_w != real_w:
            # What the battery could not keep off the meter never becomes a target beyond a limit.
            low_w, high_w = min(rule["import_min_w"], target_w), max(rule["import_max_w"], target_w)
            states[b]["target_w"] = clip_w(real_w, low_w, high_w)


@kernel
def _acts(state: np.void, head: int) -> bool:
    """Whether a battery's filter acts below this source."""
    return state["head"] == head and state["mode"] == RAMP_FILTER and state["available"] == 1


@kernel
def clip_w(value_w: float, low_w: float, high_w: float) -> float:
    """A power inside its limits."""
    return float(max(low_w, min(high_w, value_w)))
