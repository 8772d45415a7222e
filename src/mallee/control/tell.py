"""What control says after a decision: its why line, its conditions, its figures."""

from collections.abc import Mapping

from msgspec.structs import replace

from mallee.control.bounds import Bounds
from mallee.control.concerns import explain_all
from mallee.control.concerns.heat import lost_loops
from mallee.control.concerns.requests import conditions_of
from mallee.control.events import CONTROL, conditions_after
from mallee.control.prepare import Look
from mallee.control.scene import Scene
from mallee.control.state import Condition, ControlState
from mallee.control.trust import Verdict
from mallee.control.view import View
from mallee.control.why import Why, batteries_named, calm_why, kilowatts
from mallee.core.arrays import FloatArray

HELD_FRAC, FREE_FRAC = 0.99, 0.999
"""Nodes count as held back below the first share of their most, and as free above the second."""

Words = Mapping[Condition, Mapping[str, str]]


def tell(
    scene: Scene,
    before: ControlState,
    looked: Look,
    bounds: Bounds,
    wanted: FloatArray,
    verdicts: tuple[Verdict, ...],
) -> tuple[ControlState, Words]:
    """Memory with what people are told, and the words of events about requests.

    Args:
        wanted: limits that are being set, at the device.  # (loads,)
        verdicts: what changed in each battery's credit.
    """
    limits, loads = scene.limits, scene.limits.budget.loads
    why = _why(scene, looked, bounds)
    power_w = wanted * loads.factor
    most_w = float((loads.most_w * loads.factor)[~loads.is_charger].sum())
    nodes_w = float(power_w[~loads.is_charger].sum())
    after = replace(
        scene.state,
        import_in_force_w=scene.import_aim_w,
        chargers_max_w=float(power_w[loads.is_charger].sum()),
        nodes_max_w=nodes_w,
        nodes_cap_frac=nodes_w / most_w if most_w > 0.0 else 1.0,
        binding=why.binding,
        acting=why.acting,
        text=why.text,
    )
    asked, words = conditions_of(limits, scene.requests, before.active)
    told = {
        **words,
        **{
            ("battery-not-following", battery.limits.name): {
                "given_kw": f"{max(0.0, -battery.charge_w) / 1e3:.0f}",
                "said_kw": f"{battery.discharge_max_w / 1e3:.0f}",
            }
            for battery in scene.view.batteries
        },
        **{
            ("load-unknown", limits.branches[limits.metered[feed]]): {
                "unknown_kw": f"{check.unknown_w / 1e3:.0f}"
            }
            for feed, check in enumerate(looked.judged.checks)
        },
    }
    observed = {**_observed(scene, looked, after), **_following(scene, verdicts), **asked}
    return replace(after, active=conditions_after(before.active, observed)), told


def reason_of(scene: Scene, text: str) -> str:
    """Reason of commands: what is going on, and who asked for a lower import."""
    by = next((aim.request for aim in scene.aims if aim.request is not None), None)
    return text if by is None else f"Import limit asked for by {by.actor} ({by.reason}). {text}"


def _why(scene: Scene, looked: Look, bounds: Bounds) -> Why:
    """Trouble first: a meter in doubt, an override; then what binds, then what goes on."""
    if scene.state.filter_overridden:
        named = batteries_named(scene.view)
        aim = scene.aims[0]
        return Why(
            aim.name,
            f"control holds {named}",
            f"Import {kilowatts(scene.import_w)} of {kilowatts(aim.shown_w)}; the batteries' own "
            f"mode let import stand above the limit, so control gives {named} its power until the "
            "meter is well.",
        )
    said = explain_all(scene, bounds) or calm_why(scene)
    if looked.judged.mode == "degraded":
        cause = _doubt(scene, looked)
        return Why(said.binding, said.acting, f"{cause} Devices stand in for it. {said.text}")
    return said


def _doubt(scene: Scene, looked: Look) -> str:
    """Which meter is not gone by, and why."""
    limits = scene.limits
    for feed, check in enumerate(looked.judged.checks):
        name = limits.branches[limits.metered[feed]]
        if check.distrusted:
            return f"The meter of {name} is not believed: {check.distrusted}."
        if not looked.view.seen[feed]:
            silent_s = scene.time_s - looked.view.meter_time_s
            return f"No good reading of the meter of {name} for {silent_s:.1f} s."
    return ""


def _observed(scene: Scene, looked: Look, after: ControlState) -> dict[Condition, bool]:
    """Conditions that can be judged now, and whether each holds."""
    state, limits = scene.state, scene.limits
    found: dict[Condition, bool] = {
        ("safe-state", CONTROL): False,
        ("meter-degraded", CONTROL): looked.judged.mode == "degraded",
        ("charge-recovery", CONTROL): state.soc_recovering,
        ("filter-overridden", CONTROL): state.filter_overridden,
        **batteries_unseen(scene.view),
    }
    if not HELD_FRAC <= after.nodes_cap_frac < FREE_FRAC:
        found["nodes-capped", CONTROL] = after.nodes_cap_frac < HELD_FRAC
    for feed, check in enumerate(looked.judged.checks):
        name = limits.branches[limits.metered[feed]]
        found["load-unknown", name] = check.unknown_w > 0.0
    lost = {name for name, _ in lost_loops(scene)}
    for loop in limits.heat.loops:
        found["flow-lost", loop.name] = loop.name in lost
    measured = looked.judged.measured[: limits.feeds].all()
    if measured:
        over = (looked.judged.flow_w > limits.contract_w * OVER_FRAC)[: limits.feeds].any()
        found["import-over-limit", CONTROL] = bool(over)
    return found


OVER_FRAC = 1.001
"""Import counts as over its limit by more than what a meter resolves."""


def batteries_unseen(view: View) -> dict[Condition, bool]:
    """Whether each battery cannot be seen."""
    return {("battery-unseen", one.limits.name): not one.seen for one in view.batteries}


def _following(scene: Scene, verdicts: tuple[Verdict, ...]) -> dict[Condition, bool]:
    """Batteries that do not do what they say, from when it is found to when it is over."""
    found: dict[Condition, bool] = {}
    for battery, verdict in zip(scene.view.batteries, verdicts, strict=True):
        condition = ("battery-not-following", battery.limits.name)
        if verdict is not Verdict.SAME:
            found[condition] = verdict is Verdict.FAILED
    return found
