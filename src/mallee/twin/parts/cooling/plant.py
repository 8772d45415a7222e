"""The plant: facility water, dry coolers with a trim chiller, and room air on chilled water.

One facility loop serves all CDUs. Return water passes the dry coolers and then, where these do not
reach the set point, a warm-water trim chiller. What heat goes to room air is taken by air handlers
on a separate chilled-water circuit with EIR chillers and a cooling tower.
"""

import math
from typing import Any, Final, NamedTuple

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.twin.kernel import kernel
from mallee.twin.parts.cooling.chiller import (
    CARRIER_19XR_742KW,
    EirCurves,
    carnot_cop,
    eir_available_frac,
    eir_power_w,
)
from mallee.twin.parts.cooling.design import CoolingDesign
from mallee.twin.parts.cooling.dry_cooler import (
    DryCooler,
    dry_cooler_heat_w,
    fan_speed_for,
    size_dry_cooler,
)
from mallee.twin.parts.cooling.plant_devices import AIR, DRY, HANDLER, PUMPS, TRIM, PlantDevices
from mallee.twin.parts.cooling.pump import cube

WATER_J_PER_KGK: Final = 4180.0
FLOW_PER_HEAT_KGPS_PER_W: Final = 2.0 / 60.0 * 0.994 / 1000.0
"""Facility water: 2.0 L/min per kW at 0.994 kg/L."""

HEADER_KG_PER_W: Final = 3.0 / 1000.0
"""Water in each of the two headers per W of design heat: about 90 s of flow each [assumed]."""

APPROACH_K: Final = 4.5
"""How far facility water is held below the lowest supply set point: CDU approach and margin."""

_OVERSIZE: Final = 1.15
_TRIM_SHARE: Final = 0.8
"""Capacity of the trim chiller over design heat [assumed]."""

_PUMP_SHARE: Final = 0.01
"""Facility pumps at design flow over design heat [assumed]."""

HANDLER_MARGIN: Final = 1.3
"""Air handlers of the design over air-side design heat [assumed]."""

_HANDLER_FAN_SHARE: Final = 0.04
"""Air-handler fans at full speed over air-side design heat [assumed]."""

_TOWER_FAN_SHARE: Final = 0.012
"""Tower fans over heat rejected, wet cooling 0.012..0.021 (Energies 16(9) 3661)."""

_ROOM_J_PER_K_PER_W: Final = 12.0
"""Heat capacity of room air and metal per W of air-side heat: 5 K/min without cooling [assumed]."""

AIR_SET_DEGC: Final = 24.0
"""Air-inlet set point, inside ASHRAE class A1's recommended 18..27 degC."""

CHILLED_DEGC: Final = 7.0
TOWER_APPROACH_K: Final = 5.0
"""Open wet tower: 5 K to wet bulb (Energies 16(9) 3661)."""

_FAN_SLEW_PER_S: Final = 0.05
_CHILLER_LAG_S: Final = 30.0
_FACILITY_LAG_S: Final = 2.0
"""Time constant of facility flow when its pumps stop or return [assumed]."""

_EVAPORATION_J_PER_KG: Final = 2.45e6
"""Latent heat of water at 25 degC; four fifths of tower heat leave by evaporation [assumed]."""


class PlantDesign(NamedTuple):
    """Sizes of the plant; zeros where the site has no liquid or no air-cooled heat.

    Attributes:
        chilled_degc: chilled water of the rooms.
        is_air_cooled: its chillers stand in outside air, instead of behind a wet tower.
        handler_fan_frac: air-handler fans at full speed over air-side design heat.
    """

    heat_max_w: float
    flow_max_kgps: float
    header_kg: float
    dry_cooler: DryCooler
    trim_max_w: float
    pump_max_w: float
    air_max_w: float
    air_chiller: EirCurves
    chilled_degc: float
    is_air_cooled: bool
    handler_fan_frac: float


class Weather(NamedTuple):
    """Outside air."""

    dry_degc: float
    wet_degc: float


# Positions in the plant's state vector: temperatures, actuators and what they did last.
SUPPLY, RETURN, FAN, TRIM_W, FACILITY = range(5)
# Positions in the plant's result vector.
DRY_W, TRIMMED_W, PLANT_W, AIR_OUT_W, WATER_KGPS, LEAVING, ENTERING = range(7)
# Then the electric power of each class, as `plant_devices` numbers them, and heat of the rooms.
CLASS_W, ROOMS_W = 7, 12
RESULTS = 13


def design_plant(design: CoolingDesign, devices: PlantDevices | None = None) -> PlantDesign:
    """Size the plant for all racks at full load plus a margin, or by the devices that stand there.

    Args:
        devices: of the site file; a class that it does not name is assumed.
    """
    assumed = _assumed(design)
    if devices is None or not len(devices.names):
        return assumed
    changes: dict[str, Any] = {}
    if assumed.heat_max_w > 0.0 and (devices.has(DRY) or devices.has(TRIM)):
        heat_w = devices.total(devices.rating_w, DRY)
        per_k = FLOW_PER_HEAT_KGPS_PER_W * WATER_J_PER_KGK
        cooler = size_dry_cooler(heat_w, water_rise_k=1.0 / per_k)
        fans_w = devices.total(devices.fan_max_w, DRY)
        changes["dry_cooler"] = cooler._replace(
            fan_max_w=fans_w if fans_w > 0.0 else cooler.fan_max_w
        )
        changes["trim_max_w"] = devices.total(devices.rating_w, TRIM)
    if devices.has(PUMPS):
        changes["flow_max_kgps"] = devices.total(devices.flow_max_kgps, PUMPS)
        changes["pump_max_w"] = devices.total(devices.power_max_w, PUMPS)
    if devices.has(AIR):
        sets_degc = devices.set_degc[devices.sort == AIR]
        changes["air_max_w"] = devices.total(devices.rating_w, AIR)
        changes["chilled_degc"] = float(np.nanmin(np.append(sets_degc, 18.0)))
        changes["is_air_cooled"] = True
    if devices.has(HANDLER):
        rating_w = max(devices.total(devices.rating_w, HANDLER), 1.0)
        fans = devices.total(devices.fan_max_w, HANDLER) / rating_w
        changes["handler_fan_frac"] = HANDLER_MARGIN * fans
    return assumed._replace(**changes)


def _assumed(design: CoolingDesign) -> PlantDesign:
    heat_w = _OVERSIZE * float(design.rack_liquid_max_w.sum())
    per_k = FLOW_PER_HEAT_KGPS_PER_W * WATER_J_PER_KGK
    return PlantDesign(
        heat_max_w=heat_w,
        flow_max_kgps=FLOW_PER_HEAT_KGPS_PER_W * heat_w,
        header_kg=HEADER_KG_PER_W * heat_w,
        dry_cooler=size_dry_cooler(heat_w, water_rise_k=1.0 / per_k),
        trim_max_w=_TRIM_SHARE * heat_w,
        pump_max_w=_PUMP_SHARE * heat_w,
        air_max_w=_OVERSIZE * float(design.rack_air_max_w.sum()),
        air_chiller=CARRIER_19XR_742KW,
        chilled_degc=CHILLED_DEGC,
        is_air_cooled=False,
        handler_fan_frac=_HANDLER_FAN_SHARE,
    )


@kernel
def share_facility_water(
    dt_s: float,
    plant: PlantDesign,
    still_coming_frac: float,
    rated_kgps: FloatArray,
    valve_flow: FloatArray,
    state: FloatArray,
    primary_kgps: FloatArray,
) -> None:
    """Facility water through every CDU by its valve, at most what the facility pumps move.

    Args:
        still_coming_frac: share of facility flow left by faults.
        valve_flow: flow of each valve over its rated flow. primary_kgps: the result.  # (cdus,)
    """
    lag = 1.0 - math.exp(-dt_s / _FACILITY_LAG_S)
    state[FACILITY] += lag * (still_coming_frac - state[FACILITY])
    if state[FACILITY] < 1e-3:
        state[FACILITY] = 0.0
    total_kgps = 0.0
    for cdu in range(len(primary_kgps)):
        primary_kgps[cdu] = rated_kgps[cdu] * valve_flow[cdu] * state[FACILITY]
        total_kgps += primary_kgps[cdu]
    if total_kgps > plant.flow_max_kgps:
        for cdu in range(len(primary_kgps)):
            primary_kgps[cdu] *= plant.flow_max_kgps / total_kgps


@kernel
def step_facility(
    dt_s: float,
    plant: PlantDesign,
    weather: Weather,
    set_degc: float,
    flow_kgps: float,
    returned_degc: float,
    fans_frac: float,
    chiller_frac: float,
    state: FloatArray,
    result: FloatArray,
) -> None:
    """Return header, dry coolers, trim chiller, supply header; fills `state` and `result`.

    Args:
        set_degc: wanted facility supply.
        flow_kgps: water through all CDUs. returned_degc: its mixed temperature behind them.
    """
    result[:] = 0.0
    result[ENTERING] = state[SUPPLY]
    if plant.heat_max_w <= 0.0:
        return
    entering_degc = state[RETURN]
    water_w_per_k = flow_kgps * WATER_J_PER_KGK
    wanted_w = water_w_per_k * (entering_degc - set_degc)
    speed = fan_speed_for(
        plant.dry_cooler, wanted_w, fans_frac, water_w_per_k, entering_degc, weather.dry_degc
    )
    slew = _FAN_SLEW_PER_S * dt_s
    state[FAN] += min(max(speed - state[FAN], -slew), slew)
    dry_w = 0.0
    if entering_degc > weather.dry_degc and fans_frac > 0.0:  # bypassed when the air is warmer
        dry_w = dry_cooler_heat_w(
            plant.dry_cooler, state[FAN], fans_frac, water_w_per_k, entering_degc, weather.dry_degc
        )
        if wanted_w < dry_w:  # a bypass valve keeps the water from getting colder than asked
            dry_w = max(wanted_w, 0.0)
    lag = 1.0 - math.exp(-dt_s / _CHILLER_LAG_S)
    rest_w = min(max(wanted_w - dry_w, 0.0), plant.trim_max_w * chiller_frac)
    state[TRIM_W] += lag * (rest_w - state[TRIM_W])
    trimmed_w = min(state[TRIM_W], max(wanted_w - dry_w, 0.0), plant.trim_max_w * chiller_frac)
    leaving_degc = entering_degc
    if water_w_per_k > 0.0:
        leaving_degc = entering_degc - (dry_w + trimmed_w) / water_w_per_k
    exchange = flow_kgps * dt_s / plant.header_kg  # headers hold 90 s of flow: explicit is stable
    state[SUPPLY] += exchange * (leaving_degc - state[SUPPLY])
    state[RETURN] += exchange * (returned_degc - state[RETURN])
    share = flow_kgps / plant.flow_max_kgps
    result[DRY_W], result[TRIMMED_W], result[LEAVING] = dry_w, trimmed_w, leaving_degc
    fans_w = plant.dry_cooler.fan_max_w * fans_frac * cube(state[FAN])
    pumps_w = plant.pump_max_w * (0.2 * min(share, 1.0) + 0.8 * cube(share))
    trim_w = trimmed_w / carnot_cop(set_degc, weather.dry_degc)
    result[PLANT_W] = fans_w + pumps_w + trim_w
    result[CLASS_W + DRY], result[CLASS_W + PUMPS], result[CLASS_W + TRIM] = fans_w, pumps_w, trim_w


@kernel
def step_rooms(
    dt_s: float,
    plant: PlantDesign,
    weather: Weather,
    heat_w: FloatArray,
    design_w: FloatArray,
    handler_frac: FloatArray,
    chiller_frac: float,
    room_degc: FloatArray,
    fan_frac: FloatArray,
    result: FloatArray,
) -> None:
    """Air of every pod, its air handlers, the chilled water behind them and the tower.

    Args:
        heat_w: heat into each pod's air. design_w: air-side heat at full load.  # (pods,)
        handler_frac: air handlers in service over those of the design.  # (pods,)
        room_degc, fan_frac: air-inlet temperature and handler speed, updated.  # (pods,)
    """
    slew = _FAN_SLEW_PER_S * dt_s
    wanted_w, chilled_degc = 0.0, plant.chilled_degc
    for pod in range(len(room_degc)):
        reach_w_per_k = 1.3 * design_w[pod] / (AIR_SET_DEGC - chilled_degc) * handler_frac[pod]
        if reach_w_per_k > 0.0:
            ahead_w = heat_w[pod] + 0.02 * design_w[pod] * (room_degc[pod] - AIR_SET_DEGC)
            speed = ahead_w / (reach_w_per_k * (AIR_SET_DEGC - chilled_degc))
            speed = min(max(speed, 0.1), 1.0)
            fan_frac[pod] += min(max(speed - fan_frac[pod], -slew), slew)
            wanted_w += reach_w_per_k * fan_frac[pod] * max(room_degc[pod] - chilled_degc, 0.0)
        else:
            fan_frac[pod] = 0.0
    condenser_degc = weather.wet_degc + TOWER_APPROACH_K
    available_w = plant.air_max_w * chiller_frac
    if not plant.is_air_cooled:
        available_w *= eir_available_frac(plant.air_chiller, chilled_degc, condenser_degc)
    served = min(available_w / wanted_w, 1.0) if wanted_w > 0.0 else 0.0
    removed_w, fans_w = 0.0, 0.0
    for pod in range(len(room_degc)):
        if design_w[pod] <= 0.0:
            continue
        capacity_j_per_k = _ROOM_J_PER_K_PER_W * design_w[pod]
        reach_w_per_k = 1.3 * design_w[pod] / (AIR_SET_DEGC - chilled_degc) * handler_frac[pod]
        pull_w_per_k = served * reach_w_per_k * fan_frac[pod]
        fans = plant.handler_fan_frac * design_w[pod] * handler_frac[pod]
        pod_fan_w = fans * cube(fan_frac[pod])
        mixed = capacity_j_per_k * room_degc[pod]
        mixed += dt_s * (heat_w[pod] + pod_fan_w + pull_w_per_k * chilled_degc)
        room_degc[pod] = mixed / (capacity_j_per_k + dt_s * pull_w_per_k)
        removed_w += pull_w_per_k * (room_degc[pod] - chilled_degc)
        fans_w += pod_fan_w
    taken_w = max(removed_w, 0.0)
    if plant.is_air_cooled:
        free = min(max((chilled_degc - weather.dry_degc) / 5.0, 0.0), 1.0)
        compressor_w = (1.0 - free) * taken_w / carnot_cop(chilled_degc, weather.dry_degc)
        tower_w, water_kgps = 0.0, 0.0
    else:
        # A water-side economiser takes over while tower water is colder than the returning water.
        free = min(max((chilled_degc + 5.0 - condenser_degc) / 5.0, 0.0), 1.0)
        by_compressor_w = (1.0 - free) * taken_w
        compressor_w = 0.0
        if available_w > 0.0:
            compressor_w = eir_power_w(
                plant.air_chiller, plant.air_max_w, by_compressor_w, chilled_degc, condenser_degc
            )
        rejected_w = taken_w + compressor_w
        tower_w = _TOWER_FAN_SHARE * rejected_w
        water_kgps = 0.8 * rejected_w / _EVAPORATION_J_PER_KG
    result[AIR_OUT_W] = removed_w - fans_w  # fan power enters and leaves with the room's air
    result[WATER_KGPS], result[ROOMS_W] = water_kgps, removed_w
    result[PLANT_W] += fans_w + compressor_w + tower_w
    result[CLASS_W + HANDLER], result[CLASS_W + AIR] = fans_w, compressor_w + tower_w


def room_capacity_j_per_k(design: CoolingDesign) -> FloatArray:
    """Heat capacity of each pod's air.  # (pods,)"""
    return np.asarray(_ROOM_J_PER_K_PER_W * design.pod_air_max_w)
