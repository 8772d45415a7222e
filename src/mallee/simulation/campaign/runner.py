"""Runs worlds in parallel processes, counts what broke, and shrinks what failed."""

import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any, Final

import msgspec

from mallee.core.errors import MalleeError
from mallee.simulation.campaign.checks import CHECKS, Observed, Seen
from mallee.simulation.campaign.world import World, plan_of, site_of
from mallee.simulation.figures import figures_of
from mallee.simulation.run import simulate

SHORTEST_S: Final = 30
AHEAD: Final = 2
"""Worlds that wait for each process, so that none is idle and a stop is quick."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a world.

    Attributes:
        broken: by the name of a check, how much; empty where all held.
        crash: the last lines of a traceback; empty where there was none.
        lost, lost_caps: share of the offered work lost, and by caps.
        over_s: seconds above the import limit.
        cars_wh: energy that cars took: a limit is easily kept by starving them.
    """

    world: World
    broken: dict[str, float] = {}
    crash: str = ""
    lost: float = 0.0
    lost_caps: float = 0.0
    over_s: float = 0.0
    over_max_frac: float = 0.0
    ramp_s: float = 0.0
    imported_wh: float = 0.0
    cars_wh: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether anything broke."""
        return bool(self.broken or self.crash)


def run_world(world: World) -> Outcome:
    """Run one world and check it; a crash is an outcome like any other."""
    observed = Observed()
    try:
        site = site_of(world)
        run = simulate(
            site,
            duration_s=world.duration_s,
            seed=world.seed,
            faults=plan_of(world, site),
            control=world.control,
            watch=observed.watch,
        )
        seen = Seen(world, run, figures_of(run), observed)
        broken = {check.name: check.measure(seen) for check in CHECKS}
    except (MalleeError, ArithmeticError, LookupError, ValueError, TypeError, RuntimeWarning):
        return Outcome(world=world, crash="".join(traceback.format_exc().splitlines(True)[-6:]))
    figures = seen.figures
    return Outcome(
        world=world,
        broken={name: float(much) for name, much in broken.items() if much > 0.0},
        lost=float(figures["throughput_lost"]),
        lost_caps=float(figures["throughput_lost_caps"]),
        over_s=float(figures["limit_violations"]),
        over_max_frac=max(0.0, float(figures["grid_max_w"]) / site.grid.import_max_w - 1.0),
        ramp_s=float(figures["ramp_violations"]),
        imported_wh=float(figures["import_wh"]),
        cars_wh=float(figures["chargers_wh"]),
    )


def run_worlds(
    worlds: Iterable[World],
    processes: int = 0,
    done: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Run many, one a process at a time; outcomes in the order of the worlds.

    Args:
        processes: how many side by side; 0 for one a core, 1 for none but this one.
        done: called with each outcome as it comes.
    """
    count = processes or os.cpu_count() or 1
    outcomes: dict[int, Outcome] = {}

    def keep(place: int, outcome: Outcome) -> None:
        outcomes[place] = outcome
        if done is not None:
            done(outcome)

    if count == 1:
        for place, world in enumerate(worlds):
            keep(place, run_world(world))
    else:
        for place, outcome in _spread(enumerate(worlds), count):
            keep(place, outcome)
    return [outcomes[place] for place in sorted(outcomes)]


def _spread(numbered: Iterable[tuple[int, World]], count: int) -> Iterator[tuple[int, Outcome]]:
    with ProcessPoolExecutor(count) as pool:
        running: dict[Future[Outcome], int] = {}
        waiting = iter(numbered)
        while True:
            for place, world in waiting:
                running[pool.submit(run_world, world)] = place
                if len(running) >= count * AHEAD:
                    break
            if not running:
                return
            ready, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ready:
                yield running.pop(future), future.result()


def shrink(outcome: Outcome, broke: Callable[[World], bool] | None = None) -> World:
    """A smaller world that still breaks one of the same checks: fewer faults, a shorter run.

    Args:
        broke: whether a world still fails; by default runs it and compares the checks.
    """
    names = set(outcome.broken)

    def fails(world: World) -> bool:
        again = run_world(world)
        return bool(names & set(again.broken)) or bool(outcome.crash and again.crash)

    broke = broke or fails
    world = outcome.world
    faults = list(world.faults)
    for fault in list(faults):
        fewer = [one for one in faults if one is not fault]
        smaller = msgspec.structs.replace(world, faults=fewer)
        if broke(smaller):
            faults, world = fewer, smaller
    last_s = max([0.0, *(f.at_s if f.until_s is None else f.until_s for f in faults)])
    while True:
        half_s = max(world.duration_s // 2, SHORTEST_S, int(last_s) + 1)
        shorter = msgspec.structs.replace(world, duration_s=half_s)
        if half_s >= world.duration_s or not broke(shorter):
            return world
        world = shorter


def keep_world(folder: Path, name: str, world: World, checks: Sequence[str]) -> Path:
    """Write a world down as a named test; `expects` are the checks that must hold from now on."""
    kept = msgspec.structs.replace(world, expects=list(checks))
    path = folder / f"{name}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n")
    return path


def counts_of(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Worlds in which each check broke, and what the campaign says in all."""
    counts: dict[str, Any] = {"worlds": len(outcomes)}
    for check in CHECKS:
        counts[check.name] = sum(check.name in outcome.broken for outcome in outcomes)
    counts["crashes"] = sum(bool(outcome.crash) for outcome in outcomes)
    counts["failed"] = sum(outcome.failed for outcome in outcomes)
    ran = [outcome for outcome in outcomes if not outcome.crash]
    share = 1.0 / max(len(ran), 1)
    counts["lost_mean"] = share * sum(outcome.lost for outcome in ran)
    counts["lost_caps_mean"] = share * sum(outcome.lost_caps for outcome in ran)
    counts["over_s_mean"] = share * sum(outcome.over_s for outcome in ran)
    counts["over_max_frac"] = max((outcome.over_max_frac for outcome in ran), default=0.0)
    counts["ramp_s_mean"] = share * sum(outcome.ramp_s for outcome in ran)
    counts["cars_wh"] = sum(outcome.cars_wh for outcome in ran)
    counts["imported_wh"] = sum(outcome.imported_wh for outcome in ran)
    return counts
