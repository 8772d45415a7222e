"""Real processes on real sockets: the demo site loses each of its processes and nothing else."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from mallee.catalogue import load_site
from mallee.core.errors import ConfigError
from mallee.core.snapshot import Quality
from mallee.history import AuditStore, read_point
from mallee.runtime.board import Board
from mallee.runtime.roles import process_names
from mallee.runtime.run_folder import RunFolder, load_run
from mallee.runtime.supervisor import run_site
from mallee.site.model import SiteModel

EXAMPLE = Path(__file__).parents[2] / "examples" / "sites" / "charging-site.toml"
NAMES = process_names(load_site(EXAMPLE))
PATIENCE_S = 300.0
"""Only ends a test that would never end: a first start compiles the twin's kernels."""

START = """
import sys
from pathlib import Path
from mallee.runtime.supervisor import run_site
sys.exit(run_site(Path(sys.argv[1]), data=Path(sys.argv[2]), port=int(sys.argv[3])))
"""


@dataclass(slots=True)
class Running:
    """A site under `mallee up`; whatever the meter shows while waiting is kept."""

    process: subprocess.Popen[bytes]
    folder: RunFolder
    board: Board
    meter_row: int
    meter_max_w: float = 0.0

    def until(self, condition: Callable[[], bool]) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end_s, "waited too long"
            assert self.process.poll() is None, "the supervisor ended"
            snapshot = self.board.snapshot(time.monotonic())
            if snapshot.quality[self.meter_row] == Quality.GOOD:
                self.meter_max_w = max(self.meter_max_w, snapshot.value(self.meter_row))
            time.sleep(0.02)

    def works(self, role: str, since_s: float) -> bool:
        """Whether a role does its work after an instant, by what it leaves on the board."""
        _, beat_s = self.board.heartbeat(role)
        if role == "control":
            said = self.board.status()
            return said is not None and said.mode == "auto" and said.time_s > since_s
        if role in ("collect", "twin"):
            times_s = self.board.snapshot(0.0).times_s
            return min(beat_s, float(times_s[self.meter_row])) > since_s
        return beat_s > since_s

    def all_work(self) -> bool:
        now_s = time.monotonic() - 1.5
        return all(self.works(role, now_s) for role in NAMES)

    def history(self) -> dict[float, float]:
        """Acknowledged readings of the meter by time; none before the first tick is written."""
        try:
            found = read_point(self.folder.history, "meter/import_w", 0.0, time.time() + 60.0)
        except ConfigError:
            return {}
        return dict(zip(found.times_s.tolist(), found.values.tolist(), strict=True))


def opened(folder: RunFolder, process: subprocess.Popen[bytes]) -> tuple[Board, SiteModel]:
    end_s = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < end_s:
        try:
            _, model = load_run(folder)
            return Board.open(folder.board, model), model
        except ConfigError:
            time.sleep(0.02)
    raise AssertionError("the site did not start")


@contextmanager
def running(site: Path, data: Path) -> Iterator[Running]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", START, str(site), str(data), str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            folder = RunFolder(data)
            board, model = opened(folder, process)
            row = int(model.rows("meter", "import_w")[0])
            yield Running(process, folder, board, row)
        finally:
            process.kill()


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.slow
def test_every_process_may_die_or_hang(site: SiteModel, tmp_path: Path) -> None:
    with running(EXAMPLE, tmp_path) as here:
        here.until(here.all_work)
        acked: dict[float, float] = {}
        here.until(lambda: len(here.history()) >= 2)
        for role in ("control", "collect", "console", "twin", "plan"):
            acked |= here.history()
            killed, _ = here.board.heartbeat(role)
            os.kill(killed, signal.SIGKILL)
            killed_s = time.monotonic()
            here.until(lambda: here.works(role, killed_s))  # noqa: B023 - waited for in the loop
            assert here.board.heartbeat(role)[0] != killed
        hung, _ = here.board.heartbeat("control")
        os.kill(hung, signal.SIGSTOP)
        here.until(lambda: here.board.heartbeat("control")[0] != hung)
        here.until(here.all_work)
        until_s = time.monotonic() + 1.0
        here.until(lambda: time.monotonic() > until_s)

        events = here.board.event_reader().read().events
        told = {(event.kind, event.source) for event in events}
        # A very busy machine may make another one look hung: that is no reason to fail.
        assert {
            ("process-died", role) for role in ("control", "collect", "console", "twin")
        } <= told
        assert ("process-hung", "control") in told
        assert 0.0 < here.meter_max_w <= site.grid.import_max_w

        pids = [here.board.heartbeat(role)[0] for role in NAMES]
        here.process.send_signal(signal.SIGTERM)
        assert here.process.wait(30.0) == 0
        assert all(is_gone(pid) for pid in pids)
        with AuditStore(tmp_path / "history" / "audit.sqlite", read_only=True) as audit:
            written = audit.list(path="ev1/limit_w")
            assert ("control", "done") in {(one.actor, one.outcome) for one in written}
            assert all(one.reading is not None for one in written if one.outcome == "done")
            assert audit.verify() is None
        kept = here.history()
        assert len(acked) >= 2
        for time_s, value in acked.items():
            assert np.array_equal(kept[time_s], value, equal_nan=True)
        assert not here.folder.is_running


@pytest.mark.slow
def test_nothing_outlives_the_supervisor(tmp_path: Path) -> None:
    with running(EXAMPLE, tmp_path) as here:
        here.until(lambda: all(here.board.heartbeat(role)[0] for role in NAMES))
        pids = [here.board.heartbeat(role)[0] for role in NAMES]
        here.process.kill()
        here.process.wait()
        end_s = time.monotonic() + PATIENCE_S
        while not all(is_gone(pid) for pid in pids):
            assert time.monotonic() < end_s
            time.sleep(0.02)


@pytest.mark.slow
def test_what_a_process_finds_wrong_is_said_once_and_ends_the_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("t_s,power_w\n0,1000\n1,nan\n2,1000\n")
    told: list[str] = []
    with pytest.raises(ConfigError, match=r"trace\.csv"):
        run_site(EXAMPLE, data=tmp_path / "data", trace=trace, tell=told.append)
    assert told == []
    assert not RunFolder(tmp_path / "data").is_running


def test_wrong_arguments_are_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.csv.*is no file"):
        run_site(EXAMPLE, data=tmp_path / "data", trace=tmp_path / "absent.csv")
    with pytest.raises(ConfigError, match="cannot be read"):
        run_site(tmp_path / "absent.toml")
