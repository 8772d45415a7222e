"""What concerns would look at now, on a site whose readings a test sets by hand."""

from dataclasses import replace as dataclass_replace
from typing import Any

import numpy as np
from msgspec.structs import replace

from mallee.control.bounds import Bounds
from mallee.control.judge import judge
from mallee.control.prepare import Look, prepare
from mallee.control.scene import Scene
from mallee.control.state import ControlState
from mallee.control.view import look, look_at_loads
from mallee.core.request import Request
from tests.control.site_view import SiteView

OTHER_W = 34e3
KEPT_W = OTHER_W + 6e3
"""What is counted beside the loads after ten minutes of `OTHER_W`: a margin of 1 % on top."""
LEARNED_W = OTHER_W * 59 / 60 + 6e3
"""The same after one more second in which the meter shows nothing beside them."""

LENT_W = 20e3
"""What two empty chargers may always draw and do not."""


def state_of(view: SiteView, **changes: Any) -> ControlState:
    """Memory of a controller that has looked at this site for ten minutes."""
    now = look(view.snapshot(600.0), view.limits)
    state = ControlState(
        mode="auto",
        cycle=6000,
        meter_seen_s=600.0,
        import_w=now.import_w,
        load_w=now.load_w,
        flow_mean_w=now.flow_w,
        load_mean_w=now.load_w,
        other_w=(OTHER_W,) * len(view.limits.metered),
        learned_s=600.0,
    )
    return replace(state, **changes)


def scene_of(
    view: SiteView,
    *,
    requests: tuple[Request, ...] = (),
    time_s: float = 600.0,
    state: ControlState | None = None,
    **changes: Any,
) -> Scene:
    """The scene of one decision.

    Args:
        state: memory before it.
        changes: attributes of the scene that are set by hand instead.
    """
    limits, snapshot = view.limits, view.snapshot(time_s)
    before, now = state or state_of(view), look(snapshot, limits)
    loads = look_at_loads(snapshot, limits)
    judged = judge(before, now, loads, limits, time_s, 0.0)
    looked = Look(snapshot, now, loads, judged)
    scene, _ = prepare(before, looked, requests, limits, time_s, is_due=True)
    return dataclass_replace(scene, **changes)


def ratings(scene: Scene) -> Bounds:
    """Where every concern starts."""
    loads = scene.limits.budget.loads
    return Bounds.of_ratings(loads.least_w, loads.most_w)


def at_branch_w(scene: Scene, bounds: Bounds) -> float:
    """Sum of what all loads may draw, at their branches."""
    return float(bounds.high_w @ scene.limits.budget.loads.factor)


def capacity(scene: Scene, **by_branch: float) -> np.ndarray:
    """Capacities with some set by hand: ``tx1=400e3``; underscores stand for dashes."""
    found = scene.capacity_w.copy()
    for name, power_w in by_branch.items():
        found[scene.limits.branches.index(name.replace("_", "-"))] = power_w
    return found
