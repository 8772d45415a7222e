"""Commands that try things out: `simulate` and `bench`."""

import json
import math
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter

from mallee.cli.options import Seed, check_scale, check_writable
from mallee.cli.output import ProgressBar, energy, power, table
from mallee.core.duration import parse_duration
from mallee.core.errors import ConfigError
from mallee.site.simulated import Load

if TYPE_CHECKING:
    from mallee.simulation.run import Simulation
    from mallee.site.model import SiteModel


def simulate(
    site: Path,
    /,
    *,
    for_: Annotated[str, Parameter(name="--for")] = "10m",
    trace: Path | None = None,
    scale_to: float = 0.0,
    ev: bool = False,
    faults: Path | None = None,
    seed: Seed = 1,
    plan: bool = True,
    report: Path | None = None,
    series: Path | None = None,
    commands: Path | None = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Run a simulated site in virtual time and judge what its meter saw.

    Twin, faults and the same control as in the field, hundreds of times faster than real time.
    With --trace the file is the pods' load and the chargers stay empty unless --ev is given, so
    that runs on different traces can be compared.

    ```console
    mallee simulate SITE.toml --for 1h --report run.html
    mallee simulate SITE.toml --trace node.csv --scale-to 264e3 --for 700s --json
    ```

    Parameters
    ----------
    site
        Site file with a [twin].
    for_
        How long, such as 700s, 10m, 24h.
    trace
        CSV of IT power, `t_s,power_w` or one column a GPU (`gpu0_w` ... and `total_w`).
    scale_to
        Scale the trace so that its peak is this many watts of IT power.
    ev
        Let cars come as the site file says although --trace is given.
    faults
        TOML list of faults: what breaks, when, until when.
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
    json_
        Print one JSON object, `{"figures": {...}}`, for programs.
    """
    from mallee.catalogue import load_site
    from mallee.simulation.run import figures_of
    from mallee.simulation.run import simulate as run

    model = load_site(site)
    if model.file.twin is None:
        raise ConfigError(f"{site.name}", "has no [twin], so there is nothing to simulate")
    check_scale(scale_to, trace is not None or model.file.twin.load.kind == "trace")
    for option, path in (("--report", report), ("--series", series), ("--commands", commands)):
        check_writable(option, path)
    duration_s = round(parse_duration(for_, "--for"))
    if duration_s < 1:
        raise ConfigError("--for", f"{for_!r} is less than a second", "simulate 1s or more")
    model = _loaded(model, trace, scale_to, ev)
    breaks = None
    if faults is not None:
        from mallee.twin.faults import FaultPlan

        breaks = FaultPlan.from_toml(faults, model)
    from mallee.optimize.site_planner import planner_of

    energy = planner_of(model, site.absolute().parent) if plan else None
    steps = None if energy is None else energy.step
    bar = ProgressBar(duration_s, "simulating")
    result = run(
        model, duration_s=duration_s, seed=seed, faults=breaks, progress=bar, planner=steps
    )
    for note in result.notes:
        print(f"note: {note}", file=sys.stderr)
    figures = figures_of(result)
    if series is not None:
        _write_series(series, result)
    if commands is not None:
        from mallee.simulation.command_record import write_commands

        write_commands(commands, result.commands)
    if report is not None:
        from mallee.simulation.report import write_simulation_report

        load = f"trace {trace.name}" if trace else "the site file's load"
        write_simulation_report(report, result, figures, f"{load}, {for_}, seed {seed}")
    if json_:
        print(json.dumps({"figures": {key: _or_null(figure) for key, figure in figures.items()}}))
    else:
        _print_figures(figures, result)
    return 0


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


def _or_null(figure: float | int | str) -> float | int | str | None:
    """What JSON can hold: a figure that a site cannot have (no battery) is null."""
    return None if isinstance(figure, float) and not math.isfinite(figure) else figure


def _loaded(model: "SiteModel", trace: Path | None, scale_to: float, ev: bool) -> "SiteModel":
    """The site under the load that the command line asks for."""
    from mallee.simulation.run import with_load

    twin = model.file.twin
    assert twin is not None
    if trace is not None:
        load = Load(kind="trace", trace=str(trace.resolve()), scale_to_w=scale_to)
        return with_load(model, load, ev_sessions=ev)
    if scale_to > 0.0:
        load = msgspec.structs.replace(twin.load, scale_to_w=scale_to)
        return with_load(model, load, ev_sessions=True)
    return model


def _write_series(path: Path, result: "Simulation") -> None:
    names = list(result.series)
    rows = zip(*(result.series[name].tolist() for name in names), strict=True)
    lines = ["t_s," + ",".join(names)]
    lines += [
        f"{second}," + ",".join(f"{v:.6g}" for v in row) for second, row in enumerate(rows, 1)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _print_figures(figures: dict[str, float | int | str], result: "Simulation") -> None:
    number = {key: value for key, value in figures.items() if isinstance(value, int | float)}
    grid = result.site.grid
    rows = [
        (
            "import, highest second",
            power(number["grid_max_w"]),
            f"limit {power(grid.import_max_w)}",
        ),
        ("import, lowest second", power(number["grid_min_w"]), ""),
        ("change within 1 s", power(number["change_1s_max_w"]), ""),
        (
            "change within 60 s",
            power(number["change_60s_max_w"]),
            f"allowed {power(grid.ramp_up_w_per_s * 60)}",
        ),
        ("seconds over the limit", str(number["limit_violations"]), ""),
        ("seconds over the ramp", str(number["ramp_violations"]), ""),
        ("battery energy used", energy(number["battery_energy_used_wh"]), ""),
        ("battery power, highest", power(number["battery_power_max_w"]), ""),
        ("throughput lost", f"{number['throughput_lost']:.2%}", ""),
        ("speed", f"{number['realtime_ratio']:.0f}x", "real time"),
    ]
    print(table(rows))
    for event in result.events[:20]:
        print(f"{event.time_s:9.1f} s  {event.kind:<22} {event.text}")
    if len(result.events) > 20:
        print(f"           ... and {len(result.events) - 20} more events")
