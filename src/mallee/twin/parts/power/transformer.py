"""Transformer temperatures and ageing: IEC 60076-7 differential form, IEEE C57.91 as check.

All states are linear in themselves, so a step of constant load has an exact exponential solution
and any step length is stable.
"""

import math
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from mallee.twin.kernel import kernel
from mallee.twin.parts.power import layout

LARGE_VA: Final = 2.5e6
"""Above this, forced-air cooled constants apply (IEC 60076-7 table of recommended constants)."""

OVER_LOSS_RATIO: Final = 6.0


def thermal_constants(
    branch: int, rating_va: float, no_load_frac: float, load_frac: float
) -> np.void:
    """Constants of IEC 60076-7: ONAN distribution up to 2.5 MVA, ONAF above."""
    unit = np.zeros((), layout.THERMAL)
    unit["branch"] = branch
    unit["loss_ratio"] = load_frac / no_load_frac if no_load_frac > 0.0 else OVER_LOSS_RATIO
    unit["oil_exponent"] = 0.8
    small = rating_va <= LARGE_VA
    unit["winding_exponent"] = 1.6 if small else 1.3
    unit["k11"], unit["k21"], unit["k22"] = (1.0, 1.0, 2.0) if small else (0.5, 2.0, 2.0)
    unit["oil_tau_s"], unit["winding_tau_s"] = (
        (180 * 60.0, 4 * 60.0) if small else (150 * 60.0, 7 * 60.0)
    )
    unit["oil_rise_k"], unit["hot_spot_rise_k"] = (55.0, 23.0) if small else (45.0, 35.0)
    return cast(np.void, unit[()])


@kernel
def step_thermal(
    unit: np.void, state: np.void, square_pu: float, ambient_degc: float, dt_s: float
) -> None:
    """Move on with a constant load; `square_pu` is the mean square of load over rating.

    Source: IEC 60076-7:2018, 8.2.3: top oil and the two parts of the hot-spot rise.
    """
    ratio, k_pu = unit["loss_ratio"], math.sqrt(square_pu)
    oil_goal_k = (
        unit["oil_rise_k"] * ((1.0 + ratio * square_pu) / (1.0 + ratio)) ** unit["oil_exponent"]
    )
    rise_k = unit["hot_spot_rise_k"] * k_pu ** unit["winding_exponent"]
    oil_tau_s = unit["k11"] * unit["oil_tau_s"]
    state["oil_k"] = oil_goal_k + (state["oil_k"] - oil_goal_k) * math.exp(-dt_s / oil_tau_s)
    h1_goal_k = unit["k21"] * rise_k
    h1_tau_s = unit["k22"] * unit["winding_tau_s"]
    state["h1_k"] = h1_goal_k + (state["h1_k"] - h1_goal_k) * math.exp(-dt_s / h1_tau_s)
    h2_goal_k = (unit["k21"] - 1.0) * rise_k
    h2_tau_s = unit["oil_tau_s"] / unit["k22"]
    state["h2_k"] = h2_goal_k + (state["h2_k"] - h2_goal_k) * math.exp(-dt_s / h2_tau_s)
    hot_degc = ambient_degc + state["oil_k"] + state["h1_k"] - state["h2_k"]
    state["hot_spot_degc"] = hot_degc
    state["aged_s"] += ageing_rate(hot_degc) * dt_s
    state["life_s"] += dt_s


@kernel
def ageing_rate(hot_spot_degc: float) -> float:
    """Ageing acceleration of thermally upgraded paper, 1 at 110 degC.

    Source: IEEE C57.91-2011, equation for F_AA.
    """
    return math.exp(15000.0 / 383.0 - 15000.0 / (hot_spot_degc + 273.0))


@kernel
def step_all(
    units: NDArray[np.void],
    states: NDArray[np.void],
    branch_state: NDArray[np.void],
    ambient_degc: float,
    dt_s: float,
) -> None:
    """All transformers for the time since the last call, with the load that the tree collected."""
    for t in range(units.shape[0]):
        branch = branch_state[units[t]["branch"]]
        step_thermal(units[t], states[t], branch["square_s"] / dt_s, ambient_degc, dt_s)
        branch["square_s"] = 0.0


def settle(unit: np.void, state: np.void, square_pu: float, ambient_degc: float) -> None:
    """Put a transformer into the steady state of a load."""
    step_thermal(unit, state, square_pu, ambient_degc, 1e9)
    state["aged_s"] = state["life_s"] = 0.0


def c57_hot_spot_degc(
    load_pu: float,
    ambient_degc: float,
    *,
    oil_rise_k: float,
    winding_rise_k: float,
    loss_ratio: float,
) -> float:
    """Ultimate hot spot of IEEE C57.91-2011 clause 7 with exponents n = m = 0.8."""
    oil_k = oil_rise_k * ((load_pu**2 * loss_ratio + 1.0) / (loss_ratio + 1.0)) ** 0.8
    return ambient_degc + oil_k + winding_rise_k * load_pu**1.6
