"""Moist air: wet bulb and dew point from dry bulb and relative humidity, at sea level."""

import math

_MAGNUS_B, _MAGNUS_C_DEGC = 17.62, 243.12
"""WMO Guide to Instruments (WMO-No. 8), annex 4.B: saturation vapour pressure over water."""


def dew_point_degc(dry_degc: float, humidity_frac: float) -> float:
    """Dew point by the Magnus formula (WMO-No. 8, annex 4.B).

    Args:
        dry_degc: dry-bulb temperature, -45..60.
        humidity_frac: relative humidity, 0..1; below 1 % it counts as 1 %.
    """
    gamma = math.log(max(humidity_frac, 0.01)) + _MAGNUS_B * dry_degc / (_MAGNUS_C_DEGC + dry_degc)
    return _MAGNUS_C_DEGC * gamma / (_MAGNUS_B - gamma)


def wet_bulb_degc(dry_degc: float, humidity_frac: float) -> float:
    """Wet bulb by Stull's fit, within 1 K for 5..99 % humidity and -20..50 degC.

    Source: R. Stull, *Wet-Bulb Temperature from Relative Humidity and Air Temperature*,
    J. Appl. Meteor. Climatol. 50 (2011) 2267, equation 1.
    """
    percent = 100.0 * min(max(humidity_frac, 0.05), 0.99)
    wet_degc: float = (
        dry_degc * math.atan(0.151977 * math.sqrt(percent + 8.313659))
        + math.atan(dry_degc + percent)
        - math.atan(percent - 1.676331)
        + 0.00391838 * percent**1.5 * math.atan(0.023101 * percent)
        - 4.686035
    )
    return wet_degc
