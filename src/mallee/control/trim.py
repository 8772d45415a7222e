"""Feedback at every meter: what stands above a limit is taken off what the loads may draw.

Sums of nameplates and claims make control fast; this makes it true. Whatever the cause (a battery
that does not deliver, a charger that ignores its limit, a plant hotter than thought), the excess
over the aim is added to a trim that lowers the branch's capacity, at once and whole, and not again
before the devices have had time to obey. It is given back slowly. It never exceeds what can be
shed, so it does not wind up.

    capacity = limit - margin - other - trim + what batteries have proved
"""

import math

import msgspec
import numpy as np
from msgspec.structs import replace

from mallee.control.limits import Limits
from mallee.core.arrays import FloatArray

OBEY_S = 2.5
"""Chargers obey within 2 s, node caps within 2 s; a second correction before would count twice."""
RELEASE_PER_S = 0.05
"""Part of the distance to the aim that is given back in a second: the closer, the slower, so that a
cause that stays is met gently."""
DEADBAND_FRAC = 0.002
"""Import this close to the aim counts as there."""


class Trim(msgspec.Struct, frozen=True, kw_only=True):
    """Correction of one metered branch.

    Attributes:
        trim_w: taken off its capacity.
        added_s: when it was last raised.
        mean_w: flow at the last look, to see how fast it rises.
    """

    trim_w: float = 0.0
    added_s: float = -1e9
    mean_w: float = math.nan


def next_trims(
    before: tuple[Trim, ...],
    mean_w: FloatArray,
    aim_w: FloatArray,
    sheddable_w: FloatArray,
    limits: Limits,
    time_s: float,
    period_s: float,
) -> tuple[Trim, ...]:
    """Corrections after one more look. Called once a second, or when a limit is crossed.

    Args:
        mean_w: flow of each metered branch over the last second; NaN leaves its trim.  # (metered,)
        aim_w: what each is to stay under.  # (metered,)
        sheddable_w: what the loads below each could still give up.  # (metered,)
        period_s: time since the last call, for giving back.
    """
    return tuple(
        _next(one, float(mean), float(aim), float(shed), float(limit), time_s, period_s)
        for one, mean, aim, shed, limit in zip(
            before, mean_w, aim_w, sheddable_w, limits.contract_w, strict=True
        )
    )


def _next(
    before: Trim,
    mean_w: float,
    aim_w: float,
    sheddable_w: float,
    limit_w: float,
    time_s: float,
    period_s: float,
) -> Trim:
    if not np.isfinite(mean_w):
        return before
    over_w = mean_w - aim_w
    if over_w > DEADBAND_FRAC * limit_w:
        if time_s - before.added_s < OBEY_S:
            return replace(before, mean_w=mean_w)
        # What rises goes on rising until the devices have obeyed.
        rise_w = max(0.0, mean_w - before.mean_w) if before.mean_w == before.mean_w else 0.0
        added_w = min(over_w + rise_w * OBEY_S, max(sheddable_w, 0.0))
        return Trim(trim_w=before.trim_w + added_w, added_s=time_s, mean_w=mean_w)
    if over_w < -DEADBAND_FRAC * limit_w:
        left_w = before.trim_w + RELEASE_PER_S * period_s * over_w
        return Trim(trim_w=max(0.0, left_w), added_s=before.added_s, mean_w=mean_w)
    return replace(before, mean_w=mean_w)
