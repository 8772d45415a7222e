"""What bounds the site, worked out once from the site model: ratings, contract, rows to look at.

What branches leave to the loads below them is in branches.py.
"""

from dataclasses import dataclass

import numpy as np

from mallee.control.branch_shares import BranchShares, branch_shares
from mallee.core.arrays import FloatArray, IntArray
from mallee.kinds import KINDS
from mallee.kinds.battery import BATTERY
from mallee.kinds.cdu import CDU
from mallee.kinds.charger import CHARGER
from mallee.kinds.meter import METER
from mallee.kinds.node import NODE
from mallee.kinds.power_shelf import POWER_SHELF
from mallee.site.model import DeviceGroup, SiteModel

SHELF_EFFICIENCY_MIN = 0.94
"""Worst efficiency of a power shelf at 10 % load (OCP ORv3 class), for worst-case sums."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryLimits:
    """One battery: its ratings and the rows of its points, by point name."""

    name: str
    charge_max_w: float
    discharge_max_w: float
    capacity_wh: float
    rows: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerLimits:
    """One charger station.

    Attributes:
        max_w: the most it may draw by its own and its branch's rating.
        standing_w: what its default profile allows while nobody controls it.
    """

    name: str
    max_w: float
    standing_w: float
    power_row: int
    limit_row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLimits:
    """All nodes, one row each.

    Attributes:
        cap_rows, power_rows: point rows.  # (nodes,)
        index: each node's position by the path of its cap.
        cap_min_w, cap_max_w: range of the cap; the maximum is already the branch's share.
        factor: AC power per W at the node, for conversion losses.  # (nodes,)
    """

    cap_rows: IntArray
    power_rows: IntArray
    index: dict[str, int]
    cap_min_w: FloatArray
    cap_max_w: FloatArray
    factor: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Everything that `cycle` must keep to.

    Attributes:
        import_contract_w: bound of import at the meter, without the margin.
        import_aim_w: bound of import at the meter, the contract and the transformer together,
            less the margin that the site file keeps free.
        import_min_w: negative export limit.
        overhead_w: most that pods draw beside their nodes: switches, pumps, conversion of these.
        pods_max_w, pods_min_w: most and least that control can make of the pods, AC.
        age_max_s: battery readings older than this do not count. Longer than for the meter: an
            inverter that misses a poll goes on filtering.
        write_min, write_max: range that the guard clips commands to; NaN where a point takes no
            commands.  # (points,)
    """

    contracted_w: float
    import_contract_w: float
    import_aim_w: float
    import_min_w: float
    ramp_up_w_per_s: float
    ramp_down_w_per_s: float
    soc_min: float
    soc_max: float
    soc_target: float
    overhead_w: float
    pods_max_w: float
    pods_min_w: float
    meter_row: int
    age_max_s: float
    batteries: tuple[BatteryLimits, ...]
    chargers: tuple[ChargerLimits, ...]
    nodes: NodeLimits
    write_min: FloatArray
    write_max: FloatArray


def limits_of(site: SiteModel) -> Limits:
    """Work out the limits of a site."""
    grid, control = site.grid, site.file.control
    meter = next(site.groups_of(METER))
    overhead_w = _overhead_w(site)
    nodes, shares = _nodes(site, control.cap_floor_frac)
    pods_max_w = float(nodes.cap_max_w @ nodes.factor) + overhead_w
    pods_min_w = float(nodes.cap_min_w @ nodes.factor) + overhead_w
    import_contract_w = min(grid.import_max_w, shares.site_max_w)
    import_aim_w = import_contract_w * (1.0 - control.import_margin_frac)
    batteries = tuple(_batteries(site))
    chargers = tuple(_chargers(site, shares, import_aim_w, pods_max_w))
    write_min, write_max = _write_ranges(site, import_aim_w, batteries, chargers, nodes)
    return Limits(
        contracted_w=grid.contracted_w,
        import_contract_w=import_contract_w,
        import_aim_w=import_aim_w,
        import_min_w=-grid.export_max_w,
        ramp_up_w_per_s=grid.ramp_up_w_per_s,
        ramp_down_w_per_s=grid.ramp_down_w_per_s,
        soc_min=control.soc_min,
        soc_max=control.soc_max,
        soc_target=control.soc_target,
        overhead_w=overhead_w,
        pods_max_w=pods_max_w,
        pods_min_w=pods_min_w,
        meter_row=meter.row(0, "import_w"),
        age_max_s=3.0,
        batteries=batteries,
        chargers=chargers,
        nodes=nodes,
        write_min=write_min,
        write_max=write_max,
    )


def _write_ranges(
    site: SiteModel,
    import_aim_w: float,
    batteries: tuple[BatteryLimits, ...],
    chargers: tuple[ChargerLimits, ...],
    nodes: NodeLimits,
) -> tuple[FloatArray, FloatArray]:
    """What each settable point may be set to, by row."""
    low, high = np.full(site.point_count, np.nan), np.full(site.point_count, np.nan)
    grid = site.grid
    ranges = {
        "mode": (0.0, 3.0),
        "heartbeat_count": (0.0, 65535.0),
        "filter_import_max_w": (0.0, import_aim_w),
        "filter_import_min_w": (-grid.export_max_w, import_aim_w),
        "filter_ramp_up_w_per_s": (1.0, grid.ramp_up_w_per_s),
        "filter_ramp_down_w_per_s": (1.0, grid.ramp_down_w_per_s),
        "filter_time_s": (0.0, 600.0),
    }
    for battery in batteries:
        reach = (-battery.discharge_max_w, battery.charge_max_w)
        for point in ("charge_set_w", "filter_charge_bias_w"):
            low[battery.rows[point]], high[battery.rows[point]] = reach
        for point, (lowest, highest) in ranges.items():
            low[battery.rows[point]], high[battery.rows[point]] = lowest, highest
    for charger in chargers:
        low[charger.limit_row], high[charger.limit_row] = 0.0, charger.max_w
    low[nodes.cap_rows], high[nodes.cap_rows] = nodes.cap_min_w, nodes.cap_max_w
    for group in site.groups_of(CDU):
        if "supply_set_degc" in group.model.index:
            low[group.rows("supply_set_degc")] = group.model.parameter("supply_min_degc")
            high[group.rows("supply_set_degc")] = group.model.parameter("supply_max_degc")
    return low, high


def _batteries(site: SiteModel) -> list[BatteryLimits]:
    found = []
    for group in site.groups_of(BATTERY):
        for device, name in enumerate(group.names):
            found.append(
                BatteryLimits(
                    name=name,
                    charge_max_w=group.model.parameter("charge_max_w"),
                    discharge_max_w=group.model.parameter("discharge_max_w"),
                    capacity_wh=group.model.parameter("energy_wh"),
                    rows={point.name: group.row(device, point.name) for point in group.model.point},
                )
            )
    return found


def _chargers(
    site: SiteModel, shares: BranchShares, import_aim_w: float, pods_max_w: float
) -> list[ChargerLimits]:
    count = sum(group.count for group in site.groups_of(CHARGER))
    found = []
    for group in site.groups_of(CHARGER):
        for device, name in enumerate(group.names):
            max_w = group.model.power_max_w * float(shares.chargers[group.branch[device]])
            found.append(
                ChargerLimits(
                    name=name,
                    max_w=max_w,
                    standing_w=min(max_w, max(0.0, (import_aim_w - pods_max_w) / count)),
                    power_row=group.row(device, "power_w"),
                    limit_row=group.row(device, "limit_w"),
                )
            )
    return found


def _nodes(site: SiteModel, floor_frac: float) -> tuple[NodeLimits, BranchShares]:
    """Nodes with their caps inside the branches' shares, and these shares."""
    groups = [group for group in site.groups_of(NODE) if "cap_w" in group.model.index]
    shelved, branches = _racks_with_shelves(site), len(site.branches)
    factor = _joined([_factor(group, shelved) for group in groups])
    branch = _joined([group.branch for group in groups]).astype(np.int64)
    cap_max_w = _joined([_full(group, "cap_max_w") for group in groups])
    cap_min_w = _joined([_full(group, "cap_min_w") for group in groups])
    shares = branch_shares(
        site,
        np.bincount(branch, cap_max_w * factor, branches).astype(np.float64),
        np.bincount(branch, cap_min_w * factor, branches).astype(np.float64),
    )
    cap_max_w = np.maximum(cap_max_w * shares.nodes[branch], cap_min_w)
    nodes = NodeLimits(
        cap_rows=_joined([group.rows("cap_w") for group in groups]).astype(np.int64),
        power_rows=_joined([group.rows("power_w") for group in groups]).astype(np.int64),
        cap_min_w=np.maximum(cap_min_w, floor_frac * cap_max_w),
        cap_max_w=cap_max_w,
        index={
            f"{name}/cap_w": place
            for place, name in enumerate(name for group in groups for name in group.names)
        },
        factor=factor,
    )
    return nodes, shares


def _joined(columns: list[FloatArray] | list[IntArray]) -> FloatArray:
    """Columns of several groups in one; empty where there is no group."""
    return np.concatenate(columns) if columns else np.empty(0)


def _full(group: DeviceGroup, parameter: str) -> FloatArray:
    return np.full(group.count, group.model.parameter(parameter))


def _racks_with_shelves(site: SiteModel) -> IntArray:
    racks = [group.rack for group in site.groups_of(POWER_SHELF)]
    return np.unique(np.concatenate(racks)) if racks else np.empty(0, np.int64)


def _factor(group: DeviceGroup, shelved: IntArray) -> FloatArray:
    return np.where(np.isin(group.rack, shelved), 1.0 / SHELF_EFFICIENCY_MIN, 1.0)


def _overhead_w(site: SiteModel) -> float:
    """The most that everything else in the pods draws, AC."""
    shelved = _racks_with_shelves(site)
    total_w = 0.0
    for group in site.groups:
        if KINDS[group.kind].is_fixed:
            total_w += group.model.power_max_w * float(np.sum(_factor(group, shelved)))
    return total_w
