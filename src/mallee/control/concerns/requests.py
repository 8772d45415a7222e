"""What people, schedulers and the grid ask for: leased bounds on points and branches.

A request can only narrow. An upper bound of a branch with a meter lowers what that branch aims at;
one of a node's cap or a charger's limit bounds that point. Nothing goes below what a device can be
set to, and what control cannot follow is refused in words.
"""

import fnmatch
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from mallee.control.bounds import Bounds, Reason
from mallee.control.limits import Limits
from mallee.control.scene import Scene
from mallee.control.state import Condition
from mallee.control.why import Why, work_lost
from mallee.core.arrays import BoolArray
from mallee.core.request import GRID, Request

NAME = "request"
_KINDS = ("request-in-force", "request-refused")


def narrow(scene: Scene, bounds: Bounds) -> Bounds:
    """Every request about points."""
    for request in scene.requests:
        asked = asked_loads(scene.limits, request.subject)
        if why_not(scene.limits, request) or not asked.any():
            continue
        high_w = np.full(len(asked), request.high)
        reason = Reason(NAME, request.id, request.actor, request.reason)
        bounds = bounds.at_most(high_w, reason, asked)
    return bounds


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


def of_branch(limits: Limits, request: Request) -> int | None:
    """Position among the metered branches of the one that a request is about."""
    if request.subject == GRID:
        return 0
    names = [limits.branches[branch] for branch in limits.metered]
    return names.index(request.subject) if request.subject in names else None


def asked_loads(limits: Limits, subject: str) -> BoolArray:
    """Whether each load's limit is meant.  # (loads,)"""
    return _asked(limits.load_paths, subject)


@lru_cache(maxsize=64)
def _asked(paths: tuple[str, ...], subject: str) -> BoolArray:
    pattern = re.compile(fnmatch.translate(subject))
    return np.array([pattern.match(path) is not None for path in paths], bool)


def why_not(limits: Limits, request: Request) -> str:
    """Why control cannot follow a request; empty where it does."""
    if np.isfinite(request.low):
        return "only upper bounds can be kept"
    if of_branch(limits, request) is not None:
        return "the import limit cannot be below 0" if request.high < 0.0 else ""
    if not asked_loads(limits, request.subject).any():
        return "it names neither a branch with a meter nor a limit of a node or charger"
    return ""


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
    bounds = [f"at least {request.low:g}"] if np.isfinite(request.low) else []
    bounds += [f"at most {request.high:g}"] if np.isfinite(request.high) else []
    what = f"{request.subject} {' and '.join(bounds)}"
    return {"actor": request.actor, "what": what, "reason": request.reason}
