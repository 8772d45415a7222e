"""Which branches have a time of their own, and how much more than their rating they carry in it."""

from typing import NamedTuple

import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.site.budget import Budget
from mallee.site.model import SiteModel


class Thermal(NamedTuple):
    """How a kind of branch heats.

    Attributes:
        tau_s: time constant.
        peak_frac: the most that it carries for moments, of its rating.
    """

    tau_s: float
    peak_frac: float


THERMAL = {"transformer": Thermal(420.0, 1.2), "breaker": Thermal(60.0, 1.05)}
"""By kind of branch. A transformer's winding over its oil has 7 min, and 1.5 times its rating is
allowed in short-time emergencies (IEC 60076-7; physics reference V8). A breaker's release does not
act below 1.05 of its setting (IEC 60947-2, conventional non-tripping current)."""
STEADY = Thermal(1e9, 1.0)
"""What keeps to its rating."""


def thermal_of(site: SiteModel, budget: Budget, metered: IntArray) -> tuple[FloatArray, FloatArray]:
    """Time constant and peak of each branch.  # (branches,) each

    Branches that carry a battery, whose swings no load tells of, and those with a meter, whose
    trim holds them to their rating, are steady.
    """
    rows = [THERMAL.get(branch.kind, STEADY) for branch in site.branches]
    tau_s = np.array([row.tau_s for row in rows])
    peak_frac = np.array([row.peak_frac for row in rows])
    peak_frac[metered] = 1.0
    return tau_s, np.where(budget.battery_w > 0.0, 1.0, peak_frac)
