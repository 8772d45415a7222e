"""A feed's limits at each time: its own, or lower ones that its contract sets for certain hours.

Where several hold at once the lowest counts; one above the feed's own changes nothing.
"""

import datetime as dt
from typing import Final, NamedTuple

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.site.clock import SiteClock
from mallee.site.contract import LimitChange, UtilityFeed

STEP_S: Final = 60
"""Scheduled limits begin and end on whole minutes."""
LEAD_S: Final = 60.0
"""So long before a lower limit begins everything should be below it."""
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class FeedLimits(NamedTuple):
    """What may flow at a feed's meter."""

    import_max_w: float
    export_max_w: float


def limits_at(feed: UtilityFeed, local: dt.datetime) -> FeedLimits:
    """The limits that hold at a local time."""
    return _lowest(feed, [change for change in feed.limits if _holds(change, local)])


def lowest_limits(feed: UtilityFeed) -> FeedLimits:
    """The lowest that any hour of any day may bring."""
    return _lowest(feed, feed.limits)


def limits_over(feed: UtilityFeed, clock: SiteClock, seconds: int) -> tuple[FloatArray, FloatArray]:
    """Import and export limit in every second of a run.  # (seconds,) each"""
    if not feed.limits:
        return np.full(seconds, feed.import_max_w), np.full(seconds, feed.export_max_w)
    edges_s = np.arange(0, seconds + STEP_S, STEP_S) - clock.utc_s(0.0) % STEP_S
    told = np.array([limits_at(feed, clock.local(max(edge_s, 0.0))) for edge_s in edges_s.tolist()])
    at = np.searchsorted(edges_s, np.arange(seconds), side="right") - 1
    return told[at, 0], told[at, 1]


def import_max_ahead_w(feed: UtilityFeed, clock: SiteClock, time_s: float) -> float:
    """The import limit to keep now, so that a lower one to come is kept, too.

    A lower limit counts from `LEAD_S` before it begins; where the contract limits ramps, as much
    earlier as import needs to come down to it.
    """
    now_w = limits_at(feed, clock.local(time_s)).import_max_w
    drop_w, slope = now_w - lowest_limits(feed).import_max_w, feed.ramp_down_w_per_s
    if drop_w <= 0.0:
        return now_w
    first_s = STEP_S - clock.utc_s(time_s) % STEP_S
    for ahead_s in np.arange(first_s, LEAD_S + drop_w / slope, STEP_S).tolist():
        then_w = limits_at(feed, clock.local(time_s + ahead_s)).import_max_w
        late_s = max(0.0, ahead_s - LEAD_S)
        now_w = min(now_w, then_w + (slope * late_s if late_s > 0.0 else 0.0))
    return now_w


def _lowest(feed: UtilityFeed, changes: list[LimitChange]) -> FeedLimits:
    imports = [c.import_max_w for c in changes if c.import_max_w is not None]
    exports = [c.export_max_w for c in changes if c.export_max_w is not None]
    return FeedLimits(min([feed.import_max_w, *imports]), min([feed.export_max_w, *exports]))


def _holds(change: LimitChange, local: dt.datetime) -> bool:
    """Whether a change holds; its hours are those of its days, also where they pass midnight."""
    day, clock = local.date(), f"{local.hour:02d}:{local.minute:02d}"
    if change.from_date and day.isoformat() < change.from_date:
        return False
    if change.until_date and day.isoformat() > change.until_date:
        return False
    if change.days and _WEEKDAYS[day.weekday()] not in change.days:
        return False
    start, end = change.from_time, change.until_time
    if start == end:
        return True
    return start <= clock < end if start < end else clock >= start or clock < end
