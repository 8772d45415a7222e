"""What the grid does: sags, swells, outages, bursts, frequency."""

from typing import Final

from mallee.twin.clock import STEP_MS
from mallee.twin.faults.kind import FaultKind, Occurrence, Parameter, Parts
from mallee.twin.parts.grid.grid import Grid, GridEvent


def _grid(parts: Parts, one: Occurrence) -> Grid:
    """The utility behind the feed that the fault names."""
    return parts.feeds.grids[one.target.index]


def _voltage(parts: Parts, one: Occurrence) -> None:
    volts = one.values["voltage_pu"]
    _grid(parts, one).add(GridEvent(start_ms=one.start_ms, end_ms=one.until_ms, voltage_pu=volts))


def _outage(parts: Parts, one: Occurrence) -> None:
    _grid(parts, one).add_outage(one.start_ms, one.until_ms)


def _burst(parts: Parts, one: Occurrence) -> None:
    length_ms = max(round(1000.0 * one.values["length_s"] / STEP_MS), 1) * STEP_MS
    pause_ms = max(round(1000.0 * one.values["pause_s"] / STEP_MS), 1) * STEP_MS
    for number in range(round(one.values["sags_count"])):
        start_ms = one.start_ms + number * (length_ms + pause_ms)
        volts = one.values["voltage_pu"]
        _grid(parts, one).add(
            GridEvent(start_ms=start_ms, end_ms=start_ms + length_ms, voltage_pu=volts)
        )


def _frequency(parts: Parts, one: Occurrence) -> None:
    frequency_hz = _grid(parts, one).nominal_hz + one.values["deviation_hz"]
    _grid(parts, one).add(
        GridEvent(start_ms=one.start_ms, end_ms=one.until_ms, frequency_hz=frequency_hz)
    )


KINDS: Final = (
    FaultKind(
        name="grid-sag",
        targets=("grid",),
        text="The voltage falls to a part of nominal.",
        start=_voltage,
        parameters=(Parameter(name="voltage_pu", default=0.7, low=0.0, high=0.95),),
        ahead=True,
    ),
    FaultKind(
        name="grid-swell",
        targets=("grid",),
        text="The voltage rises above nominal.",
        start=_voltage,
        parameters=(Parameter(name="voltage_pu", default=1.15, low=1.0, high=1.4),),
        ahead=True,
    ),
    FaultKind(
        name="grid-outage",
        targets=("grid",),
        text="A utility feed is dead, then returns; where there are two, the other goes on.",
        start=_outage,
        ahead=True,
    ),
    FaultKind(
        name="grid-sag-burst",
        targets=("grid",),
        text="Sags in a row, as in a storm: three in a minute lock many UPS to battery.",
        start=_burst,
        parameters=(
            Parameter(name="sags_count", default=3.0, low=1.0, high=10.0),
            Parameter(name="voltage_pu", default=0.5, low=0.0, high=0.9),
            Parameter(name="length_s", default=0.1, low=0.02, high=1.0),
            Parameter(name="pause_s", default=5.0, low=0.1, high=30.0),
        ),
        ahead=True,
    ),
    FaultKind(
        name="grid-frequency",
        targets=("grid",),
        text="The frequency departs from nominal.",
        start=_frequency,
        parameters=(Parameter(name="deviation_hz", default=-0.5, low=-2.0, high=2.0),),
        ahead=True,
    ),
)
