"""Faults of gensets and solar plants."""

from typing import Final

from mallee.twin.faults.kind import FaultKind, Occurrence, Parameter, Parts
from mallee.twin.parts.generation.gensets import Gensets
from mallee.twin.parts.generation.layout import STOPPED, TRIPPED
from mallee.twin.parts.solar import Solar


def _fail(parts: Parts, one: Occurrence) -> None:
    parts.gensets.state[one.target.index]["fails_to_start"] = 1


def _start_well(parts: Parts, one: Occurrence) -> None:
    parts.gensets.state[one.target.index]["fails_to_start"] = 0


def _trip(parts: Parts, one: Occurrence) -> None:
    state = parts.gensets.state[one.target.index]
    state["does"], state["since_ms"] = TRIPPED, one.start_ms


def _reset(parts: Parts, one: Occurrence) -> None:
    state = parts.gensets.state[one.target.index]
    if state["does"] == TRIPPED:
        state["does"], state["since_ms"] = STOPPED, one.until_ms


def _drain(parts: Parts, one: Occurrence) -> None:
    at = one.target.index
    full_wh = float(parts.gensets.units[at]["fuel_wh"])
    parts.gensets.state[at]["fuel_wh"] = one.values["left_frac"] * full_wh


def _cloud(parts: Parts, one: Occurrence) -> None:
    parts.solar.state["cloud_frac"][one.target.index] = one.values["left_frac"]


def _clear(parts: Parts, one: Occurrence) -> None:
    parts.solar.state["cloud_frac"][one.target.index] = 1.0


def _trip_solar(parts: Parts, one: Occurrence) -> None:
    parts.solar.state["healthy"][one.target.index] = 0


def _return_solar(parts: Parts, one: Occurrence) -> None:
    parts.solar.state["healthy"][one.target.index] = 1


KINDS: Final = (
    FaultKind(
        name="genset-fails-to-start",
        targets=Gensets.kinds,
        text="The engine cranks and does not come up.",
        start=_fail,
        end=_start_well,
    ),
    FaultKind(
        name="genset-trip",
        targets=Gensets.kinds,
        text="The engine shuts itself down; somebody resets it at the end.",
        start=_trip,
        end=_reset,
    ),
    FaultKind(
        name="genset-fuel-low",
        targets=Gensets.kinds,
        text="The tank was not filled: this share of its fuel is left.",
        start=_drain,
        parameters=(Parameter(name="left_frac", default=0.01, low=0.0, high=1.0),),
    ),
    FaultKind(
        name="solar-cloud",
        targets=Solar.kinds,
        text="The edge of a cloud passes: this share of the light is left until the end.",
        start=_cloud,
        end=_clear,
        parameters=(Parameter(name="left_frac", default=0.2, low=0.0, high=1.0),),
    ),
    FaultKind(
        name="solar-trip",
        targets=Solar.kinds,
        text="The inverter of a solar plant trips.",
        start=_trip_solar,
        end=_return_solar,
    ),
)
