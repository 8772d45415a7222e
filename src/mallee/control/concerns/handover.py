"""The sum of all limits in force never exceeds what branches carry, also while they change.

A limit that goes down counts with the old value until the device reports the new one. What goes up
shares only the room beside that. So at every instant, and also if control died now, the worst that
all devices may do fits (batteries deliver what they have proved).
"""

import numpy as np

from mallee.control.bounds import Bounds, Reason
from mallee.control.scene import Scene
from mallee.site.allocation import allocate

NAME = "handover"


def narrow(scene: Scene, bounds: Bounds) -> Bounds:
    """Raise limits only into room that is seen to be free."""
    budget, may_w = scene.limits.budget, scene.loads.may_w
    loads = budget.loads
    rising = bounds.high_w > may_w
    if not rising.any():
        return bounds
    held_w = np.minimum(may_w, loads.most_w) * loads.factor
    wanted_w = np.where(rising, bounds.high_w, may_w) * loads.factor
    found = allocate(budget.tree, scene.capacity_w, loads.branch, [held_w, wanted_w])
    high_w = np.where(rising, np.maximum(found.power_w / loads.factor, may_w), np.inf)
    return bounds.at_most(high_w, Reason(NAME, "limits in force"), rising)
