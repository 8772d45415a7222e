"""Chillers: the EnergyPlus EIR curves for cold water, a Carnot fraction for warm water.

The EIR curves hold only near the temperatures that they were fitted to (leaving water 5.56..10
degC). A loop that supplies liquid-cooled racks at 20..40 degC lies far outside them, so its trim
chiller is described by a fixed share of the Carnot efficiency instead.
"""

from typing import Final, NamedTuple

from mallee.twin.kernel import kernel

ZERO_CELSIUS_K: Final = 273.15


class EirCurves(NamedTuple):
    """An EnergyPlus `Chiller:Electric:EIR` model, capacity normalised to its reference.

    Attributes:
        cop: coefficient of performance at the reference conditions.
        capacity: capFT coefficients over leaving-evaporator and entering-condenser temperature.
        input_ratio: EIRFT coefficients over the same temperatures.
        part_load: EIRPLR coefficients over the part-load ratio.
        leaving_degc, entering_degc, part_load_range: where the fit holds; clamped outside.
    """

    cop: float
    capacity: tuple[float, float, float, float, float, float]
    input_ratio: tuple[float, float, float, float, float, float]
    part_load: tuple[float, float, float]
    leaving_degc: tuple[float, float]
    entering_degc: tuple[float, float]
    part_load_range: tuple[float, float]


CARRIER_19XR_742KW: Final = EirCurves(
    cop=5.42,
    capacity=(0.9797101, -2.895701e-3, -8.970718e-4, 1.031440e-2, -7.431651e-4, 1.453508e-3),
    input_ratio=(0.9946139, -4.829399e-2, 4.674277e-4, -1.158726e-3, 5.762583e-4, 2.148192e-4),
    part_load=(0.1202277, 0.1396384, 0.7394038),
    leaving_degc=(5.56, 10.0),
    entering_degc=(11.25, 23.89),
    part_load_range=(0.19, 1.02),
)
"""Carrier 19XR, 742 kW, COP 5.42, VSD.

Source: modelica-buildings, `Fluid/Chillers/Data/ElectricEIR.mo`.
"""


CAPACITY_LOST_PER_K: Final = 0.008
"""Capacity lost for each kelvin of condenser water beyond the fit (assumed)."""

CONDENSER_OVER_K: Final = 8.0
EVAPORATOR_UNDER_K: Final = 3.0
"""Condensing over entering condenser water (5 K rise, 3 K approach), evaporating under leaving
water: they make the lift (assumed)."""


@kernel
def biquadratic(c: tuple[float, float, float, float, float, float], x: float, y: float) -> float:
    """``c1 + c2 x + c3 x^2 + c4 y + c5 y^2 + c6 x y``, x of the evaporator, y of the condenser."""
    return c[0] + c[1] * x + c[2] * x * x + c[3] * y + c[4] * y * y + c[5] * x * y


@kernel
def eir_available_frac(curves: EirCurves, leaving_degc: float, entering_degc: float) -> float:
    """Capacity at these temperatures as a fraction of the reference capacity."""
    leaving = min(max(leaving_degc, curves.leaving_degc[0]), curves.leaving_degc[1])
    entering = min(max(entering_degc, curves.entering_degc[0]), curves.entering_degc[1])
    beyond = 1.0 - CAPACITY_LOST_PER_K * (max(entering_degc, entering) - entering)
    return max(0.0, biquadratic(curves.capacity, leaving, entering) * beyond)


@kernel
def eir_power_w(
    curves: EirCurves, reference_w: float, heat_w: float, leaving_degc: float, entering_degc: float
) -> float:
    """Electric power of an EIR chiller: ``P = Pref capFT EIRFT EIRPLR``, clamped to the fit.

    Beyond the warmest condenser water of the fit power goes on with the lift that the compressor
    has to overcome, so that a hot day costs what it costs. Below the lowest part load the machine
    cycles: power falls in proportion to heat.

    Args:
        reference_w: reference capacity, > 0.
        heat_w: heat taken from the water; at most the available capacity counts.
        leaving_degc: leaving-evaporator water. entering_degc: entering-condenser water.

    Source: EnergyPlus Engineering Reference, *Electric Chiller Model Based on Fluid Temperature
    Differences*.
    """
    leaving = min(max(leaving_degc, curves.leaving_degc[0]), curves.leaving_degc[1])
    entering = min(max(entering_degc, curves.entering_degc[0]), curves.entering_degc[1])
    available_w = reference_w * eir_available_frac(curves, leaving_degc, entering_degc)
    if heat_w <= 0.0 or available_w <= 0.0:
        return 0.0
    ratio = heat_w / available_w
    held = min(max(ratio, curves.part_load_range[0]), curves.part_load_range[1])
    share = curves.part_load[0] + curves.part_load[1] * held + curves.part_load[2] * held * held
    cycling = min(ratio / held, 1.0)
    full_w = available_w / curves.cop * biquadratic(curves.input_ratio, leaving, entering)
    fitted = entering - leaving + CONDENSER_OVER_K + EVAPORATOR_UNDER_K
    beyond = max(entering_degc, entering) - entering
    return full_w * share * cycling * (1.0 + beyond / fitted)


@kernel
def carnot_cop(leaving_degc: float, ambient_degc: float) -> float:
    """COP of a warm-water chiller: ``0.45 Te / (Tc - Te)``.

    Te is 3 K below the leaving water, Tc 12 K above ambient.
    The lift is at least 8 K (compressor minimum), so the COP ends near 16. Gives 4.4 at 20 degC
    leaving water and 35 degC ambient, 6.5 at 25 degC, as measured sites do (4.39 with compressor).
    """
    evaporating_k = leaving_degc - 3.0 + ZERO_CELSIUS_K
    condensing_k = ambient_degc + 12.0 + ZERO_CELSIUS_K
    lift_k = max(condensing_k - evaporating_k, 8.0)
    return 0.45 * evaporating_k / lift_k
