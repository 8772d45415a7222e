"""E6: demand response on the Phoenix tables, second by second, against the frontier of the LP.

Eight measured workloads (256 accelerators of a published demonstration) are brought to 75 % of
their power for an hour at several shares. Power of each job wanders by a seeded share as the
measured minutes before that demonstration's event did, caps act after two seconds with a lag of one
second; the controller sees the total, renews its order every five seconds and trims it by what it
measures. A battery, where there is one, takes what is left within a second.
"""

import csv
from pathlib import Path

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.response.event import GridEvent, Target, target_w
from mallee.optimize.response.flex import FlexJob, OperatingPoint, allocate
from mallee.optimize.response.settlement import settle
from mallee.optimize.series import Series

ORDER_S = 5
DELAY_S = 2
LAG_S = 1.0
MARGIN_FRAC = 0.012
"""Kept below the target: about three standard deviations of the sum of eight wandering jobs."""
WANDER_FRAC, WANDER_S = 0.01, 20.0
PAUSE_FRAC = 0.14
RAMP_S = 30.0
BEFORE_S, EVENT_S, AFTER_S = 300, 3600, 300


def jobs_of(shared: Path) -> list[FlexJob]:
    """The eight workloads with the class of their kind, 32 accelerators each."""
    path = shared / "data/dr/emerald_dvfs_sweep_a100_256gpu.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    jobs = []
    for name in dict.fromkeys(row["Workload"] for row in rows):
        here = [row for row in rows if row["Workload"] == name]
        full_w = max(float(row["power per GPU"]) for row in here)
        points = [
            OperatingPoint(
                knob="cap",
                setting=float(row["GPU power cap"]),
                power_w=float(row["power per GPU"]),
                throughput=float(row["normalized throughput"]),
            )
            for row in here
        ]
        pause = OperatingPoint(
            knob="pause", setting=0.0, power_w=PAUSE_FRAC * full_w, throughput=0.0
        )
        jobs.append(FlexJob(name=name, accelerators=32, flex_class=3, points=(*points, pause)))
    return jobs


def run_event(jobs: list[FlexJob], share: float, seed: int, battery_w: float) -> dict[str, float]:
    """One event; figures of its settlement and of the work done."""
    noise = np.random.default_rng(seed)
    full_w = sum(j.accelerators * max(p.power_w for p in j.points) for j in jobs)
    total_s = BEFORE_S + EVENT_S + AFTER_S
    event = GridEvent(
        id="bench",
        source="bench",
        reason="",
        targets=(
            Target(
                from_utc_s=BEFORE_S, until_utc_s=BEFORE_S + EVENT_S, kind="absolute",
                value=share * full_w,
            ),
        ),
        ramp_s=RAMP_S,
    )  # fmt: skip
    wander = _wander(noise, len(jobs), total_s)
    ordered = np.array([[1.0, 1.0]] * len(jobs))  # power and throughput, of the full
    nominal = np.array([j.accelerators * max(p.power_w for p in j.points) for j in jobs])
    queue: list[tuple[int, FloatArray]] = []
    now = ordered.copy()
    load, meter, done = np.zeros(total_s), np.zeros(total_s), np.zeros(total_s)
    expected_w, trim_w, held_w = float(nominal.sum()), 0.0, np.inf
    for t in range(total_s):
        # the order stands until the next one acts: a target that ends meanwhile still holds
        ahead = (t, t + ORDER_S + DELAY_S)
        aim_w = min(target_w(event, float(instant), full_w) for instant in ahead)
        if t % ORDER_S == 0:
            if aim_w >= full_w:
                trim_w = 0.0  # nothing is ordered, so nothing is held against it
            elif aim_w == held_w:  # a ramp that load follows late is no error of its size
                trim_w += 0.3 * (float(load[max(0, t - ORDER_S) : t].mean()) - expected_w)
                trim_w = float(np.clip(trim_w, -0.05 * full_w, 0.05 * full_w))
            held_w = aim_w
            limit_w = min(aim_w * (1.0 - MARGIN_FRAC), full_w)
            found = allocate(jobs, limit_w - (trim_w if aim_w < full_w else 0.0))
            powers = np.array([s.power_w for s in found.shares])
            queue.append(
                (
                    t + DELAY_S,
                    np.column_stack((powers / nominal, [s.throughput for s in found.shares])),
                )
            )
            expected_w = min(limit_w, full_w) if aim_w < full_w else float(powers.sum())
        if queue and queue[0][0] <= t:
            ordered = queue.pop(0)[1]
        now += (ordered - now) * (1.0 - np.exp(-1.0 / LAG_S))
        load[t] = float(np.sum(nominal * now[:, 0] * (1.0 + wander[:, t])))
        done[t] = float(np.mean(now[:, 1]))
        seen_w = target_w(event, float(t), full_w)
        support_w = min(max(0.0, load[t] - seen_w), battery_w)
        meter[t] = load[t] - support_w
    return _judged(event, jobs, load, meter, done, full_w)


def _wander(noise: np.random.Generator, jobs: int, total_s: int) -> FloatArray:
    """First-order noise of each job's power."""
    keep = float(np.exp(-1.0 / WANDER_S))
    path = np.zeros((jobs, total_s))
    for t in range(1, total_s):
        path[:, t] = keep * path[:, t - 1] + np.sqrt(1 - keep**2) * noise.normal(
            0.0, WANDER_FRAC, jobs
        )
    return path


def _judged(
    event: GridEvent,
    jobs: list[FlexJob],
    load: FloatArray,
    meter: FloatArray,
    done: FloatArray,
    full_w: float,
) -> dict[str, float]:
    settled = settle(event, Series(0.0, 1.0, meter), np.full(len(meter), full_w))
    inside = slice(BEFORE_S + round(RAMP_S), BEFORE_S + EVENT_S)
    frontier = allocate(jobs, float(load[inside].mean())).frontier
    return {
        "frontier_frac": float(done[inside].mean()) / frontier,
        "over_s": settled.over_s,
        "under_frac": settled.under_max_frac,
        "reached_s": settled.reached_s,
        "throughput": float(done[inside].mean()),
    }


def figures(shared: Path) -> dict[str, float]:
    """The worst of several shares and seeds, with and without a battery."""
    jobs = jobs_of(shared)
    result: dict[str, float] = {}
    for label, battery_w in (("load", 0.0), ("battery", 20e3)):
        runs = [
            run_event(jobs, share, seed, battery_w)
            for share in (0.75, 0.70, 0.65)
            for seed in range(3)
        ]
        worst = "dr_" + label
        result[f"{worst}_frontier_frac"] = min(r["frontier_frac"] for r in runs)
        result[f"{worst}_over_s"] = max(r["over_s"] for r in runs)
        result[f"{worst}_under_frac"] = max(r["under_frac"] for r in runs)
        result[f"{worst}_reached_s"] = max(r["reached_s"] for r in runs)
        result[f"{worst}_throughput_at_75"] = runs[0]["throughput"]
    return result
