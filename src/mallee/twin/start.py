"""How a twin starts: the batteries' filters at the import of a steady load."""

from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.twin.clock import Clock
from mallee.twin.electrical import step_site
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.part import Saved
from mallee.twin.parts.battery.batteries import Batteries

TRIALS: Final = 3
TRIAL_STEPS: Final = 5


def start_filters(
    plant: ElectricalArrays,
    batteries: Batteries,
    arrays: Saved,
    clock: Clock,
    racks_w: FloatArray,
    blocks: tuple[FloatArray, FloatArray],
) -> None:
    """Find the import under a steady load by a few trial steps, which are undone.

    What stays of them is what each branch carries and loses, and the filters' state.

    Args:
        arrays: everything that an electrical step changes, live.
        racks_w: steady power of each rack.  # (racks,)
        blocks: voltage and frequency of the feeds.  # (feeds, TRIAL_STEPS) each
    """
    saved = {name: array.copy() for name, array in arrays.items()}
    whole_w = float(racks_w.sum() + plant.loads_w.sum())
    states, feeds = plant.branch_state, int(plant.feeds[0])
    imports_w = np.full(len(states), whole_w / feeds)
    trial_w = np.tile(racks_w, (TRIAL_STEPS, 1))
    out_w = np.empty(TRIAL_STEPS), np.empty(TRIAL_STEPS)
    for _ in range(TRIALS):
        batteries.start_at(imports_w)
        step_site(plant, 0, clock.step_ms, trial_w, *blocks, *out_w)
        imports_w = states["flow_w"] - states["battery_w"]
        losses_w, flows_w = states["losses_w"].copy(), states["flow_w"].copy()
        for name, array in arrays.items():
            array[...] = saved[name]
        states["losses_w"], states["flow_w"] = losses_w, flows_w
    batteries.start_at(imports_w)
