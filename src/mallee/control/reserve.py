"""How much load the batteries can carry beyond the import limit, for long enough to react.

While the state of charge is well inside its window this is the inverter's rating. Near the floor
it falls in proportion to what is left, so chargers and nodes are asked to give way gently,
minutes before the battery is empty.
"""

from dataclasses import dataclass

from mallee.control.limits import Limits
from mallee.control.view import View
from mallee.core.units import SECONDS_PER_HOUR

HOLD_S = 900.0
"""Support is what can be held this long: a job needs minutes to checkpoint and pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """What the batteries offer control.

    Attributes:
        support_w: load above the import limit that they can carry for `HOLD_S`.
        swing_w: power they can move both up and down now, to take ramps.
        discharge_max_w: power they can give now, however briefly.
        discharge_wh: energy above the floor of the window.
        energy_wh: capacity of the batteries that can be seen.
        soc: mean state of charge, weighted by capacity; the target where none can be seen.
    """

    support_w: float
    swing_w: float
    discharge_max_w: float
    discharge_wh: float
    energy_wh: float
    soc: float


def reserve_of(view: View, limits: Limits) -> Reserve:
    """Add up the batteries that can be seen."""
    support_w = swing_w = discharge_max_w = discharge_wh = energy_wh = stored_wh = 0.0
    for battery in view.batteries:
        if not battery.seen:
            continue
        capacity_wh = battery.limits.capacity_wh
        above_wh = max(0.0, battery.soc - limits.soc_min) * capacity_wh
        support_w += min(battery.discharge_max_w, above_wh * SECONDS_PER_HOUR / HOLD_S)
        swing_w += min(battery.charge_max_w, battery.discharge_max_w)
        discharge_max_w += battery.discharge_max_w
        discharge_wh += above_wh
        energy_wh += capacity_wh
        stored_wh += battery.soc * capacity_wh
    soc = stored_wh / energy_wh if energy_wh > 0.0 else limits.soc_target
    return Reserve(
        support_w=support_w,
        swing_w=swing_w,
        discharge_max_w=discharge_max_w,
        discharge_wh=discharge_wh,
        energy_wh=energy_wh,
        soc=soc,
    )
