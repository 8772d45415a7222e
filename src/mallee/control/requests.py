"""Narrows the limits by what people, schedulers and the grid ask for.

A request can only narrow: an upper bound of the grid connection lowers the import limit, one of
nodes' caps lowers their highest cap. Nothing is lowered below what the nodes may be capped to, and
what control cannot follow is refused in words.
"""

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mallee.control.events import Observed
from mallee.control.limits import Limits, NodeLimits
from mallee.control.state import Condition
from mallee.core.arrays import BoolArray, IntArray
from mallee.core.command import Command
from mallee.core.request import GRID, Request, in_force

_KINDS = ("request-in-force", "request-refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """Limits as they are with the requests in force.

    Attributes:
        site: the limits without any request. Import comes down to a lower one no faster than the
            contract's ramp allows, so whether a limit is broken is judged by these.
        import_by: request that bounds import; None for the contract.
        followed: requests in force that control follows, in the order in which they came.
        caps_by: position in `followed` of the request that bounds each node's cap, -1 for none;
            None while no request is about caps.  # (nodes,)
        refused: those that control cannot follow, and why.
    """

    limits: Limits
    site: Limits
    import_by: Request | None = None
    followed: tuple[Request, ...] = ()
    caps_by: IntArray | None = None
    refused: tuple[tuple[Request, str], ...] = ()


def narrow(limits: Limits, requests: Sequence[Request], time_s: float) -> Narrowed:
    """The limits with every request whose lease runs."""
    narrowed = Narrowed(limits=limits, site=limits)
    for request in in_force(requests, time_s):
        narrowed = _follow(narrowed, request)
    return narrowed


def conditions_of(
    narrowed: Narrowed, before: Sequence[Condition]
) -> tuple[Observed, Mapping[Condition, Mapping[str, str]]]:
    """What is in force, refused, or over now, and the words that tell of it.

    Args:
        before: conditions that held; of these, requests that are gone are over.
    """
    words: dict[Condition, Mapping[str, str]] = {}
    for request in narrowed.followed:
        words["request-in-force", request.id] = _words(request)
    for request, why_not in narrowed.refused:
        words["request-refused", request.id] = {**_words(request), "why_not": why_not}
    gone = {one: False for one in before if one[0] in _KINDS and one not in words}
    return {**dict.fromkeys(words, True), **gone}, words


def attributed(command: Command, narrowed: Narrowed) -> list[Command]:
    """A command to nodes, split by the request whose bound a value is.

    What is below its request's bound is control's own doing.
    """
    if narrowed.caps_by is None:
        return [command]
    nodes = narrowed.limits.nodes
    place = np.searchsorted(nodes.cap_rows, command.rows)
    by = np.where(command.values >= nodes.cap_max_w[place], narrowed.caps_by[place], -1)
    parts = []
    for position in np.unique(by).tolist():
        mine = by == position
        part = replace(command, rows=command.rows[mine], values=command.values[mine])
        if position >= 0:
            request = narrowed.followed[position]
            part = replace(part, actor=request.actor, reason=request.reason)
        parts.append(part)
    return parts


def _words(request: Request) -> dict[str, str]:
    bounds = [f"at least {request.low:g}"] if np.isfinite(request.low) else []
    bounds += [f"at most {request.high:g}"] if np.isfinite(request.high) else []
    what = f"{request.subject} {' and '.join(bounds)}"
    return {"actor": request.actor, "what": what, "reason": request.reason}


def _follow(narrowed: Narrowed, request: Request) -> Narrowed:
    """With one more request."""
    if np.isfinite(request.low):
        return _refuse(narrowed, request, "only upper bounds can be kept")
    if request.subject == GRID:
        if request.high < 0.0:
            return _refuse(narrowed, request, "the import limit cannot be below 0")
        return _with_import(narrowed, request)
    asked = _asked_nodes(narrowed.limits.nodes, request.subject)
    if not asked.any():
        return _refuse(narrowed, request, "it names neither the grid nor a node's cap")
    return _with_caps(narrowed, request, asked)


def _refuse(narrowed: Narrowed, request: Request, why_not: str) -> Narrowed:
    return replace(narrowed, refused=(*narrowed.refused, (request, why_not)))


def _with_import(narrowed: Narrowed, request: Request) -> Narrowed:
    """A lower import limit; the margin below it stays the same share."""
    limits, followed = narrowed.limits, (*narrowed.followed, request)
    if request.high >= limits.import_contract_w:
        return replace(narrowed, followed=followed)
    margin = limits.import_aim_w / limits.import_contract_w
    limits = replace(limits, import_contract_w=request.high, import_aim_w=margin * request.high)
    return replace(narrowed, limits=limits, import_by=request, followed=followed)


def _with_caps(narrowed: Narrowed, request: Request, asked: BoolArray) -> Narrowed:
    """Lower highest caps of the nodes asked for, never below their floor."""
    limits, nodes = narrowed.limits, narrowed.limits.nodes
    wanted_w = np.maximum(request.high, nodes.cap_min_w)
    lowers = asked & (wanted_w < nodes.cap_max_w)
    nodes = replace(nodes, cap_max_w=np.where(lowers, wanted_w, nodes.cap_max_w))
    pods_max_w = float(nodes.cap_max_w @ nodes.factor) + limits.overhead_w
    before = narrowed.caps_by
    if before is None:
        before = np.full(len(nodes.cap_rows), -1)
    return replace(
        narrowed,
        limits=replace(limits, nodes=nodes, pods_max_w=pods_max_w),
        followed=(*narrowed.followed, request),
        caps_by=np.where(lowers, len(narrowed.followed), before),
    )


def _asked_nodes(nodes: NodeLimits, subject: str) -> BoolArray:
    """Whether the cap of each node is meant.  # (nodes,)"""
    if subject in nodes.index:
        asked = np.zeros(len(nodes.index), bool)
        asked[nodes.index[subject]] = True
        return asked
    pattern = re.compile(fnmatch.translate(subject))
    return np.array([pattern.match(path) is not None for path in nodes.index], bool)
