"""The twin of one site: every device's physics on one clock, true and reported.

Electrical steps of 20 ms run in blocks of 100 ms; coolant, cells and transformers follow each
second (`clock.make_clock` has other paces). What one part tells another changes only at the ends
of blocks, so a run does not depend on how `advance` is cut into calls.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.core.errors import Rejected
from mallee.core.event import Event
from mallee.core.event_kinds import new_event
from mallee.site.model import SiteModel
from mallee.site.simulated import Twin
from mallee.twin.assembly import SteadyLoads, build_plant
from mallee.twin.battery.batteries import Batteries
from mallee.twin.charging.stations import Stations
from mallee.twin.clock import STEP_MS, THERMAL_MS, make_clock
from mallee.twin.comms import CommsHealth
from mallee.twin.compute.compute import Compute
from mallee.twin.cooling.cooling import Cooling
from mallee.twin.electrical import step_site
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.faults import FaultInjector, FaultPlan
from mallee.twin.faults.write_path import make_write_path
from mallee.twin.grid.grid import Grid
from mallee.twin.ledger import check_energy, check_racks
from mallee.twin.power.branches import Branches
from mallee.twin.sensors.sensors import Sensors
from mallee.twin.site_points import fill_site_points, meter_rows
from mallee.twin.supply import Supply
from mallee.twin.truth import Truth, empty_truth

SETTLE_MS = 60_000
"""Coolant starts in the steady state of the load's first iterations."""

TRIAL_ITERATIONS = 3
TRIALS, TRIAL_STEPS = 3, 5


class SiteTwin:
    """A whole site, simulated.

    Args:
        site: the model; its `[twin]` table gives load, weather and starting charge.
        seed: everything random follows from it; same seed, same bytes.
        faults: what breaks when.
        step_ms: electrical step; 1 for the ripple of a pod, 60,000 for years.
        mode: `rack` keeps one mean state a rack instead of one an accelerator.
        has_sensors: without them nothing is reported, which is all that a study of years needs.

    Attributes:
        time_ms: twin time since the start.
        reported: what the sensors say now, NaN where nothing is reported.  # (points,)
        true_points: the same quantities as they are.  # (points,)
        comms: how well each device can be talked to.
        truth: true quantities of the site.
        events: what happened in the physics: trips, returns, faults.
    """

    def __init__(
        self,
        site: SiteModel,
        seed: int = 1,
        faults: FaultPlan | None = None,
        *,
        step_ms: int = STEP_MS,
        mode: Literal["gpu", "rack"] = "gpu",
        has_sensors: bool = True,
    ) -> None:
        self.clock = make_clock(step_ms)
        settings = site.file.twin or Twin()
        self.site, self.time_ms = site, 0
        self.true_points: FloatArray = np.full(site.point_count, np.nan)
        self.reported: FloatArray = np.full(site.point_count, np.nan)
        self.comms = CommsHealth(site.device_count)
        self.events: list[Event] = []
        self.write_path = make_write_path(site.device_count)
        self.injector = FaultInjector(FaultPlan() if faults is None else faults, site)
        self.grid = Grid(site.grid.frequency_hz, self.clock)
        self.branches = Branches(site, self.clock)
        self.batteries = Batteries(site, seed, settings.soc_start, self.clock)
        self.chargers = Stations(site, seed)
        self.compute = Compute(site, seed, step_ms, mode=mode)
        self.cooling = Cooling(site, settings.ambient_degc)
        self.sensors = Sensors(site, seed)
        self._has_sensors = has_sensors
        self.steady = SteadyLoads(site)
        self.plant: ElectricalArrays = build_plant(
            site, self.branches, self.batteries, self.chargers, self.steady
        )
        self.supply = Supply(self.plant, self.branches, self.steady, self.cooling)
        self._heat_j = np.zeros((2, len(site.racks.names)))
        self._meter_rows = meter_rows(site)
        self.truth: Truth = empty_truth()
        self._fill_constants()
        self._settle(settings)
        self._tell(np.empty(0), np.empty(0))

    def advance(self, duration_ms: int) -> None:
        """Run the physics on.

        Args:
            duration_ms: a multiple of the electrical step, usually 100.

        Raises:
            PhysicsError: a balance does not close or a state is not a number.
        """
        clock = self.clock
        steps = duration_ms // clock.step_ms
        grid_w, load_w = np.empty(steps), np.empty(steps)
        done = 0
        for end_ms in clock.block_ends(self.time_ms, self.time_ms + duration_ms):
            if self.time_ms % clock.block_ms == 0:
                self._break_and_mend(self.time_ms)
            count = (end_ms - self.time_ms) // clock.step_ms
            self._block(count, grid_w[done : done + count], load_w[done : done + count])
            self.time_ms, done = end_ms, done + count
            if end_ms % clock.block_ms == 0:
                self._end_block(end_ms)
        self._tell(grid_w, load_w)

    def write(self, row: int, value: float, lease_s: float) -> None:
        """A set point reaches its device.

        Args:
            row: row of a settable point.
            value: in the point's unit.
            lease_s: how long the device holds it where it has a timer of its own.

        Raises:
            Rejected: the point is not settable, or the device declines the value.
        """
        group = self.site.group_of_row(row)
        device, position = divmod(row - group.first_row, group.stride)
        point = group.model.point[position]
        if point.access != "readwrite":
            raise Rejected(f"{self.site.point_path(row)} cannot be written")
        stands = float(self.true_points[row])
        admitted = self.write_path.admit(
            group.first_device + device, row, value, lease_s, stands, self.time_ms
        )
        if admitted is not None:
            self._apply_write(row, admitted, lease_s)

    def _apply_write(self, row: int, value: float, lease_s: float) -> None:
        group = self.site.group_of_row(row)
        device, position = divmod(row - group.first_row, group.stride)
        point = group.model.point[position]
        number = device + sum(
            one.count for one in self.site.groups_of(group.kind) if one.first_row < group.first_row
        )
        if group.kind == "battery":
            self.batteries.write(number, point.name, value, lease_s, self.time_ms)
        elif group.kind == "charger":
            self.chargers.write(number, point.name, value, lease_s, self.time_ms)
        elif group.kind == "node":
            self.compute.write_cap(number, value)
        elif group.kind == "cdu":
            self.cooling.write(group.first_device + device, point.name, value)
        else:
            raise Rejected(f"{self.site.point_path(row)} cannot be written")

    def save(self) -> dict[str, NDArray[Any]]:
        """Everything that changes, as arrays."""
        saved = {name: array.copy() for name, array in self._arrays().items()}
        for part, state in self._parts().items():
            saved |= {f"{part}/{name}": array for name, array in state.save().items()}
        saved["clock"] = np.array([self.time_ms, self.chargers.day])
        return saved

    def restore(self, saved: dict[str, NDArray[Any]]) -> None:
        """Continue from what `save` returned, of the same site and seed."""
        self.injector.rewind(self, int(saved["clock"][0]))
        for name, array in self._arrays().items():
            array[...] = saved[name]
        for part, state in self._parts().items():
            prefix = f"{part}/"
            own = {n.removeprefix(prefix): a for n, a in saved.items() if n.startswith(prefix)}
            state.restore(own)
        self.time_ms, self.chargers.day = map(int, saved["clock"])
        self._tell(np.empty(0), np.empty(0))

    def _parts(self) -> dict[str, Any]:
        return {
            "compute": self.compute,
            "cooling": self.cooling,
            "sensors": self.sensors,
            "write_path": self.write_path,
            "grid": self.grid,
        }

    def _arrays(self) -> dict[str, NDArray[Any]]:
        """Every array of this module that changes, by name; live, not copies."""
        plant = self.plant
        return {
            "true_points": self.true_points,
            "reported": self.reported,
            "branches": plant.branch_state,
            "ups": plant.ups_state,
            "transformers": self.branches.thermal_state,
            "guards": plant.guards,
            "steady_w": plant.steady_w,
            "batteries": plant.batteries,
            "ageing": self.batteries.ageing,
            "stations": plant.station_state,
            "evses": plant.evses,
            "sessions": plant.sessions,
            "site": plant.site,
            "supply": self.supply.state,
            "voltage_pu": self.supply.voltage_pu,
            "heat_j": self._heat_j,
            "comms": self.comms.state,
            "comms_delay_s": self.comms.delay_s,
        }

    def _break_and_mend(self, time_ms: int) -> None:
        """Faults that start or end now, and commands that a device was late to do."""
        told = len(self.injector.events)
        self.injector.apply(self, time_ms)
        for at_ms, target, text in self.injector.events[told:]:
            self._note("fault", at_ms, target, what=text)
        for late in self.write_path.due(time_ms):
            try:
                self._apply_write(late.row, late.value, late.lease_s)
            except Rejected as refused:
                path = self.site.point_path(late.row)
                self._note("late-write-rejected", time_ms, path, why=str(refused))

    def _note(self, kind: str, time_ms: int, source: str, **words: object) -> None:
        self.events.append(new_event(kind, time_ms / 1000.0, source, **words))

    def _fill_constants(self) -> None:
        for group in self.site.groups:
            for point in group.model.point:
                if point.constant is not None:
                    self.true_points[group.rows(point.name)] = point.constant

    def _settle(self, settings: Twin) -> None:
        """Start in steady state: the meter at the load's mean of its first iterations."""
        before = self.compute.save()
        step_ms = self.clock.step_ms
        steps = max(1, round(settings.load.iteration_s * 1000 / step_ms))
        self._ask_racks(0, steps)  # the first iteration begins from rest
        racks_w = self._ask_racks(steps * step_ms, TRIAL_ITERATIONS * steps).mean(axis=0)
        heat = self.compute.heat_liquid_w.copy(), self.compute.heat_air_w.copy()
        self.compute.restore(before)
        for _ in range(SETTLE_MS // THERMAL_MS):
            self.cooling.advance(THERMAL_MS / 1000.0, *heat)
        self._set_steady_loads()
        import_w = self._find_import_w(racks_w)
        self.batteries.start_at(import_w)
        self.branches.settle(import_w, settings.ambient_degc)
        self._fill()

    def _find_import_w(self, racks_w: FloatArray) -> float:
        """Import under a steady load with idle batteries: a few trial steps, then undone."""
        arrays = self._arrays()
        saved = {name: array.copy() for name, array in arrays.items()}
        import_w = float(racks_w.sum() + self.plant.steady_w.sum())
        out_w = np.empty(TRIAL_STEPS), np.empty(TRIAL_STEPS)
        voltage_pu, frequency_hz = self.grid.block(0, TRIAL_STEPS)
        trial_w = np.tile(racks_w, (TRIAL_STEPS, 1))
        for _ in range(TRIALS):
            self.batteries.start_at(import_w)
            step_site(self.plant, 0, self.clock.step_ms, trial_w, voltage_pu, frequency_hz, *out_w)
            site = self.plant.site[0]
            losses_w, import_w = float(site["losses_w"]), float(site["grid_w"] - site["battery_w"])
            flows_w = self.branches.state["flow_w"].copy()
            for name, array in arrays.items():
                array[...] = saved[name]
            self.plant.site["losses_w"], self.branches.state["flow_w"] = losses_w, flows_w
        return import_w

    def _ask_racks(self, start_ms: int, steps: int) -> FloatArray:
        """AC power of every rack over the next steps.  # (steps, racks)"""
        return self.compute.advance(
            start_ms,
            steps,
            supply_degc=self.cooling.supply_degc,
            flow_frac=self.cooling.flow_frac,
            voltage_pu=self.supply.voltage_pu,
        )

    def _block(self, steps: int, grid_w: FloatArray, load_w: FloatArray) -> None:
        rack_w = self._ask_racks(self.time_ms, steps)
        voltage_pu, frequency_hz = self.grid.block(self.time_ms, steps)
        step_ms = self.clock.step_ms
        step_site(
            self.plant, self.time_ms, step_ms, rack_w, voltage_pu, frequency_hz, grid_w, load_w
        )
        seconds = steps * self.clock.step_s
        self._heat_j[0] += self.compute.heat_liquid_w * seconds
        self._heat_j[1] += self.compute.heat_air_w * seconds

    def _end_block(self, time_ms: int) -> None:
        """What parts tell each other, at the end of a whole block."""
        self.batteries.watch(time_ms)
        self.supply.tell()
        for trip in self.supply.new_trips(time_ms - self.clock.block_ms):
            self._note("breaker-trip", trip[0], trip[1], why=trip[2])
        if time_ms % self.clock.thermal_ms == 0:
            self._step_thermal(time_ms)
        if self._has_sensors:
            self._fill_fast()
            if time_ms % self.clock.thermal_ms == 0:
                self._fill_slow()
            self.sensors.update(time_ms, self.true_points, self.reported)

    def _step_thermal(self, time_ms: int) -> None:
        dt_s = self.clock.thermal_ms / 1000.0
        self.cooling.advance(dt_s, self._heat_j[0] / dt_s, self._heat_j[1] / dt_s)
        self._heat_j[:] = 0.0
        self._set_steady_loads()
        self.branches.step_second(self.cooling.ambient_degc, dt_s)
        self.batteries.step_second(self.cooling.ambient_degc, dt_s)
        if time_ms % self.clock.slow_ms == 0:
            self.batteries.step_slow(self.clock.slow_ms / 1000.0)
            self.chargers.next_day(time_ms)
        check_energy(self.plant, self.branches, time_ms)
        check_racks(self.compute, self.plant, time_ms)

    def _set_steady_loads(self) -> None:
        steady = self.steady
        steady_w = steady.base_w + steady.plant_share * self.cooling.plant_power_w
        steady_w[: steady.cdus] += self.cooling.power_w
        self.plant.steady_w[:] = steady_w

    def _fill(self) -> None:
        self._fill_fast()
        self._fill_slow()
        self.sensors.update(0, self.true_points, self.reported)

    def _fill_fast(self) -> None:
        fill_site_points(
            self.plant,
            self.true_points,
            self.batteries.rows,
            self.chargers.rows,
            self._meter_rows,
            self.site.grid.voltage_v,
        )

    def _fill_slow(self) -> None:
        self.compute.fill_points(self.true_points)
        self.cooling.fill_points(self.true_points)

    def _tell(self, grid_w: FloatArray, load_w: FloatArray) -> None:
        truth, site, batteries = self.truth, self.plant.site[0], self.batteries
        truth.block_grid_w, truth.block_load_w = grid_w, load_w
        truth.branch_w = self.branches.state["flow_w"]
        truth.batteries_charge_w = batteries.state["mean_w"]
        truth.batteries_soc = batteries.state["soc"]
        truth.hot_spot_degc = self.branches.thermal_state["hot_spot_degc"]
        truth.battery_charge_w, truth.soc = float(site["battery_w"]), batteries.mean_soc()
        truth.grid_w, truth.pods_w = float(site["grid_w"]), float(site["pods_w"])
        truth.chargers_w, truth.losses_w = float(site["chargers_w"]), float(site["losses_w"])
        truth.import_wh, truth.export_wh = float(site["import_wh"]), float(site["export_wh"])
        truth.it_w, truth.throughput = float(self.compute.it_w.sum()), self.compute.throughput
        if truth.tripped or site["open"]:
            truth.tripped = self.branches.tripped()
