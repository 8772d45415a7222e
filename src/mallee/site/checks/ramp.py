"""Batteries against the swing that a job's end makes, for every ramp window of every feed."""

from collections.abc import Iterator

import numpy as np

from mallee.core.arrays import NO_INDEX
from mallee.core.units import SECONDS_PER_HOUR
from mallee.kinds.battery import BATTERY
from mallee.kinds.node import NODE
from mallee.site.checks.finding import Finding, watts
from mallee.site.contract import Ramp, UtilityFeed
from mallee.site.model import DeviceGroup, SiteModel

SLOPE_WINDOW_S = 60.0
"""A limit in W/s is judged at any distance in time up to a minute."""


def ramps(site: SiteModel) -> Iterator[Finding]:
    """Each feed by itself: what is below it swings, and what is below it can cover."""
    roots = _roots(site)
    for feed, index in zip(site.file.feeds, site.feed_branches.tolist(), strict=True):
        windows = list(_windows(feed))
        swing_w = sum(
            int((roots[g.branch] == index).sum()) * (g.model.power_max_w - g.model.power_min_w)
            for g in site.groups_of(NODE)
        )
        if not windows or swing_w <= 0.0:
            continue
        batteries = [(g, int((roots[g.branch] == index).sum())) for g in site.groups_of(BATTERY)]
        batteries = [(group, count) for group, count in batteries if count]
        table = "grid" if feed is site.file.grid else f"feed.{feed.name}"
        found = _uncovered(site, windows, swing_w, batteries, table)
        yield from found


def _windows(feed: UtilityFeed) -> Iterator[tuple[str, Ramp]]:
    """All ramp limits as windows, with the key that says each."""
    for position, ramp in enumerate(feed.ramps):
        yield f"ramps[{position}]", ramp
    up, down = feed.ramp_up_max_w_per_s, feed.ramp_down_max_w_per_s
    if up is not None or down is not None:
        most = float("inf")
        yield (
            "ramp_up_max_w_per_s" if up is not None else "ramp_down_max_w_per_s",
            Ramp(
                window_s=SLOPE_WINDOW_S,
                up_max_w=most if up is None else up * SLOPE_WINDOW_S,
                down_max_w=most if down is None else down * SLOPE_WINDOW_S,
            ),
        )


def _uncovered(
    site: SiteModel,
    windows: list[tuple[str, Ramp]],
    swing_w: float,
    batteries: list[tuple[DeviceGroup, int]],
    table: str,
) -> Iterator[Finding]:
    """The hardest window decides; one finding a cause."""
    key, ramp = min(windows, key=lambda pair: min(pair[1].up_max_w, pair[1].down_max_w))
    allowed_w = min(ramp.up_max_w, ramp.down_max_w)
    over = f"nodes can drop or rise by {watts(swing_w)} at once"
    within = f"within {ramp.window_s:g} s import may change by {watts(allowed_w)}"
    if swing_w <= allowed_w:
        return
    if not batteries:
        yield Finding(
            level="warning",
            rule="ramp-not-covered",
            where=f"{table}.{key}",
            key=f"{table}.{key}",
            text=f"no battery covers it: {over}, while {within}",
            hint="caps alone are too slow for the ramp limits; add a battery",
        )
        return
    ways = ("charge", "discharge")
    rated = [
        (w, sum(n * g.model.parameter_or(f"{w}_max_w", 0.0) for g, n in batteries)) for w in ways
    ]
    way, power_w = min(rated, key=lambda pair: pair[1])
    if power_w < swing_w - allowed_w:
        yield Finding(
            level="warning",
            rule="battery-small",
            where=BATTERY.table,
            key=batteries[0][0].place,
            text=f"batteries {way} with at most {watts(power_w)}, but {over}",
            hint="ramp limits hold only if jobs are kept from swinging together",
        )
        return
    yield from _energy(site, ramp, swing_w, batteries)


def _energy(
    site: SiteModel, ramp: Ramp, swing_w: float, batteries: list[tuple[DeviceGroup, int]]
) -> Iterator[Finding]:
    """A step that the meter follows at the ramp limit leaves a triangle to the battery."""
    control = site.file.control
    energy_wh = sum(n * g.model.parameter_or("energy_wh", 0.0) for g, n in batteries)
    slopes = (ramp.down_max_w / ramp.window_s, ramp.up_max_w / ramp.window_s)
    rooms = (control.soc_max - control.soc_target, control.soc_target - control.soc_min)
    for way, ramp_w_per_s, room_frac in zip(("charge", "discharge"), slopes, rooms, strict=True):
        step_wh = swing_w**2 / (2.0 * ramp_w_per_s) / SECONDS_PER_HOUR
        room_wh = room_frac * energy_wh
        if step_wh > room_wh:
            yield Finding(
                level="warning",
                rule="battery-room",
                where="control.soc_target",
                key="control.soc_target",
                text=f"leaves {watts(room_wh)}h to {way}, but following such a step at the "
                f"ramp limit takes {watts(step_wh)}h",
                hint="move soc_target, or widen soc_min and soc_max",
            )
            return


def _roots(site: SiteModel) -> np.ndarray:
    """The source that each branch hangs on in the end.  # (branches,)"""
    roots = np.arange(len(site.branches))
    for index, branch in enumerate(site.branches):
        if branch.parent != NO_INDEX:
            roots[index] = roots[branch.parent]
    return roots


def charge_window(site: SiteModel) -> Iterator[Finding]:
    """Order of the state-of-charge settings."""
    control, twin = site.file.control, site.file.twin
    window = f"{control.soc_min:g} to {control.soc_max:g}"
    if control.soc_min >= control.soc_max:
        text = f"soc_min {control.soc_min:g} is not below soc_max {control.soc_max:g}"
        yield _soc("error", "control", "control.soc_min", text)
    elif not control.soc_min <= control.soc_target <= control.soc_max:
        text = f"soc_target {control.soc_target:g} is outside the window {window}"
        yield _soc("error", "control", "control.soc_target", text)
    elif twin is not None and not control.soc_min <= twin.soc_start <= control.soc_max:
        text = f"the simulation starts at {twin.soc_start:g}, outside the window {window}"
        yield _soc("warning", "twin.soc_start", "twin.soc_start", text)


def _soc(level: str, where: str, key: str, text: str) -> Finding:
    is_error = level == "error"
    return Finding(
        level="error" if is_error else "warning",
        rule="soc-window",
        where=where,
        key=key,
        text=text,
        hint="soc_min < soc_target < soc_max" if is_error else "",
    )
