"""The "why" line: which limit binds now, and what is acting on it."""

from typing import NamedTuple

from mallee.control.limits import Limits
from mallee.control.reserve import Reserve
from mallee.control.sharing import capped_pods_w
from mallee.control.view import View
from mallee.core.units import SECONDS_PER_HOUR

NEAR_FRAC = 0.01
"""Import within this share of a limit counts as at the limit."""
SWING_FRAC = 0.03
"""Load away from import by this share of the contract counts as a swing that is being filtered."""


class Why(NamedTuple):
    """Binding limit, who acts on it, and one sentence with the numbers."""

    binding: str
    acting: str
    text: str


def why(
    view: View,
    reserve: Reserve,
    limits: Limits,
    *,
    import_in_force_w: float,
    target_reason: str,
    node_fraction: float,
    chargers_max_w: float,
    soc_recovering: bool,
    filter_overridden: bool,
) -> Why:
    """The most important reason first: energy, import limit, ramp, state of charge, nothing."""
    batteries = " and ".join(battery.limits.name for battery in view.batteries if battery.seen)
    # People know the contract; the margin that control keeps below it would only puzzle them.
    shown_w = import_in_force_w if target_reason else limits.import_contract_w
    kilowatts = f"Import {view.import_w / 1e3:.0f} of {shown_w / 1e3:.0f} kW"
    if filter_overridden:
        return Why(
            "import limit",
            f"control holds {batteries}",
            f"{kilowatts}; the ramp filter let import stand above the limit, so control gives "
            f"{batteries} its power until the meter is well.",
        )
    if node_fraction < 1.0:
        capped_w = capped_pods_w(node_fraction, limits)
        return Why(
            "battery energy" if batteries else "import limit",
            "node caps",
            f"{kilowatts}; chargers draw {view.chargers_w / 1e3:.0f} kW and the battery can add "
            f"{reserve.support_w / 1e3:.0f} kW, so the pods are capped at {capped_w / 1e3:.0f} kW.",
        )
    excess_w = view.load_w - import_in_force_w
    if excess_w > NEAR_FRAC * import_in_force_w:
        left_s = reserve.discharge_wh * SECONDS_PER_HOUR / excess_w
        limit = target_reason or "import limit"
        return Why(
            limit,
            f"{batteries} discharging" if batteries else "nothing",
            f"Load is {view.load_w / 1e3:.0f} kW behind the {limit} of {shown_w / 1e3:.0f} kW; "
            f"{batteries or 'no battery'} covers the rest for {_duration(left_s)} at this rate.",
        )
    swing_w = view.load_w - view.import_w
    if abs(swing_w) > SWING_FRAC * limits.contracted_w and not soc_recovering:
        up = swing_w > 0.0
        rate_w_per_s = limits.ramp_up_w_per_s if up else limits.ramp_down_w_per_s
        return Why(
            "ramp up" if up else "ramp down",
            f"{batteries} ramp filter" if batteries else "nothing",
            f"{kilowatts}; load is {abs(swing_w) / 1e3:.0f} kW {'above' if up else 'below'} it and "
            f"{batteries or 'nothing'} keeps import within {rate_w_per_s * 60 / 1e3:.0f} kW/min.",
        )
    if soc_recovering:
        away = limits.soc_target - reserve.soc
        verb = "Charging" if away > 0.0 else "Discharging"
        return Why(
            "state of charge",
            f"{batteries} charge bias",
            f"{kilowatts}; {verb.lower()} from {reserve.soc:.0%} towards {limits.soc_target:.0%}.",
        )
    short = chargers_max_w < sum(charger.max_w for charger in limits.chargers) * (1.0 - NEAR_FRAC)
    ready = "chargers share what is left" if short and limits.chargers else "nothing is held back"
    return Why("none", "", f"{kilowatts}; no limit binds, {ready}.")


def _duration(time_s: float) -> str:
    if time_s >= SECONDS_PER_HOUR:
        hours, rest_s = divmod(time_s, SECONDS_PER_HOUR)
        return f"{hours:.0f} h {rest_s / 60:02.0f} min"
    return f"{time_s / 60:.0f} min" if time_s >= 60 else f"{time_s:.0f} s"
