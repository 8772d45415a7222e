"""Faults of shelves, breakers, transformers and uninterruptible supplies."""

from typing import Final

import numpy as np

from mallee.twin.faults.kind import FaultKind, Occurrence, Parameter, Parts
from mallee.twin.power.ups import ON_BATTERY


def _lose_shelves(parts: Parts, one: Occurrence) -> None:
    parts.compute.set_shelf_lost(one.target.index, round(one.values["lost_count"]))


def _return_shelves(parts: Parts, one: Occurrence) -> None:
    parts.compute.set_shelf_lost(one.target.index, 0)


def _open(parts: Parts, one: Occurrence) -> None:
    parts.branches.trip(one.target.index, one.start_ms)


def _close(parts: Parts, one: Occurrence) -> None:
    parts.branches.reset(one.target.index)


def _weaken(parts: Parts, one: Occurrence) -> None:
    pickup_pu, factor = parts.branches.units["long_pickup_pu"], one.values["setting_frac"]
    one.overrides.scale("pickup", pickup_pu, one.target.index, factor)


def _strengthen(parts: Parts, one: Occurrence) -> None:
    one.overrides.mend("pickup", parts.branches.units["long_pickup_pu"], one.target.index)


def _stop_fans(parts: Parts, one: Occurrence) -> None:
    thermal = parts.branches.thermal
    for at in np.flatnonzero(thermal["branch"] == one.target.index).tolist():
        one.overrides.scale("oil rise", thermal["oil_rise_k"], at, one.values["rise_pu"])


def _start_fans(parts: Parts, one: Occurrence) -> None:
    thermal = parts.branches.thermal
    for at in np.flatnonzero(thermal["branch"] == one.target.index).tolist():
        one.overrides.mend("oil rise", thermal["oil_rise_k"], at)


def _lock_ups(parts: Parts, one: Occurrence) -> None:
    state = parts.branches.ups_state[one.target.index]
    state["locked"], state["does"], state["share_frac"] = 1, ON_BATTERY, 0.0


def _unlock_ups(parts: Parts, one: Occurrence) -> None:
    parts.branches.reset_ups(one.target.index)


def _stop_charging_ups(parts: Parts, one: Occurrence) -> None:
    one.overrides.put("ups charge", parts.branches.ups["charge_w"], one.target.index, 0.0)


def _charge_ups(parts: Parts, one: Occurrence) -> None:
    one.overrides.mend("ups charge", parts.branches.ups["charge_w"], one.target.index)


KINDS: Final = (
    FaultKind(
        name="shelf-lost",
        family="power",
        targets=("rack",),
        text="Power shelves of a rack fail; the rest carry its load.",
        start=_lose_shelves,
        end=_return_shelves,
        parameters=(Parameter(name="lost_count", default=1.0, low=0.0, high=8.0),),
    ),
    FaultKind(
        name="breaker-trip",
        family="power",
        targets=("breaker",),
        text="A breaker opens without need; it is closed again at the end.",
        start=_open,
        end=_close,
    ),
    FaultKind(
        name="breaker-weak",
        family="power",
        targets=("breaker",),
        text="A breaker picks up below its setting and trips on normal load.",
        start=_weaken,
        end=_strengthen,
        parameters=(Parameter(name="setting_frac", default=0.7, low=0.3, high=1.0),),
    ),
    FaultKind(
        name="transformer-fans",
        family="power",
        targets=("transformer",),
        text="The fans of a transformer stand still: its oil rises a multiple of normal.",
        start=_stop_fans,
        end=_start_fans,
        parameters=(Parameter(name="rise_pu", default=1.6, low=1.0, high=2.5),),
    ),
    FaultKind(
        name="ups-locked",
        family="power",
        targets=("ups",),
        text="A UPS goes to battery and stays there until a person resets it.",
        start=_lock_ups,
        end=_unlock_ups,
    ),
    FaultKind(
        name="ups-charger",
        family="power",
        targets=("ups",),
        text="The charger of a UPS fails: what it loses does not come back.",
        start=_stop_charging_ups,
        end=_charge_ups,
    ),
)
