"""The unit suffixes that names may end in, and everything that follows from a unit alone.

Inside Mallee everything is in these base units, powers always in W and energies in Wh; screens
and drivers convert at the edge. `tests/test_tidy.py` compares the suffixes on both sides of
`+ - < =` and refuses a name whose suffix is not listed here.
"""

import math
from typing import Final, NamedTuple

SECONDS_PER_HOUR: Final = 3600.0


class Unit(NamedTuple):
    """One suffix.

    Attributes:
        symbol: what people read.
        meaning: what it measures.
        ucum: code of the Unified Code for Units of Measure (ucum.org), as Redfish and others write
            it.
        low, high: what a reading may be at all; wide on purpose, to catch rubbish and wrong scales,
            not unusual days. Infinite where no bound is known from the unit alone.
        is_rated: its range follows from the device's rating instead.
        resolution: what registers of such a quantity resolve; a reading this near to what was
            written proves the write.
        is_mean: a sample of a fast reading says little, its mean over a second does.
        is_wide: grows without end, so that 32 bits do not hold it.
    """

    symbol: str
    meaning: str
    ucum: str = ""
    low: float = -math.inf
    high: float = math.inf
    is_rated: bool = False
    resolution: float = 0.01
    is_mean: bool = False
    is_wide: bool = False


UNITS: Final[dict[str, Unit]] = {
    "w": Unit(
        "W", "active power; positive consumes unless the name gives a direction",
        "W", is_rated=True, resolution=50.0, is_mean=True,
    ),
    "va": Unit("VA", "apparent power", "V.A", is_rated=True, resolution=50.0, is_mean=True),
    "var": Unit("var", "reactive power", "var", is_rated=True, resolution=50.0, is_mean=True),
    "wh": Unit("Wh", "energy", "W.h", -1e15, 1e15, is_wide=True),
    "j": Unit("J", "energy of short storage and single devices", "J"),
    "v": Unit("V", "voltage, line to line for three phases", "V", 0.0, 1e6, is_mean=True),
    "a": Unit("A", "current per phase", "A", -1e6, 1e6, is_mean=True),
    "hz": Unit("Hz", "frequency", "Hz", 30.0, 80.0, is_mean=True),
    "s": Unit("s", "time", "s", 0.0, 1e9, resolution=0.1),
    "ms": Unit("ms", "time, for integer clock ticks only", "ms"),
    "degc": Unit("°C", "temperature", "Cel", -60.0, 200.0, resolution=0.2),
    "k": Unit("K", "temperature difference", "K"),
    "kgps": Unit("kg/s", "mass flow", "kg/s", -1.0, 1e5),
    "kg": Unit("kg", "mass", "kg"),
    "pa": Unit("Pa", "pressure", "Pa", -1e6, 1e8),
    "w_per_s": Unit("W/s", "power ramp", "W/s", resolution=2.0),
    "w_per_m2": Unit("W/m²", "irradiance", "W/m2", -50.0, 2000.0),
    "w_per_k": Unit("W/K", "thermal conductance", "W/K"),
    "j_per_k": Unit("J/K", "heat capacity", "J/K"),
    "k_per_w": Unit("K/W", "thermal resistance", "K/W"),
    "kg_per_m3": Unit("kg/m³", "density", "kg/m3"),
    "j_per_kgk": Unit("J/(kg K)", "specific heat", "J/(kg.K)"),
    "usd_per_mwh": Unit("USD/MWh", "energy price as quoted"),
    "usd_per_w_month": Unit("USD/(W month)", "demand charge"),
    "frac": Unit("", "fraction 0..1", "1", -0.05, 1.1),
    "pu": Unit("pu", "per unit of the rating", "1"),
    "rpm": Unit("1/min", "rotation speed", "/min", 0.0, 1e6),
    "count": Unit("", "how many", "1", 0.0, 1e9),
}  # fmt: skip


def unit_of(name: str) -> Unit | None:
    """The unit that a name ends in, the longest suffix that fits; None for a bare number.

    >>> unit_of("filter_ramp_up_w_per_s").symbol
    'W/s'
    """
    parts = name.split("_")
    for length in range(min(4, len(parts) - 1), 0, -1):
        unit = UNITS.get("_".join(parts[-length:]))
        if unit is not None:
            return unit
    return None
