"""What people, schedulers and the grid ask for: leased bounds on points, branches and places.

A request can only narrow. An upper bound of a branch with a meter lowers what that branch aims at;
one of a node's cap or a charger's limit bounds that point; a sum is shared by the loads of a place,
each the same part of its range. What control cannot follow is refused with the limit that stands
against it.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from mallee.control.bounds import Bounds, Reason
from mallee.control.limits import Limits
from mallee.control.refusal import why_not
from mallee.control.scene import Scene
from mallee.control.state import Condition
from mallee.control.why import Why, work_lost
from mallee.core.arrays import BoolArray, FloatArray
from mallee.core.request import Request

NAME = "request"
_KINDS = ("request-in-force", "request-refused")


def narrow(scene: Scene, bounds: Bounds) -> Bounds:
    """Every request about loads."""
    return narrow_by(scene.limits, scene.requests, bounds)


def narrow_by(limits: Limits, requests: Sequence[Request], bounds: Bounds) -> Bounds:
    """The bounds that these requests leave of others."""
    for request in requests:
        if request.ask not in ("bound", "sum") or why_not(limits, request):
            continue
        reason = Reason(NAME, request.id, request.actor, request.reason)
        if request.ask == "sum":
            asked = limits.places.loads_in(request.subject)
            bounds = bounds.at_most(_shared_w(bounds, asked, request.high), reason, asked)
        else:
            asked = limits.places.loads_named(request.subject)
            bounds = bounds.at_most(np.full(len(asked), request.high), reason, asked)
    return bounds


def _shared_w(bounds: Bounds, asked: BoolArray, sum_w: float) -> FloatArray:
    """What each load may draw so that all together keep to a sum.  # (loads,)"""
    range_w = bounds.high_w - bounds.low_w
    least_w, free_w = float(bounds.low_w[asked].sum()), float(range_w[asked].sum())
    part = 1.0 if free_w <= 0.0 else min(max((sum_w - least_w) / free_w, 0.0), 1.0)
    return bounds.low_w + part * range_w


def explain(scene: Scene, bounds: Bounds) -> Why | None:
    """Whose request holds loads back."""
    mine = bounds.bound_by(NAME)
    if not mine.any():
        return None
    reason = bounds.reasons[int(bounds.by[mine][0])]
    text = (
        f"{reason.actor} asked for it ({reason.text}): {int(mine.sum())} devices are held back, "
        f"{work_lost(scene, bounds)} of the work lost."
    )
    return Why("request", reason.actor, text)


def conditions_of(
    limits: Limits, requests: Sequence[Request], before: Sequence[Condition]
) -> tuple[dict[Condition, bool], dict[Condition, Mapping[str, str]]]:
    """What is in force, refused, or over now, and the words that tell of it.

    Args:
        requests: those whose lease runs.
        before: conditions that held; of these, requests that are gone are over.
    """
    words: dict[Condition, Mapping[str, str]] = {}
    for request in requests:
        refused = why_not(limits, request)
        if refused:
            words["request-refused", request.id] = {**_words(request), "why_not": refused}
        else:
            words["request-in-force", request.id] = _words(request)
    gone = {one: False for one in before if one[0] in _KINDS and one not in words}
    return {**dict.fromkeys(words, True), **gone}, words


def _words(request: Request) -> dict[str, str]:
    return {"actor": request.actor, "what": request.what, "reason": request.reason}
