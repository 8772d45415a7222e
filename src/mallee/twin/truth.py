"""What the site truly does, for reports, checks and tests. Control never sees it."""

from dataclasses import dataclass

import numpy as np

from mallee.core.site import FloatArray


@dataclass(slots=True)
class Truth:
    """True quantities at the end of the last advance; powers are means of the last step.

    Attributes:
        block_grid_w: mean import at the meter of each step of the last advance.  # (steps,)
        feeder_w: power entering each feeder from above.  # (feeders,)
        battery_charge_w: of each battery, positive charges.  # (batteries,)
        soc: true state of charge.  # (batteries,)
        it_w: power of all nodes and switches behind their power supplies.
        pods_w: racks, their cooling and what else hangs on the pods.
        losses_w: transformers, cables and battery auxiliaries.
        throughput: 1.0 is uncapped.
        tripped: names of open breakers.
    """

    block_grid_w: FloatArray
    feeder_w: FloatArray
    battery_charge_w: FloatArray
    soc: FloatArray
    grid_w: float = 0.0
    it_w: float = 0.0
    pods_w: float = 0.0
    chargers_w: float = 0.0
    losses_w: float = 0.0
    throughput: float = 1.0
    import_wh: float = 0.0
    export_wh: float = 0.0
    tripped: tuple[str, ...] = ()


def empty_truth(feeders: int, batteries: int) -> Truth:
    """Before the first advance."""
    return Truth(np.empty(0), np.zeros(feeders), np.zeros(batteries), np.zeros(batteries))
