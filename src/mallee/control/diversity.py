"""What loads may draw and do not: lent to others as far as it can be taken back in time.

A cap is the most that a node may ever draw; a training job draws it for parts of an iteration. What
lies between stands idle if every watt of every cap is reserved: cars starve, or caps fall for cars
that no limit forbids. A limit has its own time. Import counts as means of a second and loads obey
in two or three, a transformer or breaker heats for minutes. So what the nodes below a branch lately
did not draw is counted as free there, less the swing that its meter shows:

    lent = their caps - (what they draw + how far its meter's 1 s means lately stood above)

What the meter does not show, because a battery smooths it, needs no reserve. The little room that a
charger has above what it draws is lent, too. If the nodes take
their own back at once, the trim takes as much from all loads within their time to obey. If control
dies in that instant, leases end within half a minute: protection carries five quarters of its
rating for longer, and no more than that is lent.
"""

import msgspec
import numpy as np

from mallee.control.limits import Limits
from mallee.control.view import LoadsView
from mallee.core.arrays import FloatArray

FAST_S = 5.0
"""Mean over a few iterations of a job: what is seen of a load that begins."""
FORGET_S = 30.0
"""What was drawn or swung is forgotten with this time constant."""
ABSURD_W = 1e12
"""No reading of a flow is taken for more."""


class Diversity(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of it.

    Attributes:
        mean_w: what the nodes below each branch draw, over a few seconds.  # (branches,)
        drawn_w: the most that this lately was.  # (branches,)
        flow_w: mean flow of each metered branch.  # (metered,)
        swing_w: how far its 1 s means lately stood above that.  # (metered,)
    """

    mean_w: tuple[float, ...] = ()
    drawn_w: tuple[float, ...] = ()
    flow_w: tuple[float, ...] = ()
    swing_w: tuple[float, ...] = ()


def next_diversity(
    before: Diversity, loads: LoadsView, flow_w: FloatArray, limits: Limits, period_s: float
) -> Diversity:
    """After one more look. Nodes that were never seen count with their caps.

    Args:
        flow_w: each metered branch, mean of a second; NaN leaves its swing.  # (metered,)
        period_s: time since the last; 0 changes nothing.
    """
    if period_s <= 0.0 and before.mean_w:
        return before
    flow_w = np.clip(flow_w, -ABSURD_W, ABSURD_W)
    now_w = _nodes_w(loads.power_w, limits)
    if not before.mean_w:
        may_w = tuple(_nodes_w(loads.may_w, limits).tolist())
        flows = tuple(np.nan_to_num(flow_w).tolist())
        return Diversity(
            mean_w=may_w, drawn_w=may_w, flow_w=flows, swing_w=(0.0,) * len(limits.metered)
        )
    mean_w = np.array(before.mean_w)
    mean_w += (now_w - mean_w) * period_s / FAST_S
    slow_flow_w = np.array(before.flow_w)
    above_w = np.nan_to_num(np.maximum(flow_w - slow_flow_w, 0.0))
    slow_flow_w += np.nan_to_num(flow_w - slow_flow_w) * period_s / FAST_S
    return Diversity(
        mean_w=tuple(mean_w.tolist()),
        drawn_w=_held(before.drawn_w, mean_w, period_s),
        flow_w=tuple(slow_flow_w.tolist()),
        swing_w=_held(before.swing_w, above_w, period_s),
    )


def _held(before_w: tuple[float, ...], now_w: FloatArray, period_s: float) -> tuple[float, ...]:
    """The higher of now and what is not yet forgotten."""
    held_w = np.array(before_w)
    held_w += (now_w - held_w) * period_s / FORGET_S
    return tuple(np.maximum(held_w, now_w).tolist())


def lent_w(diversity: Diversity, loads: LoadsView, limits: Limits) -> FloatArray:
    """What each branch may be planned with beyond what limits in force leave.  # (branches,)"""
    counted_w = np.array(diversity.drawn_w)
    counted_w[limits.metered] += diversity.swing_w
    idle_w: FloatArray = np.maximum(_nodes_w(loads.may_w, limits) - counted_w, 0.0)
    steerable = limits.budget.loads
    room_w = np.minimum(loads.may_w, loads.wants_w) - loads.power_w
    room_w = np.where(steerable.is_charger & loads.seen, np.maximum(room_w, 0.0), 0.0)
    idle_w += limits.budget.tree.carried(steerable.branch, room_w * steerable.factor)
    return idle_w


def _nodes_w(power_w: FloatArray, limits: Limits) -> FloatArray:
    """Sum over the nodes below each branch.  # (branches,)"""
    loads = limits.budget.loads
    own_w = np.where(loads.is_charger, 0.0, power_w * loads.factor)
    return limits.budget.tree.carried(loads.branch, own_w)
