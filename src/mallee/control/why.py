"""The "why" line: a binding limit, who acts on it, and one sentence with place and numbers."""

from typing import NamedTuple

import numpy as np

from mallee.control.bounds import Bounds
from mallee.control.scene import Scene
from mallee.control.view import View
from mallee.core.arrays import FloatArray
from mallee.core.units import SECONDS_PER_HOUR

NEAR_FRAC = 0.01
"""Import within this share of a limit counts as at the limit."""
SWING_FRAC = 0.03
"""Load away from import by this share of the contract counts as a swing that is being filtered."""
WORK_EXPONENT, WORK_OFFSET = 0.29, 0.39
"""Work over power of pre-training, the steepest published curve: ((x - b) / (1 - b))^a, x the share
of uncapped power, measured on 256 A100-class GPUs (hardware reference 1.4)."""


class Why(NamedTuple):
    """Binding limit, who acts on it, and one sentence with the numbers."""

    binding: str
    acting: str
    text: str


def kilowatts(power_w: float) -> str:
    """A power as the sentences say it."""
    return f"{power_w / 1e3:.0f} kW"


def batteries_named(view: View) -> str:
    """Names of the batteries that can be seen; empty where there is none."""
    return " and ".join(battery.limits.name for battery in view.batteries if battery.seen)


def work_lost_frac(part: FloatArray) -> FloatArray:
    """Share of the work that is lost at a share of uncapped power, 0..1."""
    above = np.clip((part - WORK_OFFSET) / (1.0 - WORK_OFFSET), 0.0, 1.0)
    lost: FloatArray = 1.0 - above**WORK_EXPONENT
    return lost


def work_lost(scene: Scene, bounds: Bounds) -> str:
    """Estimate of the work that caps cost now, as people read it."""
    loads = scene.limits.budget.loads
    nodes = ~loads.is_charger
    if not nodes.any():
        return "0 %"
    lost_frac = work_lost_frac(bounds.high_w[nodes] / np.maximum(loads.most_w[nodes], 1.0))
    lost = float((lost_frac * loads.most_w[nodes]).sum() / loads.most_w[nodes].sum())
    return f"about {lost:.0%}" if lost >= 0.01 else "less than 1 %"


def calm_why(scene: Scene) -> Why:
    """What is going on while no concern holds loads back: the battery's work, or nothing."""
    batteries, limits = batteries_named(scene.view), scene.limits
    aim = scene.aims[0]
    excess_w = scene.load_w - scene.import_aim_w
    imported = f"Import {kilowatts(scene.import_w)} of {kilowatts(aim.shown_w)}"
    given_w = _given_w(scene)
    if batteries and excess_w > NEAR_FRAC * scene.import_aim_w and given_w > 0.0:
        left_s = _above_floor_wh(scene) * SECONDS_PER_HOUR / given_w
        text = (
            f"Load is {kilowatts(scene.load_w)} behind the {aim.name} of {kilowatts(aim.shown_w)}; "
            f"{batteries} gives {kilowatts(given_w)}, for {duration(left_s)} at this rate."
        )
        return Why(aim.name, f"{batteries} discharging", text)
    if scene.state.soc_recovering:
        soc = _soc(scene)
        verb = "charging" if soc < limits.soc_target else "discharging"
        text = f"{imported}; {verb} from {soc:.0%} towards {limits.soc_target:.0%}."
        return Why("state of charge", f"{batteries} charge bias", text)
    swing_w = scene.state.load_mean_w - scene.import_w
    if scene.covered and abs(swing_w) > SWING_FRAC * limits.contracted_w:
        side = "above" if swing_w > 0.0 else "below"
        rate_w_per_s = limits.ramp_up_w_per_s if swing_w > 0.0 else limits.ramp_down_w_per_s
        text = (
            f"{imported}; the mean load is {kilowatts(abs(swing_w))} {side} it and {batteries} "
            f"keeps import within {rate_w_per_s * 60 / 1e3:.0f} kW/min."
        )
        return Why("ramp", f"{batteries} at the meter", text)
    return Why("none", "", f"{imported}; no limit binds, nothing is held back.")


def _given_w(scene: Scene) -> float:
    return sum(max(0.0, -one.charge_w) for one in scene.view.batteries if one.seen)


def _above_floor_wh(scene: Scene) -> float:
    floor = scene.limits.soc_min
    return sum(
        max(0.0, one.soc - floor) * one.limits.capacity_wh
        for one in scene.view.batteries
        if one.seen
    )


def _soc(scene: Scene) -> float:
    seen = [one for one in scene.view.batteries if one.seen]
    capacity_wh = sum(one.limits.capacity_wh for one in seen)
    return sum(one.soc * one.limits.capacity_wh for one in seen) / max(capacity_wh, 1.0)


def duration(time_s: float) -> str:
    """A stretch of time as the sentences say it."""
    if time_s >= SECONDS_PER_HOUR:
        hours, rest_s = divmod(time_s, SECONDS_PER_HOUR)
        return f"{hours:.0f} h {rest_s / 60:02.0f} min"
    return f"{time_s / 60:.0f} min" if time_s >= 60 else f"{time_s:.0f} s"
