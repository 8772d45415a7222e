"""Breakers that trip: electronic long, short and instantaneous, and thermal-magnetic.

Electronic units hold a thermal image: the square of the current heats it, it cools with ten
minutes, ``t = -tau ln(1 - (36 / i^2)(1 - exp(-t6 / tau)))`` with i over Ir. For 16 s at 6 Ir that
is 162 s at 2 Ir, 328 s at 1.5 and 440 s at 1.35, inside the maker's bands of 133..175, 277..400 and
382..612 s (Schneider bulletin S1A1576900). Bimetals integrate what exceeds the rating,
``(I/In)^2 - 1``: 187 s at 2 In for the same 16 s at 6 In, and they carry 1.13 In (IEC 60898).
"""

import math
from typing import Final

import numpy as np

from mallee.twin.kernel import kernel
from mallee.twin.parts.power.layout import (
    ELECTRONIC,
    INSTANTANEOUS,
    LONG_TIME,
    SHORT_TIME,
    THERMAL_MAGNETIC,
)

SIX: Final = 6.0
ROUNDING: Final = 1e-9

COOL_TAU_S: Final = 600.0
"""Thermal memory of the long-time element (5..10 min; fits the bands above)."""


def set_breaker(unit: np.void, kind: int, step_s: float, t6_s: float = 16.0) -> None:
    """Settings of one breaker: long time by its trip time at six times the rating.

    Short-time pickup 8 Ir for 0.2 s, instantaneous 12 Ir; magnetic 8 In (assumed, mid-range).
    """
    unit["trip_kind"] = kind
    unit["cool_decay"] = math.exp(-step_s / COOL_TAU_S)
    if kind == ELECTRONIC:
        unit["long_pickup_pu"] = 1.10
        unit["long_heat_s"] = SIX**2 * COOL_TAU_S * -math.expm1(-t6_s / COOL_TAU_S)
        unit["short_pickup_pu"], unit["short_delay_s"], unit["instantaneous_pu"] = 8.0, 0.2, 12.0
    else:
        unit["long_pickup_pu"], unit["long_heat_s"] = 1.13, (SIX**2 - 1.0) * t6_s
        unit["short_pickup_pu"], unit["short_delay_s"], unit["instantaneous_pu"] = 1e9, 0.0, 8.0


@kernel
def trip_step(unit: np.void, state: np.void, current_pu: float, step_s: float) -> int:
    """One step of a closed breaker; returns why it trips, or 0."""
    square = current_pu * current_pu
    if current_pu > unit["long_pickup_pu"]:
        if unit["trip_kind"] == THERMAL_MAGNETIC:
            state["heat_s"] += (square - 1.0) * step_s
        else:
            goal_s = square * COOL_TAU_S
            state["heat_s"] = goal_s + (state["heat_s"] - goal_s) * unit["cool_decay"]
    else:
        state["heat_s"] *= unit["cool_decay"]
    state["short_s"] = state["short_s"] + step_s if current_pu > unit["short_pickup_pu"] else 0.0
    if current_pu > unit["instantaneous_pu"]:
        return INSTANTANEOUS
    if state["short_s"] > 0.0 and state["short_s"] >= unit["short_delay_s"] - ROUNDING:
        return SHORT_TIME
    if state["heat_s"] >= unit["long_heat_s"] * (1.0 - ROUNDING):
        return LONG_TIME
    return 0


def trip_time_s(unit: np.void, current_pu: float) -> float:
    """Time from cold to trip at a constant current, by the settings; infinite below pickup."""
    if current_pu > unit["instantaneous_pu"]:
        return 0.0
    if current_pu <= unit["long_pickup_pu"]:
        return math.inf
    heat_s = float(unit["long_heat_s"])
    if unit["trip_kind"] == THERMAL_MAGNETIC:
        long_s = heat_s / (current_pu**2 - 1.0)
    else:
        part = heat_s / (current_pu**2 * COOL_TAU_S)
        long_s = -COOL_TAU_S * math.log1p(-part) if part < 1.0 else math.inf
    if current_pu > unit["short_pickup_pu"]:
        return min(long_s, float(unit["short_delay_s"]))
    return long_s
