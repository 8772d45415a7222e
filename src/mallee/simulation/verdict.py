"""Whether a run kept its limits: which was broken, by how much, for how long, when first.

Judged on what truly flowed, not on what sensors said. Powers at the meter are 1 s means, as the
contract's meter keeps them; the figures state the 20 ms peaks beside them. Every feed is held to
its own contract, and to the limits that its schedule sets at the time.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.simulation.contracts import FeedRecord, feed_records
from mallee.simulation.run import Simulation
from mallee.site.compliance import ramp_tolerance_w

SOC_SLACK = 0.005
"""Farther outside the window than a battery's own register resolves counts as a break."""


class Finding(NamedTuple):
    """One limit.

    Attributes:
        limit: a stable name; of a contract, with the feed where the site has several.
        unit: of `allowed` and `worst`: power, a fraction, or how many.
        allowed: the limit.
        worst: the farthest value; of a ramp, the change beyond what its window allows.
        broken_s: how long it was broken; 0 where it was held.
        first_s: when first, in the record's seconds; NaN where it was held.
        note: a tolerance that `broken_s` allows, or what was hit.
    """

    limit: str
    unit: Literal["w", "frac", "count"]
    allowed: float
    worst: float
    broken_s: float
    first_s: float
    note: str = ""

    @property
    def held(self) -> bool:
        """Whether the limit was kept all the time."""
        return self.broken_s == 0.0


def judge(run: Simulation) -> list[Finding]:
    """Every limit that the site has, in the order in which they matter."""
    records = feed_records(run)
    found = [one for record in records for one in _contract(record, is_only=len(records) == 1)]
    return [*found, *_soc_window(run), _breakers(run)]


def _contract(record: FeedRecord, *, is_only: bool) -> list[Finding]:
    """Limits in force and ramps of one feed; its name stands behind where there are several."""
    feed, kept = record.feed, record.compliance
    behind = "" if is_only else f" {feed.name}"
    found = []
    for limit, power_w, allowed_w, broken in (
        ("import", record.import_w, record.import_max_w, kept.over_import),
        ("export", -record.import_w, record.export_max_w, kept.over_export),
    ):
        at = np.argmax(power_w - allowed_w) if power_w.size else None
        allowed, worst = (math.nan, math.nan) if at is None else (allowed_w[at], power_w[at])
        worst = worst if limit == "import" else max(0.0, worst)
        found.append(_finding(limit + behind, "w", float(allowed), float(worst), broken))
    if math.isfinite(min(feed.ramp_up_w_per_s, feed.ramp_down_w_per_s)):
        tolerance_w = ramp_tolerance_w(feed)
        note = f"{tolerance_w / 1e3:g} kW tolerated; {kept.over_ramp_strict.sum()} s without"
        excess_w = _top(kept.ramp_excess_w)
        found.append(_finding("ramp" + behind, "w", tolerance_w, excess_w, kept.over_ramp, note))
    return found


def _finding(
    limit: str,
    unit: Literal["w", "frac", "count"],
    allowed: float,
    worst: float,
    broken: NDArray[np.bool_],
    note: str = "",
) -> Finding:
    first_s = float(np.argmax(broken) + 1) if broken.any() else math.nan
    return Finding(limit, unit, allowed, worst, float(broken.sum()), first_s, note)


def _soc_window(run: Simulation) -> list[Finding]:
    soc, control = run.series["soc"], run.site.file.control
    if not np.isfinite(soc).any():
        return []
    low, high = control.soc_min, control.soc_max
    return [
        _finding("soc-min", "frac", low, float(soc.min()), soc < low - SOC_SLACK),
        _finding("soc-max", "frac", high, float(soc.max()), soc > high + SOC_SLACK),
    ]


def _breakers(run: Simulation) -> Finding:
    """Breakers that opened by themselves; each stays open until the end or until a fault ends."""
    trips = [event for event in run.events if event.kind == "breaker-trip"]
    if not trips:
        return Finding("breakers", "count", 0.0, 0.0, 0.0, math.nan)
    names = ", ".join(sorted({trip.source for trip in trips}))
    first_s = trips[0].time_s
    open_s = run.series["grid_w"].size - first_s
    return Finding("breakers", "count", 0.0, float(len(trips)), max(open_s, 1.0), first_s, names)


def _top(values: FloatArray) -> float:
    return float(values.max()) if values.size else math.nan
