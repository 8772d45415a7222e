"""Every example site, cold: does it check, run, and simulate without a surprise?

A surprise is whatever its author would have to explain: an error of `check`, a process that ended,
a device that never answered, an event of warning or worse once the site has come up, a limit or a
ramp that was broken, a breaker that opened, work that was lost.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mallee.catalogue import load_site
from mallee.core.errors import ConfigError, MalleeError
from mallee.core.event import Severity
from mallee.core.snapshot import Quality
from mallee.runtime.board import Board
from mallee.runtime.roles import process_names
from mallee.runtime.run_folder import RunFolder, load_run
from mallee.simulation.figures import figures_of
from mallee.simulation.run import simulate
from mallee.site.clock import START_UTC_S, parse_start
from mallee.site.model import SiteModel

START_MAX_S = 180.0
"""A first start on a machine compiles the physics."""
SETTLE_S = 5.0
"""Events of the first seconds, while devices are still being found, are not counted."""
LOST_MAX_FRAC = 0.001
STARTS = ("2026-07-15T13:00", "2026-07-15T22:00", "2026-01-15T07:00")
"""Local time of more, shorter runs: cars at midday, no sun, a winter morning."""
MALLEE = str(Path(sys.executable).with_name("mallee"))
SHOWN_MAX = 5


def surprises(file: Path, *, up_s: float, simulate_s: int) -> list[str]:
    """What goes wrong with one example; empty where nothing does.

    Args:
        file: the site file.
        up_s: how long to run it live.
        simulate_s: how long to simulate it.
    """
    found = list(_checked(file))
    if found:
        return found
    return [*_lived(file, up_s), *_simulated(file, simulate_s)]


def _checked(file: Path) -> Iterator[str]:
    done = _mallee("check", str(file), "--json")
    if done.returncode:
        try:
            findings = json.loads(done.stdout)["findings"]
        except (json.JSONDecodeError, KeyError):
            findings = [{"level": "error", "what": done.stderr.strip() or f"rc {done.returncode}"}]
        yield from _first(f"check: {_text(one)}" for one in findings if one["level"] == "error")


def _text(finding: dict[str, Any]) -> str:
    return " ".join(str(finding[key]) for key in ("where", "what") if finding.get(key))


def _mallee(*words: str) -> subprocess.CompletedProcess[str]:
    command = [MALLEE, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _lived(file: Path, up_s: float) -> Iterator[str]:
    """Run it as a user would, and look at it through its board."""
    with tempfile.TemporaryDirectory(prefix="mallee-house-") as folder:
        data = Path(folder) / "data"
        command = [MALLEE, "up", str(file), "--data", str(data)]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        try:
            yield from _watched(process, RunFolder(data), up_s)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                _, said = process.communicate()
                if process.returncode:
                    yield f"up: ended with status {process.returncode}: {said.strip()[:200]}"


def _watched(process: "subprocess.Popen[str]", folder: RunFolder, up_s: float) -> Iterator[str]:
    opened = _opened(process, folder)
    if opened is None:
        said = "" if process.poll() is None else (process.communicate()[1] or "").strip()
        yield f"up: does not start: {said[:200]}"
        return
    site, board = opened
    if not _until_all_answer(process, site, board):
        yield from _first(f"up: {name} never answered" for name in _silent(site, board))
    time.sleep(SETTLE_S)
    events = board.event_reader()
    events.read()
    names = [name for name in process_names(site) if name != "supervisor"]
    pids = {name: board.heartbeat(name)[0] for name in names}
    end_s = time.monotonic() + up_s
    while time.monotonic() < end_s and process.poll() is None:
        time.sleep(0.5)
    if process.poll() is not None:
        yield f"up: ended by itself with status {process.returncode}"
    yield from (f"up: {name} was started again" for name in names
                if board.heartbeat(name)[0] != pids[name])  # fmt: skip
    told = [one for one in events.read().events if one.severity > Severity.INFO]
    yield from _first(f"up: {event.kind}: {event.text}" for event in told)


def _opened(process: "subprocess.Popen[str]", folder: RunFolder) -> tuple[SiteModel, Board] | None:
    end_s = time.monotonic() + START_MAX_S
    while process.poll() is None and time.monotonic() < end_s:
        try:
            _, site = load_run(folder)
            return site, Board.open(folder.board, site)
        except ConfigError:
            time.sleep(0.1)
    return None


def _until_all_answer(process: "subprocess.Popen[str]", site: SiteModel, board: Board) -> bool:
    end_s = time.monotonic() + START_MAX_S
    while process.poll() is None and time.monotonic() < end_s:
        if not _silent(site, board):
            return True
        time.sleep(0.5)
    return False


def _silent(site: SiteModel, board: Board) -> list[str]:
    """Devices of which no point was read yet."""
    never = board.snapshot(0.0).quality == Quality.NEVER
    silent = []
    for group in site.groups:
        block = never[group.first_row : group.first_row + group.count * group.stride]
        without = block.reshape(group.count, group.stride).all(axis=1)
        silent += [group.names[device] for device in np.flatnonzero(without)]
    return silent


def _simulated(file: Path, simulate_s: int) -> Iterator[str]:
    """An hour from the usual start, at midday in mid-America, and a part of one at other hours."""
    site = load_site(file)
    yield from _one_run(site, simulate_s, "simulate", START_UTC_S)
    for start in STARTS:
        start_utc_s = parse_start(start, site.file.timezone, "start")
        yield from _one_run(site, max(simulate_s // 6, 10), f"simulate at {start}", start_utc_s)


def _one_run(site: SiteModel, simulate_s: int, what: str, start_utc_s: float) -> Iterator[str]:
    try:
        run = simulate(site, duration_s=simulate_s, start_utc_s=start_utc_s)
    except MalleeError as error:
        yield f"{what}: {error}"
        return
    figures = figures_of(run)
    for key in ("limit_violations", "ramp_violations"):
        if figures[key]:
            yield f"{what}: {figures[key]} {key} in {simulate_s} s"
    lost = float(figures["throughput_lost"])
    if lost > LOST_MAX_FRAC:
        yield f"{what}: {lost:.2%} of throughput lost"
    told = [one for one in run.events if one.severity > Severity.INFO]
    yield from _first(f"{what}: {event.time_s:.0f} s {event.text}" for event in told)


def _first(found: Iterator[str]) -> Iterator[str]:
    """The first few, and how many more there are."""
    everything = list(found)
    yield from everything[:SHOWN_MAX]
    if len(everything) > SHOWN_MAX:
        yield f"... and {len(everything) - SHOWN_MAX} more like it"
