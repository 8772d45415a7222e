"""Arrays of the power tree: one record a branch, sources before what they feed."""

from typing import Final

import numpy as np

PASSES: Final = 0
TRANSFORMER: Final = 1
BREAKER: Final = 2
"""How the kernels treat a branch; what has no breaker or windings only passes on."""

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
        ("standby", "i8"),  # its second source, or -1
        ("transfer_ms", "i8"),  # its load is without supply for this long when it transfers
        ("return_ms", "i8"),  # the normal source must be good this long before it is taken again
        ("kind", "i8"),
        ("rating_w", "f8"),
        ("rating_a", "f8"),
        ("nominal_v", "f8"),
        ("no_load_w", "f8"),
        ("linear_loss_w", "f8"),  # at rating
        ("load_loss_w", "f8"),  # at rating
        ("resistance_frac", "f8"),
        ("reactance_frac", "f8"),
        ("ups", "i8"),  # the UPS that it is, or -1
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
        ("stuck", "i8"),  # 1: it does not transfer
        ("position", "i8"),  # 0 on its normal source, 1 on the standby one
        ("moving_until_ms", "i8"),  # between its sources until then
        ("good_ms", "i8"),  # when the normal source was last seen with good voltage
        ("bad_ms", "i8"),  # and when without
        ("source", "i8"),  # branch that feeds it now; -1 for a root, open or between sources
        ("head", "i8"),  # topmost branch that it is connected to
        ("islanded", "i8"),  # of a head: batteries carry what hangs below it
        ("collapsed", "i8"),  # of a head: an island that could not carry its load
        ("fed", "i8"),  # closed, with voltage from above
        ("alive", "i8"),  # with voltage for its loads, from above or from a UPS
        ("why_open", "i8"),
        ("open_ms", "i8"),
        ("own_w", "f8"),  # loads that hang on it directly
        ("demand_w", "f8"),  # leaving it downwards
        ("flow_w", "f8"),  # entering it from above: demand and its own loss
        ("loss_w", "f8"),
        ("loss_wh", "f8"),
        ("import_wh", "f8"),  # of its flow downwards, since the start
        ("export_wh", "f8"),  # of its flow upwards
        ("above_pu", "f8"),  # voltage at its upper end
        ("voltage_pu", "f8"),
        ("hz", "f8"),  # of a head
        ("current_pu", "f8"),
        ("heat_s", "f8"),
        ("short_s", "f8"),
        ("square_s", "f8"),  # of load over rating, since the last thermal step
        # Of a head: what hangs in the part of the tree below it.
        ("racks_w", "f8"),
        ("loads_w", "f8"),
        ("chargers_w", "f8"),
        ("battery_w", "f8"),
        ("losses_w", "f8"),
        ("reactive_var", "f8"),
        # Of an islanded head: what its forming batteries can do, and do.
        ("charge_can_w", "f8"),
        ("discharge_can_w", "f8"),
        ("carried_w", "f8"),
        ("rated_w", "f8"),
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
