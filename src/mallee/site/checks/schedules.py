"""Hours and dates of a contract: windows that are empty, overlap, leave gaps, or do not exist."""

import datetime as dt
from collections.abc import Iterator
from itertools import combinations, pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mallee.site.checks.finding import Finding, watts
from mallee.site.contract import DemandWindow, LimitChange, UtilityFeed
from mallee.site.flows import flows_of
from mallee.site.model import SiteModel

_MINUTES_A_DAY = 24 * 60
_HOLE_MAX = 180
"""Minutes; a shorter hole between two scheduled limits is hardly meant."""

_REFERENCE_YEAR = 2026
"""Clocks change at the same hour every year; the year only has to be one with such days."""


def windows(site: SiteModel) -> Iterator[Finding]:
    """Demand windows and scheduled limits of every feed."""
    flows = flows_of(site)
    for feed, index in zip(site.file.feeds, site.feed_branches.tolist(), strict=True):
        table = "grid" if feed is site.file.grid else f"feed.{feed.name}"
        least_w = float(flows.least_w[index])
        yield from _demand(feed, table, least_w)
        yield from _limits(feed, table, least_w)
        yield from _clock_changes(site.file.timezone, feed, table)


def _demand(feed: UtilityFeed, table: str, least_w: float) -> Iterator[Finding]:
    for window in feed.demand_windows:
        where = f"{table}.demand_windows.{window.name}"
        if window.from_time == window.until_time:
            hint = "a whole day is from 00:00 until 23:59"
            yield _finding("error", "window-empty", where, "ends when it begins", hint)
        if 0.0 < window.target_w < least_w:
            text = f"target {watts(window.target_w)} is below the {watts(least_w)} that control "
            yield _finding("warning", "window-target", where, f"{text}can go down to")
        if window.target_w > feed.import_max_w:
            text = f"target {watts(window.target_w)} is above import_max_w and changes nothing"
            yield _finding("warning", "window-target", where, text)
    for one, other in combinations(feed.demand_windows, 2):
        if _minutes(one) & _minutes(other):
            where = f"{table}.demand_windows.{other.name}"
            text = f"overlaps {one.name!r} ({one.from_time} to {one.until_time})"
            hint = "in the common hours the lower target holds"
            yield _finding("warning", "window-overlap", where, text, hint)


def _limits(feed: UtilityFeed, table: str, least_w: float) -> Iterator[Finding]:
    for change in feed.limits:
        where = f"{table}.limits.{change.name}"
        try:
            first, last = _dates(change)
        except ValueError:
            text = f"{change.from_date} to {change.until_date} holds a day that does not exist"
            yield _finding("error", "limit-dates", where, text, "correct the date")
            continue
        if last < first:
            text = f"ends on {change.until_date}, before it begins on {change.from_date}"
            yield _finding("error", "limit-dates", where, text, "exchange the two")
        if change.import_max_w is None and change.export_max_w is None:
            hint = "give import_max_w or export_max_w"
            yield _finding("warning", "limit-empty", where, "changes no limit", hint)
        for key, own_w in (
            ("import_max_w", feed.import_max_w),
            ("export_max_w", feed.export_max_w),
        ):
            told_w = getattr(change, key)
            if told_w is not None and told_w > own_w:
                text = (
                    f"{key} of {watts(told_w)} is above the feed's own {watts(own_w)}, which holds"
                )
                hint = "write the highest limit at the feed and the lower ones here"
                yield _finding("warning", "limit-empty", where, text, hint)
        if change.import_max_w is not None and change.import_max_w < least_w:
            text = f"{watts(change.import_max_w)} is below the {watts(least_w)} that control can "
            hint = "in these hours nodes must be switched off, or a battery must carry them"
            yield _finding("warning", "limit-too-low", where, f"{text}go down to", hint)
    sound = [change for change in feed.limits if _are_dates(change)]
    for one, other in combinations(sound, 2):
        if _share_hours(one, other) and _differ(one, other):
            where = f"{table}.limits.{other.name}"
            hint = "in the common hours the lower limit holds"
            yield _finding("warning", "limit-overlap", where, f"overlaps {one.name!r}", hint)
    yield from _gaps(sound, table)


def _gaps(changes: list[LimitChange], table: str) -> Iterator[Finding]:
    """Holes between limits that follow one another, by date or by hour."""
    dated = sorted((c for c in changes if c.from_date and c.until_date), key=lambda c: c.from_date)
    for one, other in pairwise(dated):
        missing = (_dates(other)[0] - _dates(one)[1]).days - 1
        if missing > 0:
            where = f"{table}.limits.{other.name}"
            text = f"begins on {other.from_date}, {missing} days after {one.name!r} has ended"
            hint = "in between the feed's own limits hold; extend one of them if that is not meant"
            yield _finding("warning", "limit-gap", where, text, hint)
    daily = [c for c in changes if c.from_time != c.until_time]
    same: dict[tuple[str, str, str], list[LimitChange]] = {}
    for change in daily:
        days = ",".join(sorted(change.days))
        same.setdefault((change.from_date, change.until_date, days), []).append(change)
    for members in same.values():
        ordered = sorted(members, key=lambda c: c.from_time)
        for one, other in pairwise(ordered):
            hole = _minute(other.from_time) - _minute(one.until_time)
            if one.until_time > one.from_time and 0 < hole <= _HOLE_MAX:
                where = f"{table}.limits.{other.name}"
                text = f"begins at {other.from_time}, {hole} min after {one.name!r} has ended"
                hint = "in between the feed's own limits hold; let them meet if that is not meant"
                yield _finding("warning", "limit-gap", where, text, hint)


def _clock_changes(zone: str, feed: UtilityFeed, table: str) -> Iterator[Finding]:
    """Times of the day that one day lacks and another has twice."""
    changing = _changing_minutes(zone)
    rows = [
        (f"{table}.demand_windows.{w.name}", w.from_time, w.until_time) for w in feed.demand_windows
    ]
    rows += [(f"{table}.limits.{c.name}", c.from_time, c.until_time) for c in feed.limits]
    for where, start, end in rows:
        hit = [text for text in dict.fromkeys((start, end)) if _minute(text) in changing]
        if hit and start != end:
            day = changing[_minute(hit[0])]
            yield _finding(
                "note",
                "clock-change",
                where,
                f"{' and '.join(hit)} does not exist, or exists twice, on days when clocks change "
                f"in {zone} ({day:%d %B} in {day.year})",
                "on these days the window is an hour shorter or longer",
            )


def _changing_minutes(zone: str) -> dict[int, dt.date]:
    """Minutes of the day that are skipped or repeated when clocks change, and such a day."""
    try:
        info = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return {}
    found: dict[int, dt.date] = {}
    day = dt.date(_REFERENCE_YEAR, 1, 1)
    while day.year == _REFERENCE_YEAR:
        midnight = dt.datetime.combine(day, dt.time(), info)
        if midnight.utcoffset() != (midnight + dt.timedelta(days=1)).utcoffset():
            for minute in range(_MINUTES_A_DAY):
                at = dt.datetime.combine(day, dt.time(minute // 60, minute % 60), info)
                if at.utcoffset() != at.replace(fold=1).utcoffset():
                    found.setdefault(minute, day)
        day += dt.timedelta(days=1)
    return found


def _minutes(window: DemandWindow | LimitChange) -> set[int]:
    """Minutes of the day that a window covers; it may run over midnight."""
    first, end = _minute(window.from_time), _minute(window.until_time)
    length = (end - first) % _MINUTES_A_DAY
    return {(first + minute) % _MINUTES_A_DAY for minute in range(length)}


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _dates(change: LimitChange) -> tuple[dt.date, dt.date]:
    first = dt.date.fromisoformat(change.from_date) if change.from_date else dt.date.min
    last = dt.date.fromisoformat(change.until_date) if change.until_date else dt.date.max
    return first, last


def _are_dates(change: LimitChange) -> bool:
    try:
        first, last = _dates(change)
    except ValueError:
        return False
    return first <= last


def _share_hours(one: LimitChange, other: LimitChange) -> bool:
    a, b = _dates(one), _dates(other)
    if a[0] > b[1] or b[0] > a[1]:
        return False
    if one.days and other.days and not any(day in other.days for day in one.days):
        return False
    all_day = one.from_time == one.until_time or other.from_time == other.until_time
    return all_day or bool(_minutes(one) & _minutes(other))


def _differ(one: LimitChange, other: LimitChange) -> bool:
    imports = one.import_max_w is not None and other.import_max_w is not None
    exports = one.export_max_w is not None and other.export_max_w is not None
    return (imports and one.import_max_w != other.import_max_w) or (
        exports and one.export_max_w != other.export_max_w
    )


def _finding(level: str, rule: str, where: str, text: str, hint: str = "") -> Finding:
    grade = {"error": "error", "warning": "warning", "note": "note"}[level]
    return Finding(level=grade, rule=rule, where=where, key=where, text=text, hint=hint)  # type: ignore[arg-type]
