"""How far a battery's word is taken: only for what it has been seen to deliver.

A battery that says it can give a megawatt is believed until it is needed and does not give it. From
then on it counts with what it delivers and a small probe, half of the margin below the import
limit, so that trying it again costs nothing. What it truly delivers raises its credit again.
"""

from enum import Enum

import msgspec

from mallee.control.limits import Limits
from mallee.control.view import BatteryView
from mallee.core.units import SECONDS_PER_HOUR

SHORT_FRAC = 0.9
"""Delivered below this share of what was needed, or said to be possible, is a failure."""
PATIENCE_S, PATIENCE_SET_POINT_S = 0.8, 1.8
"""A battery has this long to answer a need before it counts as failing: one that acts on its own at
the meter, and one that waits for a set point."""
GROW = 1.25
"""A battery in doubt is believed this much more than what it gave at most."""


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """Credit of one battery.

    Attributes:
        proven_w: what it counts with at most; infinite while its word is taken.
        short_since_s: since when it gives less than needed; None while it does not.
        failures: in a row.
    """

    proven_w: float = float("inf")
    short_since_s: float | None = None
    failures: int = 0

    def discharge_w(self, battery: BatteryView) -> float:
        """What it counts with now: its word, as far as its credit and the probe reach."""
        return min(battery.discharge_max_w, self.proven_w + battery.limits.probe_w)


class Verdict(Enum):
    """What changed in a battery's credit."""

    SAME = 0
    FAILED = 1
    RECOVERED = 2


def next_trust(
    before: Trust,
    battery: BatteryView,
    needed_w: float,
    held_w: float,
    *,
    over: bool,
    time_s: float,
) -> tuple[Trust, Verdict]:
    """Credit after one more look.

    Args:
        before: its credit so far.
        battery: as seen.
        needed_w: discharge that would bring import under its limit, its share of it.
        held_w: what the energy above its floor carries: no more is counted on.
        over: whether import stands above the limit.
        time_s: now.
    """
    given_w = max(0.0, -battery.charge_w)
    asked_w = min(needed_w, held_w, before.discharge_w(battery))
    if over and battery.seen and asked_w > 0.0 and given_w < SHORT_FRAC * asked_w:
        since_s = time_s if before.short_since_s is None else before.short_since_s
        patience_s = PATIENCE_S if battery.limits.smooths else PATIENCE_SET_POINT_S
        if time_s - since_s < patience_s:
            waiting = Trust(
                proven_w=before.proven_w, short_since_s=since_s, failures=before.failures
            )
            return waiting, Verdict.SAME
        failed = Trust(proven_w=given_w, failures=before.failures + 1)
        return failed, Verdict.FAILED if before.failures == 0 else Verdict.SAME
    if before.failures == 0:
        return Trust(), Verdict.SAME
    return _regained(before, battery, given_w)


def _regained(before: Trust, battery: BatteryView, given_w: float) -> tuple[Trust, Verdict]:
    """What is delivered is proved, and a little more is believed than before."""
    if given_w * GROW >= battery.limits.discharge_max_w:
        return Trust(), Verdict.RECOVERED
    proven_w = max(before.proven_w, given_w * GROW if given_w > before.proven_w else 0.0)
    return Trust(proven_w=proven_w, failures=before.failures), Verdict.SAME


def trusted_w(
    views: tuple[BatteryView, ...], trusts: tuple[Trust, ...], limits: Limits
) -> list[float]:
    """Discharge that each battery counts with for long enough to react, W.

    Near the floor of the window it falls with what is left, so that loads give way minutes before
    a battery is empty.
    """
    return [
        min(trust.discharge_w(battery), held_w(battery, limits))
        for battery, trust in zip(views, trusts, strict=True)
    ]


def held_w(battery: BatteryView, limits: Limits) -> float:
    """What the energy above a battery's floor carries for `HOLD_S`."""
    above_wh = max(0.0, battery.soc - limits.soc_min) * battery.limits.capacity_wh
    return above_wh * SECONDS_PER_HOUR / HOLD_S


HOLD_S = 900.0
"""Support is what can be held this long: a job needs minutes to checkpoint and pause."""
