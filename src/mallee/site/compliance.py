"""Judges a record of the meter against a feed's contract: limits and ramp windows.

Everything here is about 1 s means, as meters of record keep them. The tolerance on ramps is stated
with every result, beside the count without it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.site.contract import UtilityFeed

RATE_WINDOW_S = 60
"""A contract that gives a rate in W/s holds between any two seconds up to this far apart."""
TOLERANCE_FRAC = 0.02
"""Share of the contracted power allowed on top of a ramp, for what a 1 s mean cannot resolve."""


class Compliance(NamedTuple):
    """What the record shows; powers are 1 s means at the meter.

    Attributes:
        over_import, over_export: seconds above the import limit, below the export limit.
        over_ramp: seconds that differ from an earlier one by more than a window allows, plus the
            tolerance; over_ramp_strict without it.
        ramp_excess_w: by how much, beyond the window without tolerance; 0 where it was held.
        change_1s_max_w, change_60s_max_w: largest difference within 1 s and within 60 s.
    """

    over_import: NDArray[np.bool_]
    over_export: NDArray[np.bool_]
    over_ramp: NDArray[np.bool_]
    over_ramp_strict: NDArray[np.bool_]
    ramp_excess_w: FloatArray
    change_1s_max_w: float
    change_60s_max_w: float


class _Window(NamedTuple):
    """Most that may change between two seconds `distance_s` apart or closer."""

    distance_s: int
    up_max_w: float
    down_max_w: float


def ramp_tolerance_w(feed: UtilityFeed) -> float:
    """What `over_ramp` allows on top of a window."""
    return TOLERANCE_FRAC * feed.contracted_w


def check_record(
    grid_w: FloatArray,
    feed: UtilityFeed,
    import_max_w: FloatArray | None = None,
    export_max_w: FloatArray | None = None,
) -> Compliance:
    """Judge a record of 1 s means.

    Args:
        grid_w: import at the feed's meter.  # (seconds,)
        feed: the connection's contract.
        import_max_w, export_max_w: limits in force (`schedule.limits_over`); the contract's own
            where none are given.  # (seconds,)
    """
    seconds = grid_w.size
    excess_w = np.zeros(seconds)
    for window in _windows(feed):
        if window.distance_s >= seconds:
            continue
        now_w, then_w = grid_w[window.distance_s :], grid_w[: seconds - window.distance_s]
        change_w = now_w - then_w
        here_w = np.maximum(change_w - window.up_max_w, -change_w - window.down_max_w)
        np.maximum(excess_w[window.distance_s :], here_w, out=excess_w[window.distance_s :])
    return Compliance(
        over_import=grid_w > (feed.import_max_w if import_max_w is None else import_max_w),
        over_export=-grid_w > (feed.export_max_w if export_max_w is None else export_max_w),
        over_ramp=excess_w > ramp_tolerance_w(feed),
        over_ramp_strict=excess_w > 1e-6 * feed.contracted_w,
        ramp_excess_w=excess_w,
        change_1s_max_w=_largest_change_w(grid_w, 1),
        change_60s_max_w=_largest_change_w(grid_w, 60),
    )


def _windows(feed: UtilityFeed) -> list[_Window]:
    """Every distance in time at which the contract bounds a change."""
    up_w, down_w = feed.ramp_up_max_w_per_s, feed.ramp_down_max_w_per_s
    found = []
    if up_w is not None or down_w is not None:
        rates = (np.inf if rate is None else rate for rate in (up_w, down_w))
        up, down = rates
        found += [_Window(d, up * d, down * d) for d in range(1, RATE_WINDOW_S + 1)]
    for ramp in feed.ramps:
        distances = range(1, max(round(ramp.window_s), 1) + 1)
        found += [_Window(d, ramp.up_max_w, ramp.down_max_w) for d in distances]
    return found


def _largest_change_w(grid_w: FloatArray, within_s: int) -> float:
    distances = range(1, min(within_s, grid_w.size - 1) + 1)
    return max((float(np.abs(grid_w[d:] - grid_w[:-d]).max()) for d in distances), default=0.0)
