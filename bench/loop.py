"""The whole loop of the demo site: start, pace, recovery. `./run bench loop [--json]`

Starts the site as a user would, watches it for a while through its board, kills each of its
processes in turn, and simulates it in virtual time. Figures are for the machine it runs on; other
work on it shows in them.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import numpy as np

from mallee.catalogue.read import load_site
from mallee.core.errors import ConfigError
from mallee.core.snapshot import Quality
from mallee.runtime.board import Board
from mallee.runtime.run_folder import Run, RunFolder, load_run

SITE = Path(__file__).parents[1] / "examples" / "sites" / "charging-site.toml"
START_MAX_S = 180.0
RECOVERY_MAX_S = 30.0
KILLED = ("control", "collect", "console", "twin")
GOALS = {
    "first_value_s": "<= 3",
    "cycle_p99_ms": "<= 5",
    "jitter_p99_ms": "<= 20",
    "recovery_max_s": "<= 2",
    "over_limit_count": "0",
    "simulate_realtime_ratio": ">= 500",
}


@dataclass(slots=True)
class Site:
    """A running demo site, seen through its board; samples the meter while it waits."""

    process: subprocess.Popen[bytes]
    board: Board
    run: Run
    meter_row: int
    import_max_w: float
    meter_max_w: float = 0.0
    over_limit: int = 0
    samples: int = 0
    _last_s: float = field(default=0.0)

    def until(self, condition: Callable[[], bool], limit_s: float) -> float:
        """Wait for something and return how long that took; infinite after `limit_s`."""
        started_s = time.monotonic()
        while not condition():
            self._sample()
            if time.monotonic() - started_s > limit_s:
                return float("inf")
            time.sleep(0.01)
        return time.monotonic() - started_s

    def watch(self, duration_s: float) -> None:
        """Let it run."""
        until_s = time.monotonic() + duration_s
        self.until(lambda: time.monotonic() >= until_s, 2.0 * duration_s)

    def _sample(self) -> None:
        snapshot = self.board.snapshot(time.monotonic())
        read_s = float(snapshot.times_s[self.meter_row])
        if snapshot.quality[self.meter_row] != Quality.GOOD or read_s == self._last_s:
            return
        self._last_s = read_s
        import_w = snapshot.value(self.meter_row)
        self.samples += 1
        self.meter_max_w = max(self.meter_max_w, import_w)
        self.over_limit += import_w > self.import_max_w

    def is_back(self, role: str, killed: int, killed_s: float) -> bool:
        """Whether a role's new process works and what it is for is fresh again."""
        pid, beat_s = self.board.heartbeat(role)
        if pid == killed or beat_s < killed_s:
            return False
        if role == "control":
            said = self.board.status()
            return said is not None and said.time_s > killed_s and said.mode == "auto"
        if role == "console":
            return _answers(self.run.url)
        snapshot = self.board.snapshot(time.monotonic())
        return snapshot.times_s[self.meter_row] > beat_s and snapshot.is_fresh(self.meter_row, 0.5)


@contextmanager
def running(file: Path, folder: Path) -> Iterator[tuple[Site, float]]:
    """The demo site under `mallee up`, and the time from the command to its first value."""
    started_s = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    mallee = Path(sys.executable).with_name("mallee")
    command = [mallee, "up", file, "--data", folder, "--port", port]
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    try:
        place = RunFolder(folder)
        board, run = _board_of(place, process, started_s)
        model = load_site(file)
        row = int(model.rows("meter", "import_w")[0])
        site = Site(process, board, run, row, model.grid.import_max_w)
        site.until(lambda: board.snapshot(0.0).quality[row] == Quality.GOOD, START_MAX_S)
        yield site, time.monotonic() - started_s
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30.0)


def _board_of(
    place: RunFolder, process: subprocess.Popen[bytes], started_s: float
) -> tuple[Board, Run]:
    while time.monotonic() - started_s < START_MAX_S and process.poll() is None:
        try:
            run, model = load_run(place)
            if run.pid == process.pid:  # and not what an earlier run left
                return Board.open(place.board, model), run
        except ConfigError:
            pass
        time.sleep(0.01)
    raise SystemExit("bench loop: the site did not start")


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=1.0) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def kill_each(site: Site) -> dict[str, float]:
    """Kill every process once; how long until it is back and its work is fresh."""
    took: dict[str, float] = {}
    for role in KILLED:
        pid, _ = site.board.heartbeat(role)
        os.kill(pid, signal.SIGKILL)
        killed_s = time.monotonic()
        back = _back_check(site, role, pid, killed_s)
        took[role] = site.until(back, RECOVERY_MAX_S)
        site.watch(3.0)
    return took


def _back_check(site: Site, role: str, pid: int, killed_s: float) -> Callable[[], bool]:
    return lambda: site.is_back(role, pid, killed_s)


def pace(site: Site, duration_s: float) -> dict[str, float]:
    """Compute time and period jitter of control's cycles over a quiet while."""
    before = site.board.timing().count
    site.watch(duration_s)
    timing = site.board.timing()
    count = timing.count - before
    compute_s, late_s = timing.compute_s[-count:], timing.late_s[-count:]
    return {
        "cycle_p99_ms": 1e3 * float(np.percentile(compute_s, 99.0)),
        "cycle_max_ms": 1e3 * float(compute_s.max()),
        "jitter_p99_ms": 1e3 * float(np.percentile(np.abs(np.diff(late_s)), 99.0)),
        "late_p99_ms": 1e3 * float(np.percentile(late_s, 99.0)),
        "cycles": float(count),
    }


def virtual_time(file: Path, duration_s: int) -> dict[str, float]:
    """Speed of the simulation on one core, after its kernels are compiled."""
    try:
        from mallee.simulation.run import simulate
    except ImportError:
        return {}
    model = load_site(file)
    simulate(model, duration_s=2)
    started_s = time.perf_counter()
    first = simulate(model, duration_s=duration_s)
    ratio = duration_s / (time.perf_counter() - started_s)
    same = simulate(model, duration_s=duration_s).sha256 == first.sha256
    return {"simulate_realtime_ratio": ratio, "simulate_same_output": float(same)}


def measure(file: Path, steady_s: float, virtual_s: int) -> dict[str, float]:
    """All figures, by their stable keys."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="mallee-bench-") as folder:
        with running(file, Path(folder)) as (site, _):
            site.watch(
                1.0
            )  # the first start on a machine compiles kernels; the second is the figure
        with running(file, Path(folder)) as (site, first_value_s):
            figures["first_value_s"] = first_value_s
            site.watch(5.0)
            figures |= pace(site, steady_s)
            took = kill_each(site)
            figures["recovery_max_s"] = max(took.values())
            figures |= {f"recovery_{role}_s": seconds for role, seconds in took.items()}
            figures["over_limit_count"] = float(site.over_limit)
            figures["meter_max_w"] = site.meter_max_w
            figures["meter_samples"] = float(site.samples)
    return figures | virtual_time(file, virtual_s)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="run bench loop", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object for programs")
    parser.add_argument("--site", type=Path, default=SITE, help="another simulated site")
    parser.add_argument("--steady", type=float, default=15.0, help="seconds of quiet watching")
    parser.add_argument("--virtual", type=int, default=600, help="seconds to simulate")
    options = parser.parse_args()
    figures = measure(options.site, options.steady, options.virtual)
    if options.json:
        rounded = {key: float(f"{value:.6g}") for key, value in figures.items()}
        print(json.dumps({"bench": "loop", "figures": rounded}))
        return
    for key, value in figures.items():
        print(f"{key:<26}{value:>14,.3f}   {GOALS.get(key, '')}")


if __name__ == "__main__":
    main()
