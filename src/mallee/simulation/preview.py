"""What an action would do: the twin, from now on, with it and without it.

A simulated site goes on from the twin's own last state. A real site starts from its model at the
load, the state of charge and the temperature that its readings show: a forecast of the site's
physics, not of its jobs.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from mallee.actions.trial import Course, Preview
from mallee.control import ControlState, cycle, initial_state, limits_of
from mallee.core.arrays import FloatArray
from mallee.core.request import Request
from mallee.core.snapshot import Snapshot
from mallee.kinds.battery import BATTERY
from mallee.kinds.charger import CHARGER
from mallee.kinds.node import NODE
from mallee.simulation.virtual_collector import VirtualCollector
from mallee.site.model import SiteModel
from mallee.site.simulated import Load, Twin
from mallee.twin.site_twin import SiteTwin

SETTLE_S = 10
"""Control sees the twin for so long before the action begins."""
TRIAL_S = 90
CONTROL_MS = 100


def preview(
    site: SiteModel,
    request: Request,
    saved: Mapping[str, Any] | None,
    *,
    seed: int,
    start_utc_s: float | None,
    standing: Sequence[Request] = (),
) -> Preview:
    """Try an action.

    Args:
        site: a site with a `[twin]`; of a real one, made by `as_read`.
        request: what it asks.
        saved: the twin's state now; None starts afresh.
        standing: requests in force, their leases from 0 on.
    """
    after = replace(request, from_s=float(SETTLE_S), until_s=float(SETTLE_S + TRIAL_S + 1))
    limits = limits_of(site)
    courses = [
        _course(site, saved, [*standing, *asked], seed=seed, start_utc_s=start_utc_s)
        for asked in ([after], [])
    ]
    throttles = [one.throttle_degc for one in limits.heat.dies]
    found = Preview(
        trial_s=TRIAL_S,
        start="the twin now" if saved is not None else "the model at present readings",
        limit_w=limits.import_contract_w,
        soc_floor=limits.soc_min,
        throttle_degc=min(throttles) if throttles else None,
        with_it=courses[0],
        without=courses[1],
        breaks=[],
    )
    before = _breaks(found, found.without)
    new = [one for one in _breaks(found, found.with_it) if one not in before]
    return replace(found, breaks=new)


def _breaks(trial: Preview, course: Course) -> list[str]:
    found = []
    if course.import_max_w > trial.limit_w:
        found.append("import limit")
    if course.soc_min is not None and course.soc_min < trial.soc_floor - 0.005:
        found.append("state of charge")
    hot = course.die_max_degc is not None and trial.throttle_degc is not None
    if hot and course.die_max_degc > trial.throttle_degc:  # type: ignore[operator]
        found.append("die temperature")
    return found


def _course(
    site: SiteModel,
    saved: Mapping[str, Any] | None,
    requests: Sequence[Request],
    *,
    seed: int,
    start_utc_s: float | None,
) -> Course:
    twin = SiteTwin(site, seed=seed, start_utc_s=start_utc_s)
    if saved is not None:
        twin.restore(dict(saved))
    zero_s = twin.time_ms / 1000.0
    collector, limits = VirtualCollector(site, twin), limits_of(site)
    state: ControlState = initial_state()
    seen: list[tuple[float, ...]] = []
    rows = _rows(site)
    asked = tuple(
        replace(one, from_s=one.from_s + zero_s, until_s=one.until_s + zero_s) for one in requests
    )
    for step in range((SETTLE_S + TRIAL_S) * 1000 // CONTROL_MS):
        twin.advance(CONTROL_MS)
        time_s = twin.time_ms / 1000.0
        snapshot = collector.collect(time_s)
        state, commands, _ = cycle(state, snapshot, (), asked, limits, time_s)
        if commands:
            collector.send(commands, time_s)
        if time_s - zero_s > SETTLE_S and step % 10 == 9:
            seen.append(tuple(_sum(snapshot.values, at) for at in rows))
    table = np.array(seen)
    return Course(
        import_max_w=float(table[:, 0].max()),
        import_last_w=float(table[-10:, 0].mean()),
        nodes_last_w=float(table[-10:, 1].mean()),
        chargers_last_w=float(table[-10:, 2].mean()),
        soc_min=_or_none(table[:, 3].min()),
        die_max_degc=_or_none(table[:, 4].max()),
    )


def _rows(site: SiteModel) -> list[tuple[str, np.ndarray]]:
    limits = limits_of(site)
    meters = limits.budget.meter_row[limits.metered[: limits.feeds]]
    dies = [
        group.rows(point)
        for group in site.groups
        for point in group.model.index
        if point.startswith("gpu") and point.endswith("_temp_degc")
    ]
    return [
        ("sum", meters),
        ("sum", site.rows(NODE, "power_w")),
        ("sum", site.rows(CHARGER, "power_w")),
        ("min", site.rows(BATTERY, "soc")),
        ("max", np.concatenate(dies) if dies else np.empty(0, np.int64)),
    ]


def _sum(values: FloatArray, at: tuple[str, np.ndarray]) -> float:
    how, rows = at
    known = values[rows][np.isfinite(values[rows])]
    if how == "sum":
        return float(known.sum())
    if not known.size:
        return np.nan
    return float(known.min() if how == "min" else known.max())


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def as_read(site: SiteModel, snapshot: Snapshot) -> SiteModel:
    """A real site as a simulated one that starts where its readings are.

    Nodes draw on the mean what they report now; weather is the twin's default [assumed].
    """
    nodes, soc = site.rows(NODE, "power_w"), site.rows(BATTERY, "soc")
    drawn_w = _sum(snapshot.values, ("sum", nodes))
    most_w = sum(group.count * group.model.power_max_w for group in site.groups_of(NODE))
    level = min(max(drawn_w / most_w, 0.0), 1.0) if most_w > 0.0 else 0.0
    known = snapshot.values[soc][np.isfinite(snapshot.values[soc])]
    twin = Twin(
        load=Load(kind="constant", level=level),
        soc_start=float(np.clip(known.mean(), 0.0, 1.0)) if known.size else 0.5,
    )
    return dataclasses.replace(site, file=replace(site.file, twin=twin))
