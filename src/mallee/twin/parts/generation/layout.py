"""Arrays of engine generators, each a root of the power tree."""

from typing import Final

import numpy as np

STOPPED: Final = 0
STARTING: Final = 1
RUNNING: Final = 2
COOLING: Final = 3
TRIPPED: Final = 4
"""What a genset does: stands, comes up, carries load, runs on without, has shut itself down."""

GENSET: Final = np.dtype(
    [
        ("root", "i8"),
        ("rating_w", "f8"),
        ("start_s", "f8"),  # from the order to voltage at its terminals
        ("cool_down_s", "f8"),
        ("block_load_frac", "f8"),  # of rating, taken at once
        ("rise_frac_per_s", "f8"),  # of what it can take beyond that, as its turbo comes up
        ("load_min_frac", "f8"),  # below this an engine may not run for long
        ("inertia_s", "f8"),  # H: stored energy over rating
        ("efficiency", "f8"),  # from fuel at rating
        ("fuel_wh", "f8"),  # in a full tank
        ("idle_fuel_frac", "f8"),  # consumption without load over that at rating
        ("nominal_hz", "f8"),
    ]
)

GENSET_STATE: Final = np.dtype(
    [
        ("does", "i8"),
        ("since_ms", "i8"),
        ("ordered", "i8"),  # started by hand or by control
        ("fails_to_start", "i8"),
        ("trips", "i8"),
        ("starts", "i8"),
        ("speed_pu", "f8"),
        ("torque_pu", "f8"),
        ("reach_pu", "f8"),  # most torque that the turbo allows now
        ("integral_pu", "f8"),
        ("overload_s", "f8"),
        ("slow_s", "f8"),
        ("output_w", "f8"),
        ("energy_wh", "f8"),
        ("fuel_wh", "f8"),
        ("low_load_s", "f8"),
        ("coolant_degc", "f8"),
    ]
)
