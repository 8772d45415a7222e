"""Arrays of the power tree: one record a branch, parents before their children."""

from typing import Final

import numpy as np

GRID: Final = 0
TRANSFORMER: Final = 1
BREAKER: Final = 2

ELECTRONIC: Final = 0
THERMAL_MAGNETIC: Final = 1

NO_TRIP: Final = 0
LONG_TIME: Final = 1
SHORT_TIME: Final = 2
INSTANTANEOUS: Final = 3
ORDERED: Final = 4
"""Why a breaker is open."""

BRANCH: Final = np.dtype(
    [
        ("parent", "i8"),
        ("kind", "i8"),
        ("rating_w", "f8"),
        ("rating_a", "f8"),
        ("nominal_v", "f8"),
        ("no_load_w", "f8"),
        ("load_loss_w", "f8"),  # at rating
        ("resistance_frac", "f8"),
        ("reactance_frac", "f8"),
        ("ups", "i8"),  # UPS behind it, or -1
        ("trip_kind", "i8"),
        ("long_pickup_pu", "f8"),
        ("long_heat_s", "f8"),  # trips at this integral
        ("cool_decay", "f8"),  # exp(-step / tau), below pickup
        ("short_pickup_pu", "f8"),
        ("short_delay_s", "f8"),
        ("instantaneous_pu", "f8"),
    ]
)

BRANCH_STATE: Final = np.dtype(
    [
        ("closed", "i8"),
        ("fed", "i8"),  # closed, with voltage from above
        ("alive", "i8"),  # with voltage for its loads, from above or from a UPS
        ("why_open", "i8"),
        ("open_ms", "i8"),
        ("own_w", "f8"),  # loads that hang on it directly
        ("demand_w", "f8"),  # leaving it downwards
        ("flow_w", "f8"),  # entering it from above: demand and its own loss
        ("loss_w", "f8"),
        ("loss_wh", "f8"),
        ("voltage_pu", "f8"),
        ("current_pu", "f8"),
        ("heat_s", "f8"),
        ("short_s", "f8"),
        ("square_s", "f8"),  # of load over rating, since the last thermal step
    ]
)

# A transformer's temperatures, stepped each second.
THERMAL: Final = np.dtype(
    [
        ("branch", "i8"),
        ("loss_ratio", "f8"),  # load loss over no-load loss at rating
        ("oil_exponent", "f8"),
        ("winding_exponent", "f8"),
        ("k11", "f8"),
        ("k21", "f8"),
        ("k22", "f8"),
        ("oil_tau_s", "f8"),
        ("winding_tau_s", "f8"),
        ("oil_rise_k", "f8"),  # at rating
        ("hot_spot_rise_k", "f8"),  # over top oil, at rating
    ]
)

THERMAL_STATE: Final = np.dtype(
    [
        ("oil_k", "f8"),
        ("h1_k", "f8"),
        ("h2_k", "f8"),
        ("hot_spot_degc", "f8"),
        ("aged_s", "f8"),  # equivalent time at 110 degC
        ("life_s", "f8"),  # real time
    ]
)
