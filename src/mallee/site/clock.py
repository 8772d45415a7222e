"""The one clock of a site: its local time, from the seconds that control and twin count.

Demand windows, limits by schedule, cars and the daily wave of a load all ask here, so that noon is
noon for each of them, also across a change of the clocks.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError

START_UTC_S: Final = 1_782_928_800.0
"""1 July 2026, 18:00 UTC, midday in the middle of North America: where a simulated run starts if
nobody says otherwise."""
_SHAPE: Final = "write local time such as 2026-07-15T13:00"


@dataclass(frozen=True, slots=True)
class SiteClock:
    """Local time of a site.

    Attributes:
        timezone: IANA name, such as ``America/Chicago``.
        start_utc_s: seconds since 1970 UTC at which `time_s` is 0.
    """

    timezone: str = "UTC"
    start_utc_s: float = START_UTC_S

    def utc_s(self, time_s: float) -> float:
        """Seconds since 1970 UTC."""
        return self.start_utc_s + time_s

    def local(self, time_s: float) -> dt.datetime:
        """Local date and time, with its offset from UTC."""
        return dt.datetime.fromtimestamp(self.utc_s(time_s), ZoneInfo(self.timezone))

    def day(self, time_s: float) -> int:
        """Number of the local calendar day (proleptic Gregorian ordinal)."""
        return self.local(time_s).toordinal()

    def day_s(self, time_s: float) -> float:
        """Seconds that the local clock shows since midnight, 0 <= s < 86,400."""
        now = self.local(time_s)
        return now.hour * 3600.0 + now.minute * 60.0 + now.second + now.microsecond / 1e6

    def hours_of_day(self, day: int) -> FloatArray:
        """`time_s` at each local hour of a day, midnight to midnight.  # (25,)

        An hour that a change of the clocks leaves out begins and ends at the same instant; one
        that comes twice is two hours long.
        """
        first = dt.datetime.fromordinal(day)
        zone = ZoneInfo(self.timezone)
        hours = (first + dt.timedelta(hours=hour) for hour in range(25))
        utc_s = [hour.replace(tzinfo=zone).timestamp() for hour in hours]
        return np.maximum.accumulate(np.array(utc_s) - self.start_utc_s)


def parse_start(text: str, timezone: str, where: str) -> float:
    """Seconds since 1970 UTC of a date and time as a person writes it.

    Args:
        text: ``2026-07-15``, ``2026-07-15T13:00`` in the site's local time, or with an offset
            (``2026-07-15T13:00-05:00``, ``...Z``).
        where: what to name in an error.

    Raises:
        ConfigError: it is no time, or one that a change of the clocks leaves out or repeats.
    """
    try:
        told = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise ConfigError(where, f"{text!r} is no date and time", _SHAPE) from None
    if told.tzinfo is not None:
        return told.timestamp()
    zone = ZoneInfo(timezone)
    early, late = (told.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if early.utcoffset() == late.utcoffset():
        return early.timestamp()
    back = dt.datetime.fromtimestamp(early.timestamp(), zone).replace(tzinfo=None)
    if back != told:
        hint = f"the clocks go forward then; {back.isoformat(timespec='minutes')} does"
        raise ConfigError(where, f"{text!r} does not exist in {timezone}", hint)
    minutes = told.isoformat(timespec="minutes")
    hint = f"write {minutes}{_offset(early)} or {minutes}{_offset(late)}"
    raise ConfigError(where, f"{text!r} comes twice in {timezone}", hint)


def _offset(moment: dt.datetime) -> str:
    return moment.isoformat()[-6:]
