"""Brings the state of charge back into its window and then to its target, slowly.

Control adds a small bias to what the batteries do at the meter: it charges when there is room under
the limit and discharges when they are too full. Around the target nothing is done. What a battery
loses to its own regulation is made good by the integral; the proportional part alone would settle
beside the target. A battery that would reach the floor of its window in minutes at its present
rate is relieved before: import is raised, as far as its limit leaves room, until what the battery
gives on average is what it can hold.
"""

import math
from typing import NamedTuple

from mallee.control.asked_battery import asked_charge_w
from mallee.control.limits import Limits
from mallee.control.scene import Scene
from mallee.control.trust import held_w
from mallee.core.units import SECONDS_PER_HOUR

START_BELOW = 0.05
"""Recovery begins this far from the target, so that every swing does not start one."""
STOP_WITHIN = 0.01
"""And ends this near to it."""
RECOVER_S = 2.0 * SECONDS_PER_HOUR
"""Time in which a deviation would be made good at its starting rate."""
INTEGRAL_S = 1800.0
"""Time in which the integral adds as much as the proportional part."""
STEP_MAX_FRAC = 0.02
"""Largest change of the bias in one second, as a share of the import limit."""
RELIEF_PER_S = 0.1
"""Part of what a battery gives beyond what it can hold that is taken over by import in a second."""


class Recovery(NamedTuple):
    """What is asked of the batteries for their state of charge.

    Attributes:
        bias_w: charge added to what they do.
        integral: what was missing, as a fraction of capacity, over time in units of `INTEGRAL_S`.
        recovering: whether recovery is under way.
    """

    bias_w: float
    integral: float
    recovering: bool


def next_recovery(scene: Scene, planned_w: float | None = None) -> Recovery:
    """Next bias. Called once a second.

    Args:
        planned_w: what a plan wants charged; taken within the window instead of the target.
    """
    state, limits = scene.state, scene.limits
    seen = [battery for battery in scene.view.batteries if battery.seen]
    capacity_wh = sum(battery.limits.capacity_wh for battery in seen)
    if capacity_wh <= 0.0:
        return Recovery(0.0, 0.0, recovering=False)
    soc = sum(battery.soc * battery.limits.capacity_wh for battery in seen) / capacity_wh
    # Room is what import really leaves under its limit, and what the batteries take on average.
    room_w = max(scene.import_aim_w - min(scene.import_w, state.load_mean_w), 0.0)
    low_w = -sum(battery.discharge_max_w for battery in seen)
    high_w = min(room_w, sum(battery.charge_max_w for battery in seen))
    relief_w = _relief_w(scene)
    asked_w = asked_charge_w(limits, scene.requests)
    if asked_w is not None:
        relief_w = -math.inf  # who asks for a power of a battery answers for its charge
        share_w = 0.0 if planned_w is None else planned_w / len(asked_w)
        planned_w = sum(min(max(share_w, low_w), high_w) for low_w, high_w in asked_w)
    if planned_w is not None and _may_follow(soc, planned_w, limits):
        goal_w = min(max(planned_w, relief_w, low_w), high_w)
        step_w = STEP_MAX_FRAC * limits.import_aim_w
        return Recovery(_towards(state.charge_bias_w, goal_w, step_w), 0.0, recovering=False)
    missing = limits.soc_target - soc
    recovering = abs(missing) > (STOP_WITHIN if state.soc_recovering else START_BELOW)
    step_w = STEP_MAX_FRAC * limits.import_aim_w
    if not recovering:
        goal_w = min(max(0.0, relief_w), high_w)
        return Recovery(_towards(state.charge_bias_w, goal_w, step_w), 0.0, recovering=False)
    integral = state.soc_integral + missing * scene.period_s / INTEGRAL_S
    wanted_w = (missing + integral) * capacity_wh * SECONDS_PER_HOUR / RECOVER_S
    limited_w = min(max(wanted_w, relief_w, low_w), high_w)
    if limited_w != wanted_w and relief_w < wanted_w:
        integral = state.soc_integral  # no winding up behind a limit
    return Recovery(_towards(state.charge_bias_w, limited_w, step_w), integral, recovering=True)


def _relief_w(scene: Scene) -> float:
    """Bias at which what the batteries give on average comes down to what they can hold.

    What they give is the mean load less import: their own power swings with every iteration.
    """
    seen = [battery for battery in scene.view.batteries if battery.seen]
    given_w = scene.state.load_mean_w - scene.import_w
    able_w = sum(min(held_w(battery, scene.limits), battery.discharge_max_w) for battery in seen)
    return scene.state.charge_bias_w + RELIEF_PER_S * scene.period_s * (given_w - able_w)


def _may_follow(soc: float, planned_w: float, limits: Limits) -> bool:
    """Whether a plan asks for something that keeps, or leads back to, the window."""
    return soc < limits.soc_max if planned_w > 0.0 else soc > limits.soc_min


def _towards(value: float, goal: float, step: float) -> float:
    return min(max(goal, value - step), value + step)


def bias_of(scene: Scene, position: int) -> float:
    """One battery's part of the charge that is asked of all, within what is asked of itself."""
    share_w = scene.state.charge_bias_w / max(len(scene.limits.batteries), 1)
    asked_w = asked_charge_w(scene.limits, scene.requests)
    if asked_w is None:
        return share_w
    low_w, high_w = asked_w[position]
    return min(max(share_w, low_w), high_w)


def keep_recovery(scene: Scene) -> Recovery:
    """The bias in force, between two slow cycles."""
    state = scene.state
    return Recovery(state.charge_bias_w, state.soc_integral, recovering=state.soc_recovering)
