"""The cooling of a whole site, advanced on whole seconds."""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.errors import Rejected
from mallee.core.site import FloatArray, IntArray, SiteModel
from mallee.core.units import SECONDS_PER_HOUR
from mallee.twin.balance import TOLERANCE_FRAC, PhysicsError, check_closed, check_finite
from mallee.twin.cooling import plant as facility
from mallee.twin.cooling import secondary
from mallee.twin.cooling.air import dew_point_degc, wet_bulb_degc
from mallee.twin.cooling.design import RACK_COOLANT_KG, SPARE_FRAC, CoolingDesign, design_cooling
from mallee.twin.cooling.faults import CoolingFaults, healthy
from mallee.twin.cooling.plant import PlantDesign, Weather, design_plant
from mallee.twin.cooling.state import CoolingState, initial_state

_J_PER_WH: Final = SECONDS_PER_HOUR

STEP_MAX_S: Final = 5.0
"""Longer steps are divided: the valve control of a CDU needs them this short."""

LEAK_SEEN_KG: Final = 0.2
"""Coolant in a drip pan that a leak rope notices [assumed]."""

_ENERGY_IN, _ENERGY_OUT, _ENERGY_LEAKED, _WATER, _TIME = range(5)


class Cooling:
    """Coolant loops, CDUs, facility water, plant and room air of a site.

    Attributes:
        design, plant: sizes.
        faults: what is wrong now; faults write here.
        ambient_degc, humidity_frac: outside air; may change between steps.
        supply_degc: coolant at each rack's inlet, air where the rack has no CDU.  # (racks,)
        flow_frac: coolant flow over design; 1 where the rack has no CDU but fans.  # (racks,)
        air_degc: air at each rack's inlet.  # (racks,)
        power_w: electric power of each CDU.  # (cdus,)
        residual_j, through_j: gap and size of the energy balance since the start.
        residual_kg, through_kg: gap of the coolant balance, and the coolant filled in.
    """

    def __init__(self, site: SiteModel, ambient_degc: float, humidity_frac: float = 0.5) -> None:
        self.design: CoolingDesign = design_cooling(site)
        self.plant: PlantDesign = design_plant(self.design)
        self.ambient_degc, self.humidity_frac = ambient_degc, humidity_frac
        racks, cdus = len(self.design.cdu_of_rack), len(self.design.secondary_kgps)
        self.faults: CoolingFaults = healthy(racks, cdus)
        self.state: CoolingState = initial_state(self.design)
        self.supply_degc: FloatArray = np.empty(racks)
        self.flow_frac: FloatArray = np.ones(racks)
        self.air_degc: FloatArray = np.empty(racks)
        self.power_w: FloatArray = self.design.electronics_w.copy()
        self.residual_j = self.through_j = self.residual_kg = 0.0
        self.through_kg = float(self.design.loop_kg.sum())
        self._liquid = self.design.cdu_of_rack >= 0
        self._cdu = self.design.cdu_of_rack[self._liquid]
        self._lost_kg = np.zeros(cdus)
        self._valve_flow = np.zeros(cdus)
        self._scratch = (np.zeros(cdus), np.zeros(cdus))
        self._exchangers = (
            self.design.conductance_w_per_k,
            self.design.secondary_kgps,
            self.design.primary_kgps,
            self.design.secondary_j_per_kgk,
            self.design.primary_j_per_kgk,
        )
        self._cell_kg: FloatArray = RACK_COOLANT_KG * np.array(secondary.CELL_SHARE)
        self._spare_kg = self.design.loop_kg * SPARE_FRAC
        self._rows = self._point_rows()
        self._cdu_names = tuple(name for group in self.design.groups for name in group.names)
        self._stored_start_j = self._stored_j()
        self._publish()

    @property
    def plant_power_w(self) -> float:
        """Electric power of pumps, fans, chillers and towers outside the CDUs."""
        return float(self.state.result[facility.PLANT_W])

    @property
    def water_kg(self) -> float:
        """Water evaporated by the cooling towers since the start."""
        return float(self.state.totals[_WATER])

    @property
    def coolant_kg(self) -> FloatArray:
        """Coolant left in each CDU's loop.  # (cdus,)"""
        racks = np.bincount(self._cdu, minlength=len(self.power_w)) * RACK_COOLANT_KG
        return np.asarray(self.state.tank_kg + racks)

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
            dt_s: normally 1; steps above `STEP_MAX_S` are divided.
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
        outside_degc = self.ambient_degc + self.faults.ambient_rise_k
        weather = Weather(outside_degc, wet_bulb_degc(outside_degc, self.humidity_frac))
        for _ in range(steps):
            self._step_flow(dt_s / steps)
            self._step_heat(dt_s / steps, weather, to_liquid_w, pod_air_w)
        self._publish()
        self._balance()

    def write(self, device_number: int, point: str, value: float) -> None:
        """Take a set point.

        Raises:
            Rejected: not a set point, or outside what the unit accepts.
        """
        cdu = self.design.cdu_of_device[device_number]
        if point != "supply_set_degc":
            raise Rejected(f"CDU {device_number} has no set point {point!r}")
        low_degc = self.design.supply_min_degc[cdu]
        high_degc = self.design.supply_max_degc[cdu]
        if not low_degc <= value <= high_degc:
            raise Rejected(
                f"CDU {device_number} asked for {value:g} degC,"
                f" allowed {low_degc:g}..{high_degc:g} degC"
            )
        self.state.set_degc[cdu] = value

    def fill_points(self, true_points: FloatArray) -> None:
        """Write the true value of every CDU point at its row."""
        state = self.state
        values = {
            "power_w": self.power_w,
            "supply_degc": state.supply_degc,
            "supply_set_degc": state.set_degc,
            "return_degc": state.tank_degc,
            "flow_kgps": self.state.cdu_kgps,
            "heat_w": self.state.exchanged_w,
            "primary_supply_degc": np.full(len(self.power_w), state.result[facility.ENTERING]),
            "primary_return_degc": self._primary_return_degc(),
            "pump1_speed_frac": state.pump_speed_frac[:, 0],
            "pump2_speed_frac": state.pump_speed_frac[:, 1],
            "leak_count": self._cdu_leak_count(),
        }
        for point, rows in self._rows.items():
            true_points[rows] = values[point]

    def save(self) -> dict[str, NDArray[Any]]:
        """Everything that changes."""
        faults = {f"faults/{name}": array for name, array in self.faults.save().items()}
        ambient = np.array([self.ambient_degc, self.humidity_frac, self._stored_start_j])
        return self.state.save() | faults | {"ambient": ambient}

    def restore(self, saved: dict[str, NDArray[Any]]) -> None:
        """Back to what `save` gave."""
        self.state.restore(saved)
        own = {n.removeprefix("faults/"): a for n, a in saved.items() if n.startswith("faults/")}
        self.faults.restore(own)
        self.ambient_degc, self.humidity_frac, self._stored_start_j = map(float, saved["ambient"])
        self._publish()
        self._balance()

    def _step_flow(self, dt_s: float) -> None:
        design, state, faults = self.design, self.state, self.faults
        np.logical_and(faults.powered, faults.switched_on, out=state.live)
        secondary.step_flow(
            dt_s,
            design.cdu_of_rack,
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
            self._scratch[0],
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
            faults.facility_flow_frac,
            design.primary_kgps,
            self._valve_flow,
            state.plant,
            state.primary_kgps,
        )
        secondary.step_loops(
            dt_s,
            design.cdu_of_rack,
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
            *self._scratch,
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
            faults.fans_frac,
            faults.chiller_frac,
            state.plant,
            state.result,
        )
        facility.step_rooms(
            dt_s,
            self.plant,
            weather,
            pod_air_w,
            design.pod_air_max_w,
            faults.air_handler_frac,
            faults.chiller_frac,
            state.room_degc,
            state.handler_frac,
            state.result,
        )
        self._step_leaks(dt_s)
        result, coolant_w = (
            state.result,
            secondary.PUMP_TO_COOLANT_FRAC * float(state.pump_w.sum()),
        )
        in_w = float(to_liquid_w.sum()) + float(pod_air_w.sum()) + coolant_w
        out_w = result[facility.DRY_W] + result[facility.TRIMMED_W] + result[facility.AIR_OUT_W]
        state.totals[_ENERGY_IN] += in_w * dt_s
        state.totals[_ENERGY_OUT] += out_w * dt_s
        state.totals[_WATER] += result[facility.WATER_KGPS] * dt_s
        state.totals[_TIME] += dt_s

    def _step_leaks(self, dt_s: float) -> None:
        design, state, faults = self.design, self.state, self.faults
        secondary.step_leaks(
            dt_s,
            design.cdu_of_rack,
            faults.cdu_leak_kgps,
            faults.rack_leak_kgps,
            self._spare_kg,
            state.tank_kg,
            state.pressure_frac,
            state.rack_lost_kg,
            state.cdu_lost_kg,
            self._lost_kg,
        )
        leaked_j = self._lost_kg * design.secondary_j_per_kgk * state.tank_degc
        state.totals[_ENERGY_LEAKED] += float(leaked_j.sum())

    def _publish(self) -> None:
        """Bring what others read up to date."""
        design, state = self.design, self.state
        self.air_degc[:] = state.room_degc[design.pod_of_rack]
        self.supply_degc[:] = self.air_degc
        self.supply_degc[self._liquid] = state.cell_degc[self._liquid, secondary.RACK_CELL - 1]
        cooled = self._liquid & (design.rack_design_kgps > 0.0)
        self.flow_frac[cooled] = self.state.rack_kgps[cooled] / design.rack_design_kgps[cooled]
        self.power_w[:] = np.where(self.state.live, design.electronics_w, 0.0) + self.state.pump_w

    def _balance(self) -> None:
        """Compare what came in, what left and what is stored, from the states themselves.

        Raises:
            PhysicsError: energy or coolant does not close, or a temperature is not a number.
        """
        state, totals = self.state, self.state.totals
        self.through_j = float(totals[_ENERGY_IN])
        terms_j = {
            "to the outside": float(totals[_ENERGY_OUT]),
            "leaked": float(totals[_ENERGY_LEAKED]),
            "stored": self._stored_j() - self._stored_start_j,
        }
        self.residual_j = self.through_j - sum(terms_j.values())
        lost_kg = float(state.cdu_lost_kg.sum() + state.rack_lost_kg.sum())
        self.residual_kg = self.through_kg - lost_kg - float(self.coolant_kg.sum())
        time_ms = round(1000.0 * float(totals[_TIME]))
        if not math.isfinite(self.residual_j):
            check_finite("coolant supply", time_ms, state.supply_degc, self._cdu_names)
            check_finite("coolant in racks", time_ms, state.cell_degc.max(axis=1))
            check_finite("room air", time_ms, state.room_degc)
        terms_wh = {name: term_j / _J_PER_WH for name, term_j in terms_j.items()}
        check_closed("cooling", time_ms, self.through_j / _J_PER_WH, terms_wh)
        if not abs(self.residual_kg) <= TOLERANCE_FRAC * self.through_kg:
            raise PhysicsError(
                "coolant", time_ms, f"mass does not close: {self.residual_kg:.3g} kg are missing"
            )

    def _stored_j(self) -> float:
        """Heat held by coolant, facility water and room air, over 0 degC."""
        design, state = self.design, self.state
        cells_j_per_k = self._cell_kg[None, :] * design.secondary_j_per_kgk[self._cdu][:, None]
        tanks_j = state.tank_kg * design.secondary_j_per_kgk * state.tank_degc
        headers_degc = float(state.plant[facility.SUPPLY] + state.plant[facility.RETURN])
        return (
            float((cells_j_per_k * state.cell_degc[self._liquid]).sum())
            + float(tanks_j.sum())
            + self.plant.header_kg * facility.WATER_J_PER_KGK * headers_degc
            + float((facility.room_capacity_j_per_k(design) * state.room_degc).sum())
        )

    def _primary_return_degc(self) -> FloatArray:
        flow_w_per_k = self.state.primary_kgps * facility.WATER_J_PER_KGK
        rise_k = np.divide(
            self.state.exchanged_w,
            flow_w_per_k,
            np.zeros_like(flow_w_per_k),
            where=flow_w_per_k > 0.0,
        )
        return np.asarray(self.state.result[facility.ENTERING] + rise_k)

    def _cdu_leak_count(self) -> FloatArray:
        """1 where the CDU's own drip pan is wet.  # (cdus,)"""
        return np.where(self.state.cdu_lost_kg > LEAK_SEEN_KG, 1.0, 0.0)

    def _point_rows(self) -> dict[str, IntArray]:
        """Rows of every CDU point over all groups, in the order of the CDU rows."""
        if not self.design.groups:
            return {}
        names = self.design.groups[0].model.index
        return {n: np.concatenate([g.rows(n) for g in self.design.groups]) for n in names}
