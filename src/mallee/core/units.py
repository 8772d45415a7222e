"""The unit suffixes that names may end in, and how people see them.

Inside Mallee everything is in these base units, powers always in W and energies in Wh; screens
and drivers convert at the edge. `tests/test_tidy.py` compares the suffixes on both sides of
`+ - < =` and refuses a name whose suffix is not listed here.
"""

from typing import Final, NamedTuple

SECONDS_PER_HOUR: Final = 3600.0


class Unit(NamedTuple):
    """One suffix: the symbol people read, and what it means."""

    symbol: str
    meaning: str


UNITS: Final[dict[str, Unit]] = {
    "w": Unit("W", "active power; positive consumes unless the name gives a direction"),
    "va": Unit("VA", "apparent power"),
    "var": Unit("var", "reactive power"),
    "wh": Unit("Wh", "energy"),
    "j": Unit("J", "energy of short storage and single devices"),
    "v": Unit("V", "voltage, line to line for three phases"),
    "a": Unit("A", "current per phase"),
    "hz": Unit("Hz", "frequency"),
    "s": Unit("s", "time"),
    "ms": Unit("ms", "time, for integer clock ticks only"),
    "degc": Unit("°C", "temperature"),
    "k": Unit("K", "temperature difference"),
    "kgps": Unit("kg/s", "mass flow"),
    "kg": Unit("kg", "mass"),
    "pa": Unit("Pa", "pressure"),
    "w_per_s": Unit("W/s", "power ramp"),
    "w_per_m2": Unit("W/m²", "irradiance"),
    "w_per_k": Unit("W/K", "thermal conductance"),
    "j_per_k": Unit("J/K", "heat capacity"),
    "k_per_w": Unit("K/W", "thermal resistance"),
    "kg_per_m3": Unit("kg/m³", "density"),
    "j_per_kgk": Unit("J/(kg K)", "specific heat"),
    "usd_per_mwh": Unit("USD/MWh", "energy price as quoted"),
    "usd_per_w_month": Unit("USD/(W month)", "demand charge"),
    "frac": Unit("", "fraction 0..1"),
    "pu": Unit("pu", "per unit of the rating"),
    "rpm": Unit("1/min", "rotation speed"),
    "count": Unit("", "how many"),
}
