"""Commands that look at a running site or its history: `status` and `query`."""

import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter

from mallee.cli.options import check_writable
from mallee.cli.output import BOLD, RED, YELLOW, paint, power, table
from mallee.core.errors import ConfigError, Unreachable

if TYPE_CHECKING:
    from mallee.runtime.board import Board
    from mallee.runtime.run_folder import Run, RunFolder
    from mallee.site.model import SiteModel

Json = Annotated[bool, Parameter(name="--json", negative="")]


def status(*, data: Path | None = None, json_: Json = False) -> int:
    """Show how the running site is: processes, devices that answer, power on the main branches.

    Parameters
    ----------
    data
        Data folder of the site; by default the one that runs below ./mallee-data.
    json_
        Print one JSON object, for programs.
    """
    from mallee.cli.site_state import devices_of, powers_of, processes_of

    folder, run, site, board = running(data)
    now_s = time.monotonic()
    snapshot = board.snapshot(now_s)
    said = board.status()
    processes = processes_of(board, now_s)
    devices = devices_of(site, snapshot.quality)
    powers = powers_of(site, snapshot.values)
    if json_:
        answer = {
            "site": site.name,
            "url": run.url,
            "data": str(folder.path),
            "processes": processes,
            "devices": devices,
            "power_w": {name: None if math.isnan(w) else w for name, w in powers.items()},
            "control": msgspec.to_builtins(said),
        }
        print(json.dumps(answer))
        return 0
    print(f"{paint(site.name, BOLD)}  {run.url}  data in {folder.path}")
    print(
        table(
            [
                (role, str(p["pid"]), "working" if p["working"] else paint("silent", RED))
                for role, p in processes.items()
            ],
            ("process", "pid", "state"),
        )
    )
    print()
    print(
        table(
            [
                (kind, f"{d['good']} of {d['count']}", _device_text(d))
                for kind, d in devices.items()
            ],
            ("devices", "answering", ""),
        )
    )
    print()
    print(table([(name, power(value)) for name, value in powers.items()], ("power", "")))
    if said is not None:
        print(f"\n{said.text}")
    return 0


def query(
    *points: str,
    last: str = "10m",
    data: Path | None = None,
    rows: int | None = None,
    csv: Path | None = None,
    parquet: Path | None = None,
    json_: Json = False,
) -> int:
    """Print or export the history of points; `*` stands for anything.

    Works while the site runs and after it stopped. Times are UTC.

    ```console
    mallee query meter/import_w --last 10m
    mallee query 'pod1/r1/*/power_w' --last 1h --parquet rack1.parquet
    ```

    Parameters
    ----------
    points
        Paths such as meter/import_w or bess1/soc.
    last
        How far back, such as 90s, 10m, 2h, 7d.
    data
        Data folder of the site.
    rows
        No more rows than this; each is then the mean over an equal part of the time.
    csv
        Write a CSV file.
    parquet
        Write a Parquet file.
    json_
        Print one JSON object, for programs.
    """
    from mallee.core.duration import parse_duration
    from mallee.history import (
        export_csv,
        export_parquet,
        last_time,
        read_points,
        to_json,
        write_csv,
    )

    if not points:
        raise ConfigError(
            "query", "names no point", "such as: mallee query meter/import_w --last 10m"
        )
    if rows is not None and rows < 1:
        raise ConfigError("--rows", f"{rows} is below 1")
    check_writable("--csv", csv)
    check_writable("--parquet", parquet)
    folder = data_folder(data).history
    duration_s = parse_duration(last, "--last")
    end_s = last_time(folder)
    if end_s is None:
        raise ConfigError(str(folder), "holds no readings yet", "start the site with `mallee up`")
    end_s += 1.0
    found = read_points(folder, points, end_s - duration_s, end_s, rows)
    if csv is not None:
        export_csv(found, csv)
    if parquet is not None:
        export_parquet(found, parquet)
    if json_:
        print(to_json(found))
    elif csv is None and parquet is None:
        import sys

        write_csv(found, sys.stdout)
    else:
        files = " and ".join(str(path) for path in (csv, parquet) if path is not None)
        print(f"{len(found.times_s)} rows of {len(found.columns)} points written to {files}")
    return 0


def running(data: Path | None) -> tuple["RunFolder", "Run", "SiteModel", "Board"]:
    from mallee.runtime.board import Board
    from mallee.runtime.run_folder import find_running, load_run

    try:
        folder = find_running(data)
    except ConfigError as error:
        raise Unreachable(str(error)) from None
    run, site = load_run(folder)
    return folder, run, site, Board.open(folder.board, site)


def data_folder(data: Path | None) -> "RunFolder":
    """The folder asked for, the one that runs, or the one that ran last."""
    from mallee.runtime.run_folder import DATA_FOLDER, RunFolder, find_running

    if data is not None:
        return RunFolder(data.absolute())
    try:
        return find_running()
    except ConfigError:
        boards = sorted(DATA_FOLDER.glob("*/run/board"), key=lambda path: path.stat().st_mtime)
        if not boards:
            hint = "start a site here with `mallee up SITE.toml`, or name its folder with --data"
            raise ConfigError(str(DATA_FOLDER.absolute()), "holds no history", hint) from None
        return RunFolder(boards[-1].parents[1].absolute())


def _device_text(counts: dict[str, int]) -> str:
    words = [f"{counts[s]} {s}" for s in ("stale", "bad", "refused", "never") if counts[s]]
    return paint(", ".join(words), YELLOW) if words else ""
