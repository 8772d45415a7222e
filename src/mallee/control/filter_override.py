"""Supervises the inverters' ramp filters: one that lets import stand too high is overridden.

The filter is the faster and better actuator, so it is left alone as long as the meter shows that
it works. If import stays above the limit although the batteries could hold it (a filter that was
set wrongly, that watches a broken current transformer, or that is unwinding a fault), control
gives the batteries a power set point with a short lease until the meter is well again. This is a
slow loop that leaves the ripple, so it aims low enough for the highest load that may come.
"""

from typing import NamedTuple

from mallee.control.limits import Limits
from mallee.control.view import View

OVER_FRAC = 1.01
"""Import above the limit by this factor counts; the filter itself keeps to the limit."""
START_S = 2.0
"""A filter that works is back under its limit in a second."""
STOP_S = 20.0
"""Control hands back after this long below the limit."""


class FilterOverride(NamedTuple):
    """Whether control holds the batteries itself, and since when import is on one side.

    Attributes:
        active: control gives set points, the filters rest.
        since_s: time since which import is over the limit (inactive) or under it (active).
    """

    active: bool
    since_s: float | None


def supervise(
    view: View,
    limits: Limits,
    *,
    import_mean_w: float,
    active: bool,
    since_s: float | None,
    time_s: float,
) -> FilterOverride:
    """Decide whether the filters are to be overridden. Called whenever control decides.

    Args:
        view: the site as seen.
        limits: its limits.
        import_mean_w: import over the last second.
        active, since_s: what was decided before.
        time_s: now.
    """
    is_over = import_mean_w > limits.import_aim_w * OVER_FRAC
    can_help = any(
        battery.seen and battery.charge_w > -0.98 * battery.discharge_max_w
        for battery in view.batteries
    )
    if not active:
        if not (is_over and can_help):
            return FilterOverride(active=False, since_s=None)
        began_s = time_s if since_s is None else since_s
        return FilterOverride(active=time_s - began_s >= START_S, since_s=began_s)
    if is_over:
        return FilterOverride(active=True, since_s=None)
    began_s = time_s if since_s is None else since_s
    return FilterOverride(active=time_s - began_s < STOP_S, since_s=began_s)


def set_points_w(view: View, limits: Limits, pods_max_w: float) -> list[float]:
    """Charge power of each battery that keeps import under its limit.

    Never charges, and never gives more than the load takes now.

    Args:
        view: the site as seen.
        limits: its limits.
        pods_max_w: what the pods may draw under their caps.
    """
    highest_w = max(view.load_w, view.chargers_w + pods_max_w)
    gives_most_w = max(0.0, view.load_w - limits.import_min_w)
    needed_w = min(max(0.0, highest_w - limits.import_aim_w), gives_most_w)
    able_w = sum(battery.discharge_max_w for battery in view.batteries)
    if able_w <= 0.0:
        return [0.0 for _ in view.batteries]
    used = min(1.0, needed_w / able_w)
    return [-used * battery.discharge_max_w for battery in view.batteries]
