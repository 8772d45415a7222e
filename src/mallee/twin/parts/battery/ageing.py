"""Fade of LFP cells: calendar and cycle ageing, with micro-cycles counted apart.

Source: NREL BLAST-Lite, `lfp_gr_250AhPrismatic_2019`: calendar ``k_cal t^0.526`` with an Arrhenius
and an anode-potential term, cycles ``k_cyc EFC^0.828``; valid for 10..45 degC, charge up to 0.65 C
and depths of 0.8..1. The anode potential is Safari & Delacourt's fit for graphite (2011).
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.units import SECONDS_PER_HOUR
from mallee.twin.kernel import kernel

CALENDAR_POWER: Final = 0.526
CYCLE_POWER: Final = 0.828
KELVIN: Final = 273.15
SECONDS_PER_DAY: Final = 86_400.0

MACRO_DEPTH: Final = 0.02
"""Turns of less than this depth are ripple, outside what the fade was fitted on."""

AGEING: Final = np.dtype(
    [
        ("calendar_frac", "f8"),
        ("cycle_frac", "f8"),
        ("full_cycles", "f8"),  # equivalent full cycles of turns deeper than `MACRO_DEPTH`
        ("micro_cycles", "f8"),  # equivalent full cycles of everything shallower
        ("through_wh", "f8"),  # at the last step
        ("turn_soc", "f8"),  # last turning point
        ("extreme_soc", "f8"),  # furthest since then
        ("started", "i8"),
    ]
)


@kernel
def anode_potential_v(soc: float) -> float:
    """Potential of the graphite anode against lithium."""
    x = 8.5e-3 + soc * (0.78 - 8.5e-3)
    return (
        0.6379
        + 0.5416 * math.exp(-305.5309 * x)
        + 0.044 * math.tanh(-(x - 0.1958) / 0.1088)
        - 0.1978 * math.tanh((x - 1.0571) / 0.0854)
        - 0.6875 * math.tanh((x + 0.0117) / 0.0529)
        - 0.0175 * math.tanh((x - 0.5692) / 0.0875)
    )


@kernel
def calendar_rate(soc: float, cell_degc: float) -> float:
    """Coefficient of days^0.526."""
    kelvin = cell_degc + KELVIN
    return 8.37e4 * math.exp(-5210.0 / kelvin) * math.exp(-3560.0 * anode_potential_v(soc) / kelvin)


@kernel
def cycle_rate(depth: float, charge_c: float, cell_degc: float) -> float:
    """Coefficient of equivalent full cycles^0.828; `charge_c` is power over energy per hour."""
    kelvin = cell_degc + KELVIN
    stress = 4.38e-8 + 1.55e-8 * depth + 1.68e-7 * charge_c
    return stress * (math.exp(2190.0 / kelvin) + math.exp(-155000.0 / kelvin))


@kernel
def grow(fade_frac: float, rate: float, power: float, amount: float) -> float:
    """Continue ``rate x^power`` from a fade by an amount of x, at a rate that may have changed.

    The point on the curve is found from the fade itself, as BLAST-Lite does.
    """
    if rate <= 0.0:
        return fade_frac
    before = (fade_frac / rate) ** (1.0 / power)
    return rate * (before + amount) ** power


@kernel
def age_all(
    units: NDArray[np.void], states: NDArray[np.void], ageing: NDArray[np.void], dt_s: float
) -> None:
    """All batteries for `dt_s`; the state of health follows."""
    for b in range(units.shape[0]):
        unit, state, old = units[b], states[b], ageing[b]
        if old["started"] == 0:
            old["started"], old["turn_soc"], old["extreme_soc"] = 1, state["soc"], state["soc"]
        capacity_wh = unit["energy_wh"] * state["soh"]
        moved_wh = state["through_wh"] - old["through_wh"]
        old["through_wh"] = state["through_wh"]
        rate = calendar_rate(state["soc"], state["cell_degc"])
        days = dt_s / SECONDS_PER_DAY
        old["calendar_frac"] = grow(old["calendar_frac"], rate, CALENDAR_POWER, days)
        depth = _turn(old, state["soc"])
        cycles = moved_wh / (2.0 * capacity_wh)
        macro = min(depth, cycles)
        if macro > 0.0:
            charge_c = moved_wh / capacity_wh / (dt_s / SECONDS_PER_HOUR)
            rate = cycle_rate(max(0.8, depth), charge_c, state["cell_degc"])
            old["cycle_frac"] = grow(old["cycle_frac"], rate, CYCLE_POWER, macro)
        old["full_cycles"] += macro
        old["micro_cycles"] += cycles - macro
        state["soh"] = max(0.0, 1.0 - old["calendar_frac"] - old["cycle_frac"])


@kernel
def _turn(old: np.void, soc: float) -> float:
    """Half-cycle depth gained by macroscopic movement since the last call, as cycle equivalents.

    Movement counts once it has gone `MACRO_DEPTH` away from the last turning point; then every
    further bit in the same direction counts, and a reversal of `MACRO_DEPTH` starts a new turn.
    """
    turn, extreme = old["turn_soc"], old["extreme_soc"]
    direction = 1.0 if extreme >= turn else -1.0
    gained = 0.0
    if (soc - extreme) * direction >= 0.0:
        swing_before = abs(extreme - turn)
        swing = abs(soc - turn)
        if swing >= MACRO_DEPTH:
            gained = swing - (swing_before if swing_before >= MACRO_DEPTH else 0.0)
        old["extreme_soc"] = soc
    elif abs(soc - extreme) >= MACRO_DEPTH:
        old["turn_soc"], old["extreme_soc"] = extreme, soc
        gained = abs(soc - extreme)
    elif abs(extreme - turn) < MACRO_DEPTH and (soc - turn) * direction < 0.0:
        old["extreme_soc"] = soc
    return gained / 2.0
