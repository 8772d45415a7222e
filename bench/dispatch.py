"""Plans: how fast, how good, how honest. `./run bench dispatch [--json] [--quick] [--peers DIR]`

Keys are those of the project's goals E1 to E8. Measured data come from MALLEE_SHARED or ../shared;
without them, and without other people's programmes (--peers), their figures are left out and named.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from dispatching import arbitrage, compare, month, response, speed, twin

ROOT = Path(__file__).parents[1]
GOALS = {
    "p50_ms": "<= 1",
    "p99_ms": "<= 5",
    "year_of_these_s": "<= 90",
    "fleet_s": "<= 2",
    "plans_lost": "0",
    "x_pypsa": ">= 50",
    "cost_gap_pypsa": "<= 1e-6",
    "fleet_lost": "0",
    "arbitrage_NP_dnn": ">= 0.841",
    "arbitrage_PJM_dnn": ">= 0.937",
    "arbitrage_DE_dnn": ">= 0.897",
    "arbitrage_NP_exact_gap": "<= 1e-6",
    "dr_load_frontier_frac": ">= 0.99",
    "dr_load_over_s": "0",
    "dr_load_under_frac": "<= 0.05",
    "dr_load_reached_s": "<= 30",
    "dr_battery_frontier_frac": ">= 0.99",
    "dr_battery_over_s": "0",
    "dr_battery_reached_s": "<= 1",
    "twin_limits_violated": "0",
    "twin_plans_lost": "0",
    "twin_wishes_broken": "0",
    "twin_first_interval_missed": "0",
}


def shared_folder() -> Path | None:
    """Measured data beside the repository, if there."""
    folder = Path(os.environ.get("MALLEE_SHARED", ROOT.parent / "shared"))
    return folder if (folder / "data").is_dir() else None


def main() -> None:
    """Run everything that can be run here."""
    parser = argparse.ArgumentParser(prog="./run bench dispatch", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="fewer steps and one market")
    parser.add_argument("--peers", type=Path, help="folder of the peers' environments (E3)")
    parser.add_argument("--twin", action="store_true", help="only plans in the twin (E7)")
    parser.add_argument("--large", action="store_true", help="with --twin: the largest site, too")
    words = parser.parse_args()
    if words.twin:
        show(twin.figures(large=words.large), [], as_json=words.json)
        return
    shared, left_out = shared_folder(), []
    figures = speed.resolve(288 if words.quick else 1152) | speed.fleet(
        100 if words.quick else 1000
    )
    if words.peers is None:
        left_out.append("other programmes (E3): name their environments with --peers")
    else:
        found, why = compare.figures(words.peers)
        figures |= found
        left_out += why
    if shared is None:
        left_out.append("arbitrage (E4), bills (E5), demand response (E6): no measured data here")
    else:
        for name in arbitrage.MARKETS[:1] if words.quick else arbitrage.MARKETS:
            print(f"arbitrage {name}", file=sys.stderr)
            figures |= arbitrage.captured(shared, name)
        figures |= response.figures(shared)
        months = ((7, 5),) if words.quick else ((1, 31), (7, 31))
        for name in arbitrage.MARKETS[:1] if words.quick else arbitrage.MARKETS:
            for number, days in months:
                figures |= month.shares(shared, name, number, days)
    left_out.append("plans in the twin (E7): minutes for themselves; run with --twin")
    show(figures, left_out, as_json=words.json)


def show(figures: dict[str, float], left_out: list[str], *, as_json: bool) -> None:
    """One JSON object, or a table with the goals."""
    if as_json:
        print(json.dumps({"bench": "dispatch", "figures": figures, "left_out": left_out}))
        return
    for name, value in figures.items():
        print(f"{name:<28} {value:>12.5g}  {GOALS.get(name, '')}")
    for reason in left_out:
        print(f"left out: {reason}")


if __name__ == "__main__":
    main()
