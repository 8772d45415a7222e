"""Seeded worlds checked on true physics, beside every null case. `./run bench campaign [--json]`

Draws worlds over all example sites that can be simulated quickly, at 5, 22 and 40 degC, with load
near the limit, batteries that act 2 to 500 ms late, measured traces where they are present, and
faults; runs the same worlds under every rule of `mallee.simulation.baselines`. Counts are worlds in
which a check broke; `mallee campaign --help` says what is drawn, `simulation/campaign/checks.py`
what is checked.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from mallee.catalogue import load_site
from mallee.simulation.baselines import CONTROLS
from mallee.simulation.campaign.runner import Outcome, counts_of, run_worlds
from mallee.simulation.campaign.world import World, draw_world

ROOT = Path(__file__).parents[1]
SITES = sorted((ROOT / "examples" / "sites").glob("*.toml"))
POINTS_MAX = 50_000
"""Sites with more points are left to `--large`: a world of 67,000 GPUs takes minutes."""
GOALS = {
    "trips": "0", "over_5s": "0", "export_5s": "0", "soc_window_breaks": "0", "crashes": "0",
    "chatter": "0", "untrue_events": "0", "work_lost_beyond": "0", "clipped": "0",
    "not_recovered": "0",
}  # fmt: skip


def traces() -> list[Path]:
    """Measured IT power, where it lies beside the repository."""
    folder = Path(os.environ.get("MALLEE_SHARED", ROOT.parent / "shared")) / "data" / "power"
    return sorted(folder.glob("*_10hz.csv.gz"))


def sites(large: bool) -> list[Path]:
    """Example sites with a twin."""
    models = {path: load_site(path) for path in SITES}
    return [
        path
        for path, site in models.items()
        if site.file.twin is not None and (large or site.point_count <= POINTS_MAX)
    ]


def measure(worlds: list[World], name: str, processes: int) -> tuple[dict[str, Any], list[int]]:
    """Counts of one rule over the worlds, and the seeds that failed."""
    done = 0

    def tell(_: Outcome) -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            print(f"\r{name}: {done} of {len(worlds)}", end="", file=sys.stderr, flush=True)

    outcomes = run_worlds(worlds, processes, tell)
    return counts_of(outcomes), [o.world.seed for o in outcomes if o.failed]


def main() -> None:
    """Draw, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--for-s", type=int, default=180)
    parser.add_argument("--processes", type=int, default=0)
    parser.add_argument("--large", action="store_true", help="also the 67,000-GPU site")
    parser.add_argument("--only", default="", help="rules to run, by comma; all by default")
    parser.add_argument("--json", action="store_true")
    words = parser.parse_args()
    names = words.only.split(",") if words.only else list(CONTROLS)
    places, files = sites(words.large), traces()
    seeds = range(words.seed, words.seed + words.worlds)
    rows: dict[str, dict[str, Any]] = {}
    failing: list[int] = []
    for name in names:
        drawn = [draw_world(s, places, files, words.for_s, control=name) for s in seeds]
        rows[name], failed = measure(drawn, name, words.processes)
        failing = failed if name == "auto" else failing
    first = rows[names[0]]
    if words.json:
        said = {"sites": len(places), "traces": len(files), "failing_seeds": failing}
        print(json.dumps({**first, **said, "controls": rows}))
        return
    print(
        f"{words.worlds} worlds of {len(places)} sites, {len(files)} traces, {words.for_s} s each"
    )
    print(f"{'':<18}{'goal':>6}" + "".join(f"{name:>13}" for name in rows))
    for key in first:
        cells = "".join(f"{rows[name][key]:>13.4g}" for name in rows)
        print(f"{key:<18}{GOALS.get(key, ''):>6}{cells}")
    if failing:
        print("failing seeds:", *failing)


if __name__ == "__main__":
    main()
