"""Faults of batteries and their controllers."""

from typing import Final

from mallee.twin.faults.kind import FaultKind, Occurrence, Parameter, Parts
from mallee.twin.parts.battery import layout
from mallee.twin.parts.battery.batteries import Batteries
from mallee.twin.parts.battery.inverter import make_path

_RATINGS: Final = ("charge_max_w", "discharge_max_w", "energy_wh")


def _trip(parts: Parts, one: Occurrence) -> None:
    parts.batteries.state[one.target.index]["healthy"] = 0


def _return(parts: Parts, one: Occurrence) -> None:
    parts.batteries.state[one.target.index]["healthy"] = 1


def _lose_string(parts: Parts, one: Occurrence) -> None:
    for rating in _RATINGS:
        units = parts.batteries.units[rating]
        one.overrides.scale(rating, units, one.target.index, one.values["left_frac"])


def _return_string(parts: Parts, one: Occurrence) -> None:
    for rating in _RATINGS:
        one.overrides.mend(rating, parts.batteries.units[rating], one.target.index)


def _slow_path(parts: Parts, one: Occurrence) -> None:
    path = make_path(one.values["delay_s"], one.values["tau_s"])
    units, at = parts.batteries.units["path"], (one.target.index, layout.LOCAL)
    one.overrides.put("local path", units, at, path)


def _fast_path(parts: Parts, one: Occurrence) -> None:
    at = (one.target.index, layout.LOCAL)
    one.overrides.mend("local path", parts.batteries.units["path"], at)


def _shift_estimate(parts: Parts, one: Occurrence) -> None:
    state = parts.batteries.state[one.target.index]
    state["soc_estimate"] = min(1.0, max(0.0, state["soc_estimate"] + one.values["shift"]))


def _restart(parts: Parts, one: Occurrence) -> None:
    parts.batteries.forget(one.target.kind, one.target.index)


KINDS: Final = (
    FaultKind(
        name="battery-trip",
        targets=Batteries.kinds,
        text="The inverter trips: no power either way until the end.",
        start=_trip,
        end=_return,
    ),
    FaultKind(
        name="battery-string-out",
        targets=Batteries.kinds,
        text="A string's fuse opens: less power and less energy.",
        start=_lose_string,
        end=_return_string,
        parameters=(Parameter(name="left_frac", default=0.75, low=0.1, high=1.0),),
    ),
    FaultKind(
        name="battery-slow",
        targets=Batteries.kinds,
        text="The inverter's own ramp filter acts late, as behind a slow meter link.",
        start=_slow_path,
        end=_fast_path,
        parameters=(
            Parameter(name="delay_s", default=0.1, low=0.0, high=1.0),
            Parameter(name="tau_s", default=0.05, low=0.001, high=1.0),
        ),
    ),
    FaultKind(
        name="battery-soc-shift",
        targets=Batteries.kinds,
        text="The estimate of the state of charge jumps; the charge itself does not.",
        start=_shift_estimate,
        parameters=(Parameter(name="shift", default=0.05, low=-0.1, high=0.1),),
    ),
    FaultKind(
        name="battery-restart",
        targets=Batteries.kinds,
        text="The controller restarts and comes back with what was stored at commissioning.",
        start=_restart,
    ),
)
