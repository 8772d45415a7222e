"""Who may draw how much: chargers first, then the nodes between their floor and maximum.

    import limit + what the batteries can carry
    |<- pods at their floor ->|<- chargers, as far as they want ->|<- nodes above the floor ->|

Both results only shrink what the ratings allow. Import may only climb as fast as the ramp limit
allows and the battery has to carry the rest meanwhile, so cars get no more than what both can
reach now: sixteen that come at once start a little below their full power and gain with import.
Without a battery that means the ramp alone: the pods may repeat what they lately drew, and grow
beyond it no faster than the contract allows.
"""

from dataclasses import dataclass

from mallee.control.limits import Limits
from mallee.control.reserve import Reserve
from mallee.control.view import View

DISCHARGE_USE_FRAC = 0.95
"""Share of the batteries' power that cars may lean on; the rest is for what nobody foresees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What the two kinds of load may draw, AC, in sum."""

    chargers_max_w: float
    pods_max_w: float


def pods_peak_w(before_w: float, view: View, limits: Limits, period_s: float) -> float:
    """What the pods lately drew at most: falls as slowly as import may.

    The pods are what is left of the load beside the chargers.
    """
    pods_w = max(0.0, view.load_w - view.chargers_w)
    return max(pods_w, before_w - limits.ramp_down_w_per_s * period_s)


def share(
    view: View, reserve: Reserve, limits: Limits, *, peak_w: float, period_s: float
) -> Shares:
    """Split what the site can carry.

    Args:
        view: the site as seen.
        reserve: what the batteries offer.
        limits: ratings and contract.
        peak_w: what the pods lately drew at most.
        period_s: time until the next split; bounds growth while no battery takes the ramp.
    """
    site_max_w = limits.import_aim_w + reserve.support_w
    chargers_rated_w = sum([charger.max_w for charger in limits.chargers])
    chargers_max_w = min(chargers_rated_w, max(0.0, site_max_w - limits.pods_min_w))
    chargers_w = min(view.chargers_w, chargers_max_w)
    pods_max_w = max(limits.pods_min_w, site_max_w - chargers_w)
    growth_w = limits.ramp_up_w_per_s * period_s
    if reserve.swing_w <= 0.0:
        chargers_max_w = min(chargers_max_w, chargers_w + growth_w)
        pods_max_w = min(pods_max_w, max(limits.pods_min_w, peak_w + growth_w))
    else:
        reach_w = view.import_w + growth_w + DISCHARGE_USE_FRAC * reserve.discharge_max_w
        pods_peak_w = min(pods_max_w, limits.pods_max_w)
        chargers_max_w = min(chargers_max_w, max(0.0, reach_w - pods_peak_w))
    return Shares(chargers_max_w=chargers_max_w, pods_max_w=min(pods_max_w, limits.pods_max_w))


def cap_fraction(pods_max_w: float, limits: Limits) -> float:
    """Where between floor (0) and maximum (1) the node caps keep the pods in `pods_max_w`."""
    range_w = limits.pods_max_w - limits.pods_min_w
    if range_w <= 0.0:
        return 1.0
    return min(max((pods_max_w - limits.pods_min_w) / range_w, 0.0), 1.0)


def capped_pods_w(fraction: float, limits: Limits) -> float:
    """What the pods may draw with all node caps at a fraction: the inverse of `cap_fraction`."""
    return limits.pods_min_w + fraction * (limits.pods_max_w - limits.pods_min_w)


def charger_limits_w(total_w: float, powers_w: list[float], limits: Limits) -> list[float]:
    """Split the chargers' share: each gets what it draws plus an equal part of the rest."""
    chargers = limits.chargers
    if not chargers:
        return []
    drawn_w = sum(powers_w)
    if drawn_w > total_w:
        return [
            min(charger.max_w, total_w * power_w / drawn_w)
            for charger, power_w in zip(chargers, powers_w, strict=True)
        ]
    spare_w = (total_w - drawn_w) / len(chargers)
    return [
        min(charger.max_w, power_w + spare_w)
        for charger, power_w in zip(chargers, powers_w, strict=True)
    ]
