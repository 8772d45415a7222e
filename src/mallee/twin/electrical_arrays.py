"""All arrays of the electrical site in one place, as the kernels take them."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray

Records = NDArray[np.void]

SITE: Final = np.dtype(
    [
        ("losses_w", "f8"),  # branches, UPS, battery auxiliaries
        ("grid_w", "f8"),
        ("reactive_var", "f8"),
        ("racks_w", "f8"),
        ("shed_w", "f8"),
        ("pods_w", "f8"),
        ("battery_w", "f8"),
        ("chargers_w", "f8"),
        ("voltage_pu", "f8"),  # behind the connection, also in an island
        ("grid_voltage_pu", "f8"),
        ("grid_hz", "f8"),
        ("frequency_hz", "f8"),
        ("nominal_hz", "f8"),
        ("island_hz", "f8"),
        ("islanded", "i8"),
        ("collapsed", "i8"),  # an island that could not carry its load
        ("disturbed", "i8"),  # guards that are counting or tripped
        ("open", "i8"),  # breakers that are open
        ("trips", "i8"),  # of breakers, since the start
        ("grid_wh", "f8"),
        ("import_wh", "f8"),
        ("export_wh", "f8"),
        ("pods_wh", "f8"),
        ("racks_wh", "f8"),
        ("shed_wh", "f8"),  # what racks would have drawn, had they been supplied
    ]
)


class ElectricalArrays(NamedTuple):
    """Parameters and state; kernels change the state in place.

    Attributes:
        branches, branch_state: power tree.  # (branches,)
        ups, ups_state: supplies in line behind a branch.  # (ups,)
        curves: ride-through curves.  # (curves,)
        guards: one a rack, station, battery and steady load, in this order.
        rack_branch, rack_standby: branch of each rack, and its second one or -1.  # (racks,)
        steady_branch, steady_w: loads that are constant over a block.  # (steady,)
        units, batteries: what batteries are, and their state.  # (batteries,)
        set_points_w: scratch.  # (batteries,)
        stations, station_state, evses, sessions: chargers.
        site: sums of the site, one record.  # (1,)
    """

    branches: Records
    branch_state: Records
    ups: Records
    ups_state: Records
    curves: Records
    guards: Records
    rack_branch: IntArray
    rack_standby: IntArray
    steady_branch: IntArray
    steady_w: FloatArray
    units: Records
    batteries: Records
    set_points_w: FloatArray
    stations: Records
    station_state: Records
    evses: Records
    sessions: Records
    site: Records
