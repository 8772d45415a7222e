"""The import envelope of a site's connection as a schedule over a horizon."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.horizon import Horizon
from mallee.site.model import SiteModel
from mallee.site.schedule import limits_at

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
            envelope[k] += min(
                limits_at(feed, dt.datetime.fromtimestamp(t, zone)).import_max_w for t in instants
            )
    return envelope
