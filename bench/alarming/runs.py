"""One fault in a simulated site, and what the alarm desk made of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mallee.alarms import Change, Desk, first_out
from mallee.alarms.kind import AtPoint, Dark, Unreadable
from mallee.alarms.kpi import annunciations
from mallee.alarms.suppress import root_of
from mallee.catalogue import load_site
from mallee.control import ControlState
from mallee.core.arrays import FloatArray
from mallee.core.command import Command
from mallee.core.event import Event
from mallee.core.snapshot import Snapshot
from mallee.simulation.run import simulate
from mallee.site.model import SiteModel
from mallee.twin.faults import FaultEvent, FaultPlan
from mallee.twin.faults.targets import Targets
from mallee.twin.site_twin import SiteTwin

from .expected import Expected

AT_S = 15.0
AFTER_S = 10.0
TOLERANCE_FRAC, TOLERANCE = 0.06, 3.0
"""How far a good sensor may be from the truth: its gain and its bias, rounded up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """One second of a run: what was read, and what was true."""

    snapshot: Snapshot
    true: FloatArray
    comms: NDArray[np.uint8]
    closed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What became of one fault.

    Attributes:
        missed: what should have come and did not.
        wrong_first: the alarm that was shown as the first, where it has nothing to do with the
            fault; empty where it is right.
        untrue: sentences that the physics contradicts.
        raised: without suppression each of these would have sounded.
        annunciated: those that did.
    """

    site: str
    fault: str
    target: str
    missed: str
    wrong_first: str
    untrue: tuple[str, ...]
    raised: int
    annunciated: int


@cache
def site_at(path: Path) -> SiteModel:
    """An example site."""
    return load_site(path)


def targets_of(site: SiteModel, row: Expected) -> list[str]:
    """What a row may hit at a site; for faults of sensors only what has the point."""
    names = [name for kind in row.targets for name in Targets(site).names(kind)]
    if row.point:
        names = [name for name in names if site.find_point(f"{name}/{row.point}") is not None]
    return names


def seconds_of(
    site: SiteModel, seed: int, duration_s: int, plan: FaultPlan | None
) -> tuple[list[Second], tuple[Event, ...]]:
    """A run, second by second, and its events."""
    seconds: list[Second] = []

    def watch(twin: SiteTwin, snapshot: Snapshot, _: ControlState, __: list[Command]) -> None:
        if twin.time_ms % 1000 == 0:
            copied = Snapshot(
                time_s=snapshot.time_s,
                values=snapshot.values.copy(),
                times_s=np.full(site.point_count, snapshot.time_s),
                quality=snapshot.quality.copy(),
                progress=snapshot.progress.copy(),
            )
            seconds.append(
                Second(
                    snapshot=copied,
                    true=twin.true_points.copy(),
                    comms=twin.comms.state.copy(),
                    closed=twin.branches.state["closed"] == 1,
                )
            )

    run = simulate(site, duration_s=duration_s, seed=seed, faults=plan, watch=watch)
    return seconds, run.events


def replay(
    desk: Desk, seconds: Sequence[Second], events: Sequence[Event]
) -> tuple[list[Change], list[str]]:
    """Let a desk live through a run; its journal, and what it said that was not so."""
    journal: list[Change] = []
    untrue: list[str] = []
    place = 0
    for second in seconds:
        time_s = second.snapshot.time_s
        new = []
        # What is told of this very instant shows in the physics a step later.
        while place < len(events) and events[place].time_s < time_s:
            new.append(events[place])
            place += 1
        changes = desk.look(second.snapshot, new, time_s)
        journal += changes
        untrue += [
            f"{desk.ids[change.alarm]}: {desk.said.get(change.alarm, '')}"
            for change in changes
            if change.what == "raised" and not is_true(desk, change.alarm, second)
        ]
    return journal, untrue


def run_one(path: Path, row: Expected, target: str, seed: int) -> Found:
    """Break one thing and look."""
    site = site_at(path)
    where = f"{target}/{row.point}" if row.point else target
    fault = FaultEvent(at_s=AT_S, target=where, kind=row.fault, parameters=row.parameters)
    duration_s = round(AT_S + row.within_s + AFTER_S)
    seconds, events = seconds_of(site, seed, duration_s, FaultPlan((fault,)))
    desk = Desk(site)
    journal, untrue = replay(desk, seconds, events)
    since = [change for change in journal if change.time_s >= AT_S]
    wanted = [one.format(target=target) for one in row.alarms]
    came = [
        change.alarm
        for change in since
        if change.what == "raised"
        and change.time_s <= AT_S + row.within_s
        and any(fnmatchcase(desk.ids[change.alarm], one) for one in wanted)
    ]
    first = first_out(desk.state)
    roots = {root_of(desk.state, alarm) for alarm in came}
    is_right = not came or first in roots or first in came
    shown = "none" if first is None else desk.ids[first]
    return Found(
        site=site.name,
        fault=row.fault,
        target=where,
        missed="" if came else " or ".join(wanted),
        wrong_first="" if is_right else shown,
        untrue=tuple(untrue),
        raised=sum(change.what == "raised" for change in since),
        annunciated=len(annunciations(since)),
    )


def is_true(desk: Desk, alarm: int, second: Second) -> bool:
    """Whether the physics bears out what an alarm says as it is raised."""
    instances, site = desk.alarms.instances, desk.site
    kind = desk.kind_of(alarm)
    condition, device = kind.condition, int(instances.device[alarm])
    if isinstance(condition, Unreadable):
        rows = next(c.rows[c.alarms == alarm][0] for c in instances.silences if alarm in c.alarms)
        return bool(second.comms[device] != 0 or np.isnan(second.snapshot.values[rows]).all())
    if isinstance(condition, Dark):
        check = next(c for c in instances.darks if alarm in c.alarms)
        mine = check.place == int(np.flatnonzero(check.alarms == alarm)[0])
        power_w = second.true[np.concatenate(check.power_rows)[mine]]
        devices = np.array(
            [_device_of(site, row) for row in np.concatenate(check.power_rows)[mine]]
        )
        return bool(((power_w < check.below_w) | (second.comms[devices] != 0)).all())
    if isinstance(condition, AtPoint):
        point = next(c for c in instances.points if alarm in c.alarms)
        rows = point.rows[point.alarms == alarm][0]
        slack = TOLERANCE + TOLERANCE_FRAC * abs(point.limit)
        return bool((point.sign * (second.true[rows] - point.limit) > -slack).any())
    if kind.name == "breaker-open":
        return not second.closed[int(instances.branch[alarm])]
    return True


def _device_of(site: SiteModel, row: int) -> int:
    group = site.group_of_row(row)
    return group.first_device + (row - group.first_row) // group.stride
