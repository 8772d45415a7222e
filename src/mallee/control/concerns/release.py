"""Caps come down at once and go up slowly, so that a limit that comes and goes does not make the
load swing."""

import numpy as np

from mallee.control.bounds import Bounds, Reason
from mallee.control.scene import Scene
from mallee.control.why import Why, kilowatts, work_lost

NAME = "release"

PER_S = 0.05
"""Share of a node's range that its cap rises in a second."""


def narrow(scene: Scene, bounds: Bounds) -> Bounds:
    """No cap higher than a step above the one in force."""
    loads = scene.limits.budget.loads
    step_w = PER_S * scene.period_s * (loads.most_w - loads.least_w)
    high_w = np.where(np.isfinite(scene.loads.in_force_w), scene.loads.may_w + step_w, np.inf)
    return bounds.at_most(high_w, Reason(NAME, "node caps"), ~loads.is_charger)


def explain(scene: Scene, bounds: Bounds) -> Why | None:
    """That caps are on their way up."""
    loads = scene.limits.budget.loads
    if not bounds.bound_by(NAME).any():
        return None
    capped_w = float((bounds.high_w * loads.factor)[~loads.is_charger].sum())
    text = (
        f"Import {kilowatts(scene.import_w)} of {kilowatts(scene.aims[0].shown_w)}; caps are "
        f"given back, the pods may draw {kilowatts(capped_w)}, {work_lost(scene, bounds)} of "
        "the work lost."
    )
    return Why("release", "node caps", text)
