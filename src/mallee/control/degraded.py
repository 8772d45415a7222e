"""What control does while it has no meter to go by: everything at values that are safe unseen."""

from msgspec.structs import replace

from mallee.control.events import CONTROL, Observed, conditions_after, events_of_change
from mallee.control.guard import guard
from mallee.control.limits import Limits
from mallee.control.orders import heartbeat_orders
from mallee.control.requests import Narrowed, conditions_of
from mallee.control.safe_state import safe_chargers_w, safe_commands
from mallee.control.state import ControlState
from mallee.control.view import View
from mallee.core.command import Command
from mallee.core.event import Event
from mallee.core.snapshot import Snapshot


def wait(
    state: ControlState, limits: Limits, *, is_slow: bool
) -> tuple[ControlState, list[Command]]:
    """Before the meter was ever seen: the devices' own standing values are the safe ones."""
    heartbeat = heartbeat_orders(limits, state.cycle) if is_slow else []
    return replace(state, cycle=state.cycle + 1), heartbeat


def batteries_unseen(view: View) -> Observed:
    """Which batteries control cannot count on; that can be judged with and without a meter."""
    return {("battery-unseen", battery.limits.name): not battery.seen for battery in view.batteries}


def hold_safe(
    state: ControlState,
    snapshot: Snapshot,
    view: View,
    narrowed: Narrowed,
    time_s: float,
    *,
    is_slow: bool,
) -> tuple[ControlState, list[Command], list[Event]]:
    """The safe state, renewed every second while it lasts."""
    limits = narrowed.limits
    commands: list[Command] = []
    if state.mode != "safe" or is_slow:
        commands = safe_commands(snapshot, limits, "safe state: no meter to go by")
        commands += heartbeat_orders(limits, state.cycle)
    if state.distrusted:
        binding = "the grid meter contradicts the devices"
        cause = (
            f"{state.unexplained_w / 1e3:.0f} kW at the grid meter are not explained by any device"
        )
    else:
        binding = "no sight of the meter"
        cause = f"no good reading of the grid meter for {time_s - state.meter_seen_s:.1f} s"
    asked, words = conditions_of(narrowed, state.active)
    observed = {("safe-state", CONTROL): True, **batteries_unseen(view), **asked}
    after = replace(
        state,
        cycle=state.cycle + 1,
        mode="safe",
        charge_bias_w=0.0,
        filter_overridden=False,
        filter_override_since_s=None,
        chargers_max_w=sum(safe_chargers_w(limits)),
        active=conditions_after(state.active, observed),
        binding=binding,
        acting="safe state",
        text=(
            f"Safe state: {cause}; chargers and nodes are at their safe shares, the inverters "
            "filter on their own."
        ),
    )
    passed, clipped = guard(commands, limits, time_s)
    return after, passed, clipped + events_of_change(state, after, limits, time_s, words)
