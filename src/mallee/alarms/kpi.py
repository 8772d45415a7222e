"""How well the alarm system serves its people: the figures of ISA-18.2 and EEMUA 191.

Only what was annunciated counts: what sounded when it was raised, or when its cause was gone.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mallee.alarms.instances import Instances
from mallee.alarms.state import AlarmState, Change

WINDOW_S = 600.0
FLOOD_BEGINS, FLOOD_ENDS = 10, 5
"""More than so many annunciations in ten minutes are a flood; it ends below the second number."""
CHATTER_COUNT, CHATTER_S = 3, 60.0
"""An alarm that is raised so often within a minute chatters."""
STALE_S = 24 * 3600.0
TOP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpis:
    """Figures over a stretch of the journal.

    Attributes:
        per_10min: annunciations in ten minutes, on average.
        flood_frac: share of the time in a flood.
        top_frac: share of the ten busiest alarms in all annunciations.
        chattering: rows of alarms that chattered.
        stale: rows of alarms that have stood for more than a day.
        priorities: share of each priority in the annunciations.
        ack_p50_s, ack_p95_s: time from annunciation to acknowledgement; NaN without any.
    """

    annunciated: int
    per_10min: float
    flood_frac: float
    top_frac: float
    chattering: tuple[int, ...]
    stale: tuple[int, ...]
    priorities: dict[int, float]
    ack_p50_s: float
    ack_p95_s: float


def annunciations(changes: Sequence[Change]) -> list[tuple[float, int]]:
    """Time and row of everything that sounded, from a journal in order of time."""
    suppressed = {(c.time_s, c.alarm) for c in changes if c.what == "suppressed"}
    return [
        (change.time_s, change.alarm)
        for change in changes
        if change.what == "released"
        or (change.what == "raised" and (change.time_s, change.alarm) not in suppressed)
    ]


def floods(times_s: Sequence[float]) -> list[tuple[float, float]]:
    """Begin and end of each flood.

    Args:
        times_s: of annunciations, rising.
    """
    found: list[tuple[float, float]] = []
    begin_s: float | None = None
    for place, time_s in enumerate(times_s):
        recent = place + 1 - bisect_left(times_s, time_s - WINDOW_S)
        if begin_s is not None and recent - 1 < FLOOD_ENDS:
            found.append((begin_s, _ended_s(times_s, place)))
            begin_s = None
        if begin_s is None and recent > FLOOD_BEGINS:
            begin_s = time_s
    if begin_s is not None:
        found.append((begin_s, _ended_s(times_s, len(times_s))))
    return found


def _ended_s(times_s: Sequence[float], place: int) -> float:
    """When fewer than `FLOOD_ENDS` were left in the window, seen before the `place`-th came."""
    return times_s[place - FLOOD_ENDS] + WINDOW_S


def is_flood(times_s: Sequence[float], time_s: float) -> bool:
    """Whether a flood goes on."""
    return any(begin_s <= time_s < end_s for begin_s, end_s in floods(times_s))


def kpis(
    changes: Sequence[Change],
    state: AlarmState,
    instances: Instances,
    *,
    from_s: float,
    until_s: float,
) -> Kpis:
    """Work the figures out.

    Args:
        changes: the journal of ``[from_s, until_s)``, in order of time.
        state: at its end.
    """
    sounded = annunciations(changes)
    counts = Counter(alarm for _, alarm in sounded)
    total = len(sounded)
    length_s = until_s - from_s
    in_flood_s = sum(
        min(end_s, until_s) - begin_s
        for begin_s, end_s in floods([time_s for time_s, _ in sounded])
    )
    priorities = Counter(
        instances.kinds[int(instances.kind[alarm])].priority for _, alarm in sounded
    )
    waits_s = _waits_s(changes)
    stale = np.flatnonzero(state.active & (until_s - state.raised_s > STALE_S))
    return Kpis(
        annunciated=total,
        per_10min=total * WINDOW_S / length_s,
        flood_frac=in_flood_s / length_s,
        top_frac=sum(count for _, count in counts.most_common(TOP)) / total if total else 0.0,
        chattering=tuple(sorted(alarm for alarm in counts if _chatters(sounded, alarm))),
        stale=tuple(int(row) for row in stale),
        priorities={one: count / total for one, count in sorted(priorities.items())},
        ack_p50_s=float(np.percentile(waits_s, 50.0)) if waits_s else math.nan,
        ack_p95_s=float(np.percentile(waits_s, 95.0)) if waits_s else math.nan,
    )


def _chatters(sounded: Sequence[tuple[float, int]], alarm: int) -> bool:
    times_s = [time_s for time_s, one in sounded if one == alarm]
    last = CHATTER_COUNT - 1
    return any(
        later_s - time_s <= CHATTER_S
        for time_s, later_s in zip(times_s, times_s[last:], strict=False)
    )


def _waits_s(changes: Sequence[Change]) -> list[float]:
    """From what sounded to the acknowledgement that followed."""
    open_s: dict[int, float] = {}
    waits_s = []
    suppressed = {(c.time_s, c.alarm) for c in changes if c.what == "suppressed"}
    for change in changes:
        key = (change.time_s, change.alarm)
        if change.what == "released" or (change.what == "raised" and key not in suppressed):
            open_s.setdefault(change.alarm, change.time_s)
        elif change.what == "acknowledged" and change.alarm in open_s:
            waits_s.append(change.time_s - open_s.pop(change.alarm))
    return waits_s
