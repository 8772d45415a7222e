"""What is asked of the devices while control cannot see enough, or has failed.

The values are the ones that hold without any control in any weather: worked out once from the whole
budget, plant and losses at their worst. Devices fall back to the same values by themselves when
their lease ends.
"""

from msgspec.structs import replace

from mallee.control.battery import heartbeats, safe_battery_commands
from mallee.control.bounds import Bounds
from mallee.control.concerns.modes import maintained_rows
from mallee.control.concerns.requests import conditions_of, narrow_by
from mallee.control.events import CONTROL, conditions_after, events_of_change
from mallee.control.guard import guard, leave_out
from mallee.control.limits import Limits, limits_of
from mallee.control.reconcile import safe_load_commands
from mallee.control.state import Condition, ControlState
from mallee.control.view import View
from mallee.core.arrays import FloatArray
from mallee.core.command import Command
from mallee.core.event import Event
from mallee.core.request import Request
from mallee.core.snapshot import Snapshot
from mallee.site.model import SiteModel


def safe_commands(snapshot: Snapshot, limits: Limits, reason: str) -> list[Command]:
    """All devices to their standing safe values."""
    commands = safe_battery_commands(snapshot, limits, reason)
    return commands + safe_load_commands(snapshot, limits, limits.safe_w, reason)


def standing_values(site: SiteModel) -> dict[int, float]:
    """What devices with a timer fall back to by themselves, by the row of the point: chargers.

    A node has no timer: its last cap stands.
    """
    limits = limits_of(site)
    loads = limits.budget.loads
    rows, values = loads.limit_rows[loads.is_charger], limits.safe_w[loads.is_charger]
    return dict(zip(rows.tolist(), values.tolist(), strict=True))


def hold_safe(
    before: ControlState,
    seen: ControlState,
    snapshot: Snapshot,
    view: View,
    requests: tuple[Request, ...],
    limits: Limits,
    time_s: float,
    *,
    is_slow: bool,
) -> tuple[ControlState, list[Command], list[Event]]:
    """The safe state, renewed every second while it lasts."""
    commands: list[Command] = []
    safe_w = _with_requests(limits, requests)
    if before.mode != "safe" or is_slow:
        reason = "safe state: too little can be seen"
        commands = safe_battery_commands(snapshot, limits, reason)
        commands += safe_load_commands(snapshot, limits, safe_w, reason)
        commands += heartbeats(limits, before.cycle)
    loads = limits.budget.loads
    power_w = safe_w * loads.factor
    nodes_w = float(power_w[~loads.is_charger].sum())
    most_w = float((loads.most_w * loads.factor)[~loads.is_charger].sum())
    asked, words = conditions_of(limits, requests, before.active)
    unseen = {("battery-unseen", one.limits.name): not one.seen for one in view.batteries}
    observed: dict[Condition, bool] = {("safe-state", CONTROL): True, **unseen, **asked}
    after = replace(
        seen,
        cycle=before.cycle + 1,
        mode="safe",
        charge_bias_w=0.0,
        filter_overridden=False,
        filter_override_since_s=None,
        chargers_max_w=float(power_w[loads.is_charger].sum()),
        nodes_max_w=nodes_w,
        nodes_cap_frac=nodes_w / most_w if most_w > 0.0 else 1.0,
        active=conditions_after(before.active, observed),
        binding="no sight of the meter",
        acting="safe state",
        text=_text(seen, limits, view, time_s),
    )
    commands = leave_out(commands, maintained_rows(limits, requests))
    passed, clipped = guard(commands, limits, time_s)
    return after, passed, clipped + events_of_change(before, after, limits, time_s, words)


def _with_requests(limits: Limits, requests: tuple[Request, ...]) -> FloatArray:
    """Safe values, or less where somebody asked for less."""
    bounds = Bounds.of_ratings(limits.budget.loads.least_w, limits.safe_w)
    return narrow_by(limits, requests, bounds).high_w


def _text(seen: ControlState, limits: Limits, view: View, time_s: float) -> str:
    """Why there is nothing to go by: only what is known."""
    causes = []
    for feed in range(limits.feeds):
        name = limits.branches[limits.metered[feed]]
        check = seen.checks[feed] if seen.checks else None
        if not view.seen[feed]:
            silent_s = time_s - seen.meter_seen_s
            causes.append(f"no good reading of the meter of {name} for {silent_s:.1f} s")
        elif check is not None and check.distrusted:
            causes.append(f"the meter of {name} is not believed: {check.distrusted}")
    cause = " and ".join(causes) or "the devices cannot be seen"
    return (
        f"Safe state: {cause}, and too few devices can be seen to stand in; chargers and nodes are "
        "held to what is safe in any weather."
    )
