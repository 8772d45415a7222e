"""Runs a simulated site in virtual time: twin, faults and control in one process, no sockets.

The same `cycle` as in the field, called every 100 ms of virtual time; equal seeds give equal
bytes. What comes out is a record of one row a second; `figures.py` and `verdict.py` judge it.
"""

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mallee.control import ControlState, initial_state, limits_now, limits_of, plan_of_windows
from mallee.core.arrays import FloatArray
from mallee.core.command import Command
from mallee.core.errors import ConfigError
from mallee.core.event import Event
from mallee.core.plan import Plan
from mallee.core.request import Request
from mallee.core.snapshot import Snapshot
from mallee.simulation.baselines import CONTROLS
from mallee.simulation.command_record import Commanded
from mallee.simulation.record import CONTROL_MS, SERIES, Record
from mallee.simulation.virtual_collector import VirtualCollector
from mallee.site.clock import START_UTC_S, SiteClock
from mallee.site.model import SiteModel
from mallee.site.simulated import Load
from mallee.twin.site_twin import SiteTwin

if TYPE_CHECKING:
    from mallee.twin.faults import FaultPlan

PLAN_EVERY_S = 60

Planner = Callable[[Snapshot, float, float], tuple[Plan, ...]]
Watcher = Callable[[SiteTwin, Snapshot, ControlState, list[Command]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What a run gave.

    Attributes:
        clock: the site's local time; its start is second 0 of the record.
        control: who decided, a name in `CONTROLS`.
        record: what was written down, a row a second.
        events: everything that control, faults and devices reported.
        commands: what control asked of devices, and what these said to it.
        faults: what was to break when; None for nothing.
        state: what control remembered at the end.
        notes: what the twin found worth telling about its input, such as gaps of a trace.
        wall_s: how long the run took, without building the site; no part of the outputs.
    """

    site: SiteModel
    clock: SiteClock
    seed: int
    control: str
    record: Record
    events: tuple[Event, ...]
    commands: tuple[Commanded, ...]
    faults: "FaultPlan | None"
    state: ControlState
    notes: tuple[str, ...]
    wall_s: float

    @property
    def series(self) -> dict[str, FloatArray]:
        """Columns by the names in `SERIES`.  # (seconds,) each"""
        return self.record.series

    @property
    def grid_20ms_w(self) -> FloatArray:
        """The meter's true power at every electrical step.  # (steps,)"""
        return self.record.grid_20ms_w

    @property
    def load_20ms_w(self) -> FloatArray:
        """The same without the batteries.  # (steps,)"""
        return self.record.load_20ms_w

    @property
    def time_s(self) -> FloatArray:
        """End of each second of the record.  # (seconds,)"""
        return np.arange(1.0, self.series["grid_w"].size + 1.0)

    @property
    def throughput_mean(self) -> float:
        """Share of the offered work that was done; 1 where none was offered."""
        return 1.0 - self.record.work.lost_frac

    @property
    def sha256(self) -> str:
        """Digest of every output, the same for the same site, start, seed and faults."""
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
    start_utc_s: float = START_UTC_S,
    control: str = "auto",
    progress: Callable[[int], None] | None = None,
    watch: Watcher | None = None,
    planner: Planner | None = None,
    requests: tuple[Request, ...] = (),
) -> Simulation:
    """Run a site for a while.

    Args:
        site: a site with a `[twin]`.
        duration_s: whole seconds to run.
        seed: of everything random.
        faults: what breaks when.
        start_utc_s: the date and time of the start, for demand windows, cars and daily waves.
        control: who decides, a name in `CONTROLS`.
        progress: called once a virtual second with the seconds done.
        watch: called after every cycle with the twin, what control remembers and what it asked;
            for checks that look at everything.
        planner: called once a second with the newest snapshot, UTC and control's time; what it
            returns stands beside the plans of demand windows. None is the null case.
        requests: what people, schedulers and the grid ask for, by leases from the start on.

    Raises:
        ConfigError: a fault that would begin or end after the run.
    """
    if faults is not None:
        check_within(faults, duration_s)
    site = CONTROLS[control].prepare(site)
    twin = SiteTwin(site, seed=seed, faults=faults, start_utc_s=start_utc_s)
    limits, decide = limits_of(site), CONTROLS[control].make(site)
    collector = VirtualCollector(site, twin)
    record = Record(site, twin, duration_s)
    state = initial_state()
    windows: tuple[Plan, ...] = ()
    plans: tuple[Plan, ...] = ()
    has_windows = any(window.target_w > 0.0 for window in site.grid.demand_windows)
    events: list[Event] = []
    began_s = time.perf_counter()
    for second in range(duration_s):
        in_force = limits_now(limits, site.file, start_utc_s + second)
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
            state, commands, said = decide(state, snapshot, plans, requests, in_force, time_s)
            events += said
            if watch is not None:
                watch(twin, snapshot, state, commands)
            if commands:
                collector.send(commands, time_s)
            events += collector.take_events()
        record.take_second(second, state)
        if progress is not None:
            progress(second + 1)
    return Simulation(
        site=site,
        clock=SiteClock(site.file.timezone, start_utc_s),
        seed=seed,
        control=control,
        record=record,
        events=tuple(sorted([*events, *twin.events], key=lambda event: event.time_s)),
        commands=collector.commands.rows(),
        faults=faults,
        state=state,
        notes=twin.notes,
        wall_s=time.perf_counter() - began_s,
    )


def check_within(faults: "FaultPlan", duration_s: float) -> None:
    """See that all of a plan lies within a run.

    Raises:
        ConfigError: a fault would begin or end after the run, so that it would be cut off unseen.
    """
    for number, fault in enumerate(faults.events):
        ends_s = 0.0 if math.isinf(fault.until_s) else fault.until_s
        for key, time_s, is_late in (
            ("at_s", fault.at_s, fault.at_s >= duration_s),
            ("until_s", ends_s, ends_s > duration_s),
        ):
            if is_late:
                what = f"is {time_s:g} s, but the run ends at {duration_s:g} s"
                hint = "simulate for longer, or leave it out"
                raise ConfigError(f"{faults.source}: fault[{number}].{key}", what, hint)


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
