"""What a person does to alarms: each action names who and why, and refuses what makes no sense."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from mallee.alarms.state import AlarmState, Change, Happening
from mallee.core.arrays import BoolArray

SHELVE_MAX_S = 24 * 3600.0
"""Longest that an alarm may be shelved; what is broken for longer is taken out of service."""
UNTIL_OVER = float("inf")

Result = tuple[AlarmState, list[Change]]


def acknowledge(state: AlarmState, alarms: Iterable[int], time_s: float, actor: str) -> Result:
    """Say that these have been seen; those that were are left as they are."""
    chosen = _chosen(state, alarms, actor) & ~state.acked
    after = replace(
        state,
        acked=state.acked | chosen,
        acked_s=np.where(chosen, time_s, state.acked_s),
    )
    return after, _changes(chosen, "acknowledged", time_s, actor)


def reset(state: AlarmState, alarms: Iterable[int], time_s: float, actor: str) -> Result:
    """Let go of latched alarms whose condition is over and that have been seen.

    Raises:
        ValueError: one still holds, or nobody has acknowledged it.
    """
    chosen = _chosen(state, alarms, actor) & state.latched
    if (chosen & state.active).any():
        raise ValueError("an alarm whose condition still holds cannot be reset")
    if (chosen & ~state.acked).any():
        raise ValueError("acknowledge the alarm before it is reset")
    return replace(state, latched=state.latched & ~chosen), _changes(chosen, "reset", time_s, actor)


def shelve(
    state: AlarmState,
    alarms: Iterable[int],
    time_s: float,
    actor: str,
    *,
    reason: str,
    for_s: float,
) -> Result:
    """Hide alarms for a while.

    Args:
        reason: why; it is shown wherever they are missed.
        for_s: how long, at most `SHELVE_MAX_S`; `UNTIL_OVER` until the condition is over.

    Raises:
        ValueError: no reason, no time or too long a one; or one that is to be hidden until its
            condition is over does not hold.
    """
    chosen = _chosen(state, alarms, actor)
    _need(reason, "a reason to shelve")
    if not for_s > 0.0 or SHELVE_MAX_S < for_s < UNTIL_OVER:
        raise ValueError("shelve for more than 0 and at most 24 h, or until the condition is over")
    if for_s == UNTIL_OVER and (chosen & ~state.active).any():
        raise ValueError("what does not hold cannot be shelved until it is over")
    after = replace(state, shelved_until_s=np.where(chosen, time_s + for_s, state.shelved_until_s))
    return after, _changes(chosen, "shelved", time_s, actor, reason)


def unshelve(state: AlarmState, alarms: Iterable[int], time_s: float, actor: str) -> Result:
    """Show shelved alarms again."""
    chosen = _chosen(state, alarms, actor) & (state.shelved_until_s > -np.inf)
    after = replace(state, shelved_until_s=np.where(chosen, -np.inf, state.shelved_until_s))
    return after, _changes(chosen, "unshelved", time_s, actor)


def take_out(
    state: AlarmState, alarms: Iterable[int], time_s: float, actor: str, *, reason: str
) -> Result:
    """Take alarms out of service, such as those of a rack under maintenance; they go to normal.

    Raises:
        ValueError: no reason.
    """
    chosen = _chosen(state, alarms, actor) & ~state.out
    _need(reason, "a reason to take an alarm out of service")
    after = replace(
        state,
        out=state.out | chosen,
        active=state.active & ~chosen,
        holds=state.holds & ~chosen,
        acked=state.acked | chosen,
        latched=state.latched & ~chosen,
        differs_s=np.where(chosen, np.nan, state.differs_s),
    )
    return after, _changes(chosen, "out of service", time_s, actor, reason)


def put_back(state: AlarmState, alarms: Iterable[int], time_s: float, actor: str) -> Result:
    """Put alarms back into service; what holds then is raised after its delay, as if new."""
    chosen = _chosen(state, alarms, actor) & state.out
    return replace(state, out=state.out & ~chosen), _changes(chosen, "in service", time_s, actor)


def _chosen(state: AlarmState, alarms: Iterable[int], actor: str) -> BoolArray:
    _need(actor, "who does it")
    chosen = np.zeros(state.active.size, bool)
    chosen[list(alarms)] = True
    return chosen


def _need(text: str, what: str) -> None:
    if not text.strip():
        raise ValueError(f"give {what}")


def _changes(
    chosen: BoolArray, what: Happening, time_s: float, actor: str, reason: str = ""
) -> list[Change]:
    return [
        Change(time_s=time_s, alarm=int(alarm), what=what, actor=actor, reason=reason)
        for alarm in np.flatnonzero(chosen)
    ]
