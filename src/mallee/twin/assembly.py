"""Puts the electrical arrays of a site together: who hangs where, and which curve guards it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.site import NO_INDEX, IntArray, SiteModel
from mallee.twin.battery.batteries import Batteries
from mallee.twin.charging.chargers import Chargers
from mallee.twin.grid.ride_through import GUARD, load_curves
from mallee.twin.plant import SITE, Plant
from mallee.twin.power.feeders import Feeders

RACK_CURVE: Final = "itic"
CHARGER_CURVE: Final = "semi-f47"
BATTERY_CURVE: Final = "ieee-1547-cat3"
COOLING_CURVE: Final = "semi-f47"


class SteadyLoads:
    """Loads that are constant within a block: CDUs, the cooling plant, switches outside racks.

    Attributes:
        feeder: feeder of each.  # (steady,)
        cdus: how many of them are CDUs; they come first, in the order of the CDU groups.
        plant_share: share of the cooling plant's power that each carries.  # (steady,)
        base_w: what each draws without the cooling.  # (steady,)
    """

    def __init__(self, site: SiteModel) -> None:
        cdus = list(site.groups_of("cdu"))
        network = [g for g in site.groups_of("switch") if (g.rack == NO_INDEX).all()]
        self.cdus = sum(group.count for group in cdus)
        feeder = [group.feeder for group in [*cdus, *network]]
        self.feeder: IntArray = np.concatenate(feeder) if feeder else np.empty(0, np.int64)
        base = [np.zeros(self.cdus)]
        base += [np.full(g.count, g.model.power_max_w) for g in network]
        self.base_w = np.concatenate(base)
        if not len(self.feeder) and len(
            site.racks.names
        ):  # air alone: the plant hangs on the racks' feeder
            self.feeder, self.base_w = site.racks.feeder[:1].copy(), np.zeros(1)
        carriers = self.cdus if self.cdus else min(1, len(self.feeder))
        self.plant_share = np.zeros(len(self.feeder))
        self.plant_share[:carriers] = 1.0 / max(1, carriers)


def build_plant(
    site: SiteModel, feeders: Feeders, batteries: Batteries, chargers: Chargers, steady: SteadyLoads
) -> Plant:
    """All arrays as the kernels take them; the components keep the same arrays."""
    names, curves = load_curves()
    kinds = (
        (RACK_CURVE, len(site.racks.names)),
        (CHARGER_CURVE, len(chargers.names)),
        (BATTERY_CURVE, len(batteries.names)),
        (COOLING_CURVE, len(steady.feeder)),
    )
    guards: NDArray[np.void] = np.zeros(sum(count for _, count in kinds), GUARD)
    guards["curve"] = np.concatenate([np.full(count, names.index(name)) for name, count in kinds])
    sums: NDArray[np.void] = np.zeros(1, SITE)
    nominal_hz = site.file.grid.frequency_hz
    for field in ("nominal_hz", "island_hz", "frequency_hz", "grid_hz"):
        sums[field] = nominal_hz
    sums["voltage_pu"] = sums["grid_voltage_pu"] = 1.0
    return Plant(
        feeders=feeders.units,
        feeder_state=feeders.state,
        ups=feeders.ups,
        ups_state=feeders.ups_state,
        curves=curves,
        guards=guards,
        rack_feeder=site.racks.feeder.copy(),
        rack_standby=site.racks.standby_feeder.copy(),
        steady_feeder=steady.feeder,
        steady_w=steady.base_w.copy(),
        units=batteries.units,
        batteries=batteries.state,
        set_points_w=np.zeros(len(batteries.names)),
        cabinets=chargers.cabinets,
        cabinet_state=chargers.state,
        posts=chargers.posts,
        sessions=chargers.sessions,
        site=sums,
    )
