"""Limits that a contract sets by hours and dates: what control keeps to now."""

from dataclasses import replace

import numpy as np

from mallee.control.limits import Limits
from mallee.site.clock import SiteClock
from mallee.site.file import SiteFile
from mallee.site.schedule import import_max_ahead_w, limits_at


def limits_now(limits: Limits, file: SiteFile, utc_s: float) -> Limits:
    """The limits as they are at a time: lower ones that a schedule sets, early enough to get there.

    Args:
        limits: of the site, without schedules.
        file: its site file, for the feeds' schedules and the time zone.
        utc_s: seconds since 1970 UTC.

    Returns:
        The same object where no schedule says anything else.
    """
    if not any(feed.limits for feed in file.feeds):
        return limits
    clock, feeds = SiteClock(file.timezone, utc_s), limits.metered[: limits.feeds]
    contract_w, limit_w = limits.contract_w.copy(), limits.budget.limit_w.copy()
    scheduled_w = [import_max_ahead_w(feed, clock, 0.0) for feed in file.feeds]
    contract_w[: limits.feeds] = np.minimum(contract_w[: limits.feeds], scheduled_w)
    export_w = sum(limits_at(feed, clock.local(0.0)).export_max_w for feed in file.feeds)
    if np.array_equal(contract_w, limits.contract_w) and export_w == -limits.import_min_w:
        return limits
    limit_w[feeds] = contract_w[: limits.feeds]
    budget = replace(limits.budget, limit_w=limit_w)
    return replace(limits, contract_w=contract_w, budget=budget, import_min_w=-export_w)
