"""Breakers that trip: electronic long, short and instantaneous, and thermal-magnetic.

Electronic units integrate the square of the current, ``t = t6 (6 / (I/Ir))^2`` (Schneider
FA165712: 16 s at 6 Ir is 144 s at 2 Ir). Bimetals integrate what exceeds the rating,
``(I/In)^2 - 1``: 187 s at 2 In for the same 16 s at 6 In, and they carry 1.13 In (IEC 60898).
"""

import math
from typing import Final

import numpy as np

from mallee.twin.kernel import kernel
from mallee.twin.power.layout import (
    ELECTRONIC,
    INSTANTANEOUS,
    LONG_TIME,
    SHORT_TIME,
    THERMAL_MAGNETIC,
)

SIX: Final = 6.0
ROUNDING: Final = 1e-9

COOL_TAU_S: Final = 450.0
"""Memory of the long-time element below pickup: 5..10 min (assumed)."""


def set_breaker(unit: np.void, kind: int, step_s: float, t6_s: float = 16.0) -> None:
    """Settings of one breaker: long time by its trip time at six times the rating.

    Short-time pickup 8 Ir for 0.2 s, instantaneous 12 Ir; magnetic 8 In (assumed, mid-range).
    """
    unit["trip_kind"] = kind
    unit["cool_decay"] = math.exp(-step_s / COOL_TAU_S)
    if kind == ELECTRONIC:
        unit["long_pickup_pu"], unit["long_heat_s"] = 1.10, SIX**2 * t6_s
        unit["short_pickup_pu"], unit["short_delay_s"], unit["instantaneous_pu"] = 8.0, 0.2, 12.0
    else:
        unit["long_pickup_pu"], unit["long_heat_s"] = 1.13, (SIX**2 - 1.0) * t6_s
        unit["short_pickup_pu"], unit["short_delay_s"], unit["instantaneous_pu"] = 1e9, 0.0, 8.0


@kernel
def trip_step(unit: np.void, state: np.void, current_pu: float, step_s: float) -> int:
    """One step of a closed breaker; returns why it trips, or 0."""
    square = current_pu * current_pu
    if current_pu > unit["long_pickup_pu"]:
        excess = square - 1.0 if unit["trip_kind"] == THERMAL_MAGNETIC else square
        state["heat_s"] += excess * step_s
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
    excess = current_pu**2 - (1.0 if unit["trip_kind"] == THERMAL_MAGNETIC else 0.0)
    long_s = float(unit["long_heat_s"]) / excess
    if current_pu > unit["short_pickup_pu"]:
        return min(long_s, float(unit["short_delay_s"]))
    return long_s
