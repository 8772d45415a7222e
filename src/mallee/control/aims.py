"""What every metered branch is to stay under now: contract, schedule, plan and requests.

A plan's lower target (a demand window) is prepared and judged once a minute: it is adopted only as
far as the batteries' energy carries it to its end, so that it is met from its first interval and
not given up half way.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from mallee.control.limits import Limits
from mallee.control.refusal import of_branch, why_not
from mallee.control.scene import Aim
from mallee.control.state import ControlState
from mallee.control.view import View
from mallee.core.plan import Plan, PlanStep
from mallee.core.request import Request
from mallee.core.units import SECONDS_PER_HOUR

LEAD_S = 300.0
"""A target is approached so long before it begins, as fast as ramps allow."""
DECIDE_CYCLES = 600
"""A plan's target is decided once a minute."""
USE_FRAC = 0.9
"""Share of the energy above the floor that a target may plan with."""


class Target(NamedTuple):
    """A plan's import target in force."""

    power_w: float
    reason: str


def next_target(
    state: ControlState,
    view: View,
    plans: Sequence[Plan],
    limits: Limits,
    time_s: float,
    *,
    is_held: bool = False,
) -> Target:
    """The tightest target that plans ask for and that can be kept to its end.

    Args:
        state: what the load lately was, and the target in force.
        is_held: somebody asked that plans rest: the target stays as it is.
    """
    if is_held:
        return Target(state.target_w, state.target_reason)
    step = _tightest(plans, time_s)
    if step is None:
        return Target(math.inf, "")
    same = state.target_reason == step.reason and math.isfinite(state.target_w)
    if same and state.cycle % DECIDE_CYCLES >= 10:
        return Target(state.target_w, state.target_reason)
    least_w = max(step.import_target_w, limits.import_min_w)
    energy_wh = USE_FRAC * sum(
        max(0.0, battery.soc - limits.soc_min) * battery.limits.capacity_wh
        for battery in view.batteries
        if battery.seen
    )
    power_w = sum(battery.discharge_max_w for battery in view.batteries if battery.seen)
    left_h = max(step.until_s - max(time_s, step.from_s), 60.0) / SECONDS_PER_HOUR
    carried_w = min(energy_wh / left_h, power_w)
    reachable_w = max(least_w, state.load_mean_w - carried_w)
    return Target(reachable_w, step.reason)


def _tightest(plans: Sequence[Plan], time_s: float) -> PlanStep | None:
    """The lowest target among steps that are in force or about to be."""
    steps = [
        step
        for plan in plans
        if plan.made_s <= time_s < plan.valid_until_s
        for step in plan.steps
        if step.from_s - LEAD_S <= time_s < step.until_s and math.isfinite(step.import_target_w)
    ]
    return min(steps, key=lambda one: one.import_target_w, default=None)


def aims_of(limits: Limits, target: Target, requests: Sequence[Request]) -> tuple[Aim, ...]:
    """What each metered branch is to stay under.

    The plan's target is shared by several feeds in proportion to their contracts.
    """
    free_frac = 1.0 - limits.margin_frac
    names = [limits.branches[branch] for branch in limits.metered]
    aims = []
    for position, contract_w in enumerate(limits.contract_w.tolist()):
        is_feed = position < limits.feeds
        name = "import limit" if is_feed else f"limit of {names[position]}"
        aim = Aim(power_w=contract_w * free_frac, shown_w=contract_w, name=name)
        if is_feed and math.isfinite(target.power_w):
            part = contract_w / limits.import_contract_w if limits.import_contract_w > 0.0 else 1.0
            own_w = target.power_w * part
            if own_w < aim.power_w:
                aim = Aim(power_w=own_w, shown_w=own_w, name=target.reason)
        for request in requests:
            asked_w = _asked_w(limits, request, position)
            if asked_w * free_frac < aim.power_w:
                aim = Aim(
                    power_w=asked_w * free_frac,
                    shown_w=asked_w,
                    name="island" if request.ask == "island" else "import limit",
                    request=request,
                )
        aims.append(aim)
    return tuple(aims)


def _asked_w(limits: Limits, request: Request, position: int) -> float:
    """What a request allows one metered branch; infinite where it is about something else."""
    if request.ask not in ("bound", "island") or why_not(limits, request):
        return math.inf
    if request.ask == "island":
        return 0.0 if position < limits.feeds else math.inf
    return request.high if of_branch(limits, request.subject) == position else math.inf
