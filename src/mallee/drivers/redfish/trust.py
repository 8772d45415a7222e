"""What the words beside a Redfish reading make of it: not there, not in force, another unit.

Sources: DMTF schemas Resource (`Status.State`), Control and EnvironmentMetrics (`ControlMode`),
Sensor (`ReadingUnits`, UCUM codes; services in the field also write plain words).
"""

from collections.abc import Mapping
from math import nan
from typing import Any, Final

AWAY: Final = frozenset({"Absent", "Disabled", "UnavailableOffline", "Updating", "Starting"})
"""States in which a resource delivers no reading that means anything."""

_TO_WATTS: Final = {"w": 1.0, "watt": 1.0, "watts": 1.0, "kw": 1e3, "kilowatts": 1e3, "mw": 1e-3}
_TO_DEGC: Final = {
    "cel": (1.0, 0.0), "c": (1.0, 0.0), "degc": (1.0, 0.0), "celsius": (1.0, 0.0),
    "[degf]": (1 / 1.8, -32 / 1.8), "f": (1 / 1.8, -32 / 1.8), "degf": (1 / 1.8, -32 / 1.8),
    "fahrenheit": (1 / 1.8, -32 / 1.8), "k": (1.0, -273.15), "kelvin": (1.0, -273.15),
}  # fmt: skip


def is_away(document: object, pointer: tuple[str, ...]) -> bool:
    """Whether what holds a reading, or a member on the way to it, says that it is not there."""
    for step in ("", *pointer):
        if step:
            if isinstance(document, dict):
                document = document.get(step)
            elif isinstance(document, list) and step.isdecimal() and int(step) < len(document):
                document = document[int(step)]
            else:
                return False
        status = document.get("Status") if isinstance(document, dict) else None
        if isinstance(status, dict) and status.get("State") in AWAY:
            return True
    return False


def is_off(holder: object) -> bool:
    """Whether a limit is only written down: its control is disabled."""
    return isinstance(holder, dict) and holder.get("ControlMode") == "Disabled"


def in_point_unit(value: float, holder: object, point: str) -> float:
    """A reading in W or degC where the service names another unit; NaN where that cannot be.

    Args:
        holder: the object that the reading stands in.
        point: name of the point, whose end is its unit.
    """
    units: Any = holder.get("ReadingUnits") if isinstance(holder, Mapping) else None
    if not isinstance(units, str) or not units:
        return value
    word = units.strip().lower()
    if point.endswith("_w"):
        # MW and mW differ by case alone.
        factor = 1e6 if units.strip() == "MW" else _TO_WATTS.get(word, nan)
        return value * factor
    if point.endswith("_degc"):
        factor, offset = _TO_DEGC.get(word, (nan, nan))
        return value * factor + offset
    return value
