"""Arrays of chargers: stations, their evses, and the cars that come."""

from typing import Final

import numpy as np

STATION: Final = np.dtype(
    [
        ("first_evse", "i8"),
        ("evses", "i8"),
        ("max_w", "f8"),
        ("evse_max_w", "f8"),
        ("efficiency", "f8"),
        ("standby_w", "f8"),
        ("fall_s", "f8"),  # a lower limit is obeyed within this time
        ("default_w", "f8"),  # the profile stored at commissioning
    ]
)

STATION_STATE: Final = np.dtype(
    [
        ("healthy", "i8"),  # 0 while failed
        ("served", "i8"),  # with voltage and not tripped by it
        ("limit_w", "f8"),
        ("limit_until_ms", "i8"),
        ("power_w", "f8"),
        ("energy_wh", "f8"),
        ("vehicle_wh", "f8"),
        ("loss_wh", "f8"),
        ("offered_w", "f8"),
        ("occupied", "i8"),
    ]
)

EVSE_STATE: Final = np.dtype(
    [
        ("next_session", "i8"),  # position in the evse's list of sessions
        ("occupied", "i8"),
        ("power_w", "f8"),  # AC side
        ("soc", "f8"),
        ("want_w", "f8"),
        ("energy_wh", "f8"),  # to the car, this session
    ]
)

SESSION: Final = np.dtype(
    [
        ("arrival_ms", "i8"),
        ("leave_ms", "i8"),  # at the latest
        ("capacity_wh", "f8"),
        ("soc_start", "f8"),
        ("soc_leave", "f8"),
        ("car_max_w", "f8"),
        ("rise_s", "f8"),  # from nothing to full power
    ]
)

NEVER_MS: Final = 1 << 60
