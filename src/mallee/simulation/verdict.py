"""Whether a run kept its limits: which was broken, by how much, for how long, when first.

Judged on what truly flowed, not on what sensors said. Powers at the meter are 1 s means, as the
contract's meter keeps them; the figures state the 20 ms peaks beside them.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.simulation.run import Simulation
from mallee.site.compliance import check_record, ramp_tolerance_w

SOC_SLACK = 0.005
"""Farther outside the window than a battery's own register resolves counts as a break."""


class Finding(NamedTuple):
    """One limit.

    Attributes:
        limit: a stable name.
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
    feed, grid_w = run.site.grid, run.series["grid_w"]
    record = check_record(grid_w, feed)
    highest_w, lowest_w = _top(grid_w), -_top(-grid_w)
    found = [
        _finding("import", "w", feed.import_max_w, highest_w, record.over_import),
        _finding("export", "w", feed.export_max_w, max(0.0, -lowest_w), record.over_export),
    ]
    if math.isfinite(min(feed.ramp_up_w_per_s, feed.ramp_down_w_per_s)):
        tolerance_w = ramp_tolerance_w(feed)
        note = f"{tolerance_w / 1e3:g} kW tolerated; {record.over_ramp_strict.sum()} s without"
        excess_w = _top(record.ramp_excess_w)
        found.append(_finding("ramp", "w", tolerance_w, excess_w, record.over_ramp, note))
    return [*found, *_soc_window(run), _breakers(run)]


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
