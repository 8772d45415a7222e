"""From a limit of one device back to its cause: every concern that narrowed it, in order.

Worked out anew from memory, readings and requests, by the same functions that decided: nothing is
stored for it, and it can be asked of any device at any time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mallee.control.bounds import Bounds, Reason
from mallee.control.concerns import CONCERNS
from mallee.control.concerns.modes import maintained_rows
from mallee.control.judge import judge
from mallee.control.limits import Limits
from mallee.control.prepare import Look, prepare
from mallee.control.scene import Scene
from mallee.control.state import ControlState
from mallee.control.view import look, look_at_loads, without
from mallee.control.why import kilowatts, work_lost_frac
from mallee.core.request import Request, in_force
from mallee.core.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One concern's narrowing of one load.

    Attributes:
        concern: its name.
        before_w, after_w: the load's bound without and with it, at the device.
        place: the branch, loop or request that it comes from.
        actor: who asked; empty for control itself.
        cause: one sentence with the place's numbers.
    """

    concern: str
    before_w: float
    after_w: float
    place: str
    actor: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Why one load may draw what it may.

    Attributes:
        path: of its limit.
        most_w, least_w: what the device can be set to.
        reads_w: the limit that the device says is in force; NaN where it says nothing.
        bound_w: the bound that the concerns leave now.
        links: those that narrowed, in the order in which they did; the last one binds.
        lost_frac: share of this device's work that the bound costs, by the published curve.
    """

    path: str
    most_w: float
    least_w: float
    reads_w: float
    bound_w: float
    links: tuple[Link, ...]
    lost_frac: float


def chain_of(
    state: ControlState,
    snapshot: Snapshot,
    requests: Sequence[Request],
    limits: Limits,
    time_s: float,
    load: int,
) -> Chain | None:
    """The chain of one load; None while control cannot see enough to decide.

    Args:
        state: control's memory after its last cycle.
        load: position among the steerable loads.
    """
    scene = _scene(state, snapshot, requests, limits, time_s)
    if scene is None:
        return None
    loads = limits.budget.loads
    bounds = Bounds.of_ratings(loads.least_w, loads.most_w)
    links = []
    for concern in CONCERNS:
        after = concern.narrow(scene, bounds)
        before_w, after_w = float(bounds.high_w[load]), float(after.high_w[load])
        reason = after.reason_of(load)
        if after_w < before_w and reason is not None:
            links.append(
                Link(
                    concern=concern.name,
                    before_w=before_w,
                    after_w=after_w,
                    place=reason.place,
                    actor=reason.actor,
                    cause=_cause(scene, reason, concern.what),
                )
            )
        bounds = after
    high_w, most_w = float(bounds.high_w[load]), float(loads.most_w[load])
    is_node = not loads.is_charger[load]
    return Chain(
        path=limits.places.load_paths[load],
        most_w=most_w,
        least_w=float(loads.least_w[load]),
        reads_w=float(scene.loads.in_force_w[load]),
        bound_w=high_w,
        links=tuple(links),
        lost_frac=float(work_lost_frac(np.array(high_w / max(most_w, 1.0)))) if is_node else 0.0,
    )


def _scene(
    state: ControlState,
    snapshot: Snapshot,
    requests: Sequence[Request],
    limits: Limits,
    time_s: float,
) -> Scene | None:
    running = tuple(in_force(requests, time_s))
    view = without(look(snapshot, limits), maintained_rows(limits, running))
    loads = look_at_loads(snapshot, limits)
    if state.mode == "starting":
        return None
    judged = judge(state, view, loads, limits, time_s, 0.0)
    if judged.mode == "safe":
        return None
    looked = Look(snapshot, view, loads, judged)
    return prepare(state, looked, running, limits, time_s, is_due=False)[0]


def _cause(scene: Scene, reason: Reason, what: str) -> str:
    """What is known of the place that a bound comes from."""
    if reason.actor:
        return f"{reason.actor} asked for it: {reason.text}"
    limits = scene.limits
    if reason.place not in limits.branches:
        return what
    branch = limits.branches.index(reason.place)
    parts = [f"its steerable loads may draw {kilowatts(float(scene.capacity_w[branch]))} together"]
    if branch in limits.metered:
        position = limits.metered.tolist().index(branch)
        aim, flow_w = scene.aims[position], float(scene.flow_w[position])
        parts.insert(0, f"{aim.name} {kilowatts(aim.shown_w)}, {kilowatts(flow_w)} flow now")
    else:
        parts.insert(0, f"carries at most {kilowatts(float(limits.budget.limit_w[branch]))}")
    parts.append(f"{kilowatts(float(scene.other_w[branch]))} flow beside them")
    return "; ".join(parts)
