"""One cycle of control: readings in, commands out. A pure function, the same in the field, in the
twin and in a test.

Numbered steps, each in its own file:
 1. look      meters and batteries, ten times a second             view.py
 2. judge     which meters to believe, what stands in              judge.py, meter_check.py
 3. learn     what flows beside known loads; who delivers          learning.py, trust.py
 4. aim       contract, plan, requests; feedback from the meters   aims.py, trim.py
 5. narrow    each concern shrinks the bounds of the loads         concerns/
 6. battery   modes at the meter, state of charge                  battery.py, soc.py
 7. write     what differs from the readings                       reconcile.py
 8. guard     clip to what each device may be asked                guard.py
 9. tell      the "why" line, events on change                     why.py, events.py

Every cycle does 1. The rest runs once a second, because the fast part of the work is the
inverter's, and at once when a limit is crossed or a meter is lost.
"""

from collections.abc import Sequence
from dataclasses import replace as dataclass_replace

from msgspec.structs import replace

from mallee.control.aims import next_target
from mallee.control.battery import battery_commands, heartbeats, supervise
from mallee.control.bounds import Bounds
from mallee.control.concerns import narrow_all
from mallee.control.concerns.modes import is_asked, maintained_rows
from mallee.control.events import events_of_change
from mallee.control.guard import guard, leave_out
from mallee.control.judge import judge
from mallee.control.limits import Limits
from mallee.control.prepare import Look, prepare
from mallee.control.reconcile import CHARGER_RENEW_CYCLES, load_commands, wanted_w
from mallee.control.safe_state import hold_safe
from mallee.control.settings import setting_commands
from mallee.control.soc import keep_recovery, next_recovery
from mallee.control.state import ControlState
from mallee.control.tell import reason_of, tell
from mallee.control.view import View, look, look_at_loads, without
from mallee.core.command import Command
from mallee.core.event import Event
from mallee.core.plan import Plan, charge_at
from mallee.core.request import Request, in_force
from mallee.core.snapshot import Snapshot

PERIOD_S = 0.1
SLOW_CYCLES = 10
"""The slow steps run every this many cycles: once a second."""
ARRIVAL_CYCLES = 50
"""Control waits this long for first readings of the batteries before it does without them."""
FLOW_MEAN_S = 1.0
LOAD_MEAN_S = 30.0

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
        requests: what others ask for; those whose lease runs narrow the bounds.
        limits: the site's limits.
        time_s: monotonic time of this cycle.
    """
    asked = tuple(in_force(requests, time_s))
    view = without(look(snapshot, limits), maintained_rows(limits, asked))
    is_slow = state.cycle % SLOW_CYCLES == 0
    if state.mode == "starting" and _is_arriving(state, view):
        beats = heartbeats(limits, state.cycle) if is_slow else []
        return replace(state, cycle=state.cycle + 1), beats, []
    seen = _seen(state, view)
    if not (is_slow or _is_urgent(state, view, limits)):
        return replace(seen, cycle=state.cycle + 1), [], []
    period_s = SLOW_CYCLES * PERIOD_S if is_slow else 0.0
    loads = look_at_loads(snapshot, limits)
    judged = judge(seen, view, loads, limits, time_s, period_s)
    seen = replace(seen, checks=judged.checks)
    if judged.mode == "safe":
        return hold_safe(state, seen, snapshot, view, asked, limits, time_s, is_slow=is_slow)
    looked = Look(snapshot, view, loads, judged)
    return _decide(state, seen, snapshot, looked, (plans, asked), limits, time_s)


def _is_arriving(state: ControlState, view: View) -> bool:
    """Whether first readings are still to come: the meters', and for a while the batteries'."""
    if not view.meter_seen:
        return True
    return state.cycle < ARRIVAL_CYCLES and not all(battery.seen for battery in view.batteries)


def _is_urgent(state: ControlState, view: View, limits: Limits) -> bool:
    """Whether a limit was just crossed, or a meter lost or found."""
    if state.mode == "starting" or state.mode == ("safe" if view.meter_seen else "auto"):
        return True
    return view.import_w > limits.import_contract_w >= state.import_w


def _seen(state: ControlState, view: View) -> ControlState:
    """Memory with one more look at meters and batteries."""
    if state.mode == "starting":
        flows, load_mean_w = view.flow_w, view.load_w
    else:
        weight = PERIOD_S / FLOW_MEAN_S
        flows = tuple(
            mean_w + weight * (now_w - mean_w) if seen and mean_w == mean_w else now_w
            for mean_w, now_w, seen in zip(state.flow_mean_w, view.flow_w, view.seen, strict=True)
        )
        load_mean_w = state.load_mean_w
        if view.meter_seen:
            load_mean_w += PERIOD_S / LOAD_MEAN_S * (view.load_w - load_mean_w)
    if not view.meter_seen:
        return replace(state, flow_mean_w=flows, load_mean_w=load_mean_w)
    return replace(
        state,
        meter_seen_s=view.meter_time_s,
        import_w=view.import_w,
        load_w=view.load_w,
        flow_mean_w=flows,
        load_mean_w=load_mean_w,
    )


def _decide(
    before: ControlState,
    seen: ControlState,
    snapshot: Snapshot,
    looked: Look,
    asked: tuple[Sequence[Plan], tuple[Request, ...]],
    limits: Limits,
    time_s: float,
) -> Result:
    """Steps 3 to 9.

    Args:
        before: memory of the last cycle; `seen` is it with this look.
        asked: plans, and the requests in force.
    """
    plans, requests = asked
    is_due = before.cycle % SLOW_CYCLES == 0
    is_held = is_asked(requests, "hold")
    target = next_target(seen, looked.view, plans, limits, time_s, is_held=is_held)
    seen = replace(seen, target_w=target.power_w, target_reason=target.reason)
    scene, verdicts = prepare(seen, looked, requests, limits, time_s, is_due=is_due)
    ratings = Bounds.of_ratings(limits.budget.loads.least_w, limits.budget.loads.most_w)
    bounds = narrow_all(scene, ratings)
    wanted = wanted_w(scene, bounds)
    override = supervise(scene)
    planned_w = charge_at(plans, time_s)
    steers = is_due and not is_held
    recovery = next_recovery(scene, planned_w) if steers else keep_recovery(scene)
    set_commands, settings = setting_commands(scene, before.settings, before.cycle)
    state = replace(
        scene.state,
        cycle=before.cycle + 1,
        charge_bias_w=recovery.bias_w,
        soc_integral=recovery.integral,
        soc_recovering=recovery.recovering,
        filter_overridden=override.active,
        filter_override_since_s=override.since_s,
        settings=settings,
    )
    scene = dataclass_replace(scene, state=state)
    after, words = tell(scene, before, looked, bounds, wanted, verdicts)
    reason = reason_of(scene, after.text)
    commands = battery_commands(
        scene,
        snapshot,
        overridden=override.active,
        import_w=scene.import_aim_w,
        reason=reason,
    )
    if is_due:
        commands += heartbeats(limits, before.cycle)
    renew = before.cycle % CHARGER_RENEW_CYCLES < SLOW_CYCLES or before.mode != after.mode
    commands += load_commands(scene, snapshot, wanted, bounds, renew=renew, text=reason)
    commands = leave_out(commands + set_commands, maintained_rows(limits, requests))
    passed, clipped = guard(commands, limits, time_s)
    return after, passed, clipped + events_of_change(before, after, limits, time_s, words)
