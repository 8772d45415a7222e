"""Power smoothing of accelerators by the eight parameters of an NVML profile.

NVML names the parameters (`nvmlPowerSmoothingProfile`, Blackwell and later) but not the state
machine. The one here is an assumption that agrees with what NVIDIA tells of the feature (capped
ramp at the start, burn at the end):

1. The *activation average* of the demand decides whether the accelerator works: it does while the
   average is at least the primary floor plus the activation offset.
2. While it works, and for the hysteresis time after, power stays at or above the primary floor: a
   fraction of the maximum, but not more than the *target average* of the demand while it worked
   (a window of 0 takes the fraction alone). Otherwise the secondary floor holds.
3. Power follows with at most the ramp rates. Caps win over floors and over ramps.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from mallee.site.simulated import Smoothing
from mallee.twin.kernel import inlined
from mallee.twin.parts.compute.layout import Float32Array, Layout

WINDOW_S: Final = 0.1
"""Base window that the two window multipliers count in."""

FLOOR, UP, DOWN, HOLD, SECOND, ACTIVE_RATE, TARGET_RATE, ENGAGE, PARAMETERS = range(9)
"""Columns of `Smoother.numbers`; `PARAMETERS` is how many there are."""

ZERO = np.float32(0.0)
ONE = np.float32(1.0)


class Smoother(NamedTuple):
    """State of the smoothing. # (racks, slots) unless said

    Attributes:
        command_w: power after floors and ramps.
        active_w, target_w: activation and target average of the demand.
        hold: sub-steps for which the primary floor still holds.
        numbers: parameters in the units of the kernel.  # (racks, PARAMETERS)
        on: 1 where smoothing is enabled.  # (racks,)
    """

    command_w: Float32Array
    active_w: Float32Array
    target_w: Float32Array
    hold: Float32Array
    numbers: Float32Array
    on: Float32Array


def build_smoother(layout: Layout, profile: Smoothing | None, dt_ms: int) -> Smoother:
    """A smoother for all racks; without a profile it is off and small."""
    shape = (layout.racks, layout.slots if profile is not None else 1)
    smoother = Smoother(
        command_w=np.zeros(shape, np.float32),
        active_w=np.zeros(shape, np.float32),
        target_w=np.zeros(shape, np.float32),
        hold=np.zeros(shape, np.float32),
        numbers=np.zeros((layout.racks, PARAMETERS), np.float32),
        on=np.zeros(layout.racks, np.float32),
    )
    if profile is not None:
        smoother.command_w[:] = layout.idle_w
        for rack in range(layout.racks):
            set_profile(smoother, layout, rack, profile, dt_ms)
    return smoother


def set_profile(
    smoother: Smoother, layout: Layout, rack: int, profile: Smoothing, dt_ms: int
) -> None:
    """Enable smoothing on a rack with a profile, or change its profile."""
    dt_s = dt_ms / 1000.0
    count = float(layout.weight[rack, 0])
    most_w = float(layout.idle_w[rack, 0] + layout.span_w[rack, 0])
    floor_w = profile.floor_frac * most_w
    row = smoother.numbers[rack]
    row[FLOOR] = floor_w
    row[UP] = profile.ramp_up_w_per_s * dt_s * count
    row[DOWN] = profile.ramp_down_w_per_s * dt_s * count
    row[HOLD] = round(profile.hysteresis_s / dt_s)
    row[SECOND] = profile.secondary_floor_w * count
    row[ACTIVE_RATE] = _average_rate(profile.activation_window, dt_s)
    row[TARGET_RATE] = _average_rate(profile.target_window, dt_s)
    row[ENGAGE] = floor_w + profile.activation_offset_w * count
    smoother.on[rack] = 1.0


def _average_rate(window: float, dt_s: float) -> float:
    """Coefficient of an exponential average of some base windows; 1 takes the present value."""
    return -math.expm1(-dt_s / (window * WINDOW_S)) if window > 0.0 else 1.0


@inlined
def smooth_slots(
    count: int,
    numbers: Float32Array,
    demand_w: Float32Array,
    limit_w: Float32Array,
    command_w: Float32Array,
    active_w: Float32Array,
    target_w: Float32Array,
    hold: Float32Array,
    out_w: Float32Array,
) -> None:
    """One sub-step of the accelerators of one rack.

    Args:
        demand_w: what the work and the caps ask for.  # (slots,)
        out_w: what the accelerators go to, written.  # (slots,)
    """
    floor_w, up_w, down_w, hold_steps = numbers[0], numbers[1], numbers[2], numbers[3]
    second_w, active_rate, target_rate, engage_w = numbers[4], numbers[5], numbers[6], numbers[7]
    for s in range(count):
        active_w[s] += active_rate * (demand_w[s] - active_w[s])
    for s in range(count):
        works = active_w[s] >= engage_w
        hold[s] = hold_steps if works else max(hold[s] - ONE, ZERO)
        target_w[s] += (target_rate if works else ZERO) * (demand_w[s] - target_w[s])
    for s in range(count):
        primary_w = floor_w if target_rate == ONE else min(floor_w, target_w[s])
        wanted_w = max(demand_w[s], primary_w if hold[s] > ZERO else second_w)
        change_w = min(max(wanted_w - command_w[s], -down_w), up_w)
        command_w[s] = min(command_w[s] + change_w, limit_w[s])
    for s in range(count):
        out_w[s] = command_w[s]
