"""E7: plans in the closed loop of the twin, on every example site that has a battery.

Each run begins before a dear evening window with a demand charge of its own and ends in it. The
twin, not the plan's model, says what happened; the same run without plans stands beside. A plan has
no history at its start: the present load is all that it knows.
"""

import datetime as dt
import sys
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from mallee.catalogue import load_site
from mallee.core.plan import Plan
from mallee.core.snapshot import Snapshot
from mallee.kinds.battery import BATTERY
from mallee.optimize.of_site import battery_of
from mallee.optimize.series import Series
from mallee.optimize.site_planner import SitePlanner
from mallee.optimize.tariff.bill import bills
from mallee.optimize.tariff.file import DemandRate, EnergyRate, TariffFile
from mallee.simulation.run import Simulation, simulate
from mallee.simulation.verdict import judge
from mallee.site.model import SiteModel

SITES = Path(__file__).parents[2] / "examples/sites"
LARGE = "cortex-67k"
"""Minutes of processor time for itself; only on request."""
FROM_TIME, UNTIL_TIME = "18:00", "20:00"
QUARTER_S = 900
BEFORE_S, INSIDE_S = 900, 1800
MISSED_FRAC = 0.01
"""An interval above the planned peak by more than a revenue meter resolves counts as missed."""


def tariff(site: SiteModel) -> TariffFile:
    """Dear energy and a demand charge from 18:00 to 20:00 local, cheap energy else."""
    return TariffFile(
        name="evening",
        timezone=site.file.timezone,
        energy=[
            EnergyRate(
                name="evening", usd_per_mwh=300.0, from_time=FROM_TIME, until_time=UNTIL_TIME
            ),
            EnergyRate(name="else", usd_per_mwh=30.0, from_time=UNTIL_TIME, until_time=FROM_TIME),
        ],
        demand=[
            DemandRate(
                name="evening peak",
                usd_per_w_month=10e-3,
                from_time=FROM_TIME,
                until_time=UNTIL_TIME,
            )
        ],
    )


def figures(*, large: bool = False) -> dict[str, float]:
    """What went wrong in all runs, with plans and without, and what plans saved, by site."""
    names = ("limits_violated", "plans_lost", "wishes_broken", "first_interval_missed")
    found: dict[str, float] = dict.fromkeys((f"twin_{name}" for name in names), 0.0)
    found |= {"twin_null_limits_violated": 0.0, "twin_null_first_interval_missed": 0.0}
    for path in sorted(SITES.glob("*.toml")):
        site = load_site(path)
        if not any(site.groups_of(BATTERY)) or (path.stem == LARGE and not large):
            continue
        began = time.process_time()
        _add(found, site)
        print(f"twin {site.name}: {time.process_time() - began:.0f} s", file=sys.stderr)
    return found


def _add(found: dict[str, float], site: SiteModel) -> None:
    """Both runs of one site."""
    contract = tariff(site)
    local = dt.datetime(2026, 7, 15, 18, tzinfo=ZoneInfo(site.file.timezone))
    start = local.timestamp() - BEFORE_S
    planner = SitePlanner(site, contract, {})
    broken: set[str] = set()
    aimed: dict[float, float] = {}

    def plan(snapshot: Snapshot, utc_s: float, time_s: float) -> tuple[Plan, ...]:
        plans = planner.step(snapshot, utc_s, time_s)
        if planner.schedule is not None:
            broken.update(b.wish for b in planner.schedule.broken if b.wish != "peak reserve")
            aimed[planner.schedule.horizon.start_utc_s] = planner.schedule.peak_w["evening peak"]
        return plans

    seconds = BEFORE_S + INSIDE_S
    run = simulate(site, duration_s=seconds, start_utc_s=start, planner=plan)
    null = simulate(site, duration_s=seconds, start_utc_s=start)
    target_w = aimed[max(utc_s for utc_s in aimed if utc_s <= local.timestamp())]
    found["twin_plans_lost"] += planner.lost
    found["twin_wishes_broken"] += len(broken)
    for prefix, one in (("twin_", run), ("twin_null_", null)):
        found[f"{prefix}limits_violated"] += sum(not finding.held for finding in judge(one))
        first_w = float(one.series["grid_w"][BEFORE_S : BEFORE_S + QUARTER_S].mean())
        missed = first_w > target_w * (1.0 + MISSED_FRAC)
        found[f"{prefix}first_interval_missed"] += missed
    price = 30.0 * battery_of(site, soc=0.5).discharge_efficiency
    costs = [_cost(site, contract, one, start, price) for one in (run, null)]
    found[f"twin_{site.name}_plans"] = planner.made
    found[f"twin_{site.name}_cost"] = costs[0]
    found[f"twin_{site.name}_null_cost"] = costs[1]
    found[f"twin_{site.name}_work_lost_frac"] = 1.0 - run.throughput_mean
    found[f"twin_{site.name}_null_work_lost_frac"] = 1.0 - null.throughput_mean


def _cost(
    site: SiteModel, contract: TariffFile, run: Simulation, start: float, price: float
) -> float:
    """The bill of what the meter truly saw, less what is left in the battery at the cheap price."""
    grid_w = run.series["grid_w"].reshape(-1, 300).mean(axis=1)
    total = sum(bill.total for bill in bills(contract, Series(start, 300.0, grid_w), {}))
    soc = run.series["soc"]
    left_wh = float(soc[-1] - soc[0]) * battery_of(site, soc=0.5).energy_wh
    return total - left_wh / 1e6 * price if np.isfinite(left_wh) else total
