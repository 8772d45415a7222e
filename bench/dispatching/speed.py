"""How fast a whole site is planned: E1, E2, E8. Data preparation and proof are in every figure."""

import time
from dataclasses import replace

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.forecast import persistence
from mallee.optimize.horizon import FINE_S, horizon_at
from mallee.optimize.inputs import (
    Battery,
    Charging,
    Connection,
    CoolingBuffer,
    Demand,
    Problem,
    Work,
)
from mallee.optimize.planner import Planner
from mallee.optimize.series import Series

START_UTC_S = 1_800_000_000.0


class SyntheticSite:
    """Battery, deferrable work, cooling buffer, cars, ramp and demand charge; seeded, no files."""

    def __init__(self, seed: int, days: int) -> None:
        noise = np.random.default_rng(seed)
        hours = np.arange((days + 4) * 24)
        wave = np.sin((hours % 24 - 8.0) / 24.0 * 2.0 * np.pi)
        before = START_UTC_S - 2 * 86400.0
        self.price = Series(before, 3600.0, 60.0 + 30.0 * wave + noise.normal(0.0, 8.0, hours.size))
        fives = np.arange(hours.size * 12)
        slow = np.cumsum(noise.normal(0.0, 2e4, fives.size)) * 0.05
        swing = 1e6 * np.sin((fives / 12.0 % 24 - 9.0) / 24.0 * 2.0 * np.pi)
        self.load = Series(before, FINE_S, 8e6 + swing + slow + noise.normal(0.0, 5e4, fives.size))
        self.ambient = Series(before, 3600.0, 18.0 + 8.0 * wave)

    def problem(self, k: int, soc: float, measured_w: float) -> Problem:
        """The site's problem at step k: forecasts from history, everything made anew."""
        now = START_UTC_S + FINE_S * k
        horizon = horizon_at(now)
        edges = horizon.edges_utc_s
        known = round((now - self.load.start_utc_s) / FINE_S)
        history = Series(now - 576 * FINE_S, FINE_S, self.load.values[known - 576 : known])
        load_w = persistence(history, edges)
        done = np.cumsum(horizon.length_h)
        cop: FloatArray = 7.0 - 0.1 * self.ambient.means(edges)
        return Problem(
            horizon=horizon,
            connection=Connection(
                import_max_w=np.full(horizon.count, 14e6),
                ramp_w_per_s=5e3,
                measured_w=measured_w,
            ),
            load_w=load_w,
            import_usd_per_mwh=self.price.means(edges),
            batteries=(
                Battery(
                    name="bess",
                    energy_wh=15.6e6,
                    soc=soc,
                    charge_max_w=7.6e6,
                    discharge_max_w=7.6e6,
                    reserve_wh=1e6,
                    headroom_wh=1e6,
                    reserve_w=5e5,
                ),
            ),
            work=(
                Work(
                    name="batch",
                    arrived_wh=8e6 + done * 1e6,
                    due_wh=done * 1e6,
                    power_max_w=3e6,
                ),
            ),
            cooling=(
                CoolingBuffer(
                    name="loop",
                    energy_wh=3e6,
                    stored_wh=1e6,
                    power_max_w=3e6,
                    cop=cop,
                    heat_w=0.8 * load_w,
                ),
            ),
            charging=(
                Charging(
                    name="lot",
                    earliest_wh=done * 6e5,
                    latest_wh=np.maximum(0.0, done * 6e5 - 1.2e6),
                    power_max_w=2e6,
                ),
            ),
            demands=(Demand(name="month", usd_per_w=15e-3, incumbent_w=11e6),),
        )


def resolve(steps: int = 1152) -> dict[str, float]:
    """E1: the site replanned every five minutes in a closed loop."""
    site, planner = SyntheticSite(1, steps // 288 + 1), Planner()
    soc, measured_w = 0.5, float("nan")
    wall_s, cpu_s, bad, broken = [], [], 0, 0
    for k in range(steps):
        wall, cpu = time.perf_counter(), time.process_time()
        plan = planner.plan(site.problem(k, soc, measured_w), explain=False)
        wall_s.append(time.perf_counter() - wall)
        cpu_s.append(time.process_time() - cpu)
        bad += not plan.good
        broken += bool(plan.broken)
        soc = float(plan.stored_wh["bess"][0]) / 15.6e6
        measured_w = float(plan.import_w[0])
    return {
        "p50_ms": 1e3 * float(np.percentile(wall_s, 50)),
        "p99_ms": 1e3 * float(np.percentile(wall_s, 99)),
        "cpu_p50_ms": 1e3 * float(np.percentile(cpu_s, 50)),
        "year_of_these_s": 105_120 * float(np.mean(cpu_s)),
        "cold_resolves": planner.cold_count,
        "plans_lost": bad,
        "plans_broken": broken,
    }


def fleet(sites: int = 1000) -> dict[str, float]:
    """E8: many sites, each with a state of its own, replanned once; second round counts."""
    site, planner = SyntheticSite(2, 2), Planner()
    problems = [site.problem(0, 0.2 + 0.6 * i / sites, 9e6) for i in range(sites)]
    later = [replace(p, load_w=p.load_w * (0.9 + 0.2 * i / sites)) for i, p in enumerate(problems)]
    planner.plan(later[0], explain=False)
    began, lost = time.process_time(), 0
    for problem in later:
        lost += not planner.plan(problem, explain=False).good
    return {"fleet_s": (time.process_time() - began) * 1000.0 / sites, "fleet_lost": float(lost)}
