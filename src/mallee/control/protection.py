"""Transformers and breakers have their own time: heat that is spent on short peaks and repaid.

A rating is what a branch carries for good. Its copper and its release feel the square of the
current, averaged over minutes: as long as that average is below the rating's, more may flow. Each
such branch keeps its heat, 1 at its rating held for good, and may carry

    I^2 = heat + (1 - heat) / (1 - exp(-ahead / tau))

of its rating squared: what would bring it to 1 in the time ahead, so that the room fades by itself
and a load that stays is met gently. Control that has just started counts every branch as hot.

    d heat / dt = (I^2 - heat) / tau
"""

import numpy as np

from mallee.control.limits import Limits
from mallee.control.view import LoadsView
from mallee.core.arrays import FloatArray

AHEAD_S = 30.0
"""A peak is planned for so long: cars and jobs are moved in seconds."""


def next_heat(
    before: tuple[float, ...],
    loads: LoadsView,
    other_w: FloatArray,
    flow_w: FloatArray,
    limits: Limits,
    period_s: float,
) -> tuple[float, ...]:
    """Heat of every branch after one more look.  # (branches,)

    Args:
        other_w: what flows beside the steerable loads.  # (branches,)
        flow_w: each metered branch; NaN where it is not known.  # (metered,)
        period_s: time since the last; 0 changes nothing.
    """
    budget = limits.budget
    if not before:
        return (1.0,) * len(budget.limit_w)
    if period_s <= 0.0:
        return before
    through_w = budget.tree.carried(budget.loads.branch, loads.power_w * budget.loads.factor)
    through_w += other_w
    through_w[limits.metered] = np.where(np.isnan(flow_w), through_w[limits.metered], flow_w)
    part = np.clip(through_w / np.maximum(budget.limit_w, 1.0), 0.0, 3.0)
    heat = np.array(before)
    heat += (part**2 - heat) * np.minimum(period_s / limits.thermal_tau_s, 1.0)
    return tuple(heat.tolist())


def spare_w(heat: tuple[float, ...], limits: Limits) -> FloatArray:
    """What each branch may carry beyond its rating now.  # (branches,)"""
    reached = 1.0 - np.exp(-AHEAD_S / limits.thermal_tau_s)
    square = np.array(heat) + (1.0 - np.array(heat)) / reached
    part = np.clip(np.sqrt(np.maximum(square, 0.0)), 1.0, limits.thermal_peak_frac)
    limit_w = np.where(np.isfinite(limits.budget.limit_w), limits.budget.limit_w, 0.0)
    return (part - 1.0) * limit_w
