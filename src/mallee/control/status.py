"""What control publishes about itself, made from its state."""

from collections.abc import Sequence

from mallee.control.concerns.modes import is_asked
from mallee.control.limits import Limits
from mallee.control.refusal import why_not
from mallee.control.state import ControlState
from mallee.core.request import Ask, Request, in_force
from mallee.core.status import ControlStatus

BANDS = {
    "above 0.5 Hz": "GPU and power-shelf firmware",
    "0.05 to 5 Hz": "battery inverter, on its own at the meter",
    "below 0.2 Hz": "Mallee: limits, state of charge, charger limits, node caps",
    "minutes": "plan: demand windows",
}
"""Who owns which part of a swing; what no battery covers is told as such."""


ASKED: tuple[Ask, ...] = ("safe-stop", "island", "hold")
"""Modes that may be asked of the whole site; the first that is asked counts."""
REQUESTS_TOLD = 64
"""No more are told of, so that the status keeps to its room."""
WHY_NOT_CHARS = 120


def status_of(
    state: ControlState, limits: Limits, time_s: float, requests: Sequence[Request] = ()
) -> ControlStatus:
    """The status of a cycle's state.

    Args:
        requests: those that the cycle was given.
    """
    running = in_force(requests, time_s)[:REQUESTS_TOLD]
    bands = dict(BANDS)
    smoothing = [one for one in limits.batteries if one.smooths]
    if not smoothing:
        bands["0.05 to 5 Hz"] = "not covered: no battery here keeps ramps at the meter"
    elif any(kind == "battery-unseen" for kind, _ in state.active):
        bands["0.05 to 5 Hz"] = "not known: a battery cannot be seen"
    elif state.filter_overridden:
        bands["0.05 to 5 Hz"] = "not covered: control holds the batteries"
    in_force_w = state.import_in_force_w
    return ControlStatus(
        time_s=time_s,
        mode=state.mode,
        binding=state.binding,
        acting=state.acting,
        text=state.text,
        import_in_force_w=limits.import_aim_w if state.mode == "starting" else in_force_w,
        import_target_w=min(state.load_mean_w + state.charge_bias_w, limits.import_aim_w),
        charge_bias_w=state.charge_bias_w,
        chargers_max_w=state.chargers_max_w,
        nodes_max_w=state.nodes_max_w,
        bands=bands,
        cycle=state.cycle,
        asked=next((mode for mode in ASKED if is_asked(running, mode)), "auto"),
        requests={one.id: why_not(limits, one)[:WHY_NOT_CHARS] for one in running},
    )
