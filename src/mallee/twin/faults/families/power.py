"""Faults of shelves, breakers, transformers and uninterruptible supplies."""

from typing import Final

import numpy as np

from mallee.kinds.pdu import PDU
from mallee.kinds.ups import UPS
from mallee.twin.faults.kind import FaultKind, Occurrence, Parameter, Parts
from mallee.twin.parts.power.ups import OFF, ON_BATTERY


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


def _in_line(parts: Parts, one: Occurrence) -> int:
    """The branch that a UPS or PDU is."""
    return parts.site.branch_index(one.target.name)


def _ups(parts: Parts, one: Occurrence) -> int:
    """Number of a UPS among the twin's."""
    return int(parts.branches.units[_in_line(parts, one)]["ups"])


def _lock_ups(parts: Parts, one: Occurrence) -> None:
    state = parts.branches.ups_state[_ups(parts, one)]
    state["locked"], state["does"], state["share_frac"] = 1, ON_BATTERY, 0.0


def _unlock_ups(parts: Parts, one: Occurrence) -> None:
    parts.branches.reset_ups(_ups(parts, one))


def _stop_charging_ups(parts: Parts, one: Occurrence) -> None:
    one.overrides.put("ups charge", parts.branches.ups["charge_w"], _ups(parts, one), 0.0)


def _charge_ups(parts: Parts, one: Occurrence) -> None:
    one.overrides.mend("ups charge", parts.branches.ups["charge_w"], _ups(parts, one))


def _trip_ups(parts: Parts, one: Occurrence) -> None:
    parts.branches.ups_state[_ups(parts, one)]["does"] = OFF
    parts.branches.trip(_in_line(parts, one), one.start_ms)


def _return_ups(parts: Parts, one: Occurrence) -> None:
    parts.branches.reset(_in_line(parts, one))


def _age_ups(parts: Parts, one: Occurrence) -> None:
    at, energy_wh = _ups(parts, one), parts.branches.ups["energy_wh"]
    one.overrides.scale("ups energy", energy_wh, at, one.values["left_frac"])
    state = parts.branches.ups_state[at]
    lost_wh = max(0.0, float(state["stored_wh"] - energy_wh[at]))
    state["stored_wh"] -= lost_wh
    state["start_wh"] -= lost_wh  # it was never there: no energy goes anywhere


def _renew_ups(parts: Parts, one: Occurrence) -> None:
    one.overrides.mend("ups energy", parts.branches.ups["energy_wh"], _ups(parts, one))


def _open_in_line(parts: Parts, one: Occurrence) -> None:
    parts.branches.trip(_in_line(parts, one), one.start_ms)


def _stick(parts: Parts, one: Occurrence) -> None:
    parts.branches.state[one.target.index]["stuck"] = 1


def _free(parts: Parts, one: Occurrence) -> None:
    parts.branches.state[one.target.index]["stuck"] = 0


def _tied(parts: Parts, one: Occurrence) -> list[int]:
    return [n for n, branch in enumerate(parts.site.branches) if branch.tie == one.target.name]


def _fail_tie(parts: Parts, one: Occurrence) -> None:
    parts.branches.state["stuck"][_tied(parts, one)] = 1


def _mend_tie(parts: Parts, one: Occurrence) -> None:
    parts.branches.state["stuck"][_tied(parts, one)] = 0


KINDS: Final = (
    FaultKind(
        name="shelf-lost",
        targets=("rack",),
        text="Power shelves of a rack fail; the rest carry its load.",
        start=_lose_shelves,
        end=_return_shelves,
        parameters=(Parameter(name="lost_count", default=1.0, low=0.0, high=8.0),),
    ),
    FaultKind(
        name="breaker-trip",
        targets=("breaker",),
        text="A breaker opens without need; it is closed again at the end.",
        start=_open,
        end=_close,
    ),
    FaultKind(
        name="breaker-weak",
        targets=("breaker",),
        text="A breaker picks up below its setting and trips on normal load.",
        start=_weaken,
        end=_strengthen,
        parameters=(Parameter(name="setting_frac", default=0.7, low=0.3, high=1.0),),
    ),
    FaultKind(
        name="transformer-fans",
        targets=("transformer",),
        text="The fans of a transformer stand still: its oil rises a multiple of normal.",
        start=_stop_fans,
        end=_start_fans,
        parameters=(Parameter(name="rise_pu", default=1.6, low=1.0, high=2.5),),
    ),
    FaultKind(
        name="ups-locked",
        targets=(UPS.name,),
        text="A UPS goes to battery and stays there until a person resets it.",
        start=_lock_ups,
        end=_unlock_ups,
    ),
    FaultKind(
        name="ups-charger",
        targets=(UPS.name,),
        text="The charger of a UPS fails: what it loses does not come back.",
        start=_stop_charging_ups,
        end=_charge_ups,
    ),
    FaultKind(
        name="ups-trip",
        targets=(UPS.name,),
        text="A UPS drops its load: output off, no bypass, until the end.",
        start=_trip_ups,
        end=_return_ups,
    ),
    FaultKind(
        name="ups-battery-weak",
        targets=(UPS.name,),
        text="The battery of a UPS has aged: this share of its energy is left.",
        start=_age_ups,
        end=_renew_ups,
        parameters=(Parameter(name="left_frac", default=0.3, low=0.01, high=1.0),),
    ),
    FaultKind(
        name="pdu-trip",
        targets=(PDU.name,),
        text="The main breaker of a PDU opens; it is closed again at the end.",
        start=_open_in_line,
        end=_return_ups,
    ),
    FaultKind(
        name="ats-stuck",
        targets=("switch_over",),
        text="A transfer switch stays where it is, whatever its sources do.",
        start=_stick,
        end=_free,
    ),
    FaultKind(
        name="tie-fails",
        targets=("tie",),
        text="A tie breaker does not close: a board that loses its main stays dark.",
        start=_fail_tie,
        end=_mend_tie,
    ),
)
