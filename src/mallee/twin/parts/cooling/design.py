"""What the cooling of a site consists of: racks, CDUs and room air as arrays, sized from the site.

Racks without a CDU, and the part of every other rack's heat that does not go to liquid, are cooled
by room air.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mallee.core.arrays import NO_INDEX, FloatArray, IntArray
from mallee.kinds import KINDS
from mallee.kinds.cdu import CDU
from mallee.site.model import DeviceGroup, SiteModel

FLOW_PER_HEAT_KGPS_PER_W: Final = 1.5 / 60.0 * 1.015 / 1000.0
"""Design coolant flow of a rack: 1.5 L/min per kW of PG25 at 1.015 kg/L (OCP guidance)."""

RACK_COOLANT_KG: Final = 45.0
"""Coolant in a rack, its manifolds and hoses: 40..60 kg for a rack of 120 kW [assumed]."""

CDU_COOLANT_KG: Final = 80.0
"""Coolant in a row CDU of the 1.3 MW class, heat exchanger and tank [assumed]."""

SPARE_FRAC: Final = 0.10
"""Share of a loop's coolant that can go before its pressure is gone (expansion tank) [assumed]."""

SUPPLY_SET_DEFAULT_DEGC: Final = 35.0
"""Supply set point that units leave commissioning with, between ASHRAE classes W32 and W40."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoolingDesign:
    """Sizes and parameters; rows are racks, CDUs (in device order) or pods.

    Attributes:
        cdu_of_rack: position of each rack's (first) CDU, or `NO_INDEX`.  # (racks,)
        loop_of_rack, loop_of_cdu: coolant loop of each rack, or `NO_INDEX`, and of each CDU; the
            CDUs of a group are one loop.  # (racks,), (cdus,)
        loop_j_per_kgk: specific heat of each loop's coolant.  # (loops,)
        pod_of_rack: pod of each rack.  # (racks,)
        rack_design_kgps: coolant flow of each rack at design, 0 where air cooled.  # (racks,)
        rack_liquid_max_w, rack_air_max_w: heat at full load by where it goes.  # (racks,)
        groups: the groups of CDUs, in the order of the CDU rows.
        cdu_of_device: row of each CDU by device number.
        conductance_w_per_k: UA of each CDU at rated flows.  # (cdus,)
        secondary_kgps, primary_kgps: rated flows.  # (cdus,)
        secondary_j_per_kgk, primary_j_per_kgk: specific heats.  # (cdus,)
        pump_max_w: one pump at rated flow and full speed.  # (cdus,)
        electronics_w: what the CDU draws with its pumps off.  # (cdus,)
        speed_min_frac: lowest pump speed.  # (cdus,)
        loop_kg: coolant in each CDU's loop with its racks when full.  # (cdus,)
        supply_min_degc, supply_max_degc: set points that the unit accepts.  # (cdus,)
        supply_set_degc: set point at the start.  # (cdus,)
        pod_air_max_w: air-side design heat.  # (pods,)
    """

    cdu_of_rack: IntArray
    loop_of_rack: IntArray
    loop_of_cdu: IntArray
    loop_j_per_kgk: FloatArray
    pod_of_rack: IntArray
    rack_design_kgps: FloatArray
    rack_liquid_max_w: FloatArray
    rack_air_max_w: FloatArray
    groups: tuple[DeviceGroup, ...]
    cdu_of_device: dict[int, int]
    conductance_w_per_k: FloatArray
    secondary_kgps: FloatArray
    primary_kgps: FloatArray
    secondary_j_per_kgk: FloatArray
    primary_j_per_kgk: FloatArray
    pump_max_w: FloatArray
    electronics_w: FloatArray
    speed_min_frac: FloatArray
    loop_kg: FloatArray
    supply_min_degc: FloatArray
    supply_max_degc: FloatArray
    supply_set_degc: FloatArray
    pod_air_max_w: FloatArray


def design_cooling(site: SiteModel) -> CoolingDesign:
    """Size every loop of the site from its racks and its catalogue models."""
    groups = tuple(site.groups_of(CDU))
    devices = [group.first_device + n for group in groups for n in range(group.count)]
    cdu_of_device = {device: row for row, device in enumerate(devices)}
    cdu_of_rack = np.array([cdu_of_device.get(int(d), NO_INDEX) for d in site.racks.cdu], np.int64)
    liquid_max_w, air_max_w = _rack_heat(site, cdu_of_rack)

    def each(name: str, default: float | None = None) -> FloatArray:
        values = [np.full(g.count, _parameter(g, name, default)) for g in groups]
        return np.concatenate(values) if values else np.empty(0)

    rack_counts = np.bincount(cdu_of_rack[cdu_of_rack >= 0], minlength=len(devices))
    pods = max(len(site.pods), 1)
    loop_of_rack, loop_of_cdu = _loops(site, cdu_of_device)
    coolant_j_per_kgk = each("coolant_j_per_kgk", 3950.0)
    loop_j_per_kgk = np.zeros(int(loop_of_cdu.max(initial=-1)) + 1)
    loop_j_per_kgk[loop_of_cdu] = coolant_j_per_kgk
    return CoolingDesign(
        cdu_of_rack=cdu_of_rack,
        loop_of_rack=loop_of_rack,
        loop_of_cdu=loop_of_cdu,
        loop_j_per_kgk=loop_j_per_kgk,
        pod_of_rack=site.racks.pod.astype(np.int64),
        rack_design_kgps=FLOW_PER_HEAT_KGPS_PER_W * liquid_max_w,
        rack_liquid_max_w=liquid_max_w,
        rack_air_max_w=air_max_w,
        groups=groups,
        cdu_of_device=cdu_of_device,
        conductance_w_per_k=each("conductance_w_per_k"),
        secondary_kgps=each("secondary_kgps"),
        primary_kgps=each("primary_kgps"),
        secondary_j_per_kgk=coolant_j_per_kgk,
        primary_j_per_kgk=each("primary_j_per_kgk", 4180.0),
        pump_max_w=each("pump_max_w"),
        electronics_w=np.array(
            [g.model.power_min_w for g in groups for _ in range(g.count)], float
        ),
        speed_min_frac=each("speed_min_frac", 0.15),
        loop_kg=np.asarray(CDU_COOLANT_KG + RACK_COOLANT_KG * rack_counts, np.float64),
        supply_min_degc=each("supply_min_degc", 17.0),
        supply_max_degc=each("supply_max_degc", 45.0),
        supply_set_degc=each("supply_set_degc", SUPPLY_SET_DEFAULT_DEGC),
        pod_air_max_w=np.bincount(site.racks.pod, air_max_w, pods).astype(np.float64),
    )


def _loops(site: SiteModel, cdu_of_device: dict[int, int]) -> tuple[IntArray, IntArray]:
    """Coolant loop of each rack and of each CDU, numbered by their first CDUs.

    A CDU that no rack hangs on is a loop of its own.
    """
    loop_of_cdu = np.arange(len(cdu_of_device))
    for index in sorted(set(site.racks.loop.tolist()) - {NO_INDEX}):
        members = [cdu_of_device[device] for device in site.loops[index].cdus]
        loop_of_cdu[members] = min(members)
    _, loop_of_cdu = np.unique(loop_of_cdu, return_inverse=True)
    first = np.array([cdu_of_device.get(int(d), NO_INDEX) for d in site.racks.cdu], np.int64)
    none = np.full(len(first), NO_INDEX)
    loop_of_rack = np.where(first >= 0, loop_of_cdu[first], none) if len(loop_of_cdu) else none
    return loop_of_rack.astype(np.int64), loop_of_cdu.astype(np.int64)


def _parameter(group: DeviceGroup, name: str, default: float | None) -> float:
    if default is not None and name not in group.model.physics and name not in group.model.limits:
        return default
    return group.model.parameter(name)


def _rack_heat(site: SiteModel, cdu_of_rack: IntArray) -> tuple[FloatArray, FloatArray]:
    """Heat of each rack at full load to liquid and to air."""
    liquid_max_w, air_max_w = np.zeros(len(cdu_of_rack)), np.zeros(len(cdu_of_rack))
    for group in site.groups:
        in_rack = group.rack[group.rack >= 0]
        if not KINDS[group.kind].consumes or len(in_rack) == 0:
            continue
        parameters = group.model.physics
        share = parameters["liquid_frac"].value if "liquid_frac" in parameters else 0.0
        count = np.bincount(in_rack, minlength=len(cdu_of_rack))
        liquid = np.where(cdu_of_rack >= 0, share, 0.0)
        liquid_max_w += count * group.model.power_max_w * liquid
        air_max_w += count * group.model.power_max_w * (1.0 - liquid)
    return liquid_max_w, air_max_w
