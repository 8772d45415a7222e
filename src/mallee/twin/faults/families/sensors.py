"""Faults of sensors: stuck, missing, scaled, shifted, with the wrong sign."""

from typing import Final

from mallee.twin.faults.kind import FaultKind, Occurrence, Parameter, Parts, TargetKind
from mallee.twin.faults.targets import DEVICE_KINDS
from mallee.twin.sensors.kernels import DROPPED, STUCK


def _stick(parts: Parts, one: Occurrence) -> None:
    parts.sensors.set_fault(one.target.rows, mode=STUCK)


def _drop(parts: Parts, one: Occurrence) -> None:
    parts.sensors.set_fault(one.target.rows, mode=DROPPED)


def _scale(parts: Parts, one: Occurrence) -> None:
    parts.sensors.set_fault(one.target.rows, factor=one.values["factor"])


def _shift(parts: Parts, one: Occurrence) -> None:
    parts.sensors.set_fault(one.target.rows, offset=one.values["offset"])


def _flip(parts: Parts, one: Occurrence) -> None:
    parts.sensors.set_fault(one.target.rows, factor=-1.0)


def _mend(parts: Parts, one: Occurrence) -> None:
    parts.sensors.set_fault(one.target.rows)


_TARGETS: Final[tuple[TargetKind, ...]] = ("point", *DEVICE_KINDS)

KINDS: Final = (
    FaultKind(
        name="sensor-stuck",
        targets=_TARGETS,
        text="A point, or all points of a device, keep showing their last value.",
        start=_stick,
        end=_mend,
    ),
    FaultKind(
        name="sensor-missing",
        targets=_TARGETS,
        text="The device answers, but without a value (not a number on the wire).",
        start=_drop,
        end=_mend,
    ),
    FaultKind(
        name="sensor-scaled",
        targets=_TARGETS,
        text="The reading is a multiple of the truth: a wrong transformer ratio or unit.",
        start=_scale,
        end=_mend,
        parameters=(Parameter(name="factor", default=10.0, low=0.001, high=1000.0),),
    ),
    FaultKind(
        name="sensor-shifted",
        targets=_TARGETS,
        text="An offset is added, in the point's unit.",
        start=_shift,
        end=_mend,
        parameters=(Parameter(name="offset", default=5.0, low=-1e6, high=1e6),),
    ),
    FaultKind(
        name="sensor-flipped",
        targets=_TARGETS,
        text="The sign is wrong: a current transformer was put in backwards.",
        start=_flip,
        end=_mend,
    ),
)
