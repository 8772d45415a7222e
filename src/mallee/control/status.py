"""What control publishes about itself, made from its state."""

from mallee.control.limits import Limits
from mallee.control.sharing import capped_pods_w
from mallee.control.state import ControlState
from mallee.core.status import ControlStatus

BANDS = {
    "above 0.5 Hz": "GPU and power-shelf firmware",
    "0.05 to 5 Hz": "battery inverter, ramp filter at the meter",
    "below 0.2 Hz": "Mallee: limits, state of charge, charger shares, node caps",
    "minutes": "plan: demand windows",
}
"""Who owns which part of a swing; `without a battery` the inverter's band is uncovered."""


def status_of(state: ControlState, limits: Limits, time_s: float) -> ControlStatus:
    """The status of a cycle's state."""
    bands = dict(BANDS)
    if not limits.batteries or any(kind == "battery-unseen" for kind, _ in state.active):
        bands["0.05 to 5 Hz"] = "not covered: no battery in view"
    return ControlStatus(
        time_s=time_s,
        mode=state.mode,
        binding=state.binding,
        acting=state.acting,
        text=state.text,
        import_in_force_w=state.import_in_force_w
        if state.import_in_force_w > 0.0
        else limits.import_aim_w,
        import_target_w=min(state.load_mean_w + state.charge_bias_w, limits.import_aim_w),
        charge_bias_w=state.charge_bias_w,
        chargers_max_w=state.chargers_max_w,
        nodes_max_w=capped_pods_w(state.nodes_cap_frac, limits),
        bands=bands,
        cycle=state.cycle,
    )
