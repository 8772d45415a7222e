"""Faults of CDUs, coolant loops and the plant."""

from typing import Final

import numpy as np

from mallee.core.arrays import IntArray
from mallee.kinds.cdu import CDU
from mallee.kinds.plant import AIR_HANDLER, CHILLER, DRY_COOLER, PUMP
from mallee.twin.faults.kind import FaultKind, Occurrence, Parameter, Parts


def _cdu(parts: Parts, one: Occurrence) -> int:
    return parts.cooling.design.cdu_of_device[one.target.device]


def _pumps(one: Occurrence) -> list[int]:
    number = round(one.values[_PUMP.name])
    return [0, 1] if number == 0 else [number - 1]


def _trip_pump(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.pump_ok[_cdu(parts, one), _pumps(one)] = False


def _return_pump(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.pump_ok[_cdu(parts, one), _pumps(one)] = True


def _stick_valve(parts: Parts, one: Occurrence) -> None:
    cdu, opening = _cdu(parts, one), one.values["opening_frac"]
    here = float(parts.cooling.state.valve_frac[cdu]) if opening < 0.0 else opening
    parts.cooling.faults.valve_stuck_frac[cdu] = here


def _free_valve(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.valve_stuck_frac[_cdu(parts, one)] = np.nan


def _foul(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.clean_frac[_cdu(parts, one)] = one.values["clean_frac"]


def _clean(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.clean_frac[_cdu(parts, one)] = 1.0


def _leak_cdu(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.cdu_leak_kgps[_cdu(parts, one)] = one.values["leak_kgps"]


def _seal_cdu(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.cdu_leak_kgps[_cdu(parts, one)] = 0.0


def _unpower(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.switched_on[_cdu(parts, one)] = False


def _power(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.switched_on[_cdu(parts, one)] = True


def _nodes(parts: Parts, one: Occurrence) -> IntArray:
    return np.flatnonzero(parts.compute.layout.node_rack == one.target.index)


def _leak_rack(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.rack_leak_kgps[one.target.index] = one.values["leak_kgps"]
    parts.compute.points.leaking[_nodes(parts, one)[:1]] = (
        True  # one tray leaks, the others stay dry
    )


def _seal_rack(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.rack_leak_kgps[one.target.index] = 0.0
    parts.compute.points.leaking[_nodes(parts, one)] = False


def _lock_air(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.air_lock_frac[one.target.index] = one.values["blocked_frac"]


def _bleed(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.air_lock_frac[one.target.index] = 0.0


def _lose_water(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.facility_flow_frac = one.values["left_frac"]


def _return_water(parts: Parts, one: Occurrence) -> None:
    del one
    parts.cooling.faults.facility_flow_frac = 1.0


def _lose_fans(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.fans_frac = one.values["left_frac"]


def _return_fans(parts: Parts, one: Occurrence) -> None:
    del one
    parts.cooling.faults.fans_frac = 1.0


def _lose_chillers(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.chiller_frac = one.values["left_frac"]


def _return_chillers(parts: Parts, one: Occurrence) -> None:
    del one
    parts.cooling.faults.chiller_frac = 1.0


def _lose_handlers(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.air_handler_frac = one.values["left_frac"]


def _return_handlers(parts: Parts, one: Occurrence) -> None:
    del one
    parts.cooling.faults.air_handler_frac = 1.0


def _heat_wave(parts: Parts, one: Occurrence) -> None:
    parts.cooling.faults.ambient_rise_k = one.values["rise_k"]


def _cool_down(parts: Parts, one: Occurrence) -> None:
    del one
    parts.cooling.faults.ambient_rise_k = 0.0


_PUMP: Final = Parameter(name="pump", default=0.0, low=0.0, high=2.0)
_LEFT: Final = (Parameter(name="left_frac", default=0.0, low=0.0, high=1.0),)


def _device(parts: Parts, one: Occurrence) -> int:
    return parts.cooling.devices.names.index(one.target.name)


def _trip_device(parts: Parts, one: Occurrence) -> None:
    parts.cooling.devices.healthy[_device(parts, one)] = 0.0


def _return_device(parts: Parts, one: Occurrence) -> None:
    parts.cooling.devices.healthy[_device(parts, one)] = 1.0


def _lose_part(parts: Parts, one: Occurrence) -> None:
    parts.cooling.devices.left_frac[_device(parts, one)] = one.values["left_frac"]


def _return_part(parts: Parts, one: Occurrence) -> None:
    parts.cooling.devices.left_frac[_device(parts, one)] = 1.0


KINDS: Final = (
    FaultKind(
        name="pump-trip",
        targets=(CDU.name,),
        text="A pump stops (pump = 0: both); flow decays within seconds.",
        start=_trip_pump,
        end=_return_pump,
        parameters=(_PUMP,),
    ),
    FaultKind(
        name="valve-stuck",
        targets=(CDU.name,),
        text="The primary valve sticks, at an opening or (-1) where it is.",
        start=_stick_valve,
        end=_free_valve,
        parameters=(Parameter(name="opening_frac", default=-1.0, low=-1.0, high=1.0),),
    ),
    FaultKind(
        name="fouling",
        targets=(CDU.name,),
        text="The heat exchanger fouls: this much of its conductance is left.",
        start=_foul,
        end=_clean,
        parameters=(Parameter(name="clean_frac", default=0.6, low=0.3, high=1.0),),
    ),
    FaultKind(
        name="cdu-leak",
        targets=(CDU.name,),
        text="The CDU leaks; pressure falls, then flow goes. What is lost stays lost.",
        start=_leak_cdu,
        end=_seal_cdu,
        parameters=(Parameter(name="leak_kgps", default=0.05, low=0.0, high=2.0),),
    ),
    FaultKind(
        name="cdu-off",
        targets=(CDU.name,),
        text="The CDU has no supply voltage: pumps stop, the valve stays.",
        start=_unpower,
        end=_power,
    ),
    FaultKind(
        name="rack-leak",
        targets=("rack",),
        text="A tray of the rack leaks; its leak rope tells.",
        start=_leak_rack,
        end=_seal_rack,
        parameters=(Parameter(name="leak_kgps", default=0.02, low=0.0, high=1.0),),
    ),
    FaultKind(
        name="air-lock",
        targets=("rack",),
        text="Air blocks part of a rack's flow.",
        start=_lock_air,
        end=_bleed,
        parameters=(Parameter(name="blocked_frac", default=0.7, low=0.0, high=1.0),),
    ),
    FaultKind(
        name="facility-water-loss",
        targets=("plant",),
        text="Facility water fails: this share of its flow is left.",
        start=_lose_water,
        end=_return_water,
        parameters=_LEFT,
    ),
    FaultKind(
        name="fans-lost",
        targets=("plant",),
        text="Dry-cooler fans fail: this share is left.",
        start=_lose_fans,
        end=_return_fans,
        parameters=_LEFT,
    ),
    FaultKind(
        name="chiller-lost",
        targets=("plant",),
        text="Chillers fail: this share of their capacity is left.",
        start=_lose_chillers,
        end=_return_chillers,
        parameters=_LEFT,
    ),
    FaultKind(
        name="air-handlers-lost",
        targets=("plant",),
        text="Room air handlers fail: this share is left.",
        start=_lose_handlers,
        end=_return_handlers,
        parameters=_LEFT,
    ),
    FaultKind(
        name="heat-wave",
        targets=("plant",),
        text="It is hotter outside than the site file says.",
        start=_heat_wave,
        end=_cool_down,
        parameters=(Parameter(name="rise_k", default=12.0, low=0.0, high=25.0),),
    ),
    FaultKind(
        name="chiller-trip",
        targets=(CHILLER.name,),
        text="A chiller trips; after the end it needs its time to start again.",
        start=_trip_device,
        end=_return_device,
    ),
    FaultKind(
        name="dry-cooler-fan",
        targets=(DRY_COOLER.name,),
        text="Fans of a dry cooler stand still: this share of it works on.",
        start=_lose_part,
        end=_return_part,
        parameters=_LEFT,
    ),
    FaultKind(
        name="air-handler-trip",
        targets=(AIR_HANDLER.name,),
        text="An air handler stops.",
        start=_trip_device,
        end=_return_device,
    ),
    FaultKind(
        name="plant-pump-trip",
        targets=(PUMP.name,),
        text="A pump of the facility water stops.",
        start=_trip_device,
        end=_return_device,
    ),
)
