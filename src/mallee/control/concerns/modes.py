"""Modes that somebody asks for: hold, safe stop, maintenance.

hold         no load there is given more than it has
safe stop    loads there go down to their lowest, as fast as the contract's ramp allows
maintenance  loads there are left as they are and count with all that they may draw
"""

import math
from collections.abc import Sequence

import numpy as np

from mallee.control.bounds import Bounds, Reason
from mallee.control.limits import Limits
from mallee.control.refusal import why_not
from mallee.control.scene import Scene
from mallee.control.why import Why, work_lost
from mallee.core.arrays import BoolArray, FloatArray, IntArray
from mallee.core.request import SITE, Ask, Request

NAME = "mode"


def narrow(scene: Scene, bounds: Bounds) -> Bounds:
    """What each mode leaves of the loads that it is about."""
    may_w = scene.loads.may_w
    for request in scene.requests:
        if request.ask not in ("hold", "safe-stop", "maintenance"):
            continue
        mine = scene.limits.places.loads_in(request.subject)
        reason = Reason(NAME, request.what, request.actor, request.reason)
        high_w = _stopping_w(scene, mine) if request.ask == "safe-stop" else may_w
        bounds = bounds.at_most(high_w, reason, mine)
    return bounds


def _stopping_w(scene: Scene, mine: BoolArray) -> FloatArray:
    """Next limits on the way down: at once where batteries cover the ramp.  # (loads,)"""
    loads, slope_w_per_s = scene.limits.budget.loads, scene.limits.ramp_down_w_per_s
    drawn_w = np.clip(scene.loads.power_w, loads.least_w, loads.most_w)
    above_w = drawn_w - loads.least_w
    left_w = float((above_w * loads.factor)[mine].sum())
    if scene.covered or math.isinf(slope_w_per_s) or left_w <= 0.0:
        return loads.least_w
    part = max(0.0, 1.0 - slope_w_per_s * max(scene.period_s, 0.0) / left_w)
    return loads.least_w + part * above_w


def explain(scene: Scene, bounds: Bounds) -> Why | None:
    """Who asked for the mode that holds loads where they are."""
    mine = bounds.bound_by(NAME)
    mine &= bounds.high_w < scene.limits.budget.loads.most_w
    if not mine.any():
        return None
    reason = bounds.reasons[int(bounds.by[mine][0])]
    text = (
        f"{reason.place}, asked for by {reason.actor} ({reason.text}): {int(mine.sum())} devices "
        f"are held, {work_lost(scene, bounds)} of the work lost."
    )
    return Why(reason.place, reason.actor, text)


def is_asked(requests: Sequence[Request], ask: Ask) -> bool:
    """Whether a mode is asked of the whole site."""
    return any(request.ask == ask and request.subject == SITE for request in requests)


def maintained_rows(limits: Limits, requests: Sequence[Request]) -> IntArray:
    """Rows of everything that is under maintenance: nothing is written there."""
    found = [
        limits.places.rows_in(request.subject)
        for request in requests
        if request.ask == "maintenance" and not why_not(limits, request)
    ]
    return np.concatenate(found) if found else np.empty(0, np.int64)
