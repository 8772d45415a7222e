"""What bounds the site, worked out once from the site model: ratings, contract, rows to look at.

Shares of feeders that no meter watches are static: an unseen feeder counts as if everything
below it drew the most it may, so the shares are small enough for that case.
"""

from dataclasses import dataclass

import numpy as np

from mallee.core.site import DeviceGroup, FloatArray, IntArray, SiteModel

SHELF_EFFICIENCY_MIN = 0.94
"""Worst efficiency of a power shelf at 10 % load (OCP ORv3 class), for worst-case sums."""

FEEDER_USE_MAX_FRAC = 0.98
"""Share of a feeder's continuous rating that is planned with; the rest covers power factor."""


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
    """One charger cabinet.

    Attributes:
        max_w: the most it may draw by its own and its feeder's rating.
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
        cap_min_w, cap_max_w: range of the cap; the maximum is already the feeder's share.
        factor: AC power per W at the node, for conversion losses.  # (nodes,)
    """

    cap_rows: IntArray
    power_rows: IntArray
    cap_min_w: FloatArray
    cap_max_w: FloatArray
    factor: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Everything that `cycle` must keep to.

    Attributes:
        contract_max_w: bound of import at the meter, without the margin.
        import_max_w: bound of import at the meter, the contract and the transformer together,
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
    contract_max_w: float
    import_max_w: float
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
    grid, control = site.file.grid, site.file.control
    meter = next(site.groups_of("meter"))
    overhead_w = _overhead_w(site)
    nodes = _nodes(site, control.cap_floor_frac)
    pods_max_w = float(nodes.cap_max_w @ nodes.factor) + overhead_w
    pods_min_w = float(nodes.cap_min_w @ nodes.factor) + overhead_w
    contract_max_w = _import_max_w(site)
    import_max_w = contract_max_w * (1.0 - control.import_margin_frac)
    batteries = tuple(_batteries(site))
    chargers = tuple(_chargers(site, import_max_w, pods_max_w))
    write_min, write_max = _write_ranges(site, import_max_w, batteries, chargers, nodes)
    return Limits(
        contracted_w=grid.contracted_w,
        contract_max_w=contract_max_w,
        import_max_w=import_max_w,
        import_min_w=-grid.export_max_w,
        ramp_up_w_per_s=grid.ramp_up_max_w_per_s,
        ramp_down_w_per_s=grid.ramp_down_max_w_per_s,
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
    import_max_w: float,
    batteries: tuple[BatteryLimits, ...],
    chargers: tuple[ChargerLimits, ...],
    nodes: NodeLimits,
) -> tuple[FloatArray, FloatArray]:
    """What each settable point may be set to, by row."""
    low, high = np.full(site.point_count, np.nan), np.full(site.point_count, np.nan)
    grid = site.file.grid
    ranges = {
        "mode": (0.0, 3.0),
        "heartbeat_count": (0.0, 65535.0),
        "filter_import_max_w": (0.0, import_max_w),
        "filter_import_min_w": (-grid.export_max_w, import_max_w),
        "filter_ramp_up_w_per_s": (1.0, grid.ramp_up_max_w_per_s),
        "filter_ramp_down_w_per_s": (1.0, grid.ramp_down_max_w_per_s),
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
    for group in site.groups_of("cdu"):
        if "supply_set_degc" in group.model.index:
            low[group.rows("supply_set_degc")] = group.model.parameter("supply_min_degc")
            high[group.rows("supply_set_degc")] = group.model.parameter("supply_max_degc")
    return low, high


def _import_max_w(site: SiteModel) -> float:
    """The connection's limit, and that of a transformer which carries the whole site."""
    limit_w = site.file.grid.import_max_w
    below_grid = [feeder for feeder in site.feeders if feeder.parent == 0]
    if len(below_grid) == 1:
        limit_w = min(limit_w, below_grid[0].rating_w * FEEDER_USE_MAX_FRAC)
    return limit_w


def _batteries(site: SiteModel) -> list[BatteryLimits]:
    found = []
    for group in site.groups_of("battery"):
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


def _chargers(site: SiteModel, import_max_w: float, pods_max_w: float) -> list[ChargerLimits]:
    count = sum(group.count for group in site.groups_of("charger"))
    found = []
    for group in site.groups_of("charger"):
        for device, name in enumerate(group.names):
            feeder = site.feeders[int(group.feeder[device])]
            max_w = min(group.model.power_max_w, feeder.rating_w * FEEDER_USE_MAX_FRAC)
            found.append(
                ChargerLimits(
                    name=name,
                    max_w=max_w,
                    standing_w=min(max_w, max(0.0, (import_max_w - pods_max_w) / count)),
                    power_row=group.row(device, "power_w"),
                    limit_row=group.row(device, "limit_w"),
                )
            )
    return found


def _nodes(site: SiteModel, floor_frac: float) -> NodeLimits:
    groups = [group for group in site.groups_of("node") if "cap_w" in group.model.index]
    if not groups:
        none, no_rows = np.empty(0), np.empty(0, np.int64)
        return NodeLimits(
            cap_rows=no_rows, power_rows=no_rows, cap_min_w=none, cap_max_w=none, factor=none
        )
    shelved = _racks_with_shelves(site)
    factor = np.concatenate([_factor(group, shelved) for group in groups])
    feeder = np.concatenate([group.feeder for group in groups])
    cap_max_w = np.concatenate([_full(group, "cap_max_w") for group in groups])
    cap_min_w = np.concatenate([_full(group, "cap_min_w") for group in groups])
    cap_max_w = np.minimum(cap_max_w, _feeder_share_w(site, feeder, cap_max_w, factor))
    return NodeLimits(
        cap_rows=np.concatenate([group.rows("cap_w") for group in groups]),
        power_rows=np.concatenate([group.rows("power_w") for group in groups]),
        cap_min_w=np.minimum(np.maximum(cap_min_w, floor_frac * cap_max_w), cap_max_w),
        cap_max_w=cap_max_w,
        factor=factor,
    )


def _full(group: DeviceGroup, parameter: str) -> FloatArray:
    return np.full(group.count, group.model.parameter(parameter))


def _racks_with_shelves(site: SiteModel) -> IntArray:
    racks = [group.rack for group in site.groups_of("power_shelf")]
    return np.unique(np.concatenate(racks)) if racks else np.empty(0, np.int64)


def _factor(group: DeviceGroup, shelved: IntArray) -> FloatArray:
    return np.where(np.isin(group.rack, shelved), 1.0 / SHELF_EFFICIENCY_MIN, 1.0)


def _overhead_w(site: SiteModel) -> float:
    """The most that everything else in the pods draws, AC."""
    shelved = _racks_with_shelves(site)
    total_w = 0.0
    for kind in ("switch", "cdu", "pdu"):
        for group in site.groups_of(kind):
            total_w += group.model.power_max_w * float(np.sum(_factor(group, shelved)))
    return total_w


def _feeder_share_w(
    site: SiteModel, feeder: IntArray, cap_max_w: FloatArray, factor: FloatArray
) -> FloatArray:
    """Cap of each node at which no feeder above it is overloaded, whatever the others do.

    Feeders with a battery below are left out: what flows there depends on the battery, and the
    import bound covers them.
    """
    count = len(site.feeders)
    below_w = np.bincount(feeder, cap_max_w * factor, count)
    others_w, battery = np.zeros(count), np.zeros(count)
    for group in site.groups:
        if group.kind in ("node", "meter", "power_shelf"):
            continue
        others_w += np.bincount(group.feeder, minlength=count) * group.model.power_max_w
        battery += np.bincount(group.feeder, minlength=count) * (group.kind == "battery")
    for index in range(count - 1, 0, -1):  # children come after their parents
        parent = site.feeders[index].parent
        for column in (below_w, others_w, battery):
            column[parent] += column[index]
    rating_w = np.array([f.rating_w for f in site.feeders]) * FEEDER_USE_MAX_FRAC
    room_w = np.maximum(rating_w - others_w, 0.0)
    watched = (np.arange(count) > 0) & (battery == 0.0) & (below_w > 0.0)
    share = np.minimum(np.divide(room_w, below_w, out=np.ones(count), where=watched), 1.0)
    for index in range(1, count):
        share[index] = min(share[index], share[max(site.feeders[index].parent, 0)])
    return cap_max_w * share[feeder]
