"""Judges a record of the meter against the contract: limits and ramps, second by second."""

from typing import NamedTuple

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.site.contract import UtilityFeed

WINDOW_S = 60
"""A second is compared with each of the 60 before it."""
TOLERANCE_FRAC = 0.02
"""Share of the contracted power allowed on top of a ramp, for what a 1 s mean cannot resolve."""


class Compliance(NamedTuple):
    """What the record shows; powers are 1 s means at the meter.

    Attributes:
        limit_violations: seconds above the import limit or below the export limit.
        ramp_violations: seconds that differ from one of the 60 before by more than the ramp
            allows for that distance, plus the tolerance.
        change_1s_max_w, change_60s_max_w: largest difference within 1 s and within 60 s.
    """

    grid_max_w: float
    grid_min_w: float
    change_1s_max_w: float
    change_60s_max_w: float
    limit_violations: int
    ramp_violations: int


def check_record(grid_w: FloatArray, grid: UtilityFeed) -> Compliance:
    """Judge a record of 1 s means.

    Args:
        grid_w: import at the meter.  # (seconds,)
        grid: the connection's contract.
    """
    if grid_w.size == 0:
        return Compliance(np.nan, np.nan, 0.0, 0.0, 0, 0)
    broken = np.zeros(grid_w.size, bool)
    largest_w = np.zeros(WINDOW_S + 1)
    for distance_s in range(1, min(WINDOW_S, grid_w.size - 1) + 1):
        change_w = grid_w[distance_s:] - grid_w[:-distance_s]
        tolerance_w = TOLERANCE_FRAC * grid.contracted_w
        too_fast = change_w > grid.ramp_up_w_per_s * distance_s + tolerance_w
        too_fast |= -change_w > grid.ramp_down_w_per_s * distance_s + tolerance_w
        broken[distance_s:] |= too_fast
        largest_w[distance_s] = np.abs(change_w).max()
    outside = (grid_w > grid.import_max_w) | (grid_w < -grid.export_max_w)
    return Compliance(
        grid_max_w=float(grid_w.max()),
        grid_min_w=float(grid_w.min()),
        change_1s_max_w=float(largest_w[1]),
        change_60s_max_w=float(largest_w.max()),
        limit_violations=int(outside.sum()),
        ramp_violations=int(broken.sum()),
    )
