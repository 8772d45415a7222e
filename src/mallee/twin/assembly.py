"""Puts the electrical arrays of a site together: what hangs where, and which curve guards it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.site.model import SiteModel
from mallee.twin.cords import make_cords
from mallee.twin.electrical_arrays import SITE, ElectricalArrays
from mallee.twin.loads import Loads
from mallee.twin.parts.battery.batteries import Batteries
from mallee.twin.parts.charging.stations import Stations
from mallee.twin.parts.generation.gensets import Gensets
from mallee.twin.parts.grid.ride_through import load_curves
from mallee.twin.parts.power.branches import Branches

RACK_CURVE: Final = "itic"


def build_plant(
    site: SiteModel,
    branches: Branches,
    batteries: Batteries,
    chargers: Stations,
    gensets: Gensets,
    loads: Loads,
) -> ElectricalArrays:
    """All arrays as the kernels take them; the parts keep the same arrays."""
    _, curves = load_curves()
    sums: NDArray[np.void] = np.zeros(1, SITE)
    sums["nominal_hz"] = site.grid.frequency_hz
    feeds, roots = len(site.file.feeds), len(site.file.feeds) + len(gensets.names)
    root_pu = np.zeros(roots)
    root_pu[:feeds] = 1.0
    return ElectricalArrays(
        branches=branches.units,
        branch_state=branches.state,
        feeds=np.array([feeds]),
        root_pu=root_pu,
        root_hz=np.where(root_pu > 0.0, site.grid.frequency_hz, 0.0),
        ups=branches.ups,
        ups_state=branches.ups_state,
        curves=curves,
        rack_cords=make_cords(site.racks.branch, site.racks.standby_branch, RACK_CURVE),
        station_cords=chargers.cords,
        battery_cords=batteries.cords,
        load_cords=loads.cords,
        loads_w=loads.power_w,
        sources=loads.sources,
        units=batteries.units,
        batteries=batteries.state,
        set_points_w=np.zeros(len(batteries.names)),
        stations=chargers.stations,
        station_state=chargers.state,
        evses=chargers.evses,
        sessions=chargers.sessions,
        gensets=gensets.units,
        genset_state=gensets.state,
        genset_starters=gensets.starters,
        site=sums,
    )
