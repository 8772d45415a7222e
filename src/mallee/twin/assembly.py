"""Puts the electrical arrays of a site together: who hangs where, and which curve guards it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import NO_INDEX, IntArray
from mallee.site.model import SiteModel
from mallee.twin.battery.batteries import Batteries
from mallee.twin.charging.stations import Stations
from mallee.twin.electrical_arrays import SITE, ElectricalArrays
from mallee.twin.grid.ride_through import GUARD, load_curves
from mallee.twin.power.branches import Branches

RACK_CURVE: Final = "itic"
CHARGER_CURVE: Final = "semi-f47"
BATTERY_CURVE: Final = "ieee-1547-cat3"
COOLING_CURVE: Final = "semi-f47"


class SteadyLoads:
    """Loads that are constant within a block: CDUs, the cooling plant, switches outside racks.

    Attributes:
        branch: branch of each.  # (steady,)
        cdus: how many of them are CDUs; they come first, in the order of the CDU groups.
        plant_share: share of the cooling plant's power that each carries.  # (steady,)
        base_w: what each draws without the cooling.  # (steady,)
    """

    def __init__(self, site: SiteModel) -> None:
        cdus = list(site.groups_of("cdu"))
        network = [g for g in site.groups_of("switch") if (g.rack == NO_INDEX).all()]
        self.cdus = sum(group.count for group in cdus)
        branch = [group.branch for group in [*cdus, *network]]
        self.branch: IntArray = np.concatenate(branch) if branch else np.empty(0, np.int64)
        base = [np.zeros(self.cdus)]
        base += [np.full(g.count, g.model.power_max_w) for g in network]
        self.base_w = np.concatenate(base)
        if not len(self.branch) and len(
            site.racks.names
        ):  # air alone: the plant hangs on the racks' branch
            self.branch, self.base_w = site.racks.branch[:1].copy(), np.zeros(1)
        carriers = self.cdus if self.cdus else min(1, len(self.branch))
        self.plant_share = np.zeros(len(self.branch))
        self.plant_share[:carriers] = 1.0 / max(1, carriers)


def build_plant(
    site: SiteModel,
    branches: Branches,
    batteries: Batteries,
    chargers: Stations,
    steady: SteadyLoads,
) -> ElectricalArrays:
    """All arrays as the kernels take them; the components keep the same arrays."""
    names, curves = load_curves()
    kinds = (
        (RACK_CURVE, len(site.racks.names)),
        (CHARGER_CURVE, len(chargers.names)),
        (BATTERY_CURVE, len(batteries.names)),
        (COOLING_CURVE, len(steady.branch)),
    )
    guards: NDArray[np.void] = np.zeros(sum(count for _, count in kinds), GUARD)
    guards["curve"] = np.concatenate([np.full(count, names.index(name)) for name, count in kinds])
    sums: NDArray[np.void] = np.zeros(1, SITE)
    nominal_hz = site.grid.frequency_hz
    for field in ("nominal_hz", "island_hz", "frequency_hz", "grid_hz"):
        sums[field] = nominal_hz
    sums["voltage_pu"] = sums["grid_voltage_pu"] = 1.0
    return ElectricalArrays(
        branches=branches.units,
        branch_state=branches.state,
        ups=branches.ups,
        ups_state=branches.ups_state,
        curves=curves,
        guards=guards,
        rack_branch=site.racks.branch.copy(),
        rack_standby=site.racks.standby_branch.copy(),
        steady_branch=steady.branch,
        steady_w=steady.base_w.copy(),
        units=batteries.units,
        batteries=batteries.state,
        set_points_w=np.zeros(len(batteries.names)),
        stations=chargers.stations,
        station_state=chargers.state,
        evses=chargers.evses,
        sessions=chargers.sessions,
        site=sums,
    )
