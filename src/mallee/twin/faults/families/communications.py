"""Devices that cannot be talked to, while their physics goes on."""

from typing import Final

from mallee.twin.comms import STATES
from mallee.twin.faults.kind import Action, FaultKind, Occurrence, Parameter, Parts
from mallee.twin.faults.targets import DEVICE_KINDS


def _become(state: str) -> Action:
    code = STATES.index(state)

    def start(parts: Parts, one: Occurrence) -> None:
        parts.comms.state[one.target.device] = code
        parts.comms.delay_s[one.target.device] = one.values.get("delay_s", 0.0)

    return start


_answer = _become("ok")

KINDS: Final = (
    FaultKind(
        name="comms-silent",
        targets=DEVICE_KINDS,
        text="The device does not answer.",
        start=_become("silent"),
        end=_answer,
    ),
    FaultKind(
        name="comms-slow",
        targets=DEVICE_KINDS,
        text="The device answers late.",
        start=_become("slow"),
        end=_answer,
        parameters=(Parameter(name="delay_s", default=3.0, low=0.1, high=60.0),),
    ),
    FaultKind(
        name="comms-garbage",
        targets=DEVICE_KINDS,
        text="The device answers with bytes that break its protocol.",
        start=_become("garbage"),
        end=_answer,
    ),
    FaultKind(
        name="comms-refuse",
        targets=DEVICE_KINDS,
        text="The device refuses the login: its password was changed or its sessions are used up.",
        start=_become("refuse"),
        end=_answer,
    ),
)
