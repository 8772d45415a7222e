"""The twin of one site: every device's physics on one clock, true and reported.

Electrical steps of 20 ms run in blocks of 100 ms; coolant, cells and transformers follow each
second (`clock.make_clock` has other paces). What one part tells another changes only at the ends
of blocks, so a run does not depend on how `advance` is cut into calls.
"""

from typing import Any, Literal, cast

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.errors import Rejected
from mallee.core.event import Event
from mallee.core.event_kinds import new_event
from mallee.kinds.battery import BATTERY
from mallee.kinds.solar import SOLAR
from mallee.site.model import SiteModel
from mallee.site.simulated import Twin
from mallee.twin.assembly import build_plant
from mallee.twin.clock import STEP_MS, THERMAL_MS, make_clock
from mallee.twin.comms import CommsHealth
from mallee.twin.electrical import step_site
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.faults import FaultInjector, FaultPlan
from mallee.twin.faults.write_path import make_write_path
from mallee.twin.ledger import check_energy, check_racks
from mallee.twin.loads import Loads
from mallee.twin.local_time import LocalTime
from mallee.twin.part import Build, Part, Saved
from mallee.twin.parts.battery.batteries import Batteries
from mallee.twin.parts.charging.stations import Stations
from mallee.twin.parts.compute.compute import Compute
from mallee.twin.parts.cooling.cooling import Cooling
from mallee.twin.parts.generation.gensets import Gensets
from mallee.twin.parts.grid.feeds import Feeds
from mallee.twin.parts.grid.grid import Grid
from mallee.twin.parts.power.branches import Branches
from mallee.twin.parts.registry import PARTS
from mallee.twin.parts.solar import Solar
from mallee.twin.sensors.sensors import Sensors
from mallee.twin.start import TRIAL_STEPS, start_filters
from mallee.twin.supply import Supply
from mallee.twin.truth import Truth, empty_truth
from mallee.twin.unknown import unknown_points
from mallee.twin.weather import Weather

SETTLE_MS = 60_000
"""Coolant starts in the steady state of the load's first iterations."""

TRIAL_ITERATIONS = 3


class SiteTwin:
    """A whole site, simulated.

    Args:
        site: the model; its `[twin]` table gives load, weather and starting charge.
        seed: everything random follows from it; same seed, same bytes.
        faults: what breaks when.
        start_utc_s: date and time of twin time 0, which cars, weather, sun and the daily wave of
            requests follow in the site's local time; None starts a day of no date at midnight.
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
        start_utc_s: float | None = None,
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
        self.local = LocalTime(site.file.timezone, start_utc_s)
        self.weather = Weather(settings, self.local)
        build = Build(
            site=site,
            settings=settings,
            seed=seed,
            clock=self.clock,
            local=self.local,
            weather=self.weather,
            mode=mode,
        )
        self.parts: dict[str, Part] = {kind.name: kind.build(build) for kind in PARTS}
        self._owner = {kind: name for name, part in self.parts.items() for kind in part.kinds}
        self._has_sensors = has_sensors
        self.sensors = Sensors(site, seed, self._fast_kinds())
        self.loads = Loads([load for part in self.parts.values() for load in part.loads()])
        self.plant: ElectricalArrays = build_plant(
            site, self.branches, self.batteries, self.chargers, self.gensets, self.loads
        )
        for part in self.parts.values():
            part.attach(self.plant)
        self.supply = Supply(self.plant, self.branches, self.loads)
        self.notes = (*self.compute.notes, *unknown_points(site, self.parts.values()))
        self._heat_j = np.zeros((2, len(site.racks.names)))
        self.truth: Truth = empty_truth()
        self._fill_constants()
        self._settle(settings)
        self._tell(np.empty(0), np.empty(0))

    @property
    def feeds(self) -> Feeds:
        """The utility feeds."""
        return cast(Feeds, self.parts["grid"])

    @property
    def grid(self) -> Grid:
        """What the utility does at the first feed, the only one of most sites."""
        return self.feeds.grids[0]

    @property
    def gensets(self) -> Gensets:
        """The engine generators."""
        return cast(Gensets, self.parts["generation"])

    @property
    def solar(self) -> Solar:
        """The solar plants."""
        return cast(Solar, self.part_of(SOLAR.name))

    @property
    def branches(self) -> Branches:
        """The power tree."""
        return cast(Branches, self.parts["power"])

    @property
    def batteries(self) -> Batteries:
        """The batteries."""
        return cast(Batteries, self.part_of(BATTERY.name))

    @property
    def chargers(self) -> Stations:
        """The charging stations."""
        return cast(Stations, self.parts["charging"])

    @property
    def compute(self) -> Compute:
        """The racks."""
        return cast(Compute, self.parts["compute"])

    @property
    def cooling(self) -> Cooling:
        """The cooling."""
        return cast(Cooling, self.parts["cooling"])

    def part_of(self, kind: str) -> Part:
        """The part whose devices are of a kind; one without physics where there is none."""
        return self.parts.get(self._owner.get(kind, ""), Part())

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
        part = self.part_of(group.kind)
        part.write(group.kind, number, point.name, value, lease_s, self.time_ms)

    def save(self) -> Saved:
        """Everything that changes, as arrays."""
        saved = {name: array.copy() for name, array in self._arrays().items()}
        for name, keeper in self._keepers().items():
            saved |= {f"{name}/{own}": array for own, array in keeper.save().items()}
        saved["clock"] = np.array([self.time_ms])
        return saved

    def restore(self, saved: Saved) -> None:
        """Continue from what `save` returned, of the same site and seed."""
        self.injector.rewind(self, int(saved["clock"][0]))
        for name, array in self._arrays().items():
            array[...] = saved[name]
        for name, keeper in self._keepers().items():
            prefix = f"{name}/"
            own = {n.removeprefix(prefix): a for n, a in saved.items() if n.startswith(prefix)}
            keeper.restore(own)
        self.time_ms = int(saved["clock"][0])
        self._tell(np.empty(0), np.empty(0))

    def _keepers(self) -> dict[str, Any]:
        return {**self.parts, "sensors": self.sensors, "write_path": self.write_path}

    def _arrays(self) -> Saved:
        """Every array that changes and is no part's, by name; live, not copies."""
        plant, supply = self.plant, self.supply
        return {
            "true_points": self.true_points,
            "reported": self.reported,
            "rack_cords": plant.rack_cords,
            "load_cords": plant.load_cords,
            "loads_w": plant.loads_w,
            "root_pu": plant.root_pu,
            "root_hz": plant.root_hz,
            "site": plant.site,
            "heat_j": self._heat_j,
            "comms": self.comms.state,
            "comms_delay_s": self.comms.delay_s,
            **{f"supply_{name}": array for name, array in supply.arrays().items()},
        }

    def _electrical_arrays(self) -> Saved:
        """Every array that the electrical step changes; live, not copies."""
        found = self._arrays()
        for name in ("power", "battery", "charging", "generation"):
            found |= {f"{name}/{own}": a for own, a in self.parts[name].arrays().items()}
        return found

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
        self.loads.take()
        blocks = self.feeds.block(0, TRIAL_STEPS)
        start_filters(
            self.plant, self.batteries, self._electrical_arrays(), self.clock, racks_w, blocks
        )
        self.branches.settle(self.cooling.ambient_degc)
        self._fill()

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
        voltage_pu, frequency_hz = self.feeds.block(self.time_ms, steps)
        step_ms = self.clock.step_ms
        step_site(
            self.plant, self.time_ms, step_ms, rack_w, voltage_pu, frequency_hz, grid_w, load_w
        )
        seconds = steps * self.clock.step_s
        self._heat_j[0] += self.compute.heat_liquid_w * seconds
        self._heat_j[1] += self.compute.heat_air_w * seconds

    def _end_block(self, time_ms: int) -> None:
        """What parts tell each other, at the end of a whole block."""
        for part in self.parts.values():
            part.tick(time_ms)
        self.loads.take_sources()
        self.supply.tell()
        for kind, at_ms, branch, why in self.supply.switched(time_ms):
            self._note(kind, at_ms, branch, why=why)
        if time_ms % self.clock.thermal_ms == 0:
            self._step_thermal(time_ms)
        if self._has_sensors:
            self._show(is_second=time_ms % self.clock.thermal_ms == 0)
            self.sensors.update(time_ms, self.true_points, self.reported)

    def _step_thermal(self, time_ms: int) -> None:
        dt_s = self.clock.thermal_ms / 1000.0
        if self.weather.changes:
            self.cooling.ambient_degc = self.weather.ambient_degc(time_ms)
        self.cooling.advance(dt_s, self._heat_j[0] / dt_s, self._heat_j[1] / dt_s)
        self._heat_j[:] = 0.0
        self.loads.take()
        parts, ambient_degc = self.parts.values(), self.cooling.ambient_degc
        for part in parts:
            part.step_second(time_ms, dt_s, ambient_degc)
        if time_ms % self.clock.slow_ms == 0:
            for part in parts:
                part.step_slow(time_ms, self.clock.slow_ms / 1000.0)
        check_energy(self.plant, parts, self.branches.names, time_ms)
        check_racks(self.compute, self.plant, time_ms)

    def _fill(self) -> None:
        self._show(is_second=True)
        self.sensors.update(0, self.true_points, self.reported)

    def _show(self, *, is_second: bool) -> None:
        """Have the parts write their points: those that are fast always, the rest on seconds."""
        for part in self.parts.values():
            if part.is_fast or is_second:
                part.show(self.true_points)

    def _fast_kinds(self) -> frozenset[str]:
        return frozenset(k for part in self.parts.values() if part.is_fast for k in part.kinds)

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
        truth.feeds_w = self.branches.state["flow_w"][: len(self.feeds.grids)]
        truth.gensets_w, truth.solar_w = float(site["gensets_w"]), float(site["sources_w"])
        truth.ambient_degc = self.cooling.ambient_degc
        truth.import_wh, truth.export_wh = float(site["import_wh"]), float(site["export_wh"])
        truth.it_w, truth.throughput = float(self.compute.it_w.sum()), self.compute.throughput
        truth.work = self.compute.work
        if truth.tripped or site["open"]:
            truth.tripped = self.branches.tripped()
