"""A world: a site under some weather, load, limit, battery and faults, all drawn from a seed."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from mallee.catalogue import load_site
from mallee.kinds.battery import BATTERY
from mallee.kinds.charger import CHARGER
from mallee.kinds.node import NODE
from mallee.kinds.switch import SWITCH
from mallee.simulation.baselines import CONTROLS
from mallee.site.budget import budget_of
from mallee.site.model import SiteModel
from mallee.site.simulated import Load
from mallee.twin.faults import FaultEvent, FaultPlan

AMBIENTS_DEGC: Final = (5.0, 22.0, 40.0)
LATENCIES_S: Final = (0.002, 0.02, 0.1, 0.25, 0.5)
LOAD_SHARES: Final = (0.8, 1.5)
"""The pods' most, as a share of the import limit: from one that just carries them to one that only
holds if they give way. What cars take comes on top."""
BATTERIES: Final = ("whole", "whole", "weak", "none")
"""As built; with a tenth of its strings and little above its floor; out of service all the time."""
WEAK_FRAC: Final = 0.1
SOC_ABOVE_FLOOR: Final = (0.06, 0.5)
RAMP_FRAC_PER_S: Final = 0.1 / 60.0
"""The contract's ramp, 10 % of its power a minute, scales with it."""
_COMPUTES: Final = (NODE.name, SWITCH.name)
RUSH_SHARE: Final = 0.8
"""Share of chargers at which eight cars plug in within ten seconds: no fault, but the hard case."""
RUSH_S: Final = 10.0


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault, as a fault plan gives it."""

    at_s: float
    target: str
    kind: str
    until_s: float | None = None
    parameters: dict[str, float] = {}


class World(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a run follows from, so that a file holds it.

    Attributes:
        site: path of the site file, as given to the campaign.
        load_share: the pods' most over the import limit.
        battery_delay_s: how late the battery's filter acts; 0 leaves the model's own.
        battery: one of `BATTERIES`.
        soc_start: charge at the start; None leaves the site's own.
        trace: CSV of IT power in place of the site's load; empty for none.
        faults: what breaks.
        expects: for a kept world: the checks that must hold.
    """

    seed: int
    site: str
    duration_s: int
    ambient_degc: float
    load_share: float
    battery_delay_s: float
    battery: str = "whole"
    soc_start: float | None = None
    trace: str = ""
    control: str = "auto"
    faults: list[Fault] = []
    expects: list[str] = []

    @property
    def is_broken(self) -> bool:
        """Whether anything fails; cars that come are no fault."""
        return any(fault.kind != "plug-in-rush" for fault in self.faults)


def draw_world(
    seed: int,
    sites: Sequence[Path],
    traces: Sequence[Path],
    duration_s: int,
    *,
    faults_per_minute: float = 1.0,
    control: str = "auto",
) -> World:
    """The world of a seed; one in four has no fault at all.

    Args:
        sites: site files to draw from.
        traces: CSV files of IT power; half of the worlds replay one, if there are any.
    """
    rng = np.random.default_rng([seed, 0x776F726C64])
    site = sites[int(rng.integers(len(sites)))]
    trace = ""
    if traces and rng.random() < 0.5:
        trace = str(traces[int(rng.integers(len(traces)))])
    began_s = float(rng.uniform(10.0, 0.5 * duration_s))
    rush = [
        Fault(at_s=began_s + float(rng.uniform(0.0, RUSH_S)), target=name, kind="plug-in-rush")
        for name in _charger_names(site)
        if rng.random() < RUSH_SHARE
    ]
    world = World(
        seed=seed,
        site=str(site),
        duration_s=duration_s,
        ambient_degc=float(rng.choice(AMBIENTS_DEGC)),
        load_share=float(rng.uniform(*LOAD_SHARES)),
        battery_delay_s=float(rng.choice(LATENCIES_S)),
        battery=str(rng.choice(BATTERIES)),
        soc_start=_load(site).file.control.soc_min + float(rng.uniform(*SOC_ABOVE_FLOOR)),
        trace=trace,
        control=control,
        faults=rush,
    )
    if rng.random() < 0.25:
        return world
    plan = FaultPlan.swarm(_load(site), seed, duration_s, faults_per_minute)
    faults = [
        Fault(
            at_s=event.at_s,
            until_s=None if event.until_s == float("inf") else event.until_s,
            target=event.target,
            kind=event.kind,
            parameters=dict(event.parameters),
        )
        for event in plan.events
    ]
    return msgspec.structs.replace(world, faults=[*rush, *faults])


def site_of(world: World) -> SiteModel:
    """The site as the world has it: its limit drawn close to its load, its weather, its trace."""
    site = _load(Path(world.site))
    twin = site.file.twin
    assert twin is not None
    most_w = _pods_max_w(site)
    limit_w = max(most_w, 1.0) / world.load_share
    feed = site.grid
    narrowed = msgspec.structs.replace(
        feed,
        import_max_w=limit_w,
        contracted_w=limit_w,
        ramp_up_max_w_per_s=None if feed.ramp_up_max_w_per_s is None else RAMP_FRAC_PER_S * limit_w,
        ramp_down_max_w_per_s=(
            None if feed.ramp_down_max_w_per_s is None else RAMP_FRAC_PER_S * limit_w
        ),
        demand_windows=[],
    )
    load = twin.load
    if world.trace:
        load = Load(kind="trace", trace=world.trace, scale_to_w=0.9 * _it_max_w(site))
    soc_start = twin.soc_start if world.soc_start is None else world.soc_start
    twin = msgspec.structs.replace(
        twin, ambient_degc=world.ambient_degc, load=load, soc_start=soc_start
    )
    is_only = site.file.grid is not None
    changes = {"grid": narrowed} if is_only else {"feed": [narrowed, *site.file.feed[1:]]}
    file = msgspec.structs.replace(site.file, twin=twin, **changes)
    site = replace(site, file=file)
    return CONTROLS[world.control].prepare(site)


def plan_of(world: World, site: SiteModel) -> FaultPlan:
    """Its faults, and what is wrong with its battery from the start."""
    events = [
        FaultEvent(
            at_s=fault.at_s,
            until_s=float("inf") if fault.until_s is None else fault.until_s,
            target=fault.target,
            kind=fault.kind,
            parameters=fault.parameters,
        )
        for fault in world.faults
    ]
    for name in [name for group in site.groups_of(BATTERY) for name in group.names]:
        events += [
            FaultEvent(at_s=0.0, target=name, kind=kind, parameters=parameters)
            for kind, parameters in _ails(world)
        ]
    return FaultPlan(tuple(events), f"world of seed {world.seed}")


def battery_frac(world: World) -> float:
    """What is left of the batteries that the site file names."""
    return {"whole": 1.0, "weak": WEAK_FRAC, "none": 0.0}[world.battery]


def _ails(world: World) -> list[tuple[str, dict[str, float]]]:
    """What a world's batteries suffer from all the time."""
    found: list[tuple[str, dict[str, float]]] = []
    if world.battery_delay_s > 0.0:
        slow = {"delay_s": world.battery_delay_s, "tau_s": max(0.02, world.battery_delay_s / 2.0)}
        found.append(("battery-slow", slow))
    if world.battery == "weak":
        found.append(("battery-string-out", {"left_frac": WEAK_FRAC}))
    if world.battery == "none":
        found.append(("battery-trip", {}))
    return found


@cache
def _load(path: Path) -> SiteModel:
    return load_site(path)


def _charger_names(path: Path) -> list[str]:
    return [name for group in _load(path).groups_of(CHARGER) for name in group.names]


def _it_max_w(site: SiteModel) -> float:
    return sum(
        group.count * group.model.power_max_w for group in site.groups if group.kind in _COMPUTES
    )


def _pods_max_w(site: SiteModel) -> float:
    """Most that flows at the feed without chargers and batteries: nodes, plant, losses."""
    budget = budget_of(site)
    loads, feed = budget.loads, int(site.feed_branches[0])
    nodes_w = (loads.most_w * loads.factor)[~loads.is_charger].sum()
    return float(nodes_w + budget.other_max_w[feed])
