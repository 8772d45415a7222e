"""Heat: nodes whose loop has lost its flow, and nodes whose dies come near the temperature at which
they slow down by themselves, are held back before that.

Without flow a die at full power has 2 to 17 s (hardware reference, section 3): its own firmware
must save it; what control adds is that a whole loop goes down at once, comes back by itself when
the flow does, and somebody is told which loop it is.
"""

import numpy as np

from mallee.control.bounds import Bounds, Reason
from mallee.control.scene import Scene
from mallee.control.why import Why, work_lost
from mallee.core.arrays import BoolArray

NAME = "heat"

BAND_K = 6.0
"""Caps go from the highest to the lowest over the last so many kelvin below the throttle point."""
GUARD_K = 1.0
FLOW_KGPS_PER_W = 1.0 / 60e3
"""Least flow of a cold plate: 1.0 L/min of coolant for each kW (OCP, hardware reference 3)."""
LOST_FRAC = 0.25
"""Flow below this share of it counts as lost."""
HEAT_MIN_W = 2e3
"""A loop that carries less has no flow to speak of."""


def narrow(scene: Scene, bounds: Bounds) -> Bounds:
    """Nodes on a loop without flow to their lowest; hot ones down with each kelvin."""
    loads = scene.limits.budget.loads
    for name, without_flow in lost_loops(scene):
        bounds = bounds.at_most(loads.least_w, Reason(NAME, name), without_flow)
    part = np.ones(loads.count)
    for dies in scene.limits.heat.dies:
        hottest_degc = np.nanmax(_readings(scene, dies.rows), axis=1, initial=-np.inf)
        left_k = dies.throttle_degc - GUARD_K - hottest_degc
        part[dies.loads] = np.clip(left_k / BAND_K, 0.0, 1.0)
    high_w = loads.least_w + part * (loads.most_w - loads.least_w)
    return bounds.at_most(high_w, Reason(NAME, "dies"), part < 1.0)


def lost_loops(scene: Scene) -> list[tuple[str, BoolArray]]:
    """Loops whose flow is lost, and the loads that each cools.  # (loads,) each"""
    found = []
    for loop in scene.limits.heat.loops:
        flow_kgps = _readings(scene, loop.flow_rows)
        heat_w = float((scene.loads.power_w[loop.loads] * loop.liquid_frac).sum())
        if heat_w < HEAT_MIN_W or np.isnan(flow_kgps).any():
            continue  # a CDU that cannot be read is not one that stands still
        if flow_kgps.sum() < LOST_FRAC * FLOW_KGPS_PER_W * heat_w:
            mine = np.zeros(scene.limits.budget.loads.count, bool)
            mine[loop.loads] = True
            found.append((loop.name, mine))
    return found


def _readings(scene: Scene, rows: np.ndarray) -> np.ndarray:
    """Good readings of rows; NaN for the rest."""
    return np.where(scene.snapshot.quality[rows] == 0, scene.snapshot.values[rows], np.nan)


def explain(scene: Scene, bounds: Bounds) -> Why | None:
    """Which loop or dies hold nodes back."""
    mine = bounds.bound_by(NAME)
    if not mine.any():
        return None
    places = {bounds.reasons[position].place for position in bounds.by[mine].tolist()}
    count, lost = int(mine.sum()), work_lost(scene, bounds)
    for place in sorted(places - {"dies"}):
        text = (
            f"{place} has lost its flow; the {count} nodes that it cools are at their lowest, "
            f"{lost} of the work lost."
        )
        return Why(f"flow of {place}", "node caps", text)
    text = f"Dies of {count} nodes are close to their throttle point; {lost} of the work lost."
    return Why("die temperature", "node caps", text)
