"""The `campaign` command: many seeded worlds, checked on true physics."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter

from mallee.cli.options import Seed, check_choice
from mallee.cli.output import ProgressBar, table
from mallee.core.duration import parse_whole_s
from mallee.core.errors import ConfigError

if TYPE_CHECKING:
    from mallee.simulation.campaign.runner import Outcome
    from mallee.simulation.campaign.world import World

FAILURES_SHOWN = 10


def campaign(
    *sites: Path,
    worlds: int = 40,
    seed: Seed = 1,
    for_: Annotated[str, Parameter(name="--for")] = "3m",
    faults_per_minute: float = 1.0,
    against: str = "",
    traces: Path | None = None,
    processes: int = 0,
    shrink: Annotated[bool, Parameter(negative="")] = False,
    keep: Path | None = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Run many seeded worlds of sites and check each on what truly happened.

    A world draws a site, its weather (5, 22, 40 degC), a load of 0.8 to 1.5 times its limit, what
    is left of its battery, how charged it is and how late it acts (2 to 500 ms), cars that come at
    once, a measured trace if there are any, and faults; one in four has none. Ends with status 1
    where a check failed.

    ```console
    mallee campaign examples/sites/charging-site.toml --worlds 40 --seed 1
    mallee campaign SITE.toml --worlds 20 --against off,static,dynamo
    ```

    Parameters
    ----------
    sites
        Site files with a [twin].
    worlds
        How many.
    seed
        Of the first world; the others follow it.
    for_
        How long each runs.
    faults_per_minute
        How much breaks in a world that has faults.
    against
        Rules that run the same worlds beside Mallee, for one table: off, static, battery, floor,
        dynamo, thunderbolt, peak-shaving, or all.
    traces
        Folder of CSV files of IT power to draw from.
    processes
        How many side by side; 0 for one a core.
    shrink
        Make the first failing world smaller: fewer faults, a shorter run.
    keep
        With --shrink: write that world to this file, so that a test can hold it.
    json_
        Print one JSON object, for programs.
    """
    from mallee.simulation.baselines import CONTROLS
    from mallee.simulation.campaign.runner import counts_of, run_worlds
    from mallee.simulation.campaign.world import draw_world

    if not sites:
        raise ConfigError("campaign", "names no site", "such as examples/sites/charging-site.toml")
    if worlds < 1:
        raise ConfigError("--worlds", f"{worlds} is below 1")
    others = [name for name in CONTROLS if name != "auto"] if against == "all" else []
    others = others or [name for name in against.split(",") if name]
    for name in others:
        check_choice("--against", name, CONTROLS)
    duration_s = parse_whole_s(for_, "--for")
    files = sorted(path for path in traces.glob("*.csv*")) if traces else []
    drawn = [
        draw_world(seed + n, sites, files, duration_s, faults_per_minute=faults_per_minute)
        for n in range(worlds)
    ]
    rows: dict[str, dict[str, Any]] = {}
    failing: list[Outcome] = []
    for name in ["auto", *others]:
        bar, told = ProgressBar(worlds, name), {"done": 0}

        def done(_: "Outcome", bar: ProgressBar = bar, told: dict[str, int] = told) -> None:
            told["done"] += 1
            bar(told["done"])

        same = [msgspec.structs.replace(world, control=name) for world in drawn]
        outcomes = run_worlds(same, processes, done)
        rows[name] = counts_of(outcomes)
        if name == "auto":
            failing = [outcome for outcome in outcomes if outcome.failed]
    small = _shrunk(failing, keep) if shrink and failing else None
    if json_:
        answer = {**rows["auto"], "seed": seed, "controls": rows}
        answer["failing_seeds"] = [outcome.world.seed for outcome in failing]
        print(json.dumps(answer))
    else:
        _print(rows, failing, small)
    return 1 if failing else 0


def _shrunk(failing: "list[Outcome]", keep: Path | None) -> "World":
    from mallee.simulation.campaign.runner import keep_world, shrink

    first = failing[0]
    small = shrink(first)
    if keep is not None:
        path = keep_world(keep.parent, keep.stem, small, sorted(first.broken))
        print(f"kept as {path}", file=sys.stderr)
    return small


def _print(
    rows: dict[str, dict[str, Any]], failing: "list[Outcome]", small: "World | None"
) -> None:
    names = list(next(iter(rows.values())))
    lines = [[key, *(_number(counts[key]) for counts in rows.values())] for key in names]
    print(table(lines, ["worlds in which it broke", *rows]))
    for outcome in failing[:FAILURES_SHOWN]:
        world = outcome.world
        what = ", ".join(f"{name} {much:.3g}" for name, much in outcome.broken.items())
        what = what or outcome.crash.strip().splitlines()[-1]
        site = Path(world.site).name
        print(f"seed {world.seed:<6} {site:<24} {len(world.faults)} faults  {what}")
    if small is not None:
        print("smallest world that still fails:")
        print(msgspec.json.format(msgspec.json.encode(small), indent=2).decode())


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4g}"
