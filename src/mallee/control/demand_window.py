"""The plan that the contract itself makes: a lower import target while a demand window is open."""

import datetime as dt
from zoneinfo import ZoneInfo

from mallee.core.plan import Plan, PlanStep
from mallee.site.contract import DemandWindow
from mallee.site.file import SiteFile

VALID_S = 120.0
"""A window's plan is made anew every minute and forgotten after two."""


def plan_of_windows(
    file: SiteFile, utc_s: float, time_s: float, generation: int = 1
) -> Plan | None:
    """The target of the tightest open window; None while none is open.

    Args:
        file: the site file, for its windows and time zone.
        utc_s: seconds since 1970 UTC.
        time_s: the same instant on the monotonic clock of control.
        generation: number of the plan.
    """
    local = dt.datetime.fromtimestamp(utc_s, ZoneInfo(file.timezone)).time()
    clock = f"{local.hour:02d}:{local.minute:02d}"
    windows = [window for feed in file.feeds for window in feed.demand_windows]
    open_now = [w for w in windows if w.target_w > 0.0 and _is_open(w, clock)]
    if not open_now:
        return None
    window = min(open_now, key=lambda w: w.target_w)
    step = PlanStep(
        from_s=time_s,
        until_s=time_s + VALID_S,
        import_target_w=window.target_w,
        reason=f"demand window {window.name}",
    )
    return Plan(
        source="demand windows",
        generation=generation,
        made_s=time_s,
        valid_until_s=step.until_s,
        steps=(step,),
    )


def _is_open(window: DemandWindow, clock: str) -> bool:
    if window.from_time <= window.until_time:
        return window.from_time <= clock < window.until_time
    return clock >= window.from_time or clock < window.until_time
