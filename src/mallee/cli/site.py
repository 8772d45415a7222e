"""Commands about one site: `up` runs it, `check` looks its file over."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter

from mallee.cli.options import Port, Seed, check_scale
from mallee.cli.output import RED, YELLOW, paint
from mallee.core.errors import ConfigError

if TYPE_CHECKING:
    from mallee.site.model import SiteModel


def up(
    site: Path,
    /,
    *,
    data: Path | None = None,
    host: str = "127.0.0.1",
    port: Port = 0,
    trace: Path | None = None,
    scale_to: float = 0.0,
    seed: Seed = 1,
) -> int:
    """Run a site: collectors, control, history and console, and its twin if it is simulated.

    Prints the console's address once the first live value is there. Everything is restarted when
    it dies; Ctrl-C stops it all. The history stays in the data folder.

    Parameters
    ----------
    site
        Site file; with a [twin] the devices are simulated on loopback sockets.
    data
        Folder for history, events and run files; ./mallee-data/SITE by default.
    host
        Address that the console binds to.
    port
        Port of the console; 0 takes 8460 or the next free one.
    trace
        For a simulated site: CSV of IT power that replaces its load.
    scale_to
        Scale the trace so that its peak is this many watts of IT power.
    seed
        Seed of the twin.
    """
    from mallee.runtime.supervisor import run_site

    check_scale(scale_to, trace is not None)
    return run_site(
        site, data=data, host=host, port=port, trace=trace, scale_to_w=scale_to, seed=seed
    )


def check(
    site: Path, /, *, json_: Annotated[bool, Parameter(name="--json", negative="")] = False
) -> int:
    """Look a site file over: keys, models, feeds, addresses, ratings against loads.

    Ends with status 1 when there is an error, 0 when there are only warnings and notes.

    Parameters
    ----------
    site
        Site file.
    json_
        Print one JSON object, for programs.
    """
    from mallee.catalogue import load_site
    from mallee.site.checks import check_site, watts

    try:
        model = load_site(site)
        _read_traces(model)
    except ConfigError as error:
        if not json_:
            raise
        found = {"level": "error", "where": error.where, "text": error.what, "hint": error.hint}
        print(json.dumps({"ok": False, "findings": [found]}))
        return 1
    findings = check_site(model)
    errors = sum(finding.level == "error" for finding in findings)
    if json_:
        rows = msgspec.to_builtins(findings)
        print(json.dumps({"ok": errors == 0, "findings": rows}))
        return 1 if errors else 0
    colours = {"error": RED, "warning": YELLOW}
    for finding in findings:
        label = paint(f"{finding.level:<8}", colours.get(finding.level, "0"))
        hint = f"; {finding.hint}" if finding.hint else ""
        print(f"{label}{finding.where}: {finding.text}{hint}")
    accelerators = sum(g.count * g.model.accelerators for g in model.groups_of("node"))
    print(
        f"{site.name}: {len(model.racks.names)} racks, {accelerators} accelerators, "
        f"{model.device_count} devices, {model.point_count} points behind "
        f"{watts(model.grid.import_max_w)}: {errors} error(s)"
    )
    return 1 if errors else 0


def _read_traces(site: "SiteModel") -> None:
    """Read the traces that a simulated site replays, so that a wrong one is found here."""
    twin = site.file.twin
    loads = [twin.load, *(job.load for job in twin.jobs)] if twin is not None else []
    traces = [load.trace for load in loads if load.kind == "trace"]
    if traces:
        from mallee.twin.compute.workload.trace_file import read_trace

        for trace in traces:
            if not trace:
                hint = 'give trace = "FILE.csv" with t_s,power_w'
                raise ConfigError(f"{site.name}: load", "names no trace to replay", hint)
            read_trace(Path(trace))
