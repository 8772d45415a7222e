"""What flows beside loads that say what they draw: learned from the meters, worst case until then.

Plant, pumps, switches and losses have no meter of their own in most sites, and together they change
with the weather by a tenth of the load. At each metered branch they are what the meter shows less
what batteries, chargers and nodes say. Node and charger readings are a second old and averaged, so
only a mean over some seconds says anything: swings cancel in it, where they would not in its
absolute value.
"""

import math

import numpy as np

from mallee.control.limits import Limits
from mallee.control.view import LoadsView, View
from mallee.core.arrays import FloatArray

MEAN_S = 60.0
"""Time constant of what is learned: many iterations of a job, short against the weather."""
FORGET_S = 10.0
"""The nameplate bound gives way to what is learned with this time constant."""
MARGIN_FRAC = 0.01
"""Kept above what was learned, as a share of the branch's limit: pumps and fans follow the load."""


def known_w(view: View, loads: LoadsView, limits: Limits) -> FloatArray:
    """What batteries, chargers and nodes below each metered branch say together.  # (metered,)"""
    budget = limits.budget
    own_w = loads.power_w * budget.loads.factor
    through = budget.tree.carried(budget.loads.branch, own_w)[limits.metered]
    for battery in view.batteries:
        through[battery.limits.feed] += battery.charge_w
    return through


def learn_other(
    before_w: tuple[float, ...],
    measured_w: FloatArray,
    known: FloatArray,
    limits: Limits,
    learned_s: float,
    period_s: float,
) -> tuple[float, ...]:
    """Next mean of what flows beside what is known, at each metered branch.

    Args:
        before_w: the last mean; NaN where nothing was learned yet.  # (metered,)
        measured_w: what the meters show; NaN where that is not to be learned from.  # (metered,)
        known: what the devices say.  # (metered,)
        learned_s: how long has been learned before; the first seconds count alike.
    """
    highest_w = limits.budget.other_max_w[limits.metered]
    weight = min(1.0, period_s / min(MEAN_S, learned_s + period_s))
    after = []
    besides_w = (measured_w - known).tolist()
    for mean_w, now_w, most_w, limit_w in zip(
        before_w, besides_w, highest_w.tolist(), limits.contract_w.tolist(), strict=True
    ):
        if not math.isfinite(now_w):
            after.append(mean_w)
            continue
        # One absurd reading must not be remembered for long.
        seen_w = min(max(now_w, -most_w - 0.1 * limit_w), most_w + limit_w)
        start_w = seen_w if math.isnan(mean_w) else mean_w
        after.append(start_w + (seen_w - start_w) * weight)
    return tuple(after)


def other_w(mean_w: tuple[float, ...], learned_s: float, limits: Limits) -> FloatArray:
    """What to count with beside the steerable loads, at every branch.

    Metered branches: what was learned and a margin, blended with the nameplate bound while that is
    young. Others: their named loads at their highest, and of the plant that nobody named the share
    that the feeds show to run now.

    Args:
        learned_s: how long has been learned.
    """
    budget, metered = limits.budget, limits.metered
    bound_w = budget.other_max_w[metered]
    learned_w = np.array(mean_w) + MARGIN_FRAC * limits.contract_w
    young = math.exp(-learned_s / FORGET_S)
    measured_w = np.where(np.isnan(learned_w), bound_w, learned_w + young * (bound_w - learned_w))
    found: FloatArray = budget.fixed_w + budget.plant_w * _plant_share(learned_w, learned_s, limits)
    found[metered] = measured_w
    return found


def _plant_share(learned_w: FloatArray, learned_s: float, limits: Limits) -> float:
    """Share of the unnamed plant's bound that runs now, from what flows beside known loads.

    Half of the named loads' highest is taken off that, so the share is rather too high. The
    protection of branches without a meter has minutes: before anything is learned it is 0.
    """
    feeds = limits.metered[: limits.feeds]
    plant_w = float(limits.budget.plant_w[feeds].sum())
    shown_w = learned_w[: limits.feeds].sum()
    if learned_s < FORGET_S or plant_w <= 0.0 or not np.isfinite(shown_w):
        return 0.0
    fixed_w = float(limits.budget.fixed_w[feeds].sum())
    return float(np.clip((shown_w - 0.5 * fixed_w) / plant_w, 0.0, 1.0))
