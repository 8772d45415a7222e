"""Brings the state of charge back into its window and then to its target, slowly.

The filter in the inverter keeps import near the mean load, so the state of charge stays where it
is. Control adds a small bias to that import: it charges when there is room under the limit and
discharges when the battery is too full. Around the target nothing is done.
"""

from mallee.control.limits import Limits
from mallee.control.reserve import Reserve
from mallee.core.units import SECONDS_PER_HOUR

START_BELOW = 0.05
"""Recovery begins this far from the target, so that every swing does not start one."""
STOP_WITHIN = 0.01
"""And ends this near to it."""
RECOVER_S = 2.0 * SECONDS_PER_HOUR
"""Time in which a deviation would be made good at its starting rate."""
BIAS_STEP_MAX_FRAC = 0.02
"""Largest change of the bias in one second, as a share of the import limit."""


def charge_bias_w(
    reserve: Reserve, limits: Limits, *, room_w: float, bias_w: float, soc_recovering: bool
) -> tuple[float, bool]:
    """Next bias and whether recovery goes on. Called once a second.

    Args:
        reserve: the batteries as seen.
        limits: for the window and target.
        room_w: import limit less mean load; what charging may use.
        bias_w: the bias in force.
        soc_recovering: whether recovery was under way.
    """
    if reserve.energy_wh <= 0.0:
        return 0.0, False
    missing = limits.soc_target - reserve.soc
    soc_recovering = abs(missing) > (STOP_WITHIN if soc_recovering else START_BELOW)
    wanted_w = missing * reserve.energy_wh * SECONDS_PER_HOUR / RECOVER_S if soc_recovering else 0.0
    wanted_w = min(wanted_w, max(room_w, 0.0))
    step_w = BIAS_STEP_MAX_FRAC * limits.import_aim_w
    return min(max(wanted_w, bias_w - step_w), bias_w + step_w), soc_recovering
