"""Cars that come at once: they take what the ramp and the batteries allow, and gain with import.

Where batteries cover swings at the meter, chargers may draw what import may rise to now and what
the batteries give meanwhile. Where none does, their room grows at the contract's own rate, and
falls with what they do not use. Nodes are never capped for a ramp: a cap cannot hold up a load that
falls, and one that rises is done rising before a cap is obeyed.
"""

import math

import numpy as np

from mallee.control.bounds import Bounds, Reason
from mallee.control.scene import Scene
from mallee.control.why import Why, kilowatts

NAME = "ramp"

DISCHARGE_USE_FRAC = 0.95
"""Share of the batteries' power that cars may lean on; the rest is for what nobody foresees."""
AHEAD_S = 20.0
"""Room without a battery runs ahead of what is drawn by this much of the ramp: profiles are
renewed every ten seconds and cars take ten to follow."""


def next_room_w(scene: Scene) -> float:
    """What all chargers together may take, at their branches; infinite where nothing ramps."""
    limits, loads = scene.limits, scene.limits.budget.loads
    slope_w_per_s = limits.ramp_up_w_per_s
    drawn_w = float((scene.loads.power_w * loads.factor)[loads.is_charger].sum())
    if math.isinf(slope_w_per_s):
        return math.inf
    growth_w = slope_w_per_s * scene.period_s
    if scene.covered:
        give_w = sum(
            min(battery.discharge_max_w, trust.discharge_w(battery))
            for battery, trust in zip(scene.view.batteries, scene.state.trusts, strict=True)
        )
        nodes_w = float((loads.most_w * loads.factor)[~loads.is_charger].sum())
        beside_w = float(np.maximum(scene.other_w[limits.metered[: limits.feeds]], 0.0).sum())
        return scene.import_w + growth_w + DISCHARGE_USE_FRAC * give_w - nodes_w - beside_w
    trickle_w = float((loads.floor_w * loads.factor)[loads.is_charger].sum())
    ceiling_w = drawn_w + slope_w_per_s * AHEAD_S + trickle_w
    return min(max(scene.state.charger_room_w + growth_w, drawn_w, trickle_w), ceiling_w)


def narrow(scene: Scene, bounds: Bounds) -> Bounds:
    """Chargers inside their room: what each draws, and an equal part of the rest."""
    room_w, loads = scene.state.charger_room_w, scene.limits.budget.loads
    if math.isinf(room_w) or not loads.is_charger.any():
        return bounds
    drawn_w = np.minimum(scene.loads.power_w, bounds.high_w)
    mine_w = np.where(loads.is_charger, drawn_w, 0.0)
    total_w = float(mine_w.sum())
    if total_w > max(room_w, 0.0):
        high_w = mine_w * (max(room_w, 0.0) / total_w)
    else:
        wants = loads.is_charger & scene.loads.hungry
        sharing = wants if wants.any() else loads.is_charger
        rest_w = max(room_w - total_w, 0.0) / int(sharing.sum())
        high_w = mine_w + np.where(sharing, rest_w, 0.0)
        high_w = np.maximum(high_w, np.minimum(loads.floor_w, bounds.high_w))
    return bounds.at_most(high_w, Reason(NAME, "contract"), loads.is_charger)


def explain(scene: Scene, bounds: Bounds) -> Why | None:
    """That cars wait for the ramp, unless nodes are held back: that is told before."""
    loads = scene.limits.budget.loads
    held = bounds.bound_by(NAME) & scene.loads.hungry
    nodes_held = bool((bounds.high_w < loads.most_w)[~loads.is_charger].any())
    if scene.covered or nodes_held or not held.any():
        return None
    slope_w_per_s = scene.limits.ramp_up_w_per_s
    chargers_w = float((scene.loads.power_w * loads.factor)[loads.is_charger].sum())
    text = (
        f"Cars draw {kilowatts(chargers_w)} and gain as fast as import may rise, "
        f"{slope_w_per_s * 60 / 1e3:.0f} kW/min; no battery covers the ramp."
    )
    return Why("ramp up", "charger limits", text)
