"""The whole budget of a site, once: what may flow in every branch, and what can be steered.

    capacity of a branch = its limit - what cannot be steered below it
                         = sum of what the steerable loads below it may draw

Control, the safe state, the standing limits of chargers and `mallee check` all use these arrays.
What cannot be steered counts with the most it can draw: switches, pumps, plant on the hottest day,
losses. Control replaces that by what it has measured.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mallee.core.arrays import NO_INDEX, BoolArray, FloatArray, IntArray
from mallee.kinds import KINDS
from mallee.kinds.charger import CHARGER
from mallee.kinds.meter import METER
from mallee.kinds.node import NODE
from mallee.kinds.power_shelf import POWER_SHELF
from mallee.site.branch_tree import BranchTree
from mallee.site.loads import LOSS_MAX_FRAC, assumed_plant_w
from mallee.site.model import DeviceGroup, SiteModel

SHELF_EFFICIENCY_MIN = 0.94
"""Worst efficiency of a power shelf at 10 % load (OCP ORv3 class), for worst-case sums."""

RATING_USE_FRAC = 0.98
"""Share of a branch's continuous rating that is planned with; the rest covers power factor."""

TRICKLE_FRAC = 0.01
"""Share of its rating that a charger may always draw: enough to see that a car has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SteerableLoads:
    """Loads whose highest power can be set: chargers first, then nodes; one row each.

    Powers are at the device; times `factor` they are what its branch carries.

    Attributes:
        limit_rows: row of the point that sets its highest power.  # (loads,)
        power_rows: row of what it draws.  # (loads,)
        occupied_rows: row that counts cars at a charger, or `NO_INDEX`.  # (loads,)
        is_charger: the others are nodes.  # (loads,)
        least_w: lowest limit that can be set.  # (loads,)
        floor_w: lowest limit that control uses while it has another way.  # (loads,)
        most_w: the most it may draw.  # (loads,)
        factor: power at the branch for a watt at the device.  # (loads,)
        branch: where it hangs.  # (loads,)
        rack: rack that a node stands in, `NO_INDEX` for chargers.  # (loads,)
        priority: who is served first; higher first.  # (loads,)
    """

    limit_rows: IntArray
    power_rows: IntArray
    occupied_rows: IntArray
    is_charger: BoolArray
    least_w: FloatArray
    floor_w: FloatArray
    most_w: FloatArray
    factor: FloatArray
    branch: IntArray
    rack: IntArray
    priority: IntArray

    @property
    def count(self) -> int:
        """How many."""
        return len(self.limit_rows)


@dataclass(frozen=True)
class Budget:
    """Limits and unsteerable loads of every branch, and the steerable loads below them.

    Attributes:
        limit_w: most that each branch may carry for good: contract of a feed, or rating; infinite
            where a feed's limit covers it. A feed's is no higher than the smallest branch that
            carries everything it feeds.  # (branches,)
        fixed_w: most that named loads below each branch draw and cannot be held to less.
        plant_w: bound of the plant below each that the file does not name.
        loss_w: bound of the losses below each; only feeds have one.
        battery_w: charging power of the batteries below each.
        meter_row: row of the meter that reads each branch, or `NO_INDEX`.
    """

    tree: BranchTree
    loads: SteerableLoads
    limit_w: FloatArray
    fixed_w: FloatArray
    plant_w: FloatArray
    loss_w: FloatArray
    battery_w: FloatArray
    meter_row: IntArray

    @cached_property
    def other_max_w(self) -> FloatArray:
        """Most that flows in each branch beside steerable loads and batteries.  # (branches,)"""
        return self.fixed_w + self.plant_w + self.loss_w


def budget_of(site: SiteModel) -> Budget:
    """Work out the budget of a site from nameplates and contracts."""
    tree, count = BranchTree.of(site), len(site.branches)
    shelved = _shelved_racks(site)
    loads = _steerable(site, shelved)
    fixed_w, battery_w, devices = np.zeros(count), np.zeros(count), np.zeros(count)
    for group in site.groups:
        kind = KINDS[group.kind]
        if kind.role != "measures":
            devices += np.bincount(group.branch, minlength=count)
        if kind.is_fixed or (group.kind == NODE.name and not _is_steerable(group)):
            power_w = group.model.power_max_w * _factor(group, shelved)
            fixed_w += np.bincount(group.branch, power_w, count)
        elif kind.role == "storage":
            fixed_w += np.bincount(group.branch, minlength=count) * kind.range_w(group.model)[0]
            charge_w = group.model.parameter_or("charge_max_w", group.model.power_max_w)
            battery_w += np.bincount(group.branch, minlength=count) * charge_w
    sums = tree.sum_up(np.stack([fixed_w, assumed_plant_w(site), battery_w, devices]))
    limit_w = _limits(site, tree, sums[3])
    loss_w = np.zeros(count)
    loss_w[site.feed_branches] = LOSS_MAX_FRAC * limit_w[site.feed_branches]
    return Budget(
        tree=tree,
        loads=loads,
        limit_w=limit_w,
        fixed_w=sums[0],
        plant_w=sums[1],
        loss_w=loss_w,
        battery_w=sums[2],
        meter_row=_meter_rows(site),
    )


def _limits(site: SiteModel, tree: BranchTree, devices: FloatArray) -> FloatArray:
    """Contract of feeds, rating of the rest; what carries all of a feed joins the feed's limit."""
    limit_w = np.array([branch.rating_w for branch in site.branches]) * RATING_USE_FRAC
    feeds = site.feed_branches
    limit_w[feeds] = [feed.import_max_w for feed in site.file.feeds]
    root = _roots(tree)
    for feed in feeds.tolist():
        below = np.flatnonzero((root == feed) & (np.arange(len(root)) != feed))
        carries_all = below[devices[below] == devices[feed]]
        limit_w[feed] = min(limit_w[feed], limit_w[carries_all].min(initial=np.inf))
        limit_w[carries_all] = np.inf
    return limit_w


def _roots(tree: BranchTree) -> IntArray:
    """The source that each branch hangs on.  # (branches,)"""
    root = np.arange(len(tree.parent))
    for level in tree.levels:
        root[level] = root[tree.parent[level]]
    return root


def _meter_rows(site: SiteModel) -> IntArray:
    rows = np.full(len(site.branches), NO_INDEX)
    for group in site.groups_of(METER):
        rows[group.branch] = group.rows("import_w")
    return rows


def _steerable(site: SiteModel, shelved: IntArray) -> SteerableLoads:
    chargers = list(site.groups_of(CHARGER))
    nodes = [group for group in site.groups_of(NODE) if _is_steerable(group)]
    groups = [*chargers, *nodes]
    floor_frac = site.file.control.cap_floor_frac
    least_w = _each(groups, lambda g: 0.0 if g in chargers else g.model.parameter("cap_min_w"))
    most_w = _each(
        groups,
        lambda g: g.model.power_max_w if g in chargers else g.model.parameter("cap_max_w"),
    )
    is_charger = _each(groups, lambda g: float(g in chargers)) > 0.0
    trickle_w = np.maximum(
        _each(groups, lambda g: g.model.parameter_or("standby_w", 0.0)), TRICKLE_FRAC * most_w
    )
    return SteerableLoads(
        limit_rows=_joined([g.rows("limit_w" if g in chargers else "cap_w") for g in groups]),
        power_rows=_joined([g.rows("power_w") for g in groups]),
        occupied_rows=_joined([_occupied_rows(group) for group in groups]),
        is_charger=is_charger,
        least_w=least_w,
        floor_w=np.where(is_charger, trickle_w, _each(groups, lambda g: _floor_w(g, floor_frac))),
        most_w=most_w,
        factor=np.concatenate([_factor(g, shelved) for g in groups]) if groups else np.empty(0),
        branch=_joined([group.branch for group in groups]),
        rack=_joined([group.rack for group in groups]),
        priority=_each(groups, lambda g: float(g.priority)).astype(np.int64),
    )


def _floor_w(group: DeviceGroup, floor_frac: float) -> float:
    """Lowest cap worth using: accelerators at `floor_frac` of their most, the rest of a node whole.

    Below about 0.45 of an accelerator's power its work falls faster than its power (hardware
    reference 1.4): a job is better paused.
    """
    model = group.model
    least_w = model.parameter_or("cap_min_w", 0.0)
    most_w = model.parameter_or("cap_max_w", model.power_max_w)
    free_w = model.accelerators * model.parameter_or("gpu_max_w", 0.0) * (1.0 - floor_frac)
    lowered_w = most_w - free_w if free_w > 0.0 else floor_frac * most_w
    return max(least_w, lowered_w)


def _is_steerable(group: DeviceGroup) -> bool:
    return "cap_w" in group.model.index and "power_w" in group.model.index


def _occupied_rows(group: DeviceGroup) -> IntArray:
    if "occupied_count" in group.model.index:
        return group.rows("occupied_count")
    return np.full(group.count, NO_INDEX)


def _each(groups: list[DeviceGroup], value: Callable[[DeviceGroup], float]) -> FloatArray:
    """A value of each group's model, once for every device."""
    columns = [np.full(group.count, value(group)) for group in groups]
    return np.concatenate(columns) if columns else np.empty(0)


def _joined(columns: list[IntArray]) -> IntArray:
    return np.concatenate(columns) if columns else np.empty(0, np.int64)


def _shelved_racks(site: SiteModel) -> IntArray:
    racks = [group.rack for group in site.groups_of(POWER_SHELF)]
    return np.unique(np.concatenate(racks)) if racks else np.empty(0, np.int64)


def _factor(group: DeviceGroup, shelved: IntArray) -> FloatArray:
    return np.where(np.isin(group.rack, shelved), 1.0 / SHELF_EFFICIENCY_MIN, 1.0)
