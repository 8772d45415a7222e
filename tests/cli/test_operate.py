"""Operating a site from the command line: console, control and board as in the field, devices that
obey on the board in place of sockets."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mallee.cli import run
from mallee.console.process import main as console_main
from mallee.core.snapshot import Progress, Quality
from mallee.runtime.addresses import choose_console
from mallee.runtime.board import Board
from mallee.runtime.control_loop import ControlLoop
from mallee.runtime.run_folder import RunFolder
from mallee.site.model import SiteModel
from tests.console.fake_board import FakeSite, make_folder

WAIT_S = 60.0


def play(site: SiteModel, board: Board, stopped: threading.Event) -> None:
    """Devices and control, ten times a second: what is commanded is read back."""
    fake, loop, seen = FakeSite(site, board), ControlLoop(site, board), 0
    while not stopped.wait(0.1):
        now_s = time.monotonic()
        fake.step(now_s, 0.0)
        loop.step(now_s)
        told = board.commands_since(seen)
        seen += len(told.records) + told.missed
        rows, values = told.records["row"], told.records["value"]
        if rows.size:
            fake.values[rows] = values
            good = np.full(rows.size, Quality.GOOD, np.uint8)
            board.write_readings(rows, values, good, time.monotonic())
            board.set_progress(
                rows,
                told.records["number"],
                Progress.DONE,
                readings=values,
                time_s=time.monotonic(),
            )


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    port = int(choose_console("127.0.0.1", 0, "").rpartition(":")[2])
    site, board = make_folder(tmp_path, port)
    stopped = threading.Event()
    monkeypatch.setattr("asyncio.unix_events._UnixSelectorEventLoop.add_signal_handler", _keep)
    threads = [
        threading.Thread(target=play, args=(site, board, stopped), daemon=True),
        threading.Thread(target=console_main, args=(tmp_path,), daemon=True),
    ]
    with RunFolder(tmp_path).hold():
        for thread in threads:
            thread.start()
        yield tmp_path
        stopped.set()
        for handler in _handlers:
            handler()
        for thread in threads:
            thread.join(10.0)


_handlers: list[Any] = []


def _keep(self: Any, _: int, handler: Any) -> None:
    """Signals reach the main thread only; here the console runs in another."""
    _handlers.append(lambda: self.call_soon_threadsafe(handler))


def told(words: list[str], data: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    status = run([*words, "--data", str(data), "--json"])
    said = capsys.readouterr()
    lines = said.out.splitlines()  # the console logs to the same output here
    return status, json.loads(lines[-1]) if lines else said.err


@pytest.mark.slow
def test_a_cap_is_asked_for_proved_undone_and_audited(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cap = ["do", "cap", "pod1/r1", "60kW", "--for", "10m", "--reason", "work behind rack 1"]
    ends_s = time.monotonic() + WAIT_S
    status, said = told(cap, data, capsys)
    while status == 4 and time.monotonic() < ends_s:  # the console is still starting
        time.sleep(0.2)
        status, said = told(cap, data, capsys)
    assert status == 0, said
    assert said["request"]["state"] == "requested"
    while (row := told(["requests"], data, capsys)[1][0])["state"] != "in force":
        assert time.monotonic() < ends_s, row
        time.sleep(0.2)
    assert row["until_utc_s"] - row["from_utc_s"] == 600.0
    chain = told(["why", "pod1/r1/n03"], data, capsys)[1]
    assert "request" in [link["concern"] for link in chain["links"]]
    status, said = told([*cap[:3], "1kW", *cap[4:]], data, capsys)
    assert status == 1
    assert "can be held to 34686..120006 W together" in said
    assert told(["undo", "r1", "--reason", "closed again"], data, capsys)[0] == 0
    assert told(["requests"], data, capsys)[1] == []
    over = told(["requests", "--all"], data, capsys)[1]
    assert sorted(row["state"] for row in over) == ["refused", "withdrawn"]
    status, verdict = told(["audit", "verify"], data, capsys)
    assert (status, verdict) == (0, {"ok": True, "first_broken": None})
