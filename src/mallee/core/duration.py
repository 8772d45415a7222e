"""Lengths of time as people write them: ``90s``, ``10m``, ``1h30m``, ``7d``."""

import re
from typing import Final

from mallee.core.errors import ConfigError

_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def parse_duration(text: str, where: str) -> float:
    """Seconds of a length of time.

    Args:
        text: numbers with s, m, h, d or w.
        where: the option it was given to, for the error.

    Raises:
        ConfigError: it is none, or not longer than zero.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhdw])", text)
    hint = "write a number and s, m, h, d or w, such as 90s, 10m, 1h30m or 7d"
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        raise ConfigError(where, f"{text!r} is not a length of time", hint)
    duration_s = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if duration_s <= 0.0:
        raise ConfigError(where, f"{text!r} is no time at all", hint)
    return duration_s


def parse_whole_s(text: str, where: str) -> int:
    """As `parse_duration`, for what goes by the second.

    Raises:
        ConfigError: as there, or less than a second.
    """
    seconds = round(parse_duration(text, where))
    if seconds < 1:
        raise ConfigError(where, f"{text!r} is less than a second", "give 1s or more")
    return seconds
