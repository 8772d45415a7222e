"""Puts together what the concerns look at: learned, trusted, trimmed, aimed."""

from dataclasses import replace as dataclass_replace
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from mallee.control.aims import Target, aims_of
from mallee.control.asked_battery import follow_set_points
from mallee.control.concerns.modes import maintained_rows
from mallee.control.concerns.ramp import next_room_w
from mallee.control.diversity import Diversity, lent_w, next_diversity
from mallee.control.judge import Judgement
from mallee.control.learning import learn_other, other_w
from mallee.control.limits import Limits
from mallee.control.protection import next_heat, spare_w
from mallee.control.scene import Aim, Scene
from mallee.control.state import ControlState
from mallee.control.trim import Trim, next_trims
from mallee.control.trust import Trust, Verdict, held_w, next_trust, trusted_w
from mallee.control.view import LoadsView, View
from mallee.core.arrays import FloatArray
from mallee.core.request import Request
from mallee.core.snapshot import Snapshot

DECISION_S = 1.0
DEGRADED_MARGIN_FRAC = 0.05
"""Kept free besides while devices stand in for a meter: losses and plant are reckoned then."""

BORROWED_MAX_FRAC = 0.25
"""Limits in force exceed what a branch carries for good by no more than this share of it, on the
word that not all is drawn, or not for long. If control dies in that instant, leases end within half
a minute; a breaker at 1.25 of its setting trips after minutes, a transformer carries 1.5."""


class Look(NamedTuple):
    """One look at the site, and which meters are believed."""

    snapshot: Snapshot
    view: View
    loads: LoadsView
    judged: Judgement


def prepare(
    seen: ControlState,
    looked: Look,
    requests: tuple[Request, ...],
    limits: Limits,
    time_s: float,
    *,
    is_due: bool,
) -> tuple[Scene, tuple[Verdict, ...]]:
    """Everything that concerns may know, with memory brought up to date.

    Args:
        seen: memory with this look.
        is_due: a second has passed; otherwise this is an urgent look between two.

    Returns:
        the scene, and what changed in each battery's credit.
    """
    snapshot, view, loads, judged = looked
    learned_w, learned_s = _learn(seen, looked, limits, is_due=is_due)
    beside_w = other_w(learned_w, learned_s, limits)
    aims = aims_of(limits, Target(seen.target_w, seen.target_reason), requests)
    if judged.mode == "degraded":
        free = 1.0 - DEGRADED_MARGIN_FRAC
        aims = tuple(dataclass_replace(aim, power_w=aim.power_w * free) for aim in aims)
    load_w = _load_w(seen, looked, beside_w, limits)
    trusts, verdicts = _trusts(seen, looked, load_w, aims, limits, time_s)
    support_w = _support_w(looked, load_w, trusts, limits)
    period_s = DECISION_S if is_due else 0.0
    flow_w = np.where(judged.measured, judged.flow_w, np.nan)
    diversity = next_diversity(seen.diversity, loads, flow_w, limits, period_s)
    heat = next_heat(seen.branch_heat, loads, beside_w, flow_w, limits, period_s)
    meant_w = _meant_w(seen, flow_w, diversity, aims, (load_w, support_w, trusts), limits)
    trims = _trims(seen, looked, meant_w, aims, limits, time_s, is_due=is_due)
    if Verdict.FAILED in verdicts:
        # What the battery was believed for was in the trim; now it is in its credit.
        trims = tuple(Trim(added_s=time_s) for _ in trims)
    state = replace(
        seen,
        mode=judged.mode,
        other_w=learned_w,
        learned_s=learned_s,
        trusts=trusts,
        trims=trims,
        diversity=diversity,
        branch_heat=heat,
    )
    may_w = capacity_w(limits, seen.charge_bias_w, beside_w, aims, trims, support_w)
    if judged.mode == "auto":  # only a meter shows in time that something is to be taken back
        more_w = lent_w(diversity, loads, limits) + spare_w(heat, limits)
        may_w = may_w + np.minimum(more_w, BORROWED_MAX_FRAC * limits.budget.limit_w)
    scene = Scene(
        limits=limits,
        snapshot=snapshot,
        view=view,
        loads=loads,
        state=state,
        flow_w=judged.flow_w,
        load_w=load_w,
        other_w=beside_w,
        support_w=support_w,
        aims=aims,
        capacity_w=may_w,
        requests=requests,
        pinned=np.isin(limits.budget.loads.limit_rows, maintained_rows(limits, requests)),
        set_point_batteries=follow_set_points(limits, requests),
        time_s=time_s,
        period_s=period_s,
    )
    room_w = next_room_w(scene)
    return dataclass_replace(scene, state=replace(state, charger_room_w=room_w)), verdicts


def capacity_w(
    limits: Limits,
    charge_w: float,
    beside_w: FloatArray,
    aims: tuple[Aim, ...],
    trims: tuple[Trim, ...],
    support_w: list[float],
) -> FloatArray:
    """What the steerable loads below each branch may draw together.  # (branches,)

    Batteries help at the feed whose meter they watch. On the branches that carry them they count
    with what control asks them to charge: what they take of a swing they take when loads are low.

    Args:
        charge_w: asked of the batteries for their state of charge.
    """
    budget = limits.budget
    found = budget.limit_w - beside_w
    charging = budget.battery_w > 0.0
    found -= np.where(charging, max(0.0, charge_w), 0.0)
    for position, (branch, aim, trim) in enumerate(
        zip(limits.metered.tolist(), aims, trims, strict=True)
    ):
        found[branch] = aim.power_w - beside_w[branch] - trim.trim_w
        if position < limits.feeds:
            found[branch] += sum(
                given_w
                for battery, given_w in zip(limits.batteries, support_w, strict=True)
                if battery.feed == position
            )
    return found


def _learn(
    seen: ControlState, looked: Look, limits: Limits, *, is_due: bool
) -> tuple[tuple[float, ...], float]:
    """What flows beside known loads; nothing is learned from meters or devices in doubt."""
    learned_w = seen.other_w if seen.other_w else (np.nan,) * len(limits.metered)
    all_seen = all(battery.seen for battery in looked.view.batteries)
    if not (is_due and looked.judged.mode == "auto" and all_seen):
        return learned_w, seen.learned_s
    judged = looked.judged
    from_w = np.where(judged.measured, judged.flow_w, np.nan)
    after_w = learn_other(learned_w, from_w, judged.known_w, limits, seen.learned_s, DECISION_S)
    return after_w, seen.learned_s + DECISION_S


def _load_w(seen: ControlState, looked: Look, beside_w: FloatArray, limits: Limits) -> float:
    """What the site takes without its batteries; from the loads where a battery cannot be seen.

    Their readings are late and swing; a meter that somebody smooths does not: means are compared.
    """
    view, judged = looked.view, looked.judged
    import_w = float(judged.flow_w[: limits.feeds].sum())
    if all(battery.seen for battery in view.batteries):
        return import_w - view.charge_w
    loads, nodes_w = limits.budget.loads, seen.diversity.mean_w
    drawn_w = looked.loads.power_w * loads.factor
    own_w = float(drawn_w.sum())
    if nodes_w:
        feeds = limits.metered[: limits.feeds].tolist()
        own_w = float(drawn_w[loads.is_charger].sum()) + sum(nodes_w[feed] for feed in feeds)
    return own_w + float(np.maximum(beside_w[limits.metered[: limits.feeds]], 0.0).sum())


def _trusts(
    seen: ControlState,
    looked: Look,
    load_w: float,
    aims: tuple[Aim, ...],
    limits: Limits,
    time_s: float,
) -> tuple[tuple[Trust, ...], tuple[Verdict, ...]]:
    """Credit of every battery: those of one feed share what it needs by what they say.

    Only a reading of the meter can tell that a battery does not deliver.
    """
    before = seen.trusts or (Trust(),) * len(limits.batteries)
    if looked.judged.mode != "auto":
        return before, (Verdict.SAME,) * len(before)
    import_w = float(looked.judged.flow_w[: limits.feeds].sum())
    aim_w = sum(aim.power_w for aim in aims[: limits.feeds])
    over = import_w > sum(aim.shown_w for aim in aims[: limits.feeds])
    able_w = sum(battery.discharge_max_w for battery in looked.view.batteries)
    found = [
        next_trust(
            trust,
            battery,
            max(0.0, load_w - aim_w) * battery.discharge_max_w / able_w if able_w > 0.0 else 0.0,
            held_w(battery, limits),
            over=over,
            time_s=time_s,
        )
        for trust, battery in zip(before, looked.view.batteries, strict=True)
    ]
    return tuple(trust for trust, _ in found), tuple(verdict for _, verdict in found)


def _support_w(
    looked: Look, load_w: float, trusts: tuple[Trust, ...], limits: Limits
) -> list[float]:
    """What each battery counts with; one that cannot be seen with what the meter shows of it."""
    support_w = trusted_w(looked.view.batteries, trusts, limits)
    unseen = [
        k for k, one in enumerate(looked.view.batteries) if not one.seen and one.limits.smooths
    ]
    if unseen and looked.judged.mode == "auto":
        import_w = float(looked.judged.flow_w[: limits.feeds].sum())
        given_w = max(0.0, load_w - import_w - sum(support_w))
        for k in unseen:
            support_w[k] = min(given_w / len(unseen), limits.batteries[k].discharge_max_w)
    return support_w


def _trims(
    seen: ControlState,
    looked: Look,
    flow_w: FloatArray,
    aims: tuple[Aim, ...],
    limits: Limits,
    time_s: float,
    *,
    is_due: bool,
) -> tuple[Trim, ...]:
    """Feedback of every meter. Half the margin is left to noise and swing."""
    return next_trims(
        seen.trims or (Trim(),) * len(limits.metered),
        flow_w,
        np.array([(aim.power_w + aim.shown_w) / 2.0 for aim in aims]),
        _sheddable_w(looked.loads, limits),
        limits,
        time_s,
        DECISION_S if is_due else 0.0,
    )


def _meant_w(
    seen: ControlState,
    flow_w: FloatArray,
    diversity: Diversity,
    aims: tuple[Aim, ...],
    behind: tuple[float, list[float], tuple[Trust, ...]],
    limits: Limits,
) -> FloatArray:
    """Flow of each metered branch that loads have to answer for.  # (metered,)

    Batteries that keep the meter by themselves, deliver, and can give what is missing, answer for
    the moments: what a late one lets through, or charges up to the limit, is no load to be shed,
    and shedding would not end it. Loads answer for what stands above the limit on average.

    Args:
        behind: load without the batteries, what these count with, and their credit.
    """
    load_w, support_w, trusts = behind
    keeping = any(
        battery.smooths and given_w > 0.0 and trust.failures == 0
        for battery, given_w, trust in zip(limits.batteries, support_w, trusts, strict=True)
    )
    aim_w = np.array([aim.power_w for aim in aims[: limits.feeds]])
    if not keeping or seen.filter_overridden or load_w > aim_w.sum() + sum(support_w):
        return flow_w
    feeds = slice(0, limits.feeds)
    found = flow_w.copy()
    found[feeds] = np.minimum(flow_w[feeds], np.array(diversity.flow_w)[feeds])
    if seen.load_mean_w <= aim_w.sum():
        found[feeds] = np.minimum(found[feeds], aim_w * seen.load_mean_w / aim_w.sum())
    return found


def _sheddable_w(loads: LoadsView, limits: Limits) -> FloatArray:
    """What the loads below each metered branch could give up.  # (metered,)"""
    budget, steerable = limits.budget, limits.budget.loads
    own_w = np.maximum(loads.power_w - steerable.least_w, 0.0) * steerable.factor
    return budget.tree.carried(steerable.branch, own_w)[limits.metered]
