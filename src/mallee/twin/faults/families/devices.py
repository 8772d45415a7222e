"""Devices that do something other than what they were told."""

from typing import Final

from mallee.kinds import KINDS as DEVICES
from mallee.twin.comms import STATES
from mallee.twin.faults.kind import Action, FaultKind, Occurrence, Parameter, Parts, TargetKind
from mallee.twin.faults.write_path import AS_ASKED, DECLINED, HALF, IGNORED, LATE

_SETTABLE: Final[tuple[TargetKind, ...]] = tuple(
    kind.name for kind in DEVICES.values() if kind.is_settable
)


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
    parts.part_of(one.target.kind).forget(one.target.kind, one.target.index)


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
        targets=_SETTABLE,
        text="The controller of a device reboots: silent until the end, set points forgotten.",
        start=_reboot,
        end=_boot_up,
    ),
    FaultKind(
        name="forget",
        targets=_SETTABLE,
        text="A device forgets its set points and goes on with those that it starts with.",
        start=_forget,
    ),
    FaultKind(
        name="write-ignored",
        targets=_SETTABLE,
        text="Commands are accepted and not done.",
        start=_treat(IGNORED),
        end=_obey,
    ),
    FaultKind(
        name="write-late",
        targets=_SETTABLE,
        text="Commands are accepted and done late.",
        start=_treat(LATE),
        end=_obey,
        parameters=(Parameter(name="delay_s", default=10.0, low=0.1, high=120.0),),
    ),
    FaultKind(
        name="write-half",
        targets=_SETTABLE,
        text="Commands are done in part: the value goes only some of the way.",
        start=_treat(HALF),
        end=_obey,
        parameters=(Parameter(name="share_frac", default=0.5, low=0.0, high=1.0),),
    ),
    FaultKind(
        name="write-rejected",
        targets=_SETTABLE,
        text="Every command is declined.",
        start=_treat(DECLINED),
        end=_obey,
    ),
)
