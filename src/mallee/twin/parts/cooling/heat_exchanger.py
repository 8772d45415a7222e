"""Counterflow heat exchangers by the effectiveness-NTU method, as kernels over floats.

Source of the equations: Incropera, *Fundamentals of Heat and Mass Transfer*, ch. 11
(effectiveness of a counterflow exchanger).
"""

import math

from mallee.twin.kernel import kernel

_BALANCED = 1e-6
"""Capacity ratios closer to 1 than this use the limit N / (1 + N)."""


@kernel
def counterflow_effectiveness(
    conductance_w_per_k: float, hot_w_per_k: float, cold_w_per_k: float
) -> float:
    """Share of the largest possible heat that a counterflow exchanger passes, 0..1.

    ``eps = (1 - e^(-N (1 - r))) / (1 - r e^(-N (1 - r)))`` with ``N = UA / Cmin`` and
    ``r = Cmin / Cmax``; 0 where either stream stands still.

    Args:
        conductance_w_per_k: UA of the exchanger.
        hot_w_per_k, cold_w_per_k: capacity rates m cp of the two streams.
    """
    least = min(hot_w_per_k, cold_w_per_k)
    most = max(hot_w_per_k, cold_w_per_k)
    if least <= 0.0:
        return 0.0
    units = conductance_w_per_k / least
    ratio = least / most
    if 1.0 - ratio < _BALANCED:
        return units / (1.0 + units)
    decay = math.exp(-units * (1.0 - ratio))
    return (1.0 - decay) / (1.0 - ratio * decay)


@kernel
def part_load_conductance(
    rated_w_per_k: float, hot_flow_frac: float, cold_flow_frac: float, clean_frac: float
) -> float:
    """UA away from rated flow: each side's film coefficient goes with its flow to the power 0.7.

    Both sides carry half of the resistance at rated flow (turbulent plate channels,
    ``Nu ~ Re^0.7``). Fouling multiplies UA by `clean_frac`.
    """
    if hot_flow_frac <= 0.0 or cold_flow_frac <= 0.0:
        return 0.0
    resistance: float = hot_flow_frac**-0.7 + cold_flow_frac**-0.7
    return rated_w_per_k * clean_frac * 2.0 / resistance
