"""Devices that do something other than what they were told."""

from typing import Final

from mallee.twin.comms import STATES
from mallee.twin.faults.kind import Action, FaultKind, Occurrence, Parameter, Parts, TargetKind
from mallee.twin.faults.write_path import AS_ASKED, DECLINED, HALF, IGNORED, LATE
from mallee.twin.parts.battery import layout as battery_layout

_SETTABLE: Final[tuple[TargetKind, ...]] = ("battery", "charger", "cdu", "node")


def _treat(mode: int) -> Action:
    def start(parts: Parts, one: Occurrence) -> None:
        device, path = one.target.device, parts.write_path
        path.mode[device] = mode
        path.delay_s[device] = one.values.get("delay_s", 0.0)
        path.share[device] = one.values.get("share_frac", 0.5)

    return start


_obey = _treat(AS_ASKED)


def _forget(parts: Parts, one: Occurrence) -> None:
    """Back to the values that the device starts with."""
    at, kind = one.target.index, one.target.kind
    if kind == "node":
        parts.compute.write_cap(at, float(parts.compute.caps.max_w[at]))
    elif kind == "cdu":
        cdu = parts.cooling.design.cdu_of_device[one.target.device]
        parts.cooling.state.set_degc[cdu] = parts.cooling.design.supply_set_degc[cdu]
    elif kind == "charger":
        state = parts.chargers.state[at]
        state["limit_w"] = parts.chargers.stations[at]["default_w"]
    else:
        unit, state = parts.batteries.units[at], parts.batteries.state[at]
        state["mode"], state["filter"] = battery_layout.RAMP_FILTER, unit["commissioned"]
        state["set_w"], state["reverted"], state["heartbeat_count"] = 0.0, 1, 0.0


_ANSWERS: Final = STATES.index("ok")
_SILENT: Final = STATES.index("silent")


def _reboot(parts: Parts, one: Occurrence) -> None:
    parts.comms.state[one.target.device] = _SILENT
    _forget(parts, one)


def _boot_up(parts: Parts, one: Occurrence) -> None:
    parts.comms.state[one.target.device] = _ANSWERS


KINDS: Final = (
    FaultKind(
        name="reboot",
        family="devices",
        targets=_SETTABLE,
        text="The controller of a device reboots: silent until the end, set points forgotten.",
        start=_reboot,
        end=_boot_up,
    ),
    FaultKind(
        name="forget",
        family="devices",
        targets=_SETTABLE,
        text="A device forgets its set points and goes on with those that it starts with.",
        start=_forget,
    ),
    FaultKind(
        name="write-ignored",
        family="devices",
        targets=_SETTABLE,
        text="Commands are accepted and not done.",
        start=_treat(IGNORED),
        end=_obey,
    ),
    FaultKind(
        name="write-late",
        family="devices",
        targets=_SETTABLE,
        text="Commands are accepted and done late.",
        start=_treat(LATE),
        end=_obey,
        parameters=(Parameter(name="delay_s", default=10.0, low=0.1, high=120.0),),
    ),
    FaultKind(
        name="write-half",
        family="devices",
        targets=_SETTABLE,
        text="Commands are done in part: the value goes only some of the way.",
        start=_treat(HALF),
        end=_obey,
        parameters=(Parameter(name="share_frac", default=0.5, low=0.0, high=1.0),),
    ),
    FaultKind(
        name="write-rejected",
        family="devices",
        targets=_SETTABLE,
        text="Every command is declined.",
        start=_treat(DECLINED),
        end=_obey,
    ),
)
