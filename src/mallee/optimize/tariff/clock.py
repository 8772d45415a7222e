"""Local time of many instants at once, clock changes included."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from mallee.core.arrays import BoolArray, FloatArray, IntArray
from mallee.optimize.tariff.file import CoincidentRate, DemandRate, EnergyRate

HOUR_S = 3600.0
DAY_S = 86400.0
_EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday


@dataclass(frozen=True, slots=True)
class LocalTimes:
    """Local calendar fields of instants.

    Attributes:
        month: years since 1970 times 12 plus the month's place, 0..11 within a year.
        day: days since 1970.
        weekday: 0 is Monday.
        minute: of the day.
        offset_s: local less UTC.
    """

    month: IntArray
    day: IntArray
    weekday: IntArray
    minute: IntArray
    offset_s: FloatArray


def local_times(utc_s: FloatArray, timezone: str) -> LocalTimes:
    """Fields of instants, one each; offsets are looked up once a quarter of an hour."""
    zone = ZoneInfo(timezone)
    quarters, place = np.unique(np.floor(utc_s / 900.0), return_inverse=True)
    offsets = np.array([_offset_s(quarter * 900.0, zone) for quarter in quarters.tolist()])
    offset_s = offsets[place]
    local_s = utc_s + offset_s
    day = np.floor(local_s / DAY_S).astype(np.int64)
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    minute = ((local_s - day * DAY_S) // 60.0).astype(np.int64)
    return LocalTimes(month, day, (day + _EPOCH_WEEKDAY) % 7, minute, offset_s)


def _offset_s(utc_s: float, zone: ZoneInfo) -> float:
    offset = dt.datetime.fromtimestamp(utc_s, zone).utcoffset()
    return offset.total_seconds() if offset is not None else 0.0


def month_start_utc_s(utc_s: float, timezone: str, months_on: int = 0) -> float:
    """When the local calendar month of an instant began, or one some months on."""
    zone = ZoneInfo(timezone)
    local = dt.datetime.fromtimestamp(utc_s, zone)
    count = local.year * 12 + local.month - 1 + months_on
    return dt.datetime(count // 12, count % 12 + 1, 1, tzinfo=zone).timestamp()


def applies(row: EnergyRate | DemandRate, times: LocalTimes, holidays: list[str]) -> BoolArray:
    """Where a row's months, days and hours hold."""
    start, end = (_minutes(text) for text in (row.from_time, row.until_time))
    if start == end:
        inside = np.ones(len(times.minute), bool)
    elif start < end:
        inside = (times.minute >= start) & (times.minute < end)
    else:
        inside = (times.minute >= start) | (times.minute < end)
    inside &= np.isin(times.month % 12 + 1, row.months)
    if row.days != "all":
        free = np.array(holidays, dtype="datetime64[D]").astype(np.int64)
        off = (times.weekday >= 5) | np.isin(times.day, free)
        inside &= off if row.days == "holidays" else ~off
    return inside


def may_coincide(rate: CoincidentRate, times: LocalTimes) -> BoolArray:
    """Where one of the system's peaks may fall."""
    return np.isin(times.month % 12 + 1, rate.peak_months) & np.isin(
        times.minute // 60, rate.hours_of_day
    )


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)
