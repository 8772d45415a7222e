"""What bounds the site, worked out once from the site model: budget, contract, rows to look at."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from mallee.control.heat import Heat, heat_of
from mallee.control.places import Places, places_of
from mallee.control.thermal_ratings import thermal_of
from mallee.core.arrays import NO_INDEX, FloatArray, IntArray
from mallee.kinds import KINDS
from mallee.kinds.battery import BATTERY
from mallee.site.allocation import allocate
from mallee.site.budget import Budget, budget_of
from mallee.site.model import DeviceGroup, SiteModel
from mallee.site.schedule import lowest_limits

Policy = Literal["chargers-first", "compute-first", "shared"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryLimits:
    """One battery: its ratings and the rows of its points, by point name.

    Attributes:
        feed: position of the metered branch that it helps, among `Limits.metered`.
        smooths: whether its own controller keeps ramps and import limits at the meter.
        takes_set_point: whether it can be given a power.
        probe_w: power that it is tried with while its word is in doubt.
    """

    name: str
    charge_max_w: float
    discharge_max_w: float
    capacity_wh: float
    feed: int
    smooths: bool
    takes_set_point: bool
    probe_w: float
    rows: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Everything that `cycle` must keep to.

    Attributes:
        budget: limits and unsteerable loads of every branch, and the steerable loads.
        branches: name of each branch.  # (branches,)
        places: what requests may be about.
        metered: branches with a meter, feeds first.  # (metered,)
        feeds: how many of `metered` are utility feeds.
        contract_w: import limit of each metered branch, for a feed the contract.  # (metered,)
        margin_frac: share of an import limit that is kept free.
        import_min_w: negative export limit of all feeds.
        ramp_up_w_per_s, ramp_down_w_per_s: steepest change of import; infinite for none.
        policy: who goes first when power is short.
        safe_w: what each load may draw while nobody sees or controls it, so that no limit is
            broken in any weather; at the device.  # (loads,)
        heat: readings that tell of heat.
        thermal_tau_s, thermal_peak_frac: time of each branch, and what it carries for moments, of
            its rating.  # (branches,) each
        age_max_s: battery readings older than this do not count. Longer than for the meter: an
            inverter that misses a poll goes on filtering.
        write_min, write_max: range that the guard clips commands to; NaN where a point takes no
            commands.  # (points,)
    """

    budget: Budget
    branches: tuple[str, ...]
    places: Places
    metered: IntArray
    feeds: int
    contract_w: FloatArray
    margin_frac: float
    contracted_w: float
    import_min_w: float
    ramp_up_w_per_s: float
    ramp_down_w_per_s: float
    soc_min: float
    soc_max: float
    soc_target: float
    policy: Policy
    safe_w: FloatArray
    age_max_s: float
    batteries: tuple[BatteryLimits, ...]
    heat: Heat
    thermal_tau_s: FloatArray
    thermal_peak_frac: FloatArray
    write_min: FloatArray
    write_max: FloatArray

    @property
    def import_contract_w(self) -> float:
        """Import limit of all feeds together."""
        return float(self.contract_w[: self.feeds].sum())

    @property
    def import_aim_w(self) -> float:
        """What control aims at: the contract less the margin."""
        return self.import_contract_w * (1.0 - self.margin_frac)

    @property
    def meter_row(self) -> int:
        """Row of the first feed's meter."""
        return int(self.budget.meter_row[self.metered[0]])


def limits_of(site: SiteModel) -> Limits:
    """Work out the limits of a site."""
    budget, control, feeds = budget_of(site), site.file.control, site.file.feeds
    own = site.feed_branches
    others = np.setdiff1d(np.flatnonzero(budget.meter_row != NO_INDEX), own)
    metered = np.concatenate([own, others])
    batteries = tuple(_batteries(site, budget, metered))
    write_min, write_max = _write_ranges(site)
    tau_s, peak_frac = thermal_of(site, budget, metered)
    return Limits(
        budget=budget,
        branches=tuple(branch.name for branch in site.branches),
        places=places_of(site, budget.loads),
        metered=metered,
        feeds=len(own),
        contract_w=budget.limit_w[metered],
        margin_frac=control.import_margin_frac,
        contracted_w=sum(feed.contracted_w for feed in feeds),
        import_min_w=-sum(feed.export_max_w for feed in feeds),
        ramp_up_w_per_s=sum(feed.ramp_up_w_per_s for feed in feeds),
        ramp_down_w_per_s=sum(feed.ramp_down_w_per_s for feed in feeds),
        soc_min=control.soc_min,
        soc_max=control.soc_max,
        soc_target=control.soc_target,
        policy=control.policy,
        safe_w=safe_limits_w(_at_lowest(site, budget), control.import_margin_frac),
        age_max_s=3.0,
        batteries=batteries,
        heat=heat_of(site, budget.loads),
        thermal_tau_s=tau_s,
        thermal_peak_frac=peak_frac,
        write_min=write_min,
        write_max=write_max,
    )


def _at_lowest(site: SiteModel, budget: Budget) -> Budget:
    """The budget in the hours in which schedules allow least: standing values know no clock."""
    limit_w, feeds = budget.limit_w.copy(), site.feed_branches
    lowest_w = [lowest_limits(feed).import_max_w for feed in site.file.feeds]
    limit_w[feeds] = np.minimum(limit_w[feeds], lowest_w)
    return replace(budget, limit_w=limit_w)


def safe_limits_w(budget: Budget, margin_frac: float) -> FloatArray:
    """What every load may draw without battery, meter or controller: nodes first, chargers then.

    Everything that cannot be steered counts with the most that it can draw in any weather.

    Returns:
        at the device, W.  # (loads,)
    """
    loads = budget.loads
    capacity_w = budget.limit_w * (1.0 - margin_frac) - budget.other_max_w
    least_w = loads.least_w * loads.factor
    most_w = loads.most_w * loads.factor
    nodes_w = np.where(loads.is_charger, least_w, most_w)
    found = allocate(budget.tree, capacity_w, loads.branch, [least_w, nodes_w, most_w])
    return np.clip(found.power_w / loads.factor, loads.least_w, loads.most_w)


def _batteries(site: SiteModel, budget: Budget, metered: IntArray) -> list[BatteryLimits]:
    found = []
    count = sum(group.count for group in site.groups_of(BATTERY))
    margin_w = site.file.control.import_margin_frac * float(budget.limit_w[metered[0]])
    probe_w = margin_w / 2.0
    for group in site.groups_of(BATTERY):
        model = group.model
        for device, name in enumerate(group.names):
            found.append(
                BatteryLimits(
                    name=name,
                    charge_max_w=model.parameter("charge_max_w"),
                    discharge_max_w=model.parameter("discharge_max_w"),
                    capacity_wh=model.parameter("energy_wh"),
                    feed=_feed_of(budget, metered, int(group.branch[device])),
                    smooths="filter_import_max_w" in model.index,
                    takes_set_point="charge_set_w" in model.index,
                    probe_w=probe_w / count,
                    rows={point.name: group.row(device, point.name) for point in model.point},
                )
            )
    return found


def _feed_of(budget: Budget, metered: IntArray, branch: int) -> int:
    """Position in `metered` of the source that a branch hangs on; the first feed for a genset's."""
    while budget.tree.parent[branch] != NO_INDEX:
        branch = int(budget.tree.parent[branch])
    there = np.flatnonzero(metered == branch)
    return int(there[0]) if len(there) else 0


def _write_ranges(site: SiteModel) -> tuple[FloatArray, FloatArray]:
    """What each settable point may be set to, by row: as its kind's row says."""
    low, high = np.full(site.point_count, np.nan), np.full(site.point_count, np.nan)
    for group in site.groups:
        for point in group.model.point:
            if point.access == "readwrite":
                rows = group.rows(point.name)
                low[rows], high[rows] = _write_range(site, group, point.name)
    return low, high


def _write_range(site: SiteModel, group: DeviceGroup, point: str) -> tuple[float, float]:
    """A point's range; what the contract bounds is no wider than the contract."""
    grid = site.grid
    contract = {
        "filter_import_max_w": (0.0, grid.import_max_w),
        "filter_import_min_w": (-grid.export_max_w, grid.import_max_w),
        "filter_ramp_up_w_per_s": (1.0, grid.ramp_up_w_per_s),
        "filter_ramp_down_w_per_s": (1.0, grid.ramp_down_w_per_s),
    }
    if point in contract:
        return contract[point]
    return KINDS[group.kind].write_range(group.model, point) or (np.nan, np.nan)
