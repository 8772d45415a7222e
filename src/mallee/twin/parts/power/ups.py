"""Uninterruptible supplies: losses, eco mode, autonomy, overload, and the counter that locks.

After three sags within a minute many units stay on battery until a person resets them: one of the
reasons why 1,500 MW of data centres left the grid at once on 10 July 2024 (NERC incident review).
"""

import math
from typing import Final, cast

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel
from mallee.core.units import SECONDS_PER_HOUR
from mallee.twin.kernel import kernel

NORMAL: Final = 0
ON_BATTERY: Final = 1
OFF: Final = 2
BYPASS: Final = 3
"""What a UPS does now: converts, lives on its battery, is empty or tripped, passes its input on."""

SAG_PU: Final = 0.9
SWELL_PU: Final = 1.1
SAGS_TO_LOCK: Final = 3
SAG_WINDOW_MS: Final = 60_000
RETURN_MS: Final = 2_000
"""Input must be good this long before the rectifier takes over again."""

WALK_IN_S: Final = 15.0
"""The rectifier takes its load back over 10..30 s (assumed middle)."""

RIDE_S: Final = 300.0
"""Autonomy at rating where the catalogue gives none (assumed: five minutes)."""

OVERLOAD_PU: Final = 1.02
OVERLOAD_AT: Final = (1.10, 1.25, 1.50)
OVERLOAD_S: Final = (3600.0, 600.0, 60.0)
"""How long the inverter carries 110, 125 and 150 %, where the model does not say."""

HARD_OVERLOAD_S: Final = 0.2
"""Above 150 % the inverter gives up within this time (assumed)."""

COOL_TAU_S: Final = 600.0
BYPASS_RETURN_PU: Final = 0.95

NEVER_MS: Final = -(1 << 40)

UPS: Final = np.dtype(
    [
        ("eco", "i8"),
        ("locks", "i8"),
        ("rating_w", "f8"),
        ("energy_wh", "f8"),
        ("loss_a", "f8"),
        ("loss_b", "f8"),
        ("loss_c", "f8"),
        ("eco_loss_frac", "f8"),
        ("charge_w", "f8"),
        ("walk_in_s", "f8"),
        ("overload_s", "f8", (3,)),  # carried at 110, 125 and 150 %
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
        ("overload", "f8"),  # 1 when the inverter has carried all it can
        ("input_pu", "f8"),
        ("stored_wh", "f8"),
        ("start_wh", "f8"),
        ("input_w", "f8"),
        ("output_w", "f8"),
        ("loss_w", "f8"),
        ("loss_wh", "f8"),
    ]
)


@kernel
def ups_watch(unit: np.void, state: np.void, voltage_pu: float, now_ms: int) -> None:
    """Look at the input: count sags, go to battery, come back when it is good and not locked."""
    bad = voltage_pu < SAG_PU or voltage_pu > SWELL_PU
    _count_sag(unit, state, bad, now_ms)
    if state["does"] == OFF and (bad or state["stored_wh"] <= 0.0):
        if bad:
            state["good_since_ms"] = now_ms
        elif now_ms - state["good_since_ms"] >= RETURN_MS:
            state["does"], state["share_frac"] = NORMAL, 0.0
    elif state["overload"] >= 1.0 or state["does"] == BYPASS:
        _watch_bypass(unit, state, bad)
    elif bad or state["locked"] == 1:
        state["does"], state["share_frac"] = ON_BATTERY, 0.0
        if state["stored_wh"] <= 0.0:
            state["does"] = OFF
    elif state["does"] != NORMAL and now_ms - state["good_since_ms"] >= RETURN_MS:
        state["does"], state["share_frac"] = NORMAL, 0.0
    elif state["does"] == ON_BATTERY and state["stored_wh"] <= 0.0:
        state["does"] = OFF


@kernel
def _count_sag(unit: np.void, state: np.void, bad: bool, now_ms: int) -> None:
    """Remember when the input went bad; three times in a minute lock the unit to its battery."""
    if bad and state["sag"] == 0:
        times = state["sag_ms"]
        for k in range(SAGS_TO_LOCK - 1):
            times[k] = times[k + 1]
        times[SAGS_TO_LOCK - 1] = now_ms
        if unit["locks"] == 1 and now_ms - times[0] <= SAG_WINDOW_MS:
            state["locked"] = 1
    state["sag"] = 1 if bad else 0
    if bad:
        state["good_since_ms"] = now_ms


@kernel
def _watch_bypass(unit: np.void, state: np.void, bad: bool) -> None:
    """The static bypass takes what the inverter cannot; without input there is none."""
    if bad:
        over = state["overload"] >= 1.0
        state["does"], state["share_frac"] = OFF if over else ON_BATTERY, 0.0
    elif state["overload"] < 0.5 and state["output_w"] < BYPASS_RETURN_PU * unit["rating_w"]:
        state["does"], state["share_frac"] = NORMAL, 1.0
    else:
        state["does"], state["share_frac"] = BYPASS, 1.0


@kernel
def passed_pu(state: np.void) -> float:
    """Voltage behind a UPS."""
    if state["does"] == OFF:
        return 0.0
    return float(state["input_pu"]) if state["does"] == BYPASS else 1.0


@kernel
def ups_input_w(unit: np.void, state: np.void, load_w: float) -> float:
    """What the UPS takes from above for a load below it, without moving time."""
    state["loss_w"], state["input_w"], state["output_w"] = 0.0, 0.0, load_w
    if state["does"] == OFF:
        return 0.0
    part = abs(load_w) / unit["rating_w"]
    if state["does"] == BYPASS or (unit["eco"] == 1 and state["does"] == NORMAL):
        loss_w = unit["eco_loss_frac"] * abs(load_w)
    else:
        loss_w = unit["rating_w"] * (
            unit["loss_a"] + unit["loss_b"] * part + unit["loss_c"] * part * part
        )
    state["loss_w"] = loss_w
    if state["does"] == ON_BATTERY:
        return 0.0
    refill_w = unit["charge_w"] if state["stored_wh"] < unit["energy_wh"] else 0.0
    share_frac = 1.0 if state["does"] == BYPASS else state["share_frac"]
    state["input_w"] = share_frac * (load_w + loss_w) + refill_w
    return state["input_w"]


@kernel
def ups_book(unit: np.void, state: np.void, load_w: float, step_s: float) -> None:
    """Move time on by one step: energy, losses, heating by overload, the walk-in ramp."""
    if state["does"] == OFF:
        state["overload"] *= math.exp(-step_s / COOL_TAU_S)
        return
    hours = step_s / SECONDS_PER_HOUR
    state["loss_wh"] += state["loss_w"] * hours
    state["stored_wh"] += (state["input_w"] - load_w - state["loss_w"]) * hours
    part = load_w / unit["rating_w"]
    if part > OVERLOAD_PU and state["does"] != BYPASS:
        state["overload"] += step_s / overload_time_s(unit["overload_s"], part)
    else:
        state["overload"] *= math.exp(-step_s / COOL_TAU_S)
    if state["does"] == NORMAL and state["share_frac"] < 1.0:
        state["share_frac"] = min(1.0, state["share_frac"] + step_s / unit["walk_in_s"])


@kernel
def overload_time_s(knees_s: FloatArray, part: float) -> float:
    """How long a UPS carries a load above its rating: between the knees straight in log(time).

    Args:
        knees_s: times at 110, 125 and 150 %.  # (3,)
        part: load over rating.
    """
    if part <= OVERLOAD_AT[0]:
        return float(knees_s[0])
    for k in range(2):
        if part <= OVERLOAD_AT[k + 1]:
            share = (part - OVERLOAD_AT[k]) / (OVERLOAD_AT[k + 1] - OVERLOAD_AT[k])
            return float(knees_s[k] * math.exp(share * math.log(knees_s[k + 1] / knees_s[k])))
    return HARD_OVERLOAD_S


def make_ups(
    rating_w: float, energy_wh: float, model: DeviceModel | None = None, *, eco: bool = False
) -> tuple[np.void, np.void]:
    """A UPS, and its state fully charged.

    Loss ``a + b P + c P^2`` of rating, `loss_a_pu`, `loss_b_pu` and `loss_c_pu` of the model, with
    .008, .010, .018 where it gives none: 96.5 % in double conversion at half to full load; 99 % in
    eco mode (assumed). `locks_after_sags` of 0 says that it never stays on battery by itself.
    """

    def of(name: str, otherwise: float) -> float:
        return otherwise if model is None else model.parameter_or(name, otherwise)

    unit, state = np.zeros((), UPS), np.zeros((), UPS_STATE)
    unit["eco"], unit["rating_w"], unit["energy_wh"] = eco, rating_w, energy_wh
    unit["loss_a"], unit["loss_b"] = of("loss_a_pu", 0.008), of("loss_b_pu", 0.010)
    unit["loss_c"], unit["eco_loss_frac"] = of("loss_c_pu", 0.018), of("eco_loss_frac", 0.01)
    unit["charge_w"] = of("charge_max_w", 0.05 * rating_w)
    unit["walk_in_s"] = of("walk_in_s", WALK_IN_S)
    names = ("overload_110_s", "overload_125_s", "overload_150_s")
    unit["overload_s"] = [of(name, usual) for name, usual in zip(names, OVERLOAD_S, strict=True)]
    unit["locks"] = of("locks_after_sags", float(SAGS_TO_LOCK)) > 0.0
    state["sag_ms"] = NEVER_MS
    state["stored_wh"] = state["start_wh"] = energy_wh
    state["share_frac"] = state["input_pu"] = 1.0
    return cast(np.void, unit[()]), cast(np.void, state[()])
