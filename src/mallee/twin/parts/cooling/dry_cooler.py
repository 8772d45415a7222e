"""Dry cooler: water against outside air, effectiveness-NTU, fans by the cubic law."""

from typing import NamedTuple

from mallee.twin.kernel import kernel
from mallee.twin.parts.cooling.heat_exchanger import counterflow_effectiveness

_AIR_RISE_K = 12.0
"""Temperature rise of the air at design load: a usual selection for a 10 K approach [assumed]."""

_STILL_FRAC = 0.05
"""Air speed that remains with the fans off (buoyancy), as a fraction of design [assumed]."""


class DryCooler(NamedTuple):
    """A dry cooler field sized for one design point.

    Attributes:
        air_w_per_k: capacity rate of the air at full fan speed.
        conductance_w_per_k: UA at full fan speed; goes with air speed to the power 0.6.
        fan_max_w: electric power of all fans at full speed; goes with the cube of speed.
    """

    air_w_per_k: float
    conductance_w_per_k: float
    fan_max_w: float


def size_dry_cooler(
    heat_w: float, water_rise_k: float, approach_k: float = 10.0, fan_frac: float = 0.02
) -> DryCooler:
    """Choose the field that leaves `approach_k` between leaving water and dry bulb at design heat.

    Args:
        heat_w: design heat, >= 0.
        water_rise_k: cooling of the water at design flow.
        approach_k: 10 K to dry bulb is the usual economic choice (Energies 16(9) 3661).
        fan_frac: fan power per heat at full speed, 0.01..0.03 [assumed].
    """
    if heat_w <= 0.0:
        return DryCooler(0.0, 0.0, 0.0)
    air_w_per_k = heat_w / _AIR_RISE_K
    water_w_per_k = heat_w / water_rise_k
    wanted = heat_w / (min(air_w_per_k, water_w_per_k) * (water_rise_k + approach_k))
    low_w_per_k, high_w_per_k = 0.0, 1e3 * air_w_per_k
    for _ in range(80):
        middle_w_per_k = 0.5 * (low_w_per_k + high_w_per_k)
        if counterflow_effectiveness(middle_w_per_k, water_w_per_k, air_w_per_k) < wanted:
            low_w_per_k = middle_w_per_k
        else:
            high_w_per_k = middle_w_per_k
    return DryCooler(air_w_per_k, high_w_per_k, fan_frac * heat_w)


@kernel
def dry_cooler_heat_w(
    cooler: DryCooler,
    speed_frac: float,
    fans_frac: float,
    water_w_per_k: float,
    entering_degc: float,
    ambient_degc: float,
) -> float:
    """Heat given to the air; negative where the air is warmer than the water.

    Args:
        speed_frac: fan speed, 0..1.
        fans_frac: share of the fans (with their coils) in service, 0..1.
        water_w_per_k: capacity rate of the water.
    """
    speed = max(speed_frac, _STILL_FRAC)
    air_w_per_k = cooler.air_w_per_k * speed * fans_frac
    conductance_w_per_k = cooler.conductance_w_per_k * speed**0.6 * fans_frac
    share = counterflow_effectiveness(conductance_w_per_k, water_w_per_k, air_w_per_k)
    return share * min(air_w_per_k, water_w_per_k) * (entering_degc - ambient_degc)


@kernel
def fan_speed_for(
    cooler: DryCooler,
    wanted_w: float,
    fans_frac: float,
    water_w_per_k: float,
    entering_degc: float,
    ambient_degc: float,
) -> float:
    """Lowest fan speed 0..1 that gives off `wanted_w`; 1 where even full speed does not, 0 where
    the outside air would heat the water.
    """
    if entering_degc <= ambient_degc or wanted_w <= 0.0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = 0.5 * (low + high)
        if (
            dry_cooler_heat_w(cooler, middle, fans_frac, water_w_per_k, entering_degc, ambient_degc)
            < wanted_w
        ):
            low = middle
        else:
            high = middle
    return high
