"""One cycle of control: readings in, commands out. A pure function, the same in the field, in the
twin and in a test.

Numbered steps, each in its own file:
 0. narrow    the limits by what others ask for                   requests.py
 1. look      what can be seen, worst case for the rest            view.py
    distrust  a meter that contradicts the devices                 meter_check.py
 2. reserve   what the batteries can carry                         reserve.py
 3. bound     import limit, shrunk by a plan where it can be kept
 4. share     chargers first, then nodes                           sharing.py
 5. level     state of charge back to its target                   soc_recovery.py
    override  a filter that lets import stand above the limit      filter_override.py
 6. order     write what differs from the readings                 orders.py
 7. guard     clip to what each device may be asked                guard.py
 8. explain   the "why" line, events on change                     why.py

Every cycle does 1 and, while there is no meter to go by, the safe state (degraded.py). 2 to 8 run
once a second, because the fast part of the work is the inverter's; a jump above the limit runs
them at once.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from mallee.control.degraded import batteries_unseen, hold_safe, wait
from mallee.control.events import CONTROL, Observed, conditions_after, events_of_change
from mallee.control.filter_override import set_points_w, supervise
from mallee.control.guard import guard
from mallee.control.limits import Limits
from mallee.control.meter_check import is_distrusted, unexplained_mean_w
from mallee.control.orders import (
    CHARGER_RENEW_CYCLES,
    battery_orders,
    charger_orders,
    heartbeat_orders,
    node_orders,
    set_point_orders,
)
from mallee.control.requests import Narrowed, attributed, conditions_of, narrow
from mallee.control.reserve import Reserve, reserve_of
from mallee.control.sharing import Shares, cap_fraction, pods_peak_w, share
from mallee.control.soc_recovery import charge_bias_w
from mallee.control.state import ControlState
from mallee.control.view import View, look
from mallee.control.why import why
from mallee.core.command import Command
from mallee.core.event import Event
from mallee.core.plan import Plan, steps_at
from mallee.core.request import Request
from mallee.core.snapshot import Snapshot

PERIOD_S = 0.1
SLOW_CYCLES = 10
"""The slow steps run every this many cycles: once a second."""
ARRIVAL_CYCLES = 50
"""Control waits this long for first readings of the batteries before it does without them."""
IMPORT_MEAN_S = 1.0
LOAD_MEAN_S = 30.0
CAP_RELEASE_PER_S = 0.05
"""Caps are lowered at once and released this much of their range in a second."""

Result = tuple[ControlState, list[Command], list[Event]]


def initial_state() -> ControlState:
    """State of a controller that has seen nothing."""
    return ControlState()


def cycle(
    state: ControlState,
    snapshot: Snapshot,
    plans: Sequence[Plan],
    requests: Sequence[Request],
    limits: Limits,
    time_s: float,
) -> Result:
    """Decide once.

    Args:
        state: what the last cycle handed back.
        snapshot: all latest readings.
        plans: proposals for the time ahead; stale ones are ignored.
        requests: what others ask for; those whose lease runs narrow the limits.
        limits: the site's limits.
        time_s: monotonic time of this cycle.
    """
    narrowed = narrow(limits, requests, time_s)
    limits = narrowed.limits
    view = look(snapshot, limits)
    is_slow = state.cycle % SLOW_CYCLES == 0
    if view.meter_seen and is_slow:
        state = _compare(state, snapshot, view, limits)
    if state.mode == "starting" and _is_arriving(state, view):
        return *wait(state, limits, is_slow=is_slow), []
    if not view.meter_seen or state.distrusted:
        return hold_safe(state, snapshot, view, narrowed, time_s, is_slow=is_slow)
    is_urgent = view.import_w > narrowed.site.import_contract_w >= state.import_w
    if not (is_slow or is_urgent or state.mode != "auto"):
        return _seen(state, view), [], []
    return _decide(state, snapshot, view, plans, narrowed, time_s)


def _is_arriving(state: ControlState, view: View) -> bool:
    """Whether first readings are still to come: the meter's, and for a while the batteries'."""
    if not view.meter_seen:
        return True
    return state.cycle < ARRIVAL_CYCLES and not all(battery.seen for battery in view.batteries)


def _compare(state: ControlState, snapshot: Snapshot, view: View, limits: Limits) -> ControlState:
    """Hold the meter against the devices behind it."""
    unexplained_w = unexplained_mean_w(
        state.unexplained_w, view, snapshot, limits, SLOW_CYCLES * PERIOD_S
    )
    return replace(
        state,
        unexplained_w=unexplained_w,
        distrusted=is_distrusted(unexplained_w, limits, was_distrusted=state.distrusted),
    )


def _seen(state: ControlState, view: View) -> ControlState:
    """A cycle with nothing to decide."""
    return replace(
        state,
        cycle=state.cycle + 1,
        meter_seen_s=view.meter_time_s,
        import_w=view.import_w,
        load_w=view.load_w,
        import_mean_w=_import_mean(state, view),
    )


def _decide(
    state: ControlState,
    snapshot: Snapshot,
    view: View,
    plans: Sequence[Plan],
    narrowed: Narrowed,
    time_s: float,
) -> Result:
    limits = narrowed.limits
    reserve = reserve_of(view, limits)
    import_in_force_w, target_reason = _import_bound(view, reserve, plans, limits, time_s)
    mean_w = _load_mean(state, view)
    import_mean_w = _import_mean(state, view)

    period_s = SLOW_CYCLES * PERIOD_S
    peak_w = pods_peak_w(state.pods_peak_w, view, limits, period_s)
    shares = share(view, reserve, limits, peak_w=peak_w, period_s=period_s)
    fraction = cap_fraction(shares.pods_max_w, limits)
    if state.mode == "auto":
        fraction = min(fraction, state.nodes_cap_frac + CAP_RELEASE_PER_S * period_s)
    bias_w, soc_recovering = charge_bias_w(
        reserve,
        limits,
        room_w=import_in_force_w - mean_w,
        bias_w=state.charge_bias_w,
        soc_recovering=state.soc_recovering,
    )

    override = supervise(
        view,
        narrowed.site,
        import_mean_w=import_mean_w,
        active=state.filter_overridden,
        since_s=state.filter_override_since_s,
        time_s=time_s,
    )

    reason = why(
        view,
        reserve,
        limits,
        import_in_force_w=import_in_force_w,
        target_reason=target_reason,
        node_fraction=fraction,
        chargers_max_w=shares.chargers_max_w,
        soc_recovering=soc_recovering,
        filter_overridden=override.active,
    )
    after = replace(
        state,
        cycle=state.cycle + 1,
        mode="auto",
        meter_seen_s=view.meter_time_s,
        import_w=view.import_w,
        load_w=view.load_w,
        import_mean_w=import_mean_w,
        load_mean_w=mean_w,
        pods_peak_w=peak_w,
        import_in_force_w=import_in_force_w,
        chargers_max_w=shares.chargers_max_w,
        nodes_cap_frac=fraction,
        charge_bias_w=bias_w,
        soc_recovering=soc_recovering,
        filter_overridden=override.active,
        filter_override_since_s=override.since_s,
        binding=reason.binding,
        acting=reason.acting,
        text=reason.text,
    )
    asked, words = conditions_of(narrowed, state.active)
    observed = {**_observed(view, narrowed.site, after), **asked}
    after = replace(after, active=conditions_after(state.active, observed))
    commands = _orders(snapshot, view, shares, narrowed, before=state, after=after)
    passed, clipped = guard(commands, limits, time_s)
    return after, passed, clipped + events_of_change(state, after, limits, time_s, words)


def _orders(
    snapshot: Snapshot,
    view: View,
    shares: Shares,
    narrowed: Narrowed,
    *,
    before: ControlState,
    after: ControlState,
) -> list[Command]:
    """Everything to be written for what was decided."""
    limits, reason = narrowed.limits, after.text
    if narrowed.import_by is not None:
        by = narrowed.import_by
        reason = f"Import limit asked for by {by.actor} ({by.reason}). {reason}"
    if after.filter_overridden:
        charge_w = set_points_w(view, limits, shares.pods_max_w)
        commands = set_point_orders(limits, charge_w, reason)
    else:
        commands = battery_orders(
            snapshot,
            limits,
            import_in_force_w=after.import_in_force_w,
            bias_w=after.charge_bias_w,
            reason=reason,
        )
    commands += heartbeat_orders(limits, before.cycle)
    renew = before.cycle % CHARGER_RENEW_CYCLES < SLOW_CYCLES or before.mode != "auto"
    commands += charger_orders(
        snapshot, limits, total_w=shares.chargers_max_w, renew=renew, reason=reason
    )
    for caps in node_orders(snapshot, limits, fraction=after.nodes_cap_frac, reason=reason):
        commands += attributed(caps, narrowed)
    return commands


def _import_bound(
    view: View, reserve: Reserve, plans: Sequence[Plan], limits: Limits, time_s: float
) -> tuple[float, str]:
    """The contract, or a plan's lower target while the batteries can keep it."""
    step = min(steps_at(plans, time_s), key=lambda one: one.import_target_w, default=None)
    if step is None or step.import_target_w >= limits.import_aim_w:
        return limits.import_aim_w, ""
    target_w = max(step.import_target_w, limits.import_min_w)
    can_keep = view.load_w - target_w <= reserve.support_w
    return (target_w, step.reason) if can_keep else (limits.import_aim_w, "")


def _import_mean(state: ControlState, view: View) -> float:
    if state.mode != "auto":
        return view.import_w
    weight = PERIOD_S / IMPORT_MEAN_S
    return state.import_mean_w + weight * (view.import_w - state.import_mean_w)


def _load_mean(state: ControlState, view: View) -> float:
    if state.mode != "auto":
        return view.load_w
    weight = min(1.0, SLOW_CYCLES * PERIOD_S / LOAD_MEAN_S)
    return state.load_mean_w + weight * (view.load_w - state.load_mean_w)


def _observed(view: View, limits: Limits, after: ControlState) -> Observed:
    """Every condition, judged with the meter in sight."""
    is_over = after.import_mean_w > limits.import_contract_w
    observed = {**batteries_unseen(view), ("import-over-limit", CONTROL): is_over}
    observed["nodes-capped", CONTROL] = after.nodes_cap_frac < 1.0
    observed["charge-recovery", CONTROL] = after.soc_recovering
    if after.filter_overridden or not is_over:  # handed back is not yet seen to work
        observed["filter-overridden", CONTROL] = after.filter_overridden
    observed["safe-state", CONTROL] = False
    return observed
