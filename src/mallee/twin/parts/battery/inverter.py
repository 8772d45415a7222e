"""From a set point to the terminals: what the unit can do now, and how fast it does it.

The response is a delay and a first-order lag. Both are usually shorter than the electrical step,
so the step's mean power is integrated analytically instead of being sampled.
"""

import math
from typing import cast

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.twin.clock import STEP_S
from mallee.twin.kernel import kernel
from mallee.twin.parts.battery.layout import PATH, RING


def make_path(delay_s: float, tau_s: float, step_s: float = STEP_S) -> np.void:
    """Resolve a delay and a lag for an electrical step.

    Raises:
        ValueError: a negative time, or a delay longer than the memory of set points.
    """
    if delay_s < 0.0 or tau_s < 0.0:
        raise ValueError(f"a command path needs times >= 0 s, not {delay_s} and {tau_s}")
    whole = math.floor(delay_s / step_s + 1e-9)
    if whole > RING - 2:
        raise ValueError(f"a delay of {delay_s} s is longer than {(RING - 2) * step_s:.2f} s")
    rest_s = max(0.0, delay_s - whole * step_s)
    path = np.zeros((), PATH)
    path["whole_steps"], path["rest_s"], path["tau_s"] = whole, rest_s, tau_s
    if tau_s > 0.0:
        path["decay_rest"] = math.exp(-rest_s / tau_s)
        path["decay_last"] = math.exp(-(step_s - rest_s) / tau_s)
    return cast(np.void, path[()])


@kernel
def respond(state: np.void, path: np.void, set_w: float, step_s: float) -> float:
    """Take a new set point for one step; returns the mean power of the step.

    Until the rest of the delay has passed the terminals follow the older set point, then the
    newer one: ``p(t) = set + (p0 - set) exp(-t/tau)`` in both parts, integrated exactly.
    """
    at = (state["ring_at"] + 1) % RING
    state["ring_at"] = at
    ring = state["ring_w"]
    ring[at] = set_w
    newer = ring[(at - path["whole_steps"]) % RING]
    older = ring[(at - path["whole_steps"] - 1) % RING]
    rest_s, tau_s, start = path["rest_s"], path["tau_s"], state["power_w"]
    middle = older + (start - older) * path["decay_rest"]
    end = newer + (middle - newer) * path["decay_last"]
    first = older * rest_s + (start - older) * tau_s * (1.0 - path["decay_rest"])
    last = newer * (step_s - rest_s) + (middle - newer) * tau_s * (1.0 - path["decay_last"])
    state["power_w"] = end
    state["mean_w"] = (first + last) / step_s
    return (first + last) / step_s


@kernel
def stop(state: np.void) -> None:
    """Open the inverter at once: no power, and nothing left of older set points."""
    state["power_w"], state["mean_w"], state["reactive_var"] = 0.0, 0.0, 0.0
    for k in range(RING):
        state["ring_w"][k] = 0.0


@kernel
def charge_available_w(unit: np.void, state: np.void) -> float:
    """Most charging power now: rating, derate, taper towards a full battery, P/Q circle."""
    taper = min(1.0, max(0.0, (unit["soc_max"] - state["soc"]) / unit["taper_soc"]))
    return _in_circle(unit, state, unit["charge_max_w"] * taper * state["derate_frac"])


@kernel
def discharge_available_w(unit: np.void, state: np.void) -> float:
    """Most discharging power now, as a positive number."""
    taper = min(1.0, max(0.0, (state["soc"] - unit["soc_min"]) / unit["taper_soc"]))
    return _in_circle(unit, state, unit["discharge_max_w"] * taper * state["derate_frac"])


@kernel
def _in_circle(unit: np.void, state: np.void, power_w: float) -> float:
    """Active power has priority; what reactive power takes away is limited by the circle."""
    if state["available"] == 0:
        return 0.0
    room = unit["apparent_max_va"] ** 2 - state["reactive_var"] ** 2
    return min(power_w, math.sqrt(max(0.0, room)))


def residual_frac(delay_s: float, tau_s: float, frequency_hz: FloatArray) -> FloatArray:
    """Share of a swing that is left after cancellation through a path: |1 - e^(-jwd)/(1+jwt)|."""
    jw = 2j * np.pi * frequency_hz
    return np.abs(1.0 - np.exp(-jw * delay_s) / (1.0 + jw * tau_s))
