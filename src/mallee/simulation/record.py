"""What is written down while a run goes on: one row a second, and the meter at 20 ms."""

from typing import Final

import numpy as np

from mallee.control import ControlState
from mallee.core.arrays import Float32Array, FloatArray, IntArray
from mallee.core.units import SECONDS_PER_HOUR
from mallee.kinds import KINDS
from mallee.kinds.cdu import CDU
from mallee.kinds.meter import METER
from mallee.kinds.node import NODE
from mallee.site.model import SiteModel
from mallee.twin.parts.compute.work import CAUSES, Work
from mallee.twin.site_twin import SiteTwin

CONTROL_MS: Final = 100
STEPS_PER_S: Final = 50
BRANCHES_MAX: Final = 40
"""A larger site's report shows its feeds and transformers only."""

SERIES: Final = (
    "grid_w",
    "load_w",
    "battery_charge_w",
    "chargers_w",
    "it_w",
    "pods_w",
    "losses_w",
    "meter_reading_w",
    "soc",
    "throughput",
    "cap_frac",
    "gpu_max_degc",
    "supply_degc",
    "return_degc",
    "import_in_force_w",
    *(f"lost_{cause}" for cause in CAUSES),
)
"""Columns of the record; powers are means over the second, the rest is taken at its end.

`meter_reading_w` is what the first meter said, beside the true `grid_w`. `cap_frac` is the mean of
node caps over their most. `lost_*` is the share of the offered work that was lost in the second,
`throughput` what is left of it.
"""

_MEANS: Final = ("battery_charge_w", "chargers_w", "it_w", "pods_w", "losses_w")


class Record:
    """Room for the whole run, filled in place.

    Attributes:
        series: columns by the names in `SERIES`.  # (seconds,) each
        grid_20ms_w, load_20ms_w: true import, and the same without batteries.  # (steps,)
        branches_w: true power into the branches `branch_rows`, means.  # (seconds, branches)
        feeds_w: true import through each utility feed, means.  # (seconds, feeds)
        pods_each_w: AC power of the racks of each pod.  # (seconds, pods)
        dark_racks: racks that lost their supply, by when it was first seen, in s.
    """

    def __init__(self, site: SiteModel, twin: SiteTwin, seconds: int) -> None:
        self._twin, self._site = twin, site
        self.series = {name: np.full(seconds, np.nan) for name in SERIES}
        self.grid_20ms_w = np.zeros(seconds * STEPS_PER_S)
        self.load_20ms_w = np.zeros(seconds * STEPS_PER_S)
        self.branch_rows = _shown_branches(site)
        self.branches_w: Float32Array = np.zeros((seconds, len(self.branch_rows)), np.float32)
        self.feeds_w = np.zeros((seconds, len(site.feed_branches)))
        self._feeds_wh = self._through_feeds_wh()
        self.pods_each_w: Float32Array = np.zeros((seconds, len(site.pods)), np.float32)
        self.dark_racks: dict[str, float] = {}
        self._blocks = 1000 // CONTROL_MS
        self._sums = np.zeros((self._blocks, len(_MEANS)))
        self._readings = np.zeros(self._blocks)
        self._work = twin.truth.work
        meters = site.rows(METER, "import_w")
        self._meter_row = int(meters[0]) if meters.size else -1
        self._supply_rows = site.rows(CDU, "supply_degc")
        self._return_rows = site.rows(CDU, "return_degc")
        self._cap_rows, self._cap_max_w = _caps(site)
        temps = [
            group.rows(point.name)
            for group in site.groups_of(NODE)
            for point in group.model.point
            if point.name.startswith("gpu") and point.name.endswith("_temp_degc")
        ]
        self._gpu_rows = np.concatenate(temps) if temps else np.empty(0, np.int64)

    def take_block(self, second: int, part: int) -> None:
        """Write down what the last 100 ms were."""
        twin, truth = self._twin, self._twin.truth
        steps = CONTROL_MS * STEPS_PER_S // 1000
        at = second * STEPS_PER_S + part * steps
        self.grid_20ms_w[at : at + steps] = truth.block_grid_w
        self.load_20ms_w[at : at + steps] = truth.block_load_w
        self._sums[part] = [getattr(truth, name) for name in _MEANS]
        self.branches_w[second] += truth.branch_w[self.branch_rows] / self._blocks
        racks_w = twin.compute.input_w
        self.pods_each_w[second] += (
            np.bincount(self._site.racks.pod, racks_w, len(self._site.pods)) / self._blocks
        )
        if self._meter_row >= 0:
            self._readings[part] = twin.reported[self._meter_row]

    def take_second(self, second: int, state: ControlState) -> None:
        """Write down the second that has just ended."""
        here = slice(second * STEPS_PER_S, (second + 1) * STEPS_PER_S)
        truth, reported, series = self._twin.true_points, self._twin.reported, self.series
        means = self._sums.mean(axis=0)
        series["grid_w"][second] = self.grid_20ms_w[here].mean()
        series["load_w"][second] = self.load_20ms_w[here].mean()
        before_wh, self._feeds_wh = self._feeds_wh, self._through_feeds_wh()
        self.feeds_w[second] = (self._feeds_wh - before_wh) * SECONDS_PER_HOUR
        for column, name in enumerate(_MEANS):
            series[name][second] = means[column]
        series["soc"][second] = self._twin.truth.soc
        series["import_in_force_w"][second] = state.import_in_force_w
        if self._meter_row >= 0:
            series["meter_reading_w"][second] = self._readings.mean()
        if self._cap_rows.size:
            series["cap_frac"][second] = (truth[self._cap_rows] / self._cap_max_w).mean()
        if self._gpu_rows.size:
            series["gpu_max_degc"][second] = reported[self._gpu_rows].max()
        if self._supply_rows.size:
            series["supply_degc"][second] = reported[self._supply_rows].mean()
            series["return_degc"][second] = reported[self._return_rows].mean()
        before, self._work = self._work, self._twin.truth.work
        lost_s = np.subtract(self._work.lost_s, before.lost_s)
        offered_s = self._work.done_s - before.done_s + float(lost_s.sum())
        shares = lost_s / offered_s if offered_s > 0.0 else np.zeros(len(CAUSES))
        for cause, share in zip(CAUSES, shares.tolist(), strict=True):
            series[f"lost_{cause}"][second] = share
        series["throughput"][second] = 1.0 - float(shares.sum())
        for rack in np.flatnonzero(self._twin.compute.supply.dark).tolist():
            self.dark_racks.setdefault(self._site.racks.names[rack], second + 1.0)

    def _through_feeds_wh(self) -> FloatArray:
        """Energy through each feed since the start.  # (feeds,)"""
        feeds = self._twin.branches.state[self._site.feed_branches]
        return np.asarray(feeds["import_wh"] - feeds["export_wh"])

    @property
    def work(self) -> Work:
        """Work done and lost, by cause."""
        return self._work


def _shown_branches(site: SiteModel) -> IntArray:
    if len(site.branches) <= BRANCHES_MAX:
        return np.arange(len(site.branches))
    upper = [i for i, b in enumerate(site.branches) if b.kind in ("grid", "transformer")]
    return np.array(upper[:BRANCHES_MAX], np.int64)


def _caps(site: SiteModel) -> tuple[IntArray, FloatArray]:
    """Rows of node caps, and the most that each may be set to.  # (nodes,) each"""
    rows, most = [], []
    for group in site.groups_of(NODE):
        bounds = KINDS[group.kind].write_range(group.model, "cap_w")
        if bounds is not None and "cap_w" in group.model.index:
            rows.append(group.rows("cap_w"))
            most.append(np.full(group.count, bounds[1]))
    if not rows:
        return np.empty(0, np.int64), np.empty(0)
    return np.concatenate(rows), np.concatenate(most)
