"""Arrays of the site's batteries: one record a battery, what never changes apart from what does."""

from typing import Final

import numpy as np

STANDBY: Final = 0
SET_POINT: Final = 1
RAMP_FILTER: Final = 2
GRID_FORMING: Final = 3
MODES: Final = 4

RING: Final = 128
"""Set points remembered for the delay of the command path: 128 steps of 20 ms are 2.56 s."""

LOCAL: Final = 0
REMOTE: Final = 1

# What the ramp filter is told; stored once at commissioning and once as in force now.
FILTER: Final = np.dtype(
    [
        ("import_max_w", "f8"),
        ("import_min_w", "f8"),
        ("ramp_up_w_per_s", "f8"),
        ("ramp_down_w_per_s", "f8"),
        ("time_s", "f8"),
        ("charge_bias_w", "f8"),
    ]
)

# Delay and lag from a set point to the terminals, resolved for steps of 20 ms.
PATH: Final = np.dtype(
    [
        ("whole_steps", "i8"),
        ("rest_s", "f8"),
        ("tau_s", "f8"),
        ("decay_rest", "f8"),  # exp(-rest / tau)
        ("decay_last", "f8"),  # exp(-(step - rest) / tau)
    ]
)

UNIT: Final = np.dtype(
    [
        ("energy_wh", "f8"),
        ("charge_max_w", "f8"),
        ("discharge_max_w", "f8"),
        ("apparent_max_va", "f8"),
        ("linear_loss_frac", "f8"),  # inverter, of power
        ("square_loss_frac", "f8"),  # inverter, of rating at rating
        ("charge_cell_loss_frac", "f8"),  # cells, of rating at rating
        ("discharge_cell_loss_frac", "f8"),
        ("idle_loss_w", "f8"),  # inverter that switches, from the cells
        ("auxiliary_w", "f8"),
        ("auxiliary_frac", "f8"),  # thermal management, of power
        ("self_discharge_per_h", "f8"),
        ("soc_min", "f8"),
        ("soc_max", "f8"),
        ("taper_soc", "f8"),
        ("droop_frac", "f8"),
        ("heartbeat_after_ms", "i8"),
        ("estimate_gain_frac", "f8"),
        ("estimate_offset_per_h", "f8"),
        ("commissioned", FILTER),
        ("path", PATH, (2,)),
    ]
)

STATE: Final = np.dtype(
    [
        ("mode", "i8"),
        ("healthy", "i8"),  # 0 while failed
        ("fed", "i8"),  # with voltage on its branch
        ("head", "i8"),  # topmost branch that it is connected to
        ("available", "i8"),  # healthy, with voltage and not tripped by it
        ("set_w", "f8"),
        ("set_until_ms", "i8"),
        ("heartbeat_count", "f8"),
        ("heartbeat_ms", "i8"),
        ("reverted", "i8"),
        ("filter", FILTER),
        ("smooth_w", "f8"),
        ("target_w", "f8"),
        ("ring_w", "f8", (RING,)),
        ("ring_at", "i8"),
        ("power_w", "f8"),  # at the end of the step
        ("mean_w", "f8"),  # over the step
        ("reactive_var", "f8"),
        ("auxiliary_w", "f8"),
        ("cell_loss_w", "f8"),
        ("soc", "f8"),
        ("soc_estimate", "f8"),
        ("soh", "f8"),
        ("cell_degc", "f8"),
        ("derate_frac", "f8"),
        ("charge_wh", "f8"),
        ("discharge_wh", "f8"),
        ("loss_wh", "f8"),
        ("auxiliary_wh", "f8"),
        ("stored_wh", "f8"),  # since the start
        ("through_wh", "f8"),  # both ways, at the cells
    ]
)
