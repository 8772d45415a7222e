"""Does the meter agree with the devices behind it? A wrong meter is worse than a missing one.

A current transformer put in backwards, a wrong ratio or a stuck register all give fresh, good
looking readings. What the meter shows less what the batteries charge must lie between the least
and the most that chargers and pods can be drawing by their own readings; what is left over,
smoothed because these readings are a second old, tells a lying meter from a swing.

             least                     most
    |----------[=========================]-----------> load by the meter
      unexplained          agrees          unexplained
"""

from mallee.control.limits import Limits
from mallee.control.view import View, devices_between_w
from mallee.core.snapshot import Snapshot

TOLERANCE_FRAC = 0.1
"""Share of the contracted power that losses and auxiliaries may differ by."""
START_FRAC = 0.2
STOP_FRAC = 0.05
"""Unexplained power, as a share of the contracted, at which the meter is distrusted and again
trusted."""
MEAN_S = 10.0


def unexplained_mean_w(
    before_w: float, view: View, snapshot: Snapshot, limits: Limits, period_s: float
) -> float:
    """Smoothed distance of the meter's load from what the devices can be drawing.

    Args:
        before_w: the last value.
        view: the site as seen; only called while the meter is fresh.
        snapshot: all readings.
        limits: the site's limits.
        period_s: time since the last value.
    """
    least_w, most_w = devices_between_w(snapshot, limits)
    unseen_w = sum(b.limits.discharge_max_w for b in view.batteries if not b.seen)
    slack_w = TOLERANCE_FRAC * limits.contracted_w + unseen_w
    below_w = least_w - slack_w - view.load_w
    above_w = view.load_w - most_w - limits.overhead_w - slack_w
    # Bounded, so that trust returns soon however far off a reading was.
    distance_w = min(max(0.0, below_w, above_w), limits.contracted_w)
    return before_w + (distance_w - before_w) * min(1.0, period_s / MEAN_S)


def is_distrusted(unexplained_w: float, limits: Limits, *, was_distrusted: bool) -> bool:
    """Whether the meter is left out of account."""
    frac = STOP_FRAC if was_distrusted else START_FRAC
    return unexplained_w > frac * limits.contracted_w
