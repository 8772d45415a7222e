"""Uninterruptible supplies: losses, eco mode, autonomy, and the counter that locks to battery.

After three sags within a minute many units stay on battery until a person resets them: one of the
reasons why 1,500 MW of data centres left the grid at once on 10 July 2024 (NERC incident review).
"""

from typing import Final, cast

import numpy as np

from mallee.core.units import SECONDS_PER_HOUR
from mallee.twin.kernel import kernel

DOUBLE_CONVERSION: Final = 0
ECO: Final = 1

NORMAL: Final = 0
ON_BATTERY: Final = 1
EMPTY: Final = 2
"""What a UPS does now."""

SAG_PU: Final = 0.9
SWELL_PU: Final = 1.1
SAGS_TO_LOCK: Final = 3
SAG_WINDOW_MS: Final = 60_000
RETURN_MS: Final = 2_000
"""Input must be good this long before the rectifier takes over again."""

WALK_IN_S: Final = 15.0
"""The rectifier takes its load back over 10..30 s (assumed middle)."""

NEVER_MS: Final = -(1 << 40)

UPS: Final = np.dtype(
    [
        ("branch", "i8"),
        ("eco", "i8"),
        ("rating_w", "f8"),
        ("energy_wh", "f8"),
        ("loss_a", "f8"),
        ("loss_b", "f8"),
        ("loss_c", "f8"),
        ("eco_loss_frac", "f8"),
        ("charge_w", "f8"),
    ]
)

UPS_STATE: Final = np.dtype(
    [
        ("does", "i8"),
        ("locked", "i8"),
        ("sag", "i8"),
        ("sag_ms", "i8", (SAGS_TO_LOCK,)),
        ("good_since_ms", "i8"),
        ("share_frac", "f8"),  # of the load that the input carries
        ("stored_wh", "f8"),
        ("start_wh", "f8"),
        ("input_w", "f8"),
        ("loss_w", "f8"),
        ("loss_wh", "f8"),
    ]
)


@kernel
def ups_watch(state: np.void, voltage_pu: float, now_ms: int) -> None:
    """Look at the input: count sags, go to battery, come back when it is good and not locked."""
    bad = voltage_pu < SAG_PU or voltage_pu > SWELL_PU
    if bad and state["sag"] == 0:
        times = state["sag_ms"]
        for k in range(SAGS_TO_LOCK - 1):
            times[k] = times[k + 1]
        times[SAGS_TO_LOCK - 1] = now_ms
        if now_ms - times[0] <= SAG_WINDOW_MS:
            state["locked"] = 1
    state["sag"] = 1 if bad else 0
    if bad:
        state["good_since_ms"] = now_ms
        if state["does"] == NORMAL:
            state["does"] = ON_BATTERY
    if bad or state["locked"] == 1:
        state["share_frac"] = 0.0
        if state["does"] == NORMAL:
            state["does"] = ON_BATTERY
    elif state["does"] != NORMAL and now_ms - state["good_since_ms"] >= RETURN_MS:
        state["does"] = NORMAL
        state["share_frac"] = 0.0
    if state["stored_wh"] <= 0.0 and state["does"] == ON_BATTERY:
        state["does"] = EMPTY


@kernel
def ups_input_w(unit: np.void, state: np.void, load_w: float) -> float:
    """What the UPS takes from above for a load below it, without moving time."""
    if state["does"] == EMPTY:
        return 0.0
    part = abs(load_w) / unit["rating_w"]
    if unit["eco"] == 1 and state["does"] == NORMAL:
        loss_w = unit["eco_loss_frac"] * abs(load_w)
    else:
        loss_w = unit["rating_w"] * (
            unit["loss_a"] + unit["loss_b"] * part + unit["loss_c"] * part * part
        )
    state["loss_w"] = loss_w
    if state["does"] == ON_BATTERY:
        state["input_w"] = 0.0
        return 0.0
    refill_w = unit["charge_w"] if state["stored_wh"] < unit["energy_wh"] else 0.0
    state["input_w"] = state["share_frac"] * (load_w + loss_w) + refill_w
    return state["input_w"]


@kernel
def ups_book(state: np.void, load_w: float, step_s: float) -> None:
    """Move time on by one step: energy, losses and the walk-in ramp."""
    if state["does"] == EMPTY:
        return
    hours = step_s / SECONDS_PER_HOUR
    state["loss_wh"] += state["loss_w"] * hours
    state["stored_wh"] += (state["input_w"] - load_w - state["loss_w"]) * hours
    if state["does"] == NORMAL and state["share_frac"] < 1.0:
        state["share_frac"] = min(1.0, state["share_frac"] + step_s / WALK_IN_S)


def make_ups(
    branch: int, rating_w: float, energy_wh: float, *, eco: bool = False
) -> tuple[np.void, np.void]:
    """A UPS behind a branch, and its state fully charged.

    Loss ``a + b P + c P^2`` of rating with a .008, b .010, c .018: 96.5 % in double conversion at
    half to full load; 99 % in eco mode (assumed).
    """
    unit, state = np.zeros((), UPS), np.zeros((), UPS_STATE)
    unit["branch"], unit["eco"], unit["rating_w"], unit["energy_wh"] = (
        branch,
        eco,
        rating_w,
        energy_wh,
    )
    unit["loss_a"], unit["loss_b"], unit["loss_c"] = 0.008, 0.010, 0.018
    unit["eco_loss_frac"], unit["charge_w"] = 0.01, 0.05 * rating_w
    state["sag_ms"] = NEVER_MS
    state["stored_wh"] = state["start_wh"] = energy_wh
    state["share_frac"] = 1.0
    return cast(np.void, unit[()]), cast(np.void, state[()])
