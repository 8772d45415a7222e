"""One cycle of control: readings in, commands out. A pure function, the same in the field, in the
twin and in a test.

Numbered steps, each in its own file:
 1. look      what can be seen, worst case for the rest            sight.py
 2. reserve   what the batteries can carry                         reserve.py
 3. bound     import limit, shrunk by a plan where it can be kept
 4. share     chargers first, then nodes                           sharing.py
 5. level     state of charge back to its target                   charge_level.py
    overrule  a filter that lets import stand above the limit      takeover.py
 6. order     write what differs from the readings                 orders.py
 7. guard     clip to what each device may be asked                guard.py
 8. explain   the "why" line, events on change                     why.py

Every cycle does 1 and, when the meter is lost, the safe state; 2-8 run once a second, because
the fast part of the work is the inverter's. A loss of a battery or a jump above the limit runs
them at once.
"""

from msgspec.structs import replace

from mallee.control.charge_level import charge_bias_w
from mallee.control.events import events_of_change
from mallee.control.guard import guard
from mallee.control.limits import Limits
from mallee.control.orders import (
    CHARGER_RENEW_CYCLES,
    battery_orders,
    charger_orders,
    heartbeat_orders,
    node_orders,
    set_point_orders,
)
from mallee.control.reserve import Reserve, reserve_of
from mallee.control.safe_state import safe_commands
from mallee.control.sharing import cap_fraction, share
from mallee.control.sight import Sight, look
from mallee.control.state import ControlState
from mallee.control.takeover import set_points_w, supervise
from mallee.control.why import why
from mallee.core.command import Command, Event
from mallee.core.plan import Plan
from mallee.core.snapshot import Snapshot

PERIOD_S = 0.1
SLOW_CYCLES = 10
"""The slow steps run every this many cycles: once a second."""
IMPORT_MEAN_S = 1.0
LOAD_MEAN_S = 30.0
CAP_RELEASE_PER_S = 0.05
"""Caps are lowered at once and released this much of their range in a second."""

Result = tuple[ControlState, list[Command], list[Event]]


def initial_state() -> ControlState:
    """State of a controller that has seen nothing."""
    return ControlState()


def cycle(
    state: ControlState, snapshot: Snapshot, plan: Plan, limits: Limits, time_s: float
) -> Result:
    """Decide once.

    Args:
        state: what the last cycle handed back.
        snapshot: all latest readings.
        plan: proposal for the time ahead; ignored when stale.
        limits: the site's limits.
        time_s: monotonic time of this cycle.
    """
    sight = look(snapshot, limits)
    if not sight.meter_seen:
        return _blind(state, snapshot, limits, time_s)
    is_slow = state.cycle % SLOW_CYCLES == 0 or state.mode != "auto"
    is_urgent = sight.import_w > limits.contract_max_w >= state.import_w
    if not (is_slow or is_urgent):
        return _seen(state, sight), [], []
    return _decide(state, snapshot, sight, plan, limits, time_s)


def _seen(state: ControlState, sight: Sight) -> ControlState:
    """A cycle with nothing to decide."""
    return ControlState(
        cycle=state.cycle + 1,
        mode=state.mode,
        meter_seen_s=sight.meter_time_s,
        import_w=sight.import_w,
        load_w=sight.load_w,
        import_mean_w=_import_mean(state, sight),
        load_mean_w=state.load_mean_w,
        import_max_w=state.import_max_w,
        chargers_max_w=state.chargers_max_w,
        nodes_cap_frac=state.nodes_cap_frac,
        charge_bias_w=state.charge_bias_w,
        recovering=state.recovering,
        overruled=state.overruled,
        overrule_since_s=state.overrule_since_s,
        active=state.active,
        binding=state.binding,
        acting=state.acting,
        text=state.text,
    )


def _blind(state: ControlState, snapshot: Snapshot, limits: Limits, time_s: float) -> Result:
    """The meter cannot be seen: hold everything at values that are safe unseen."""
    if state.mode == "starting":
        # Nothing was asked of any device yet: their standing values are the safe ones.
        heartbeat = heartbeat_orders(limits, state.cycle) if state.cycle % SLOW_CYCLES == 0 else []
        return replace(state, cycle=state.cycle + 1), heartbeat, []
    is_new = state.mode != "safe"
    commands: list[Command] = []
    if is_new or state.cycle % SLOW_CYCLES == 0:
        commands = safe_commands(snapshot, limits, "safe state: the grid meter cannot be seen")
        commands += heartbeat_orders(limits, state.cycle // SLOW_CYCLES)
    age_s = time_s - state.meter_seen_s
    text = (
        f"Safe state: no good reading of the grid meter for {age_s:.1f} s; chargers and nodes are "
        "at their safe shares, the inverters filter on their own."
    )
    after = replace(
        state,
        cycle=state.cycle + 1,
        mode="safe",
        charge_bias_w=0.0,
        recovering=False,
        overruled=False,
        overrule_since_s=None,
        chargers_max_w=sum(charger.standing_w for charger in limits.chargers),
        active=("safe",),
        binding="no sight of the meter",
        acting="safe state",
        text=text,
    )
    passed, clipped = guard(commands, limits, time_s)
    return after, passed, clipped + events_of_change(state, after, time_s)


def _decide(
    state: ControlState,
    snapshot: Snapshot,
    sight: Sight,
    plan: Plan,
    limits: Limits,
    time_s: float,
) -> Result:
    reserve = reserve_of(sight, limits)
    import_max_w, target_reason = _import_bound(sight, reserve, plan, limits, time_s)
    mean_w = _load_mean(state, sight)
    import_mean_w = _import_mean(state, sight)

    period_s = SLOW_CYCLES * PERIOD_S
    shares = share(sight, reserve, limits, period_s)
    fraction = cap_fraction(shares.pods_max_w, limits)
    if state.mode == "auto":
        fraction = min(fraction, state.nodes_cap_frac + CAP_RELEASE_PER_S * period_s)
    bias_w, recovering = charge_bias_w(
        reserve,
        limits,
        room_w=import_max_w - mean_w,
        bias_w=state.charge_bias_w,
        recovering=state.recovering,
    )

    overrule = supervise(
        sight,
        limits,
        import_mean_w=import_mean_w,
        active=state.overruled,
        since_s=state.overrule_since_s,
        time_s=time_s,
    )

    reason = why(
        sight,
        reserve,
        limits,
        import_max_w=import_max_w,
        target_reason=target_reason,
        node_fraction=fraction,
        chargers_max_w=shares.chargers_max_w,
        recovering=recovering,
        overruled=overrule.active,
    )
    if overrule.active:
        commands = set_point_orders(
            limits, set_points_w(sight, limits, shares.pods_max_w), reason.text
        )
    else:
        commands = battery_orders(
            snapshot, limits, import_max_w=import_max_w, bias_w=bias_w, reason=reason.text
        )
    commands += heartbeat_orders(limits, state.cycle // SLOW_CYCLES)
    renew = state.cycle % CHARGER_RENEW_CYCLES < SLOW_CYCLES or state.mode != "auto"
    commands += charger_orders(
        snapshot, limits, total_w=shares.chargers_max_w, renew=renew, reason=reason.text
    )
    commands += node_orders(snapshot, limits, fraction=fraction, reason=reason.text)
    passed, clipped = guard(commands, limits, time_s)

    after = ControlState(
        cycle=state.cycle + 1,
        mode="auto",
        meter_seen_s=sight.meter_time_s,
        import_w=sight.import_w,
        load_w=sight.load_w,
        import_mean_w=import_mean_w,
        load_mean_w=mean_w,
        import_max_w=import_max_w,
        chargers_max_w=shares.chargers_max_w,
        nodes_cap_frac=fraction,
        charge_bias_w=bias_w,
        recovering=recovering,
        overruled=overrule.active,
        overrule_since_s=overrule.since_s,
        active=_conditions(
            sight,
            limits,
            import_mean_w=import_mean_w,
            fraction=fraction,
            recovering=recovering,
            overruled=overrule.active,
        ),
        binding=reason.binding,
        acting=reason.acting,
        text=reason.text,
    )
    return after, passed, clipped + events_of_change(state, after, time_s)


def _import_bound(
    sight: Sight, reserve: Reserve, plan: Plan, limits: Limits, time_s: float
) -> tuple[float, str]:
    """The contract, or a plan's lower target while the batteries can keep it."""
    if plan.import_target_w >= limits.import_max_w or time_s > plan.valid_until_s:
        return limits.import_max_w, ""
    target_w = max(plan.import_target_w, limits.import_min_w)
    can_keep = sight.load_w - target_w <= reserve.support_w
    return (target_w, plan.reason) if can_keep else (limits.import_max_w, "")


def _import_mean(state: ControlState, sight: Sight) -> float:
    if state.mode == "starting":
        return sight.import_w
    weight = PERIOD_S / IMPORT_MEAN_S
    return state.import_mean_w + weight * (sight.import_w - state.import_mean_w)


def _load_mean(state: ControlState, sight: Sight) -> float:
    if state.mode == "starting":
        return sight.load_w
    weight = min(1.0, SLOW_CYCLES * PERIOD_S / LOAD_MEAN_S)
    return state.load_mean_w + weight * (sight.load_w - state.load_mean_w)


def _conditions(
    sight: Sight,
    limits: Limits,
    *,
    import_mean_w: float,
    fraction: float,
    recovering: bool,
    overruled: bool,
) -> tuple[str, ...]:
    """Conditions that make an event when they come and go."""
    active = [f"unseen {battery.limits.name}" for battery in sight.batteries if not battery.seen]
    if import_mean_w > limits.contract_max_w:
        active.append("over limit")
    if fraction < 1.0:
        active.append("capped")
    if recovering:
        active.append("recovering")
    if overruled:
        active.append("overruled")
    return tuple(active)
