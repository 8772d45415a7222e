"""What a battery does by itself when its controller is gone."""

import numpy as np
from numpy.typing import NDArray

from mallee.twin.kernel import kernel
from mallee.twin.parts.battery.layout import RAMP_FILTER, SET_POINT


@kernel
def revert_lost(units: NDArray[np.void], states: NDArray[np.void], time_ms: int) -> None:
    """Fall back to the ramp filter as commissioned, once.

    After the heartbeat has stood still for the unit's time, or when a power set point has reached
    the end of its lease. What was written before does not come back with the heartbeat.
    """
    for b in range(units.shape[0]):
        unit, state = units[b], states[b]
        lost = time_ms - state["heartbeat_ms"] > unit["heartbeat_after_ms"]
        ended = state["mode"] == SET_POINT and time_ms >= state["set_until_ms"]
        if (lost and state["reverted"] == 0) or ended:
            state["mode"], state["set_w"], state["reverted"] = RAMP_FILTER, 0.0, 1
            rule, stored = state["filter"], unit["commissioned"]
            rule["import_max_w"] = stored["import_max_w"]
            rule["import_min_w"] = stored["import_min_w"]
            rule["ramp_up_w_per_s"] = stored["ramp_up_w_per_s"]
            rule["ramp_down_w_per_s"] = stored["ramp_down_w_per_s"]
            rule["time_s"] = stored["time_s"]
            rule["charge_bias_w"] = stored["charge_bias_w"]
