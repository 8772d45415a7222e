"""Rules that hold a limit by capping nodes, as data centres do it today; the battery stands by."""

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.command import Command
from mallee.core.snapshot import Snapshot
from mallee.simulation.baselines.hands import CHARGER_LEASE_S, Hands, hands_of
from mallee.simulation.baselines.rule import Decide, slowly
from mallee.site.budget import budget_of
from mallee.site.model import SiteModel

DYNAMO_PERIOD_S = 3
DYNAMO_CAP, DYNAMO_TARGET, DYNAMO_UNCAP = 0.99, 0.95, 0.90
"""Bands of the limit at which nodes are capped, to which they are brought, and from which they are
released. Source: Wu et al., ISCA 2016, as our reference notes recall them [A]."""

HARD, SOFT = 0.98, 0.96
HARD_FACTOR, SOFT_FACTOR = 0.01, 0.75
RELEASE_AFTER_S, RELEASE_PER_S = 5, 0.1
"""Two thresholds with multiplicative decrease, release after some calm seconds. After Li et al.,
OSDI 2020 (Thunderbolt), in form; the numbers are assumed."""


def static_limits(site: SiteModel) -> Decide:
    """Shares fixed once from nameplates: whatever happens, their sum fits under the limit."""
    hands = hands_of(site)
    fixed_w = float(budget_of(site).other_max_w[int(site.feed_branches[0])])
    room_w = max(0.0, hands.import_max_w - fixed_w)
    nodes_w = np.minimum(hands.cap_max_w, room_w / max(hands.cap.size, 1))
    left_w = max(0.0, room_w - float(np.maximum(nodes_w, hands.cap_min_w).sum()))
    share_w = np.full(hands.charger_limit.size, left_w / max(hands.charger_limit.size, 1))

    def once_a_second(snapshot: Snapshot, second: int) -> list[Command]:
        del snapshot
        commands = hands.batteries(0.0, np.zeros(hands.battery_set.size), second)
        commands.append(hands.caps(nodes_w, "static share"))
        if share_w.size:
            held_w = np.minimum(share_w, hands.charger_max_w)
            rows, reason = hands.charger_limit, "static share"
            commands.append(
                Command(rows=rows, values=held_w, lease_s=CHARGER_LEASE_S, reason=reason)
            )
        return commands

    return slowly(once_a_second)


def dynamo(site: SiteModel) -> Decide:
    """Three bands: cap above one, down to another, release below a third; looks every 3 s."""
    hands = hands_of(site)

    def once_a_second(snapshot: Snapshot, second: int) -> list[Command]:
        commands = hands.batteries(0.0, np.zeros(hands.battery_set.size), second)
        if second % DYNAMO_PERIOD_S:
            return commands
        import_w, limit_w = hands.import_w(snapshot), hands.import_max_w
        if import_w > DYNAMO_CAP * limit_w:
            power_w = _powers(hands, snapshot)
            cut = (import_w - DYNAMO_TARGET * limit_w) / max(float(power_w.sum()), 1.0)
            commands.append(hands.caps(power_w * max(0.0, 1.0 - cut), "above the capping band"))
        elif import_w < DYNAMO_UNCAP * limit_w:
            commands.append(hands.caps(hands.cap_max_w, "below the release band"))
        return commands

    return slowly(once_a_second)


def thunderbolt(site: SiteModel) -> Decide:
    """Two thresholds, multiplicative decrease, slow release."""
    hands = hands_of(site)
    memory = {"share": 1.0, "calm_s": 0.0}

    def once_a_second(snapshot: Snapshot, second: int) -> list[Command]:
        commands = hands.batteries(0.0, np.zeros(hands.battery_set.size), second)
        load = hands.import_w(snapshot) / hands.import_max_w
        if load > SOFT:
            memory["share"] *= HARD_FACTOR if load > HARD else SOFT_FACTOR
            memory["calm_s"] = 0.0
        else:
            memory["calm_s"] += 1.0
            if memory["calm_s"] > RELEASE_AFTER_S:
                memory["share"] = min(1.0, memory["share"] + RELEASE_PER_S)
        span_w = hands.cap_max_w - hands.cap_min_w
        commands.append(hands.caps(hands.cap_min_w + memory["share"] * span_w, "load shaping"))
        return commands

    return slowly(once_a_second)


def _powers(hands: Hands, snapshot: Snapshot) -> FloatArray:
    """What the nodes draw; one that says nothing counts with its highest cap."""
    power_w = snapshot.values[hands.node_power]
    return np.where(np.isnan(power_w), hands.cap_max_w, power_w)
