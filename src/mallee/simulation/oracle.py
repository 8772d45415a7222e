"""What no control could have avoided: a lower bound on the work that a limit takes.

The bound knows the whole run in advance, has a battery without losses, moves caps without delay and
keeps the margin that the site file asks for. Where cars come first it gives them what they took, in
the second in which they took it, and stops them otherwise. What remains is an energy balance of the
pods: if their unhindered mean is above what limit and battery can give, the excess must be capped.
"""

import numpy as np

from mallee.core.units import SECONDS_PER_HOUR
from mallee.kinds.battery import BATTERY
from mallee.simulation.run import Simulation
from mallee.twin.parts.compute.throughput import throughput_at


def forced_loss(run: Simulation, battery_frac: float = 1.0) -> float:
    """Share of the offered work that caps had to take, at least.

    Args:
        battery_frac: what is left of the battery that the site file names.

    Source: mean power of the pods over the run, undone of what caps took by the measured table of
    training throughput, against the import limit and the battery's usable energy.
    """
    series, site = run.series, run.site
    seconds = series["grid_w"].size
    lost = float(np.nanmean(series["lost_caps"]))
    pods_w, losses_w = float(series["pods_w"].mean()), float(series["losses_w"].mean())
    # Work falls slower than power does, so dividing by the work left bounds it from below.
    unhindered_w = pods_w / max(1.0 - lost, 0.1) + max(losses_w, 0.0)
    usable_wh, power_w = 0.0, 0.0
    for group in site.groups_of(BATTERY):
        energy_wh = group.count * group.model.parameter("energy_wh")
        soc = series["soc"][np.isfinite(series["soc"])]
        floor = site.file.control.soc_min
        usable_wh += (
            battery_frac * energy_wh * max(0.0, (float(soc[0]) if soc.size else floor) - floor)
        )
        power_w += battery_frac * group.count * group.model.parameter("discharge_max_w")
    from_battery_w = min(power_w, usable_wh * SECONDS_PER_HOUR / max(seconds, 1))
    control = site.file.control
    most_w = site.grid.import_max_w * (1.0 - control.import_margin_frac) + from_battery_w
    first_w = series["chargers_w"] if control.policy == "chargers-first" else np.zeros(seconds)
    given_w = most_w - first_w
    left = np.clip(given_w / max(unhindered_w, 1.0), 0.0, 1.0)
    return float(1.0 - throughput_at("training", left).mean())
