"""Outside air and sun: from a typical year in a file, a clear sky, or as the site file says.

Sources of the clear sky: solar declination by Cooper (1969), irradiance by Haurwitz (1945),
``G = 1098 cos(z) exp(-0.057 / cos(z))``.
"""

import csv
import gzip
import math
from pathlib import Path
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError
from mallee.site.simulated import Twin
from mallee.twin.local_time import LocalTime

HOURS: Final = 8760
DAYS_BEFORE: Final = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
TEMP_MIN_DEGC: Final = -60.0
TEMP_MAX_DEGC: Final = 60.0
SUN_MAX_W_PER_M2: Final = 1500.0
HAURWITZ_W_PER_M2: Final = 1098.0


class Weather:
    """Air and sun at every instant of a run.

    Args:
        settings: the site's `[twin]`.
        local: the run's local time.

    Raises:
        ConfigError: the weather file cannot be read or is no year of hours.
    """

    def __init__(self, settings: Twin, local: LocalTime) -> None:
        self._local, self._still_degc = local, settings.ambient_degc
        self._latitude_rad = (
            None if settings.latitude_deg is None else math.radians(settings.latitude_deg)
        )
        self._temps: FloatArray | None = None
        self._sun: FloatArray | None = None
        if settings.weather:
            self._temps, self._sun = read_year(Path(settings.weather))

    @property
    def changes(self) -> bool:
        """Whether the air follows a file."""
        return self._temps is not None

    def ambient_degc(self, time_ms: int) -> float:
        """Temperature of the outside air; a file's hours are joined by straight lines."""
        if self._temps is None:
            return self._still_degc
        return _between(self._temps, self._local.hour_of_year(time_ms))

    def irradiance_w_per_m2(self, time_ms: int) -> float:
        """Global horizontal irradiance; a file's hours count from their middle."""
        if self._sun is not None:
            return _between(self._sun, self._local.hour_of_year(time_ms) - 0.5)
        if self._latitude_rad is None:
            return 0.0
        return clear_sky_w_per_m2(self._latitude_rad, self._local.hour_of_year(time_ms))


def clear_sky_w_per_m2(latitude_rad: float, hour_of_year: float) -> float:
    """Horizontal irradiance of a cloudless sky; clock noon counts as the sun's.

    Args:
        latitude_rad: north positive.
        hour_of_year: of standard time.
    """
    day, hour = divmod(hour_of_year, 24.0)
    declination = math.radians(23.45) * math.sin(2.0 * math.pi * (284.0 + day + 1.0) / 365.0)
    angle = math.radians(15.0 * (hour - 12.0))
    height = math.sin(latitude_rad) * math.sin(declination)
    height += math.cos(latitude_rad) * math.cos(declination) * math.cos(angle)
    return HAURWITZ_W_PER_M2 * height * math.exp(-0.057 / height) if height > 0.0 else 0.0


def _between(hours: FloatArray, at: float) -> float:
    low = math.floor(at)
    share = at - low
    return float((1.0 - share) * hours[low % HOURS] + share * hours[(low + 1) % HOURS])


def read_year(path: Path) -> tuple[FloatArray, FloatArray | None]:
    """Temperature and, where given, irradiance of each hour of a typical year.  # (8760,)

    Raises:
        ConfigError: not readable, a missing column, a hole, or not 8,760 hours.
    """
    try:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"cannot be read: {error}") from None
    columns = set(rows[0]) if rows else set()
    hint = "columns are hour_of_year,temp_c,ghi_w_m2 or month,day,hour,temp_c,ghi_wh_m2"
    if not {"temp_c"} <= columns or not ({"hour_of_year"} <= columns or {"month"} <= columns):
        raise ConfigError(str(path), "is no weather file", hint)
    try:
        at = np.array([_hour_of(row) for row in rows])
        temps = _column(rows, "temp_c")
        name = next((n for n in ("ghi_w_m2", "ghi_wh_m2") if n in columns), "")
        sun = _column(rows, name) if name else None
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ConfigError(str(path), f"has a bad value: {error}", hint) from None
    if sorted(at.tolist()) != list(range(HOURS)):
        raise ConfigError(str(path), f"has {len(at)} hours that are no year", f"{HOURS} hours")
    order = np.argsort(at)
    if not ((temps >= TEMP_MIN_DEGC) & (temps <= TEMP_MAX_DEGC)).all():
        raise ConfigError(str(path), "temp_c is out of range", "-60 to 60 degrees Celsius")
    if sun is not None and not ((sun >= 0.0) & (sun <= SUN_MAX_W_PER_M2)).all():
        raise ConfigError(str(path), f"{name} is out of range", "0 to 1500 W/m2")
    return temps[order], None if sun is None else sun[order]


def _hour_of(row: dict[str, str]) -> int:
    """Position in the year; files with a month count the hours of a day from 1."""
    if "hour_of_year" in row:
        return int(row["hour_of_year"])
    days = DAYS_BEFORE[int(row["month"]) - 1] + int(row["day"]) - 1
    return days * 24 + int(row["hour"]) - 1


def _column(rows: list[dict[str, str]], name: str) -> FloatArray:
    return np.array([float(row[name]) for row in rows])
