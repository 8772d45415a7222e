"""Commands that try things out: `simulate` and `bench`."""

import json
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter

from mallee.cli.options import Seed, check_choice, check_scale, check_writable
from mallee.cli.output import ProgressBar
from mallee.core.duration import parse_whole_s
from mallee.core.errors import ConfigError
from mallee.site.simulated import Load

if TYPE_CHECKING:
    from mallee.simulation.figures import Figures
    from mallee.simulation.run import Planner, Simulation
    from mallee.simulation.verdict import Finding
    from mallee.site.model import SiteModel
    from mallee.twin.faults import FaultPlan


def simulate(
    site: Path,
    /,
    *,
    for_: Annotated[str, Parameter(name="--for")] = "10m",
    start: str = "",
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative="")] = (),
    control: str = "auto",
    trace: Path | None = None,
    scale_to: float = 0.0,
    ev: bool = False,
    faults: Path | None = None,
    actions: Path | None = None,
    seed: Seed = 1,
    plan: bool = True,
    report: Path | None = None,
    series: Path | None = None,
    commands: Path | None = None,
    events: Annotated[bool, Parameter(negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Run a simulated site in virtual time and judge what its meter saw.

    Twin, faults and control as in the field, much faster than real time. With --trace the file is
    the pods' load, and chargers stay empty unless --ev is given. Ends with status 0 where every
    limit was held, 1 where one was broken, 2 for bad input.

    Parameters
    ----------
    site
        Site file with a [twin].
    for_
        How long, such as 700s, 10m, 24h.
    start
        Local date and time of the site at which it starts, such as 2026-07-15T13:00; demand
        windows, cars and daily waves follow it. By default 1 July 2026, 18:00 UTC.
    set_
        KEY=VALUE in place of a key of the site file, such as battery.bess1.model=megapack-2h;
        may be given several times.
    control
        Who decides: auto is Mallee, off nobody; static, battery, floor, dynamo, thunderbolt and
        peak-shaving are rules to compare with.
    trace
        CSV of IT power, `t_s,power_w` or one column a GPU (`gpu0_w` ... and `total_w`).
    scale_to
        Scale the trace so that its peak is this many watts of IT power.
    ev
        Let cars come as the site file says although --trace is given.
    faults
        TOML list of faults: what breaks, when, until when.
    actions
        TOML list of actions: what operators, schedulers and the grid ask for, when and how long.
    seed
        Seed of everything random; equal seeds give equal bytes.
    plan
        Follow energy plans where the site file has [energy]; --no-plan is the null case.
    report
        Write an HTML page with power, battery, temperatures, events and the spectrum.
    series
        Write the record, one row a second, as CSV.
    commands
        Write what control commanded as CSV: when, what, by whom, why, and what came of it.
    events
        Print all events, not only the first twenty.
    json_
        Print one JSON object with site, start, figures, verdict and all events, for programs.
    """
    from mallee.actions import load_actions
    from mallee.catalogue import load_site
    from mallee.simulation.baselines import CONTROLS
    from mallee.simulation.figures import figures_of
    from mallee.simulation.run import simulate as run
    from mallee.simulation.verdict import judge
    from mallee.site.clock import START_UTC_S, parse_start

    model = _loaded(load_site(site, set_), site.name, trace, scale_to, ev)
    for option, path in (("--report", report), ("--series", series), ("--commands", commands)):
        check_writable(option, path)
    duration_s = parse_whole_s(for_, "--for")
    check_choice("--control", control, CONTROLS)
    start_utc_s = parse_start(start, model.file.timezone, "--start") if start else START_UTC_S
    result = run(
        model,
        duration_s=duration_s,
        seed=seed,
        faults=_fault_plan(faults, model),
        start_utc_s=start_utc_s,
        control=control,
        progress=ProgressBar(duration_s, "simulating"),
        planner=_planner(model, site) if plan else None,
        requests=load_actions(actions) if actions is not None else (),
    )
    figures, verdict = figures_of(result), judge(result)
    _write_files(
        result, figures, verdict, series=series, commands=commands, report=report, trace=trace
    )
    _show(result, figures, verdict, as_json=json_, all_events=events)
    return 0 if all(finding.held for finding in verdict) else 1


def bench(name: str, /, *words: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> int:
    """Run one of the project's benches and print its figures, as a table or with --json.

    Benches live in `bench/` of a checkout: `loop` (the running site), `twin` (physics speed),
    `validate` (physics against published figures).

    Parameters
    ----------
    name
        Which bench.
    words
        Passed on to it, such as --json.
    """
    folder = Path(__file__).resolve().parents[3] / "bench"
    known = sorted(p.stem for p in folder.glob("*.py") if not p.stem.startswith("_"))
    if name not in known:
        hint = "there is " + ", ".join(known) if known else "benches need a checkout of the project"
        raise ConfigError(f"bench {name!r}", "does not exist", hint)
    sys.argv = [name, *words]
    runpy.run_path(str(folder / f"{name}.py"), run_name="__main__")
    return 0


def _loaded(
    model: "SiteModel", name: str, trace: Path | None, scale_to: float, ev: bool
) -> "SiteModel":
    """The site under the load that the command line asks for."""
    from mallee.simulation.run import with_load

    twin = model.file.twin
    if twin is None:
        raise ConfigError(name, "has no [twin], so there is nothing to simulate")
    check_scale(scale_to, trace is not None or twin.load.kind == "trace")
    if trace is not None:
        load = Load(kind="trace", trace=str(trace.resolve()), scale_to_w=scale_to)
        return with_load(model, load, ev_sessions=ev)
    if scale_to > 0.0:
        load = msgspec.structs.replace(twin.load, scale_to_w=scale_to)
        return with_load(model, load, ev_sessions=True)
    return model


def _planner(model: "SiteModel", site: Path) -> "Planner | None":
    """Plans of the energy optimiser, where the site has tariffs; else none."""
    from mallee.optimize.site_planner import planner_of

    energy = planner_of(model, site.absolute().parent)
    if energy is None:
        return None
    for note in energy.notes:
        print(f"note: {note}", file=sys.stderr)
    return energy.step


def _fault_plan(faults: Path | None, model: "SiteModel") -> "FaultPlan | None":
    from mallee.twin.faults import FaultPlan

    return FaultPlan.from_toml(faults, model) if faults is not None else None


def _write_files(
    result: "Simulation",
    figures: "Figures",
    verdict: "list[Finding]",
    *,
    series: Path | None,
    commands: Path | None,
    report: Path | None,
    trace: Path | None,
) -> None:
    """What was asked for beside the printed figures."""
    if series is not None:
        _write_series(series, result)
    if commands is not None:
        from mallee.simulation.command_record import write_commands

        write_commands(commands, result.commands)
    if report is not None:
        from mallee.simulation.report import write_simulation_report

        load = f"trace {trace.name}" if trace else "the site file's load"
        write_simulation_report(report, result, figures, verdict, load)


def _show(
    result: "Simulation",
    figures: "Figures",
    verdict: "list[Finding]",
    *,
    as_json: bool,
    all_events: bool,
) -> None:
    """The run's notes, and its outcome for people or programs."""
    from mallee.cli.run_summary import print_run, run_as_json

    for note in result.notes:
        print(f"note: {note}", file=sys.stderr)
    if as_json:
        print(json.dumps(run_as_json(result, figures, verdict)))
    else:
        print_run(result, figures, verdict, all_events=all_events)


def _write_series(path: Path, result: "Simulation") -> None:
    names = list(result.series)
    rows = zip(*(result.series[name].tolist() for name in names), strict=True)
    lines = ["t_s," + ",".join(names)]
    lines += [
        f"{second}," + ",".join(f"{v:.6g}" for v in row) for second, row in enumerate(rows, 1)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
