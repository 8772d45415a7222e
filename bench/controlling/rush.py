"""Sixteen cars in ten seconds: is the limit held each 0.1 s, and how much is served of the most?

The most is what the same cars and job take where nothing holds them back: every command thrown
away, and a limit far above. Where the real limit and battery cannot give that, they bound it.
"""

import msgspec
import numpy as np

from controlling.faults import rush
from controlling.sites import DEMO, made
from mallee.simulation.run import Simulation, simulate
from mallee.site.model import SiteModel
from mallee.twin.faults import FaultPlan

PER_S = 10
STEPS_PER_S = 50
AT_S = 30.0
DURATION_S = 300


def figures(degc: float) -> dict[str, float]:
    """Limit and service under control, beside the null case."""
    site = made(DEMO, degc=degc)
    cars = FaultPlan((*(rush(AT_S + 2.5 * n, f"ev{n % 2 + 1}", 4.0) for n in range(4)),))
    auto = simulate(site, duration_s=DURATION_S, faults=cars)
    off = simulate(site, duration_s=DURATION_S, faults=cars, control="off")
    free = simulate(_unlimited(site), duration_s=DURATION_S, faults=cars, control="off")
    return {
        "rush_over_0.1s": float(_over(auto, site)),
        "rush_over_0.1s_off": float(_over(off, site)),
        "rush_served": _served(auto, free, site),
        "rush_served_off": _served(off, free, site),
        "rush_work_lost": 1.0 - auto.throughput_mean,
    }


def _over(run: Simulation, site: SiteModel) -> int:
    """Tenths of a second above the limit."""
    tenths = run.grid_20ms_w.reshape(-1, STEPS_PER_S // PER_S).mean(axis=1)
    return int((tenths > site.grid.import_max_w).sum())


def _served(run: Simulation, free: Simulation, site: SiteModel) -> float:
    """Energy of cars and pods, of what they would take or what limit and battery give, if less."""
    taken_w, wanted_w = (one.series["chargers_w"] + one.series["pods_w"] for one in (run, free))
    battery_w = sum(
        group.count * group.model.parameter("discharge_max_w")
        for group in site.groups_of("battery")
    )
    most_w = np.minimum(wanted_w, site.grid.import_max_w + battery_w)
    return float(taken_w.sum() / most_w.sum())


def _unlimited(site: SiteModel) -> SiteModel:
    from dataclasses import replace

    grid = msgspec.structs.replace(site.grid, import_max_w=1e9, contracted_w=1e9)
    return replace(site, file=msgspec.structs.replace(site.file, grid=grid))
