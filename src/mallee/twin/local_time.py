"""Local time of a twin: the site's clock where the run has a date, else hours since its start.

A twin with a start date counts local hours, days and months from it, as `SiteClock` tells them.
Without one the run begins at midnight of the first of January, in a world without summer time.
"""

import datetime as dt
from typing import Final

from mallee.site.clock import SiteClock

SECOND_MS: Final = 1000
DAY_S: Final = 86_400
HOUR_MS: Final = 3_600_000
_NO_LEAP: Final = 2025
"""A year without a 29th of February: typical years have 8,760 hours."""


class LocalTime:
    """Local time at every instant of a run.

    Attributes:
        start_utc_s: date and time of twin time 0; None where the run has no date.
    """

    def __init__(self, timezone: str, start_utc_s: float | None) -> None:
        self.start_utc_s = start_utc_s
        self._clock = None if start_utc_s is None else SiteClock(timezone, start_utc_s)
        self._hour, self._offset_s = -1, 0.0

    def local_s(self, time_ms: int) -> float:
        """Seconds of local time since an arbitrary midnight: whole days are whole calendar days."""
        time_s = time_ms / SECOND_MS
        if self._clock is None:
            return time_s
        hour = time_ms // HOUR_MS
        if hour != self._hour:  # zones change on whole hours, or nearly so
            self._hour = hour
            offset = self._clock.local(time_s).utcoffset()
            self._offset_s = offset.total_seconds() if offset is not None else 0.0
        return self._clock.utc_s(time_s) + self._offset_s

    def day(self, time_ms: int) -> int:
        """Number of the calendar day, counted from that of the start."""
        first = self.local_s(0) // DAY_S
        return int(self.local_s(time_ms) // DAY_S - first)

    def midnight_ms(self, day: int) -> int:
        """Twin time of the beginning of a day; before the start for day 0."""
        return round((day * DAY_S - self.local_s(0) % DAY_S) * SECOND_MS)

    def hour_of_year(self, time_ms: int) -> float:
        """Hours of standard time since the beginning of the year, 0..8760."""
        if self._clock is None:
            return (time_ms / HOUR_MS) % 8760.0
        moment = self._clock.local(time_ms / SECOND_MS)
        standard = moment - (moment.dst() or dt.timedelta())
        date = standard.replace(tzinfo=None)
        if (date.month, date.day) == (2, 29):
            date -= dt.timedelta(days=1)
        alike = date.replace(year=_NO_LEAP)
        begin = dt.datetime(_NO_LEAP, 1, 1)  # noqa: DTZ001 (a typical year belongs to no zone)
        return (alike - begin).total_seconds() / 3600.0
