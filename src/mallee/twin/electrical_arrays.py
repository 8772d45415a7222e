"""All arrays of the electrical site in one place, as the kernels take them."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray

Records = NDArray[np.void]

SITE: Final = np.dtype(
    [
        ("losses_w", "f8"),  # branches, UPS, battery auxiliaries
        ("grid_w", "f8"),  # through all utility feeds
        ("gensets_w", "f8"),
        ("sources_w", "f8"),  # of sources that hang on branches
        ("racks_w", "f8"),
        ("shed_w", "f8"),
        ("pods_w", "f8"),
        ("battery_w", "f8"),
        ("chargers_w", "f8"),
        ("nominal_hz", "f8"),
        ("islands", "i8"),  # parts of the tree that batteries carry
        ("dead", "i8"),  # parts of the tree without a source
        ("disturbed", "i8"),  # guards that are counting or tripped
        ("open", "i8"),  # breakers that are open
        ("trips", "i8"),  # of breakers, since the start
        ("grid_wh", "f8"),
        ("gensets_wh", "f8"),
        ("sources_wh", "f8"),
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
        feeds: how many of the roots, which come first, are utility feeds.  # (1,)
        root_pu, root_hz: voltage and frequency of feeds and gensets.  # (roots,)
        ups, ups_state: supplies in line.  # (ups,)
        curves: ride-through curves.  # (curves,)
        rack_cords, station_cords, battery_cords, load_cords: feeds and guard of each rack, station,
            battery and steady load.
        loads_w: what loads that are constant over a block ask for.  # (loads,)
        sources: 1 where such a load is a source.  # (loads,)
        units, batteries: what batteries are, and their state.  # (batteries,)
        set_points_w: scratch.  # (batteries,)
        stations, station_state, evses, sessions: chargers.
        gensets, genset_state: engine generators, each a root.  # (gensets,)
        genset_starters: branch that can transfer to a genset, and which.  # (starters, 2)
        site: sums of the site, one record.  # (1,)
    """

    branches: Records
    branch_state: Records
    feeds: IntArray
    root_pu: FloatArray
    root_hz: FloatArray
    ups: Records
    ups_state: Records
    curves: Records
    rack_cords: Records
    station_cords: Records
    battery_cords: Records
    load_cords: Records
    loads_w: FloatArray
    sources: IntArray
    units: Records
    batteries: Records
    set_points_w: FloatArray
    stations: Records
    station_state: Records
    evses: Records
    sessions: Records
    gensets: Records
    genset_state: Records
    genset_starters: IntArray
    site: Records
