"""Control, beside the same runs with every command thrown away. `./run bench control [--json]`

C2  every reproduction of the outsiders' review, at 5 to 40 degC      field_repro_failures
C3  every example site without a fault, at five times of day           false_safe, false_events,
                                                                        chatter_per_min
C3b a battery on its own transformer, with and without cars            empty_chargers_lost
C4  a healthy battery out of reach for ten minutes                     unreachable_lost
C9  sixteen cars in ten seconds                                        rush_over_0.1s, rush_served

`--seeds N` repeats C2 with more seeds, `--only C2,C9` runs parts.
"""

import argparse
import json
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from controlling import rush
from controlling.cases import CASES
from controlling.faults import fault
from controlling.quiet import HOURS_FROM_START, Quiet, run_quiet, sites
from controlling.sites import DEMO, made
from mallee.simulation.run import simulate
from mallee.site.clock import START_UTC_S
from mallee.twin.faults import FaultPlan

GOALS = {
    "field_repro_failures": "0", "false_safe": "0", "false_events": "0", "chatter_per_min": "<= 1",
    "empty_chargers_lost": "0", "unreachable_lost": "<= 0.01", "rush_over_0.1s": "0",
    "rush_served": ">= 0.98",
}  # fmt: skip


def reproduce(words: tuple[int, int, int, str]) -> tuple[str, list[str]]:
    """One reproduction: its name, and what did not hold."""
    number, degc, seed, control = words
    case = CASES[number]
    try:
        run = simulate(
            case.site(degc),
            duration_s=case.duration_s,
            seed=seed,
            faults=FaultPlan(case.faults),
            start_utc_s=case.start_utc_s,
            control=control,
        )
        failed = [name for name, holds in case.holds.items() if not holds(run)]
    except ArithmeticError as error:  # the controller must not crash: that is a failure, too
        failed = [f"crash: {error}"]
    if failed and control == "auto":
        print(f"{case.name}, {degc} degC, seed {seed}: {', '.join(failed)}", file=sys.stderr)
    return f"{case.name}, {degc} degC, seed {seed}", failed


def _each(
    what: str, function: Callable[[Any], Any], words: list[Any], processes: int | None
) -> list[Any]:
    """Run all side by side, and say how far it is."""
    found: list[Any] = []
    with ProcessPoolExecutor(processes) as pool:
        for one in pool.map(function, words):
            found.append(one)
            if sys.stderr.isatty():
                print(f"\r{what}: {len(found)} of {len(words)}", end="", file=sys.stderr)
    return found


def field(words: argparse.Namespace) -> dict[str, Any]:
    """C2."""
    answer: dict[str, Any] = {}
    degcs = [int(degc) for degc in words.degc.split(",")]
    seeds, processes = words.seeds, words.processes
    for control in ("auto", "off"):
        runs = [
            (number, degc, seed, control)
            for number in range(len(CASES))
            for degc in degcs
            for seed in range(1, 1 + seeds)
        ]
        found = _each(f"C2 {control}", reproduce, runs, processes)
        suffix = "" if control == "auto" else "_off"
        answer["field_repro_runs"] = len(runs)
        answer[f"field_repro_failures{suffix}"] = sum(bool(failed) for _, failed in found)
        if control == "auto":
            answer["field_repro_failing"] = [f"{n}: {', '.join(f)}" for n, f in found if f]
    return answer


def _quiet(words: tuple[str, float, int, str]) -> Quiet:
    from pathlib import Path

    return run_quiet(Path(words[0]), words[1], words[2], words[3])


def quiet(duration_s: int, processes: int | None) -> dict[str, Any]:
    """C3."""
    here, left_out = sites()
    answer: dict[str, Any] = {"quiet_left_out": left_out}
    for control in ("auto", "off"):
        words = [(str(p), hours, duration_s, control) for p in here for hours in HOURS_FROM_START]
        runs = _each(f"C3 {control}", _quiet, words, processes)
        suffix = "" if control == "auto" else "_off"
        worst = max(runs, key=lambda one: one.chatter_per_min)
        answer |= {
            f"false_safe{suffix}": sum(one.safe for one in runs),
            f"false_events{suffix}": sum(one.false for one in runs),
            f"chatter_per_min{suffix}": worst.chatter_per_min,
            f"quiet_lost{suffix}": sum(one.lost for one in runs) / len(runs),
            f"quiet_over_s{suffix}": sum(one.over_s for one in runs),
        }
        if control == "auto":
            answer["quiet_runs"] = len(runs)
            answer["quiet_remarkable"] = [
                str(one) for one in runs
                if one.safe or one.false or one.chatter_per_min > 1.0 or one.lost > 0.001
            ]  # fmt: skip
    return answer


def losses() -> dict[str, Any]:
    """C3b and C4."""
    own = next(case for case in CASES if case.name.startswith("battery on its own"))
    lost = [
        1.0 - simulate(own.site(degc), duration_s=240, start_utc_s=start_utc_s).throughput_mean
        for degc in (22, 40)
        for start_utc_s in (START_UTC_S, START_UTC_S - 13 * 3600.0)
    ]
    silent = FaultPlan((fault(60, "bess1", "comms-silent", until_s=660),))
    demo = made(DEMO)
    return {
        "empty_chargers_lost": max(lost),
        **{
            f"unreachable_lost{suffix}": 1.0
            - simulate(demo, duration_s=720, faults=silent, control=control).throughput_mean
            for suffix, control in (("", "auto"), ("_off", "off"))
        },
    }


def main() -> None:
    """Run, print."""
    parser = argparse.ArgumentParser(prog="./run bench control", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="of each reproduction")
    parser.add_argument("--degc", default="5,22,30,35,40", help="weather of each reproduction")
    parser.add_argument("--for-s", type=int, default=180, help="length of each quiet run")
    parser.add_argument("--processes", type=int, default=None)
    parser.add_argument("--only", default="C2,C3,C3b,C9", help="parts, by comma")
    parser.add_argument("--json", action="store_true")
    words = parser.parse_args()
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "C2": lambda: field(words),
        "C3": lambda: quiet(words.for_s, words.processes),
        "C3b": losses,
        "C9": lambda: rush.figures(22.0),
    }
    figures: dict[str, Any] = {}
    for name in words.only.split(","):
        figures |= parts[name]()
    if words.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        if isinstance(value, list):
            print(f"{name}:", *value, sep="\n  ")
        else:
            print(f"{name:<28}{value:>12.5g}  {GOALS.get(name, '')}")


if __name__ == "__main__":
    main()
