"""Arrays of the power tree: one record a feeder, parents before their children."""

from typing import Final

import numpy as np

GRID: Final = 0
TRANSFORMER: Final = 1
BREAKER: Final = 2

FEEDER: Final = np.dtype(
    [
        ("parent", "i8"),
        ("kind", "i8"),
        ("rating_w", "f8"),
        ("no_load_w", "f8"),
        ("load_loss_w", "f8"),  # at rating
        ("reactance_frac", "f8"),
        ("resistance_frac", "f8"),
    ]
)

FEEDER_STATE: Final = np.dtype(
    [
        ("closed", "i8"),
        ("alive", "i8"),  # closed, and so is everything above
        ("demand_w", "f8"),  # leaving it downwards
        ("flow_w", "f8"),  # entering it from above: demand and its own loss
        ("loss_w", "f8"),
        ("loss_wh", "f8"),
    ]
)
