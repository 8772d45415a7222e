"""Faults of charger stations and surprises by their customers."""

from typing import Final

from mallee.twin.faults.kind import FaultKind, Occurrence, Parameter, Parts
from mallee.twin.parts.charging.layout import NEVER_MS
from mallee.twin.parts.charging.stations import Stations


def _off(parts: Parts, one: Occurrence) -> None:
    parts.chargers.state[one.target.index]["healthy"] = 0


def _on(parts: Parts, one: Occurrence) -> None:
    parts.chargers.state[one.target.index]["healthy"] = 1


def _overrun(parts: Parts, one: Occurrence) -> None:
    """The station takes its profile for its maximum."""
    state, station = parts.chargers.state[one.target.index], parts.chargers.stations
    state["limit_w"], state["limit_until_ms"] = station[one.target.index]["max_w"], one.until_ms


def _slow_fall(parts: Parts, one: Occurrence) -> None:
    stations = parts.chargers.stations["fall_s"]
    one.overrides.put("fall", stations, one.target.index, one.values["fall_s"])


def _usual_fall(parts: Parts, one: Occurrence) -> None:
    one.overrides.mend("fall", parts.chargers.stations["fall_s"], one.target.index)


def _rush(parts: Parts, one: Occurrence) -> None:
    """Bring the next car of every evse to the door at once."""
    station = parts.chargers.stations[one.target.index]
    first, count = int(station["first_evse"]), int(station["evses"])
    for evse in range(first, first + min(count, round(one.values["cars_count"]))):
        state, cars = parts.chargers.evses[evse], parts.chargers.sessions[evse]
        coming = int(state["next_session"])
        if state["occupied"] or coming >= len(cars) or cars[coming]["arrival_ms"] >= NEVER_MS:
            continue
        stay_ms = int(cars[coming]["leave_ms"] - cars[coming]["arrival_ms"])
        cars[coming]["arrival_ms"] = one.start_ms
        cars[coming]["leave_ms"] = one.start_ms + stay_ms


KINDS: Final = (
    FaultKind(
        name="charger-off",
        targets=Stations.kinds,
        text="A station switches off: its cars stop at once.",
        start=_off,
        end=_on,
    ),
    FaultKind(
        name="charger-overrun",
        targets=Stations.kinds,
        text="A station forgets its profile and offers its maximum until it is told again.",
        start=_overrun,
    ),
    FaultKind(
        name="charger-slow",
        targets=Stations.kinds,
        text="The cars obey a lower limit late.",
        start=_slow_fall,
        end=_usual_fall,
        parameters=(Parameter(name="fall_s", default=20.0, low=0.5, high=60.0),),
    ),
    FaultKind(
        name="plug-in-rush",
        targets=Stations.kinds,
        text="The next cars of many evses arrive at the same moment.",
        start=_rush,
        parameters=(Parameter(name="cars_count", default=8.0, low=1.0, high=64.0),),
    ),
)
