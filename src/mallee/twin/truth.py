"""What the site truly does, for reports, checks and tests. Control never sees it."""

from dataclasses import dataclass

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.twin.parts.compute.work import NO_WORK, Work


@dataclass(slots=True)
class Truth:
    """True quantities at the end of the last advance; powers are means of its last step.

    Attributes:
        block_grid_w: mean import at the meter of each step of the last advance.  # (steps,)
        block_load_w: the same without the batteries.  # (steps,)
        feeds_w: import through each utility feed.  # (feeds,)
        branch_w: power entering each branch from above.  # (branches,)
        batteries_charge_w: of each battery, positive charges.  # (batteries,)
        batteries_soc: true state of charge of each.  # (batteries,)
        battery_charge_w: sum of the batteries.
        soc: true state of charge of all batteries together, by energy; NaN without any.
        it_w: power of all nodes and switches behind their power supplies.
        pods_w: racks, their cooling and what else hangs on the pods.
        gensets_w, solar_w: what gensets and solar plants give.
        ambient_degc: outside air.
        losses_w: transformers, cables, UPS and battery auxiliaries.
        throughput: work done in the last block over the work on offer, 1.0 is all of it.
        work: accelerator-seconds done and lost since the start, by cause.
        import_wh, export_wh: at the meter since the start.
        hot_spot_degc: of each transformer.  # (transformers,)
        tripped: names of open breakers.
    """

    block_grid_w: FloatArray
    block_load_w: FloatArray
    feeds_w: FloatArray
    branch_w: FloatArray
    batteries_charge_w: FloatArray
    batteries_soc: FloatArray
    hot_spot_degc: FloatArray
    battery_charge_w: float = 0.0
    soc: float = float("nan")
    grid_w: float = 0.0
    it_w: float = 0.0
    pods_w: float = 0.0
    chargers_w: float = 0.0
    losses_w: float = 0.0
    gensets_w: float = 0.0
    solar_w: float = 0.0
    ambient_degc: float = float("nan")
    throughput: float = 1.0
    work: Work = NO_WORK
    import_wh: float = 0.0
    export_wh: float = 0.0
    tripped: tuple[str, ...] = ()


def empty_truth() -> Truth:
    """Before anything is known."""
    none = np.empty(0)
    return Truth(none, none, none, none, none, none, none)
