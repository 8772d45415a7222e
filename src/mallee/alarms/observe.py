"""Judges the conditions of all alarms against a snapshot: holds, is over, or cannot be judged."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.alarms.instances import DarkCheck, Instances, PointCheck
from mallee.core.arrays import BoolArray, FloatArray
from mallee.core.event import Event
from mallee.core.event_kinds import EVENT_KINDS
from mallee.core.snapshot import Quality, Snapshot

Verdicts = NDArray[np.int8]
UNKNOWN, OVER, HOLDS = -1, 0, 1

_ENDS: Final = {
    ending: tuple(kind.name for kind in EVENT_KINDS.values() if kind.ended_by == ending)
    for ending in {kind.ended_by for kind in EVENT_KINDS.values()} - {""}
}
"""Which kinds of event each ending ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What could be judged now.

    Attributes:
        verdicts: `HOLDS`, `OVER` or `UNKNOWN` of each alarm.  # (alarms,)
        readings: what was read, for those about a point; NaN else.  # (alarms,)
        flashes: conditions that held and were over at once: an event that nothing ends.
            # (alarms,)
    """

    verdicts: Verdicts
    readings: FloatArray
    flashes: BoolArray


def observe(
    instances: Instances, snapshot: Snapshot, events: Iterable[Event], active: BoolArray
) -> Observed:
    """Judge every alarm.

    Args:
        instances: the site's alarms.
        snapshot: latest readings.
        events: new ones since the last call, in order of time.
        active: which alarms stand; a reading inside the deadband leaves them as they are.
    """
    verdicts = np.full(instances.count, UNKNOWN, np.int8)
    readings = np.full(instances.count, np.nan)
    flashes = np.zeros(instances.count, bool)
    for check in instances.points:
        values = _worst(check, snapshot)
        readings[check.alarms] = values
        judged = _beyond(check, values, active[check.alarms])
        # A die that cannot be read now may be the hot one: the rest being cool clears nothing.
        quality = snapshot.quality[check.rows]
        unsure = ((quality != Quality.GOOD) & (quality != Quality.NEVER)).any(axis=1)
        verdicts[check.alarms] = np.where(unsure & (judged == OVER), UNKNOWN, judged)
    for silence in instances.silences:
        # NEVER is unread, too: whoever has just started waits out the on-delay.
        unread = (snapshot.quality[silence.rows] != Quality.GOOD).all(axis=1)
        verdicts[silence.alarms] = np.where(unread, HOLDS, OVER)
    for dark in instances.darks:
        verdicts[dark.alarms] = np.where(_gone(dark, snapshot), HOLDS, OVER)
    for event in events:
        _hear(instances, event, verdicts, flashes)
    return Observed(verdicts=verdicts, readings=readings, flashes=flashes)


def _gone(check: DarkCheck, snapshot: Snapshot) -> BoolArray:
    """Whether all devices of each place have gone.  # (places,)"""
    gone = []
    for rows, power_rows in zip(check.rows, check.power_rows, strict=True):
        unread = (snapshot.quality[rows] != Quality.GOOD).all(axis=1)
        said = snapshot.quality[power_rows] == Quality.GOOD
        gone.append(unread | (said & (snapshot.values[power_rows] < check.below_w)))
    there = np.bincount(check.place[~np.concatenate(gone)], minlength=check.alarms.size)
    return np.asarray(there == 0)


def _worst(check: PointCheck, snapshot: Snapshot) -> FloatArray:
    """The reading furthest beyond the limit of each device, of those read well; NaN for none."""
    values = np.where(
        snapshot.quality[check.rows] == Quality.GOOD, snapshot.values[check.rows], np.nan
    )
    worst = np.fmax.reduce(check.sign * values, axis=1)
    return np.asarray(check.sign * worst)


def _beyond(check: PointCheck, values: FloatArray, active: BoolArray) -> Verdicts:
    excess = check.sign * (values - check.limit)
    back = excess <= -check.deadband
    verdicts = np.where(excess > 0.0, HOLDS, np.where(back, OVER, UNKNOWN))
    # Inside the deadband an alarm that does not stand is over: it must go beyond the limit first.
    inside = ~np.isnan(excess) & (verdicts == UNKNOWN)
    return np.where(inside & ~active, OVER, verdicts).astype(np.int8)


def _hear(instances: Instances, event: Event, verdicts: Verdicts, flashes: BoolArray) -> None:
    row = row_told(instances, event.kind, event.source)
    if row is not None:
        is_lasting = bool(EVENT_KINDS[event.kind].ended_by)
        verdicts[row] = HOLDS if is_lasting else verdicts[row]
        flashes[row] |= not is_lasting
    for begun in _ENDS.get(event.kind, ()):
        row = row_told(instances, begun, event.source)
        if row is not None:
            verdicts[row] = OVER


def row_told(instances: Instances, kind: str, source: str) -> int | None:
    """Row of the alarm that an event raises; it may name the device, or one of its points."""
    told = instances.told
    for name in (source, source.rpartition("/")[0], ""):
        if (kind, name) in told:
            return told[kind, name]
    return None
