"""What requests ask of the batteries: a charge power, and whether they follow set points."""

from collections.abc import Sequence

from mallee.control.limits import Limits
from mallee.control.refusal import CHARGE, MODE, battery_of, why_not
from mallee.core.request import SITE, Request

SET_POINT_MODE = 1.0


def asked_charge_w(
    limits: Limits, requests: Sequence[Request]
) -> tuple[tuple[float, float], ...] | None:
    """Lowest and highest charge of each battery; None where nobody asks for any.

    A safe stop of the site asks for none.
    """
    found = [(-one.discharge_max_w, one.charge_max_w) for one in limits.batteries]
    is_asked = False
    for request in requests:
        if request.ask == "safe-stop" and request.subject == SITE:
            found, is_asked = [(0.0, 0.0)] * len(found), True
        position = battery_of(limits, request.subject, CHARGE)
        if request.ask != "bound" or position is None or why_not(limits, request):
            continue
        low_w, high_w = found[position]
        low_w, high_w = max(low_w, request.low), min(high_w, request.high)
        if low_w <= high_w:  # who came first is followed where two exclude each other
            found[position], is_asked = (low_w, high_w), True
    return tuple(found) if is_asked else None


def follow_set_points(limits: Limits, requests: Sequence[Request]) -> frozenset[str]:
    """Names of batteries whose own mode somebody asks to rest."""
    return frozenset(
        battery.name
        for request in requests
        for battery in limits.batteries
        if request.subject == f"{battery.name}/{MODE}"
        and request.low == SET_POINT_MODE
        and not why_not(limits, request)
    )
