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
        jump_w = scene.import_w + growth_w + DISCHARGE_USE_FRAC * give_w - nodes_w - beside_w
    else:
        jump_w = 0.0
    trickle_w = float((loads.floor_w * loads.factor)[loads.is_charger].sum())
    ceiling_w = drawn_w + slope_w_per_s * AHEAD_S + trickle_w
    gained_w = min(max(scene.state.charger_room_w + growth_w, drawn_w, trickle_w), ceiling_w)
    return max(jump_w, gained_w)  # a small battery takes nothing from what the ramp itself allows


def narrow(scene: Scene, bounds: Bounds) -> Bounds:
    """Chargers inside their room: what each draws, what it wants, an equal part of the rest.

    The rest goes to all with cars alike, whether they use it or not: a share that followed who is
    held this second would be written anew every second.
    """
    room_w, loads = scene.state.charger_room_w, scene.limits.budget.loads
    if math.isinf(room_w) or not loads.is_charger.any():
        return bounds
    drawn_w = np.where(loads.is_charger, np.minimum(scene.loads.power_w, bounds.high_w), 0.0)
    wants_w = np.where(loads.is_charger, np.minimum(scene.loads.wants_w, bounds.high_w), 0.0)
    total_w, wanted_w = float(drawn_w.sum()), float(wants_w.sum())
    least_w = np.minimum(loads.floor_w, bounds.high_w)
    if total_w > max(room_w, 0.0):
        high_w, least_w = drawn_w * (max(room_w, 0.0) / total_w), np.zeros_like(drawn_w)
    elif wanted_w > room_w:
        part = (room_w - total_w) / (wanted_w - total_w)
        high_w = drawn_w + part * (wants_w - drawn_w)
    else:
        with_cars = loads.is_charger & (scene.loads.wants_w > loads.floor_w)
        sharing = with_cars if with_cars.any() else loads.is_charger
        high_w = wants_w + np.where(sharing, (room_w - wanted_w) / int(sharing.sum()), 0.0)
    return bounds.at_most(np.maximum(high_w, least_w), Reason(NAME, "contract"), loads.is_charger)


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
