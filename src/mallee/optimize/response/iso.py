"""Instants and durations as ISO 8601 writes them."""

import datetime as dt
import re

from mallee.core.errors import ConfigError

_DURATION = re.compile(
    r"^(?P<sign>-?)P(?:(?P<y>\d+)Y)?(?:(?P<mo>\d+)M)?(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?"
    r"(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?$"
)
_SECONDS = {
    "y": 365 * 86400.0,
    "mo": 30 * 86400.0,
    "w": 7 * 86400.0,
    "d": 86400.0,
    "h": 3600.0,
    "m": 60.0,
    "s": 1.0,
}


def instant_utc_s(text: str) -> float:
    """Seconds since 1970 UTC of a time with an offset.

    Raises:
        ConfigError: it is none, or has no offset.
    """
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise ConfigError("time", f"{text!r} is no ISO 8601 time") from None
    if moment.tzinfo is None:
        raise ConfigError("time", f"{text!r} has no offset", "a Z at its end means UTC")
    return moment.timestamp()


def duration_s(text: str) -> float:
    """Seconds of a duration such as ``PT15M``; a year is 365 days.

    Raises:
        ConfigError: it is none.
    """
    match = _DURATION.match(text.strip())
    if match is None or text.strip() in ("P", "PT"):
        raise ConfigError("duration", f"{text!r} is no ISO 8601 duration", "such as PT1H30M")
    total = sum(float(match[name] or 0.0) * each for name, each in _SECONDS.items())
    return -total if match["sign"] else total
