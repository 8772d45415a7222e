"""Runs a simulated site in virtual time: twin, faults and control in one process, no sockets.

The same `cycle` as in the field, called every 100 ms of virtual time; equal seeds give equal
bytes. What comes out is a record of one row a second and the figures made from it.
"""

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mallee.control import ControlState, cycle, initial_state, limits_of, plan_of_windows
from mallee.control.compliance import check_record
from mallee.core.arrays import FloatArray
from mallee.core.command import Command
from mallee.core.event import Event
from mallee.core.plan import Plan
from mallee.core.snapshot import Snapshot
from mallee.simulation.command_record import Commanded
from mallee.simulation.virtual_collector import VirtualCollector
from mallee.site.model import SiteModel
from mallee.site.simulated import Load
from mallee.twin.site_twin import SiteTwin

if TYPE_CHECKING:
    from mallee.twin.faults import FaultPlan

CONTROL_MS = 100
STEPS_PER_S = 50
SERIES = (
    "grid_w",
    "load_w",
    "battery_charge_w",
    "chargers_w",
    "it_w",
    "soc",
    "throughput",
    "gpu_max_degc",
    "supply_degc",
    "return_degc",
    "import_in_force_w",
)
"""Columns of the record; powers are means over the second, the rest is taken at its end."""
PLAN_EVERY_S = 60
NOON_UTC_S = 1_782_928_800.0
"""1 July 2026, 18:00 UTC, midday in the middle of North America: no demand window is open."""

Planner = Callable[[Snapshot, float, float], tuple[Plan, ...]]
Watcher = Callable[[SiteTwin, Snapshot, ControlState, list[Command]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What a run gave.

    Attributes:
        series: columns by the names in `SERIES`.  # (seconds,) each
        grid_20ms_w: the meter's true power at every electrical step.  # (steps,)
        load_20ms_w: the same without the batteries.  # (steps,)
        events: everything that control, faults and devices reported.
        commands: what control asked of devices, and what these said to it.
        state: what control remembered at the end.
        throughput_mean: work done over the run, 1.0 uncapped, weighted by work.
        notes: what the twin found worth telling about its input, such as gaps of a trace.
        wall_s: how long the run took, without building the site; no part of the outputs.
    """

    site: SiteModel
    series: dict[str, FloatArray]
    grid_20ms_w: FloatArray
    load_20ms_w: FloatArray
    events: tuple[Event, ...]
    commands: tuple[Commanded, ...]
    state: ControlState
    throughput_mean: float
    notes: tuple[str, ...]
    wall_s: float

    @property
    def time_s(self) -> FloatArray:
        """End of each second of the record.  # (seconds,)"""
        return np.arange(1.0, self.series["grid_w"].size + 1.0)

    @property
    def sha256(self) -> str:
        """Digest of every output, the same for the same site, seed and faults."""
        digest = hashlib.sha256()
        for name in SERIES:
            digest.update(self.series[name].tobytes())
        digest.update(self.grid_20ms_w.tobytes())
        digest.update(self.load_20ms_w.tobytes())
        for event in self.events:
            digest.update(f"{event.time_s:.3f} {event.kind} {event.source} {event.text}".encode())
        return digest.hexdigest()


def simulate(
    site: SiteModel,
    *,
    duration_s: int,
    seed: int = 1,
    faults: "FaultPlan | None" = None,
    start_utc_s: float = NOON_UTC_S,
    progress: Callable[[int], None] | None = None,
    watch: Watcher | None = None,
    planner: Planner | None = None,
) -> Simulation:
    """Run a site for a while.

    Args:
        site: a site with a `[twin]`.
        duration_s: whole seconds to run.
        seed: of everything random.
        faults: what breaks when.
        start_utc_s: the date and time of the start, for demand windows.
        progress: called once a virtual second with the seconds done.
        watch: called after every cycle with the twin, what control remembers and what it asked;
            for checks that look at everything.
        planner: called once a second with the newest snapshot, UTC and control's time; what it
            returns stands beside the plans of demand windows. None is the null case.
    """
    twin = SiteTwin(site, seed=seed, faults=faults)
    limits = limits_of(site)
    collector = VirtualCollector(site, twin)
    record = _Record(site, twin, duration_s)
    state = initial_state()
    windows: tuple[Plan, ...] = ()
    plans: tuple[Plan, ...] = ()
    has_windows = any(window.target_w > 0.0 for window in site.grid.demand_windows)
    events: list[Event] = []
    began_s = time.perf_counter()
    for second in range(duration_s):
        if has_windows and second % PLAN_EVERY_S == 0:
            plan = plan_of_windows(site.file, start_utc_s + second, float(second))
            plans = windows = (plan,) if plan is not None else ()
        for part in range(1000 // CONTROL_MS):
            twin.advance(CONTROL_MS)
            record.take_block(second, part)
            time_s = twin.time_ms / 1000.0
            snapshot = collector.collect(time_s)
            if planner is not None and part == 0:
                plans = windows + planner(snapshot, start_utc_s + time_s, time_s)
            state, commands, said = cycle(state, snapshot, plans, (), limits, time_s)
            events += said
            if watch is not None:
                watch(twin, snapshot, state, commands)
            if commands:
                events += collector.send(commands, time_s)
        record.take_second(second, state)
        if progress is not None:
            progress(second + 1)
    return Simulation(
        site=site,
        series=record.series,
        grid_20ms_w=record.grid_20ms_w,
        load_20ms_w=record.load_20ms_w,
        events=tuple(sorted([*events, *twin.events], key=lambda event: event.time_s)),
        commands=collector.commands.rows(),
        state=state,
        throughput_mean=twin.compute.throughput_mean,
        notes=twin.notes,
        wall_s=time.perf_counter() - began_s,
    )


class _Record:
    """Room for the whole run, filled in place."""

    def __init__(self, site: SiteModel, twin: SiteTwin, seconds: int) -> None:
        self._twin = twin
        self.series = {name: np.full(seconds, np.nan) for name in SERIES}
        self.grid_20ms_w = np.zeros(seconds * STEPS_PER_S)
        self.load_20ms_w = np.zeros(seconds * STEPS_PER_S)
        self._sums = np.zeros((1000 // CONTROL_MS, 4))
        self._supply_rows = site.rows("cdu", "supply_degc")
        self._return_rows = site.rows("cdu", "return_degc")
        temps = [
            group.rows(point.name)
            for group in site.groups_of("node")
            for point in group.model.point
            if point.name.startswith("gpu") and point.name.endswith("_temp_degc")
        ]
        self._gpu_rows = np.concatenate(temps) if temps else np.empty(0, np.int64)

    def take_block(self, second: int, part: int) -> None:
        truth = self._twin.truth
        steps = CONTROL_MS * STEPS_PER_S // 1000
        at = second * STEPS_PER_S + part * steps
        self.grid_20ms_w[at : at + steps] = truth.block_grid_w
        self.load_20ms_w[at : at + steps] = truth.block_load_w
        self._sums[part] = (truth.battery_charge_w, truth.chargers_w, truth.it_w, truth.throughput)

    def take_second(self, second: int, state: ControlState) -> None:
        here = slice(second * STEPS_PER_S, (second + 1) * STEPS_PER_S)
        reported, series = self._twin.reported, self.series
        means = self._sums.mean(axis=0)
        series["grid_w"][second] = self.grid_20ms_w[here].mean()
        series["load_w"][second] = self.load_20ms_w[here].mean()
        for column, name in enumerate(("battery_charge_w", "chargers_w", "it_w", "throughput")):
            series[name][second] = means[column]
        series["soc"][second] = self._twin.truth.soc
        series["import_in_force_w"][second] = state.import_in_force_w
        if self._gpu_rows.size:
            series["gpu_max_degc"][second] = reported[self._gpu_rows].max()
        if self._supply_rows.size:
            series["supply_degc"][second] = reported[self._supply_rows].mean()
            series["return_degc"][second] = reported[self._return_rows].mean()


def figures_of(run: Simulation) -> dict[str, float | int | str]:
    """The figures of a run, by stable names; powers are 1 s means at the meter."""
    contract = check_record(run.series["grid_w"], run.site.grid)
    soc = run.series["soc"]
    capacity_wh = sum(
        group.count * group.model.parameter("energy_wh") for group in run.site.groups_of("battery")
    )
    has_battery = capacity_wh > 0.0 and soc.size > 0
    used_wh = float(np.ptp(soc)) * capacity_wh if has_battery else 0.0
    power = np.abs(run.series["battery_charge_w"])
    return {
        "duration_s": len(soc),
        **contract._asdict(),
        "battery_energy_used_wh": used_wh,
        "battery_power_max_w": float(power.max()) if has_battery else 0.0,
        "soc_end": float(soc[-1]) if has_battery else math.nan,
        "throughput_lost": max(0.0, 1.0 - run.throughput_mean),
        "events": len(run.events),
        "realtime_ratio": len(soc) / run.wall_s,
        "output_sha256": run.sha256,
    }


def with_load(site: SiteModel, load: Load, *, ev_sessions: bool) -> SiteModel:
    """The same site under another load; without `ev_sessions` its charger evses stay empty."""
    twin = site.file.twin
    if twin is None:
        raise ValueError(f"site {site.name} has no [twin]")
    twin = msgspec.structs.replace(twin, load=load)
    if not ev_sessions:
        twin = msgspec.structs.replace(twin, ev_sessions_per_day=0.0, ev_sessions="")
    file = msgspec.structs.replace(site.file, twin=twin)
    return replace(site, file=file)
