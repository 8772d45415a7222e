"""What came of an event: baseline, reduction, time to target, misses; what a settlement needs."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.response.event import GridEvent, target_w
from mallee.optimize.series import Series

TOLERANCE_FRAC: Final = 0.005
"""Above the target by less than this share counts as on it: a revenue meter's class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """An event in figures; powers are means over the meter's steps.

    Attributes:
        baseline_w: mean of what would have been drawn.
        reduction_wh: energy not drawn against the baseline, over the event.
        reduction_frac: of the baseline's energy.
        reached_s: from its start until import first was at or below the target; NaN for never.
        over_s: time above the target after the ramp.
        over_max_w: by how much at most.
        under_max_frac: deepest dip below the target, as a share of it.
        recovery_max_w: highest import in the hour after, for a rebound.
    """

    event: str
    baseline_w: float
    reduction_wh: float
    reduction_frac: float
    reached_s: float
    over_s: float
    over_max_w: float
    under_max_frac: float
    recovery_max_w: float


def settle(event: GridEvent, meter: Series, baseline_w: FloatArray) -> Settlement:
    """Judge an event by the meter.

    Args:
        meter: mean import of each step, from before the event until after it.
        baseline_w: what would have been drawn, one a step of the meter.
    """
    starts = meter.starts_utc_s
    first, last = event.targets[0].from_utc_s, event.targets[-1].until_utc_s
    inside = (starts >= first) & (starts < last)
    targets = np.array(
        [
            target_w(event, float(t) + meter.step_s / 2.0, float(b))
            for t, b in zip(starts, baseline_w, strict=True)
        ]
    )
    excess = np.where(inside, meter.values - targets, -np.inf)
    met = inside & (excess <= TOLERANCE_FRAC * targets)
    settled = inside & (starts >= first + event.ramp_s)
    over = np.where(settled, np.maximum(excess - TOLERANCE_FRAC * targets, 0.0), 0.0)
    under = np.where(settled & np.isfinite(targets), 1.0 - meter.values / targets, 0.0)
    hours = meter.step_s / 3600.0
    saved = float(np.sum((baseline_w - meter.values)[inside])) * hours
    base = float(np.sum(baseline_w[inside])) * hours
    after = (starts >= last) & (starts < last + 3600.0)
    reached = np.flatnonzero(met)
    return Settlement(
        event=event.id,
        baseline_w=float(np.mean(baseline_w[inside])) if inside.any() else np.nan,
        reduction_wh=saved,
        reduction_frac=saved / base if base > 0.0 else 0.0,
        reached_s=float(starts[reached[0]] - first) if reached.size else np.nan,
        over_s=float(np.count_nonzero(over > 0.0)) * meter.step_s,
        over_max_w=float(over.max(initial=0.0)),
        under_max_frac=float(under.max(initial=0.0)),
        recovery_max_w=float(meter.values[after].max()) if after.any() else np.nan,
    )
