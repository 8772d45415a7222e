"""What the alarms are worth on seeded faults. `./run bench alarms [--json] [--faults 60]`

Each fault of `alarming/expected.py` is put into a simulated example site, one a run; the desk lives
through it second by second and physics judges what it said. Beside it stands the null case: the
same alarms without suppression. Then breaker trips on a pod of 1,440 accelerators whose readings
are set by hand, through the console's own loop (no network, no browser), and hours of noise without
any fault, in which whatever sounds is chatter.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from alarming.banner import banner_figures
from alarming.expected import ROWS
from alarming.runs import Found, replay, run_one, seconds_of, site_at, targets_of
from mallee.alarms import Desk
from mallee.alarms.kpi import annunciations, kpis

SITES = Path(__file__).parents[1] / "examples/sites"
NAMES = ("charging-site", "single-rack", "hgx-hall", "ups-hall", "microgrid")
"""Two pods and 67,000 GPUs are left out: a run takes minutes."""
NOISE = ("charging-site", "single-rack")


def faults(count: int, seed: int) -> list[Found]:
    """Every row once, then rows drawn again, each at a site and target drawn from the seed."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        row = ROWS[number % len(ROWS)]
        places = [
            (SITES / f"{name}.toml", target)
            for name in NAMES
            for target in targets_of(site_at(SITES / f"{name}.toml"), row)
        ]
        if not places:
            continue
        by_site = sorted({path for path, _ in places})
        chosen = by_site[int(rng.integers(len(by_site)))]
        mine = [target for path, target in places if path == chosen]
        target = mine[int(rng.integers(len(mine)))]
        found.append(run_one(chosen, row, target, seed + number))
        if sys.stderr.isatty():
            print(f"\r{number + 1} of {count}", end="", file=sys.stderr, flush=True)
    return found


def noise(minutes: int) -> dict[str, Any]:
    """Sites that nothing breaks: what sounds is chatter."""
    sounded, chattering, hours = 0, 0, 0.0
    for name in NOISE:
        site = site_at(SITES / f"{name}.toml")
        seconds, events = seconds_of(site, 1, minutes * 60, None)
        desk = Desk(site)
        journal, _ = replay(desk, seconds, events)
        end_s = float(len(seconds))
        figures = kpis(journal, desk.state, desk.alarms.instances, from_s=0.0, until_s=end_s)
        sounded += len(annunciations(journal))
        chattering += len(figures.chattering)
        hours += end_s / 3600.0
    return {
        "noise_hours": hours,
        "chatter": chattering,
        "annunciated_per_10min": sounded / (6.0 * hours),
    }


def main() -> None:
    """Print the table, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--faults", type=int, default=len(ROWS))
    parser.add_argument("--noise-minutes", type=int, default=10)
    parser.add_argument("--trips", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = faults(options.faults, options.seed)
    answer = {
        "faults": len(found),
        "alarms_missed": sum(bool(one.missed) for one in found),
        "first_out_wrong_frac": sum(bool(one.wrong_first) for one in found) / max(1, len(found)),
        "untrue_texts": sum(len(one.untrue) for one in found),
        "annunciated_a_fault": sum(one.annunciated for one in found) / max(1, len(found)),
        "null_annunciated_a_fault": sum(one.raised for one in found) / max(1, len(found)),
        **banner_figures(options.trips),
        **noise(options.noise_minutes),
    }
    if options.json:
        print(json.dumps(answer))
        return
    for one in found:
        said = [f"missed {one.missed}"] if one.missed else []
        said += [f"first out is {one.wrong_first}"] if one.wrong_first else []
        said += [f"untrue: {text}" for text in one.untrue]
        for text in said:
            print(f"{one.site}: {one.fault} at {one.target}: {text}")
    goals = {
        "alarms_missed": "0",
        "first_out_wrong_frac": "<= 0.02",
        "untrue_texts": "0",
        "banner_p95_ms": "<= 300",
        "annunciated": "<= 5",
        "first_out_right": "1",
        "chatter": "0",
        "annunciated_per_10min": "<= 1",
    }
    for key, value in answer.items():
        print(f"{key:28} {value:>10.3g}   {goals.get(key, '')}")


if __name__ == "__main__":
    main()
