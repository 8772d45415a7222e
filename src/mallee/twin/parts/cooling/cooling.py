"""The cooling of a whole site, advanced on whole seconds."""

import math
from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.core.errors import Rejected
from mallee.kinds.cdu import CDU
from mallee.site.model import DeviceGroup, SiteModel
from mallee.twin.part import Load, Part, Saved
from mallee.twin.parts.cooling import plant as facility
from mallee.twin.parts.cooling import secondary, steady
from mallee.twin.parts.cooling.air import dew_point_degc, wet_bulb_degc
from mallee.twin.parts.cooling.design import (
    RACK_COOLANT_KG,
    SPARE_FRAC,
    CoolingDesign,
    design_cooling,
)
from mallee.twin.parts.cooling.faults import CoolingFaults, healthy
from mallee.twin.parts.cooling.ledger import Ledger
from mallee.twin.parts.cooling.loads import CoolingLoads
from mallee.twin.parts.cooling.plant import PlantDesign, Weather, design_plant
from mallee.twin.parts.cooling.plant_devices import AIR, DRY, PUMPS, TRIM, PlantDevices
from mallee.twin.parts.cooling.plant_devices import KINDS as PLANT_KINDS
from mallee.twin.parts.cooling.points import LEAK_SEEN_KG, SHOWN, show_cdus, show_plant
from mallee.twin.parts.cooling.state import CoolingState, initial_state
from mallee.twin.shown import Shown

STEP_MAX_S: Final = 5.0
"""Longer steps are divided: the valve control of a CDU needs them this short."""

SETTLE_S: Final = 30.0
"""From this step on loops are taken as settled: they turn over in 10..60 s, the plant in 90 s."""


class Cooling(Part):
    """Coolant loops, CDUs, facility water, plant and room air of a site.

    Attributes:
        design, plant: sizes.
        faults: what is wrong now; faults write here.
        ambient_degc, humidity_frac: outside air; may change between steps.
        supply_degc: coolant at each rack's inlet, air where the rack has no CDU.  # (racks,)
        flow_frac: coolant flow over design; 1 where the rack has no CDU but fans.  # (racks,)
        air_degc: air at each rack's inlet.  # (racks,)
        power_w: electric power of each CDU.  # (cdus,)
        ledger: balances of energy and coolant since the start.
    """

    kinds = (CDU.name, *PLANT_KINDS)

    def __init__(self, site: SiteModel, ambient_degc: float, humidity_frac: float = 0.5) -> None:
        self.design: CoolingDesign = design_cooling(site)
        has_liquid = float(self.design.rack_liquid_max_w.sum()) > 0.0
        self.devices = PlantDevices(site, has_liquid)
        self.plant: PlantDesign = design_plant(self.design, self.devices)
        self.ambient_degc, self.humidity_frac = ambient_degc, humidity_frac
        racks, cdus = len(self.design.cdu_of_rack), len(self.design.secondary_kgps)
        self.faults: CoolingFaults = healthy(racks, cdus)
        self.state: CoolingState = initial_state(self.design)
        self.supply_degc: FloatArray = np.empty(racks)
        self.flow_frac: FloatArray = np.ones(racks)
        self.air_degc: FloatArray = np.empty(racks)
        self.power_w: FloatArray = self.design.electronics_w.copy()
        self._liquid = self.design.cdu_of_rack >= 0
        self._lost_kg = np.zeros(cdus)
        self._valve_flow = np.zeros(cdus)
        self._loops = np.zeros((6, len(self.design.loop_j_per_kgk)))
        self._tanks = np.zeros((3, cdus))
        self._exchangers = (
            self.design.conductance_w_per_k,
            self.design.secondary_kgps,
            self.design.primary_kgps,
            self.design.secondary_j_per_kgk,
            self.design.primary_j_per_kgk,
        )
        self._cell_kg: FloatArray = RACK_COOLANT_KG * np.array(secondary.CELL_SHARE)
        self._spare_kg = self.design.loop_kg * SPARE_FRAC
        self._mean = steady.mean_loop(self.design, self.plant) if self._liquid.any() else None
        self._shown = Shown(self.design.groups, SHOWN)
        self.ledger = Ledger(self.design, self.plant, self.state, self._cell_kg)
        self._loads = CoolingLoads(site, self.design, self.devices, self.faults.powered)
        self._publish()

    def loads(self) -> tuple[Load, ...]:
        """See `Part.loads`."""
        return self._loads.all

    @property
    def plant_power_w(self) -> float:
        """Electric power of pumps, fans, chillers and towers outside the CDUs."""
        return float(self.state.result[facility.PLANT_W])

    @property
    def water_kg(self) -> float:
        """Water evaporated by the cooling towers since the start."""
        return self.ledger.water_kg

    @property
    def coolant_kg(self) -> FloatArray:
        """Coolant left in each CDU's loop.  # (cdus,)"""
        return self.ledger.coolant_kg

    @property
    def rack_leak_count(self) -> FloatArray:
        """1 where a rack's leak rope is wet.  # (racks,)"""
        return np.where(self.state.rack_lost_kg > LEAK_SEEN_KG, 1.0, 0.0)

    @property
    def dew_margin_k(self) -> FloatArray:
        """Supply over the dew point of the room's air; below 2 K is an alarm.  # (cdus,)

        The room holds the outside air's moisture.
        """
        return self.state.supply_degc - dew_point_degc(self.ambient_degc, self.humidity_frac)

    def advance(self, dt_s: float, heat_liquid_w: FloatArray, heat_air_w: FloatArray) -> None:
        """Move on by `dt_s` with constant heat.

        Args:
            dt_s: normally 1; steps above `STEP_MAX_S` are divided. Steps from `SETTLE_S` on take
                the steady state of the loops while nothing is broken.
            heat_liquid_w: heat into each rack's coolant, into air without a CDU.  # (racks,)
            heat_air_w: heat into the air around each rack.  # (racks,)

        Raises:
            PhysicsError: energy or coolant does not close, or a temperature is not a number.
        """
        to_air_w = np.where(self._liquid, heat_air_w, heat_air_w + heat_liquid_w)
        pods = len(self.state.room_degc)
        pod_air_w = np.bincount(self.design.pod_of_rack, to_air_w, pods).astype(np.float64)
        to_liquid_w = np.where(self._liquid, heat_liquid_w, 0.0)
        steps = max(math.ceil(dt_s / STEP_MAX_S), 1)
        self.devices.step(dt_s)
        outside_degc = self.ambient_degc + self.faults.ambient_rise_k
        weather = Weather(outside_degc, wet_bulb_degc(outside_degc, self.humidity_frac))
        if dt_s >= SETTLE_S and self._mean is not None and steady.is_whole(self.faults, self.state):
            self._settle(dt_s, weather, to_liquid_w, pod_air_w)
        else:
            for _ in range(steps):
                self._step_flow(dt_s / steps)
                self._step_heat(dt_s / steps, weather, to_liquid_w, pod_air_w)
        self._publish()
        self.ledger.check()

    def write(
        self, kind: str, number: int, point: str, value: float, lease_s: float, time_ms: int
    ) -> None:
        """Take a set point.

        Raises:
            Rejected: not a set point, or outside what the unit accepts.
        """
        if point != "supply_set_degc":
            super().write(kind, number, point, value, lease_s, time_ms)
        low_degc = self.design.supply_min_degc[number]
        high_degc = self.design.supply_max_degc[number]
        if not low_degc <= value <= high_degc:
            raise Rejected(
                f"CDU {number + 1} asked for {value:g} degC,"
                f" allowed {low_degc:g}..{high_degc:g} degC"
            )
        self.state.set_degc[number] = value

    def forget(self, kind: str, number: int) -> None:
        """Back to the supply temperature that a CDU starts with; plant has nothing to forget."""
        if kind == CDU.name:
            self.state.set_degc[number] = self.design.supply_set_degc[number]

    def points_of(self, group: DeviceGroup) -> Collection[str]:
        """See `Part.points_of`."""
        own = self._shown if group.kind == CDU.name else self.devices
        return own.points_of(group)

    def show(self, true_points: FloatArray) -> None:
        """See `Part.show`."""
        show_cdus(self.state, self.power_w, self._shown.values)
        self._shown.put(true_points)
        self.devices.show(true_points)

    def save(self) -> Saved:
        """Everything that changes."""
        faults = {f"faults/{name}": array for name, array in self.faults.save().items()}
        ambient = np.array([self.ambient_degc, self.humidity_frac, self.ledger.start_j])
        devices = {name: array.copy() for name, array in self.devices.arrays().items()}
        return self.state.save() | faults | devices | {"ambient": ambient}

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Back to what `save` gave."""
        self.state.restore(dict(saved))
        for name, array in self.devices.arrays().items():
            array[...] = saved[name]
        own = {n.removeprefix("faults/"): a for n, a in saved.items() if n.startswith("faults/")}
        self.faults.restore(own)
        self.ambient_degc, self.humidity_frac, self.ledger.start_j = map(float, saved["ambient"])
        self._publish()
        self.ledger.check()

    def _step_flow(self, dt_s: float) -> None:
        design, state, faults = self.design, self.state, self.faults
        np.logical_and(faults.powered, faults.switched_on, out=state.live)
        secondary.step_flow(
            dt_s,
            design.loop_of_rack,
            design.loop_of_cdu,
            design.rack_design_kgps,
            faults.air_lock_frac,
            design.secondary_kgps,
            design.speed_min_frac,
            state.live,
            faults.pump_ok,
            state.pressure_frac,
            state.pump_speed_frac,
            state.rack_kgps,
            state.cdu_kgps,
            self._loops[:3],
        )
        secondary.pump_power_w(
            design.pump_max_w,
            design.secondary_kgps,
            state.pump_speed_frac,
            state.cdu_kgps,
            state.pump_w,
        )
        secondary.step_valves(
            dt_s,
            state.set_degc,
            state.supply_degc,
            state.error_k,
            faults.valve_stuck_frac,
            state.live,
            state.valve_frac,
            self._valve_flow,
        )

    def _step_heat(
        self, dt_s: float, weather: Weather, to_liquid_w: FloatArray, pod_air_w: FloatArray
    ) -> None:
        design, state, faults = self.design, self.state, self.faults
        facility_degc = float(state.plant[facility.SUPPLY])
        facility.share_facility_water(
            dt_s,
            self.plant,
            faults.facility_flow_frac * self._in_service(PUMPS),
            design.primary_kgps,
            self._valve_flow,
            state.plant,
            state.primary_kgps,
        )
        secondary.step_loops(
            dt_s,
            design.loop_of_rack,
            design.loop_of_cdu,
            to_liquid_w,
            state.rack_kgps,
            state.cdu_kgps,
            state.primary_kgps,
            facility_degc,
            self._exchangers,
            faults.clean_frac,
            state.pump_w,
            self._cell_kg,
            state.cell_degc,
            state.tank_kg,
            state.tank_degc,
            state.supply_degc,
            state.exchanged_w,
            design.loop_j_per_kgk,
            self._loops,
            self._tanks,
        )
        flow_kgps, heat_w = (
            float(state.primary_kgps.sum()),
            float(state.exchanged_w.sum()),
        )
        returned_degc = facility_degc
        if flow_kgps > 0.0:
            returned_degc += heat_w / (flow_kgps * facility.WATER_J_PER_KGK)
        facility.step_facility(
            dt_s,
            self.plant,
            weather,
            float(state.set_degc.min(initial=1e3)) - facility.APPROACH_K,
            flow_kgps,
            returned_degc,
            faults.fans_frac * self._in_service(DRY),
            faults.chiller_frac * self._in_service(TRIM),
            state.plant,
            state.result,
        )
        self._step_rooms(dt_s, weather, pod_air_w)
        self._step_leaks(dt_s)
        result = state.result
        coolant_w = secondary.PUMP_TO_COOLANT_FRAC * float(state.pump_w.sum())
        in_w = float(to_liquid_w.sum()) + float(pod_air_w.sum()) + coolant_w
        out_w = result[facility.DRY_W] + result[facility.TRIMMED_W] + result[facility.AIR_OUT_W]
        self.ledger.book(dt_s, in_w, float(out_w), float(result[facility.WATER_KGPS]))

    def _settle(
        self, dt_s: float, weather: Weather, to_liquid_w: FloatArray, pod_air_w: FloatArray
    ) -> None:
        """One long step: loops in steady state, room air as ever."""
        assert self._mean is not None
        state, before_j = self.state, self.ledger.held_last_j
        self._step_flow(dt_s)
        coolant_w = secondary.PUMP_TO_COOLANT_FRAC * float(state.pump_w.sum())
        heat_w = float(to_liquid_w.sum()) + coolant_w
        clean_frac = self.faults.clean_frac
        steady.settle_loops(self._mean, self.plant, weather, heat_w, clean_frac, state)
        self._step_rooms(dt_s, weather, pod_air_w)
        in_w = heat_w + float(pod_air_w.sum())
        # What leaves is what came in less what the loops took up on their way to steady state.
        out_w = in_w - (self.ledger.held_j() - before_j) / dt_s
        self.ledger.book(dt_s, in_w, out_w, float(state.result[facility.WATER_KGPS]))

    def _step_rooms(self, dt_s: float, weather: Weather, pod_air_w: FloatArray) -> None:
        facility.step_rooms(
            dt_s,
            self.plant,
            weather,
            pod_air_w,
            self.design.pod_air_max_w,
            self.faults.air_handler_frac * self._handlers(),
            self.faults.chiller_frac * self._in_service(AIR),
            self.state.room_degc,
            self.state.handler_frac,
            self.state.result,
        )

    def _step_leaks(self, dt_s: float) -> None:
        design, state, faults = self.design, self.state, self.faults
        secondary.step_leaks(
            dt_s,
            design.loop_of_rack,
            design.loop_of_cdu,
            faults.cdu_leak_kgps,
            faults.rack_leak_kgps,
            self._spare_kg,
            state.tank_kg,
            state.pressure_frac,
            state.rack_lost_kg,
            state.cdu_lost_kg,
            self._lost_kg,
            self._loops[:4],
        )
        if self._lost_kg.any():
            self.ledger.book_leak(self._lost_kg)

    def _publish(self) -> None:
        """Bring what others read up to date."""
        design, state = self.design, self.state
        secondary.show_racks(
            design.cdu_of_rack,
            design.pod_of_rack,
            design.rack_design_kgps,
            state.room_degc,
            state.cell_degc,
            state.rack_kgps,
            self.supply_degc,
            self.flow_frac,
            self.air_degc,
        )
        self.power_w[:] = np.where(state.live, design.electronics_w, 0.0) + state.pump_w
        result = state.result
        heat_w = np.array(
            [
                result[facility.TRIMMED_W],
                result[facility.ROOMS_W],
                result[facility.DRY_W],
                result[facility.ROOMS_W],
                float(state.exchanged_w.sum()),
            ]
        )
        self._loads.share(self.power_w, result, heat_w)
        if self.devices.names:
            show_plant(state, self.plant, self.devices)

    def _in_service(self, sort: int) -> float:
        """Share of a class of plant devices that works; 1 where the site names none."""
        if not self.devices.names:
            return 1.0
        return self.devices.share(sort, self.devices.working())

    def _handlers(self) -> FloatArray:
        """Air handlers in service over those of the design.  # (pods,)"""
        if not self.devices.names:
            return np.ones(len(self.design.pod_air_max_w))
        working, design_w = self.devices.working(), self.design.pod_air_max_w
        return self.devices.handler_frac(design_w, facility.HANDLER_MARGIN, working)
