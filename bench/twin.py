"""How fast the twin is, and how much memory it takes. `./run bench twin [--json] [--full]`

Every case runs in a process of its own, on one core; ratios are simulated time over CPU time, the
median of several runs. Figures are for the machine it runs on.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mallee.catalogue import load_site
from mallee.site.model import SiteModel
from mallee.twin.parts.cooling.cooling import Cooling
from mallee.twin.site_twin import SiteTwin

SITES = Path(__file__).parents[1] / "examples" / "sites"
LARGE = SITES / "cortex-67k.toml"
DAY_S = 86_400
HOUR_MS = 3_600_000
HOURS_A_YEAR = 8_760

HALL = """
name = "{name}"
[grid]
contracted_w = {power_w}
import_max_w = {power_w}
ramp_up_max_w_per_s = 1e6
ramp_down_max_w_per_s = 1e6
meter = {{ name = "meter", model = "grid-meter-sunspec" }}
[[transformer]]
name = "tx"
rating_va = {power_w}
[[pod]]
name = "hall"
cdu = [{{ name = "cdu{{1..{cdus}}}", model = "cdu-1300kw", fed_by = "tx" }}]
[[pod.rack]]
name = "r{{1..{racks}}}"
fed_by = "tx"
cdu = "cdu{{1..{cdus}}}"
nodes = {{ model = "nvidia-gb200-nvl72-compute-tray", count = {nodes} }}
[twin]
load = {{ kind = "training", iteration_s = 2.5 }}
"""


class Case(NamedTuple):
    """One figure: what it measures, the goal, and how to get it."""

    title: str
    goal: str
    measure: Callable[[bool], dict[str, float]]


def hall(name: str, *, racks: int, nodes: int, cdus: int) -> SiteModel:
    """A hall of equal racks behind one transformer."""
    text = HALL.format(name=name, racks=racks, nodes=nodes, cdus=cdus, power_w=racks * nodes * 8e3)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.toml"
        path.write_text(text)
        return load_site(path)


def ratio_of(advance: Callable[[], None], simulated_s: float, runs: int = 5) -> float:
    """Simulated over CPU time, the median of several runs after one to warm up."""
    advance()
    spent = []
    for _ in range(runs):
        started = time.process_time()
        advance()
        spent.append(time.process_time() - started)
    return simulated_s / statistics.median(spent)


def full_67k(full: bool) -> dict[str, float]:
    """Everything, with sensors and points, in calls of one second."""
    del full
    twin = SiteTwin(load_site(LARGE))

    def ten_seconds() -> None:
        for _ in range(10):
            twin.advance(1_000)

    return {"full_67k_ratio": ratio_of(ten_seconds, 10.0)}


def half_off(full: bool) -> dict[str, float]:
    """CPU time with everything on over that with half the accelerators shut down, in turns."""
    del full
    site = load_site(LARGE)
    on, off = SiteTwin(site), SiteTwin(site)
    half = off.compute.layout.gpus // 2
    for rack, first in enumerate(half.tolist()):
        off.compute.dies.state[rack, :first] = 2
        off.compute.slots.hot_w[rack, :first] = 0.0
    off.compute.racks.stale[:] = True
    spent: tuple[list[float], list[float]] = ([], [])
    for twin in (on, off):
        twin.advance(10_000)  # what is off has decayed by then
    for _ in range(9):
        for twin, times in zip((on, off), spent, strict=True):
            started = time.process_time()
            twin.advance(2_000)
            times.append(time.process_time() - started)
    return {"half_off_ratio": statistics.median(spent[0]) / statistics.median(spent[1])}


def frontier_1s(full: bool) -> dict[str, float]:
    """Electrical and thermal physics of 9,600 nodes of four accelerators, nothing reported."""
    del full
    twin = SiteTwin(
        hall("frontier", racks=75, nodes=128, cdus=25), step_ms=1_000, has_sensors=False
    )
    return {"frontier_1s_ratio": ratio_of(lambda: twin.advance(600_000), 600.0)}


def plant_257(full: bool) -> dict[str, float]:
    """257 CDUs, their racks' coolant and the facility, a second a step."""
    del full
    site = hall("summit", racks=257, nodes=18, cdus=257)
    cooling = Cooling(site, 20.0)
    liquid_w, air_w = np.full(257, 40e3), np.full(257, 7e3)

    def minute() -> None:
        for _ in range(60):
            cooling.advance(1.0, liquid_w, air_w)

    return {"plant_257_ratio": ratio_of(minute, 60.0)}


def pod_1ms(full: bool) -> dict[str, float]:
    """One pod of 576 accelerators, everything, a millisecond a step."""
    del full
    twin = SiteTwin(hall("pod", racks=8, nodes=18, cdus=1), step_ms=1)
    return {"pod_1ms_ratio": ratio_of(lambda: twin.advance(1_000), 1.0)}


def year(full: bool) -> dict[str, float]:
    """932 racks aggregated for a year of minutes, with batteries, weather and an hourly tariff."""
    del full
    twin = SiteTwin(load_site(LARGE), step_ms=60_000, mode="rack", has_sensors=False)
    hours = np.arange(HOURS_A_YEAR)
    season, daily = np.cos(2 * np.pi * hours / HOURS_A_YEAR), np.cos(2 * np.pi * (hours - 15) / 24)
    ambient_degc = 18.0 - 10.0 * season + 6.0 * daily
    price_usd_per_mwh = 45.0 + 20.0 * np.cos(2 * np.pi * (hours - 18) / 24)
    cost_usd, peaks_w = 0.0, np.zeros(12)
    started = time.process_time()
    for hour in range(HOURS_A_YEAR):
        twin.cooling.ambient_degc = float(ambient_degc[hour])
        twin.advance(HOUR_MS)
        grid_w = twin.truth.block_grid_w
        cost_usd += float(grid_w.mean()) / 1e6 * float(price_usd_per_mwh[hour])
        quarter_w = float(grid_w.reshape(4, 15).mean(axis=1).max())
        month = min(11, hour // 730)
        peaks_w[month] = max(peaks_w[month], quarter_w)
    spent_s = time.process_time() - started
    return {"year_s": spent_s, "year_cost_usd": cost_usd + float(peaks_w.sum()) * 0.012}


def rss_24h(full: bool) -> dict[str, float]:
    """Resident memory with what `simulate` records, run for 24 h or extrapolated from 20 min."""
    twin = SiteTwin(load_site(LARGE))
    duration_s = DAY_S if full else 1_200
    record_w = np.zeros((2, DAY_S * 50))
    series = np.zeros((11, DAY_S))
    seconds, resident_mb = [], []
    for second in range(duration_s):
        twin.advance(1_000)
        here = slice(second * 50, (second + 1) * 50)
        record_w[0, here], record_w[1, here] = twin.truth.block_grid_w, twin.truth.block_load_w
        series[:, second] = twin.truth.grid_w
        if second >= 300 and second % 50 == 0:
            seconds.append(second)
            resident_mb.append(resident_now_mb())
    slope_mb = float(np.polyfit(seconds, resident_mb, 1)[0])
    left_s = DAY_S - duration_s
    return {
        "rss_24h_mb": resident_mb[-1] + max(0.0, slope_mb) * left_s,
        "rss_measured_mb": resident_mb[-1],
        "rss_measured_after_s": float(duration_s),
    }


def resident_now_mb() -> float:
    """Resident memory of this process."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def build(full: bool) -> dict[str, float]:
    """Read the site, build the twin and take the first step: wall time of fresh processes."""
    del full
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        cold_s = built_in_s(environment)
        warm_s = statistics.median(built_in_s(environment) for _ in range(3))
    return {"build_cold_s": cold_s, "build_warm_s": warm_s}


def built_in_s(environment: dict[str, str]) -> float:
    """Time that a fresh process needs, from its first own line to the end of the first step."""
    code = (
        "import time; started = time.perf_counter()\n"
        "from pathlib import Path\n"
        "from mallee.catalogue import load_site\n"
        "from mallee.twin.site_twin import SiteTwin\n"
        f"SiteTwin(load_site(Path({str(LARGE)!r}))).advance(20)\n"
        "print(time.perf_counter() - started)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


CASES = {
    "full_67k_ratio": Case("67,104 GPUs, everything, 20 ms", ">= 100", full_67k),
    "half_off_ratio": Case("the same, all on over half shut down", ">= 1", half_off),
    "frontier_1s_ratio": Case("38,400 GPUs, electrical + thermal, 1 s", ">= 5000", frontier_1s),
    "plant_257_ratio": Case("257 CDUs and plant, 1 s", ">= 1000", plant_257),
    "pod_1ms_ratio": Case("576 GPUs, everything, 1 ms", ">= 50", pod_1ms),
    "year_s": Case("a year of minutes, 932 racks aggregated", "<= 60", year),
    "rss_24h_mb": Case("resident after 24 h, 67,104 GPUs", "<= 600", rss_24h),
    "build_cold_s": Case("build and first step, nothing compiled", "<= 3", build),
    "build_warm_s": Case("build and first step, compiled before", "<= 1", build),
}


def run_case(key: str, full: bool) -> dict[str, float]:
    """One case in a process of its own."""
    command = [sys.executable, __file__, "--case", key, *(["--full"] if full else [])]
    libraries = ("OMP", "OPENBLAS", "NUMBA")
    environment = {**os.environ, **{f"{name}_NUM_THREADS": "1" for name in libraries}}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench twin: {key} failed:\n{done.stderr}")
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main() -> None:
    """Run all cases, or one."""
    parser = argparse.ArgumentParser(prog="bench twin", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--full", action="store_true", help="run 24 h for the memory (15 min)")
    parser.add_argument("--only", choices=CASES, help="one figure")
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(CASES[options.case].measure(options.full)))
        return
    figures: dict[str, float] = {}
    for key in [options.only] if options.only else CASES:
        if key not in figures:
            figures |= run_case(key, options.full)
    if options.json:
        print(json.dumps({"bench": "twin", "figures": figures}))
        return
    print(f"{'figure':20} {'case':42} {'got':>10} {'goal':>8}")
    for key, case in CASES.items():
        if key in figures:
            print(f"{key:20} {case.title:42} {figures[key]:10.4g} {case.goal:>8}")
    print("ratios: simulated time over CPU time of one core; times and memory of one process")


if __name__ == "__main__":
    main()
