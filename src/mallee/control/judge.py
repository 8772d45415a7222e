"""Which meters are believed now, and what stands in for one that is not.

A feed whose meter is silent or contradicts its devices is reckoned from the devices and from what
was learned to flow beside them: control goes on, `degraded`, with a wider margin. Only where the
devices cannot be seen either is there nothing to go by, and everything goes to its safe value.
"""

from typing import NamedTuple

import numpy as np

from mallee.control.learning import known_w, other_w
from mallee.control.limits import Limits
from mallee.control.meter_check import MeterCheck, next_check
from mallee.control.state import ControlState
from mallee.control.view import LoadsView, View
from mallee.core.arrays import FloatArray
from mallee.core.status import Mode

UNSEEN_MAX_FRAC = 0.1
"""Devices stand in for a meter while those that cannot be seen could draw at most this share of the
contract."""


class Judgement(NamedTuple):
    """What control goes by.

    Attributes:
        mode: `auto`, `degraded` or `safe`.
        flow_w: each metered branch; NaN for one inside the site that cannot be seen.  # (metered,)
        known_w: what devices say is below each.  # (metered,)
        measured: whether each flow is a reading.  # (metered,)
        checks: of each feed's meter.
    """

    mode: Mode
    flow_w: FloatArray
    known_w: FloatArray
    measured: np.ndarray
    checks: tuple[MeterCheck, ...]


def judge(
    state: ControlState,
    view: View,
    loads: LoadsView,
    limits: Limits,
    time_s: float,
    period_s: float,
) -> Judgement:
    """Compare meters with devices, and find what to go by.

    Args:
        state: with the flows' means brought up to date.
        period_s: time since the last comparison; 0 compares nothing.
    """
    known = known_w(view, loads, limits)
    unseen_w = _unseen_w(view, loads, limits)
    flow_w = np.array(state.flow_mean_w)
    checks = state.checks or (MeterCheck(),) * limits.feeds
    if period_s > 0.0 and unseen_w <= 0.02 * limits.contracted_w:
        checks = tuple(
            next_check(
                check,
                flow_w=float(flow_w[feed]),
                reading_w=view.flow_w[feed],
                known_w=float(known[feed]),
                other_max_w=float(limits.budget.other_max_w[limits.metered[feed]]),
                contracted_w=limits.contracted_w / limits.feeds,
                time_s=time_s,
                period_s=period_s,
            )
            if view.seen[feed]
            else check
            for feed, check in enumerate(checks)
        )
    measured = np.array(view.seen)
    measured[: limits.feeds] &= [not check.distrusted for check in checks]
    flow_w = np.where(measured, flow_w, np.nan)
    if measured[: limits.feeds].all():
        return Judgement("auto", flow_w, known, measured, checks)
    can_stand_in = unseen_w <= UNSEEN_MAX_FRAC * limits.contracted_w and state.learned_s > 0.0
    if not can_stand_in:
        return Judgement("safe", flow_w, known, measured, checks)
    stand_in_w = (
        known + np.maximum(other_w(state.other_w, state.learned_s, limits), 0.0)[limits.metered]
    )
    feeds = np.arange(len(flow_w)) < limits.feeds
    flow_w = np.where(feeds & ~measured, stand_in_w, flow_w)
    return Judgement("degraded", flow_w, known, measured, checks)


def _unseen_w(view: View, loads: LoadsView, limits: Limits) -> float:
    """Most that devices without a reading could draw or give."""
    factor = limits.budget.loads.factor
    loads_w = float((loads.may_w * factor)[~loads.seen].sum())
    return loads_w + sum(
        max(battery.limits.charge_max_w, battery.limits.discharge_max_w)
        for battery in view.batteries
        if not battery.seen
    )
