"""Suppression by cause: one breaker opens, one alarm sounds, and the rest says what caused it."""

from dataclasses import replace

import numpy as np

from mallee.alarms.instances import Instances
from mallee.alarms.state import AlarmState, Change
from mallee.alarms.topology import Topology, explained_by
from mallee.core.arrays import NO_INDEX, IntArray

GRACE_S = 60.0
"""What a cause explained stays suppressed so long after it: devices boot before they answer."""
EXPLAINS_S = 600.0
"""A cause whose condition is over, or cannot be seen to go on, explains what came so soon after."""


def suppress(
    state: AlarmState, topology: Topology, instances: Instances, time_s: float
) -> tuple[AlarmState, list[Change]]:
    """Find the cause of every alarm that stands.

    A cause is an alarm that stands itself, whoever has seen it or hidden it. Where several explain
    an alarm, the one that came first does.
    """
    reaching = np.array([bool(kind.reach) for kind in instances.kinds])[instances.kind]
    causes = np.flatnonzero(reaching & state.stands & ~state.out)
    causes = causes[np.argsort(state.raised_s[causes], kind="stable")]
    cause = np.full(instances.count, NO_INDEX)
    for one in causes.tolist():
        mine = explained_by(topology, instances, one) & state.stands & (cause == NO_INDEX)
        if not state.active[one]:
            mine &= state.raised_s <= state.raised_s[one] + EXPLAINS_S
        cause[mine] = one
    gone = (state.cause != NO_INDEX) & (cause == NO_INDEX) & state.stands
    released_s = np.where(gone & np.isinf(state.released_s), time_s, state.released_s)
    kept = gone & (time_s - released_s < GRACE_S)
    cause = np.where(kept, state.cause, cause)
    changes = _changes(state, cause, time_s)
    released_s = np.where(kept, released_s, -np.inf)
    return replace(state, cause=cause, released_s=released_s), changes


def root_of(state: AlarmState, alarm: int) -> int:
    """The alarm at the beginning of a chain of causes; the alarm itself where it has no cause."""
    seen = {alarm}
    while (above := int(state.cause[alarm])) != NO_INDEX and above not in seen:
        alarm = above
        seen.add(alarm)
    return alarm


def _changes(state: AlarmState, cause: IntArray, time_s: float) -> list[Change]:
    begun = (cause != NO_INDEX) & (state.cause == NO_INDEX)
    ended = state.stands & (cause == NO_INDEX) & (state.cause != NO_INDEX)
    changes = [
        Change(time_s=time_s, alarm=int(row), what="suppressed", reason=str(int(cause[row])))
        for row in np.flatnonzero(begun)
    ]
    return changes + [
        Change(time_s=time_s, alarm=int(row), what="released") for row in np.flatnonzero(ended)
    ]
