"""What charging stations hold and measure, under the names of their points."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.twin.kernel import kernel

SHOWN: Final = np.dtype(
    [
        ("power_w", "f8"),
        ("energy_wh", "f8"),
        ("occupied_count", "f8"),
        ("offered_w", "f8"),
        ("limit_w", "f8"),
    ]
)

EVSE_SHOWN: Final = np.dtype([("power_w", "f8"), ("soc", "f8")])
"""Points of each EVSE, ``evse1_power_w``."""


@kernel
def show_stations(
    stations: NDArray[np.void],
    states: NDArray[np.void],
    evses: NDArray[np.void],
    shown: NDArray[np.void],
    evses_shown: NDArray[np.void],
) -> None:
    """Fill one record a station, and one an EVSE."""
    for c in range(stations.shape[0]):
        state, p = states[c], shown[c]
        p["power_w"] = state["power_w"]
        p["energy_wh"] = state["energy_wh"]
        p["occupied_count"] = state["occupied"]
        p["offered_w"] = state["offered_w"]
        p["limit_w"] = state["limit_w"]
    for e in range(evses.shape[0]):
        evses_shown[e]["power_w"] = evses[e]["power_w"]
        evses_shown[e]["soc"] = evses[e]["soc"] if evses[e]["occupied"] == 1 else np.nan
