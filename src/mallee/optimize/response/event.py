"""Events of the grid in one form, whoever sent them, and what they come to at an instant.

Overlaps follow OpenADR 3.1: the lower priority number wins, no number is last. Equal priorities are
undefined there; here the lower target wins, as it breaks neither.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.request import GRID, Request

Kind = Literal["absolute", "fraction", "reduction"]
"""W to stay under; a fraction of the baseline; W below the baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is asked for one stretch of time.

    Attributes:
        value: W or a fraction, by `kind`; infinite lifts what lower priorities ask.
    """

    from_utc_s: float
    until_utc_s: float
    kind: Kind
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GridEvent:
    """One event.

    Attributes:
        id: unique at its source.
        source: `OpenADR 3.1`, `OpenADR 2.0b`, `DSX Flex`, or who typed it in.
        reason: what a person reads.
        priority: lower wins; infinite where none is given.
        targets: in order of time.
        ramp_s: time in which the first target is approached from the baseline.
        best_effort: a miss is no breach.
        is_test: told and recorded, never acted on.
        feeds: names of the feeds it is for; empty for all.
    """

    id: str
    source: str
    reason: str
    targets: tuple[Target, ...]
    priority: float = math.inf
    ramp_s: float = 0.0
    best_effort: bool = False
    is_test: bool = False
    feeds: tuple[str, ...] = ()


def target_w(event: GridEvent, utc_s: float, baseline_w: float) -> float:
    """What an event asks for at an instant, W; infinite where nothing.

    Args:
        baseline_w: what would be drawn without it.
    """
    for target in event.targets:
        if target.from_utc_s <= utc_s < target.until_utc_s:
            final_w = {
                "absolute": target.value,
                "fraction": target.value * baseline_w,
                "reduction": baseline_w - target.value,
            }[target.kind]
            began = event.targets[0].from_utc_s
            if event.ramp_s > 0.0 and utc_s < began + event.ramp_s and math.isfinite(final_w):
                done = (utc_s - began) / event.ramp_s
                return max(final_w, baseline_w + done * (final_w - baseline_w))
            return max(0.0, final_w)
    return math.inf


def in_force(events: Sequence[GridEvent], utc_s: float, baseline_w: float) -> GridEvent | None:
    """The event that decides at an instant; None while none asks for anything."""
    asking = [
        (event.priority, target_w(event, utc_s, baseline_w), event.id, event)
        for event in events
        if not event.is_test and _covers(event, utc_s)
    ]
    return min(asking, key=lambda one: one[:3])[3] if asking else None


def _covers(event: GridEvent, utc_s: float) -> bool:
    return any(t.from_utc_s <= utc_s < t.until_utc_s for t in event.targets)


def targets_over(
    events: Sequence[GridEvent], edges_utc_s: FloatArray, baseline_w: FloatArray
) -> FloatArray:
    """The lowest target that decides within each step, W; for a plan's `Response`."""
    found = np.full(len(baseline_w), np.inf)
    changes = sorted({t for e in events for x in e.targets for t in (x.from_utc_s, x.until_utc_s)})
    for k, base_w in enumerate(baseline_w.tolist()):
        start, end = float(edges_utc_s[k]), float(edges_utc_s[k + 1])
        instants = [start, *(t for t in changes if start < t < end)]
        for utc_s in instants:
            event = in_force(events, utc_s, base_w)
            if event is not None:
                found[k] = min(found[k], target_w(event, utc_s, base_w))
    return found


def request_of(
    event: GridEvent, utc_s: float, time_s: float, baseline_w: float, lease_s: float = 60.0
) -> Request | None:
    """The leased bound that control gets for an event now; None while it asks for nothing.

    Args:
        utc_s, time_s: the same instant on both clocks.
        lease_s: renewed while the event lasts, so that a dead planner frees the site.
    """
    bound_w = target_w(event, utc_s, baseline_w)
    if event.is_test or not math.isfinite(bound_w):
        return None
    return Request(
        id=f"{event.source} {event.id}",
        origin="grid",
        actor=event.source,
        reason=event.reason or event.id,
        subject=event.feeds[0] if len(event.feeds) == 1 else GRID,
        high=bound_w,
        from_s=time_s,
        until_s=time_s + lease_s,
    )
