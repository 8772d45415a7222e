"""The import envelope of a site's connection as a schedule over a horizon."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.horizon import Horizon
from mallee.site.contract import LimitChange, UtilityFeed
from mallee.site.model import SiteModel

PROBE_S = 900.0
"""Scheduled limits change on quarters of an hour."""


def import_envelope_w(site: SiteModel, horizon: Horizon) -> FloatArray:
    """The lowest import limit within each step, W; sums of all feeds."""
    zone = ZoneInfo(site.file.timezone)
    envelope = np.zeros(horizon.count)
    edges = horizon.edges_utc_s
    for feed in site.file.feeds:
        if not feed.limits:
            envelope += feed.import_max_w
            continue
        for k in range(horizon.count):
            instants = np.arange(edges[k], edges[k + 1], PROBE_S)
            envelope[k] += min(_limit_w(feed, dt.datetime.fromtimestamp(t, zone)) for t in instants)
    return envelope


def _limit_w(feed: UtilityFeed, local: dt.datetime) -> float:
    """The lowest limit that holds at a local time."""
    changed = [
        change.import_max_w
        for change in feed.limits
        if change.import_max_w is not None and _holds(change, local)
    ]
    return min([feed.import_max_w, *changed])


def _holds(change: LimitChange, local: dt.datetime) -> bool:
    day = local.date().isoformat()
    if change.from_date and day < change.from_date:
        return False
    if change.until_date and day > change.until_date:
        return False
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    if change.days and names[local.weekday()] not in change.days:
        return False
    clock = f"{local.hour:02d}:{local.minute:02d}"
    start, end = change.from_time, change.until_time
    if start == end:
        return True
    return start <= clock < end if start < end else clock >= start or clock < end
