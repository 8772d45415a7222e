"""Suppression by cause: one breaker opens, one alarm sounds, and the rest says what caused it."""

from dataclasses import replace

import numpy as np

from mallee.alarms.instances import Instances
from mallee.alarms.state import AlarmState, Change
from mallee.alarms.topology import Topology, reached_by
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
    cause = _causes(state, topology, instances)
    gone = (state.cause != NO_INDEX) & (cause == NO_INDEX) & state.stands
    released_s = np.where(gone & np.isinf(state.released_s), time_s, state.released_s)
    kept = gone & (time_s - released_s < GRACE_S)
    cause = np.where(kept, state.cause, cause)
    changes = _changes(state, cause, time_s)
    released_s = np.where(kept, released_s, -np.inf)
    return replace(state, cause=cause, released_s=released_s), changes


def _causes(state: AlarmState, topology: Topology, instances: Instances) -> IntArray:
    """The earliest alarm that explains each one that stands.  # (alarms,)"""
    cause = np.full(instances.count, NO_INDEX)
    came_s = np.full(instances.count, np.inf)
    standing = state.stands & ~state.out
    for index, kind in enumerate(instances.kinds):
        rows: IntArray = np.flatnonzero(standing & (instances.kind == index))
        if not kind.reach or rows.size == 0:
            continue
        # Those that go on explain more than those that are over, earlier ones before later ones.
        rows = rows[np.lexsort((state.raised_s[rows], ~state.active[rows]))]
        by = reached_by(topology, instances, kind.reach, rows)
        explains = np.array([kind.name in one.caused_by for one in instances.kinds])
        mine = (by != NO_INDEX) & explains[instances.kind] & state.stands
        mine &= state.active[by] | (state.raised_s <= state.raised_s[by] + EXPLAINS_S)
        mine &= state.raised_s[by] < came_s
        cause[mine], came_s[mine] = by[mine], state.raised_s[by[mine]]
    return cause


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
