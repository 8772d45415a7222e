"""The console process on a real board: it serves, it records, and history cannot stop it."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp
import msgspec
import numpy as np
import pytest
import structlog

from mallee.console import recorder as recorder_module
from mallee.console.frame import decode_frame
from mallee.console.live import FrameText
from mallee.console.process import main, serve
from mallee.console.recorder import Recorder, load_seen, stored_events
from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError
from mallee.core.event import Event
from mallee.core.snapshot import Quality
from mallee.history import EventStore, HistoryWriter
from mallee.runtime.board import Board
from mallee.runtime.run_folder import RunFolder
from mallee.site.model import SiteModel

PATIENCE = 15_000
"""Looks of 0.02 s each that only end a test that would never end."""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture(autouse=True)
def plain_log() -> Iterator[None]:
    """Without this, structlog paints every local of a traceback, a whole site among them: 15 s."""
    structlog.configure(
        processors=[
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    yield
    structlog.reset_defaults()


@pytest.fixture
def board(demo_site: SiteModel, tmp_path: Path) -> Board:
    """A board on which the meter reads 480 kW, in a run folder."""
    RunFolder(tmp_path).make()
    board = Board.create(tmp_path / "board", demo_site)
    rows = demo_site.rows("meter", "import_w")
    board.write_readings(rows, [480e3], [Quality.GOOD], time.monotonic())
    return board


async def frame_from(port: int) -> tuple[FloatArray, FrameText]:
    async with aiohttp.ClientSession() as session:
        for _ in range(PATIENCE):
            try:
                async with session.ws_connect(f"http://127.0.0.1:{port}/ws") as stream:
                    frame = decode_frame(await stream.receive_bytes())
                    text = msgspec.json.decode(frame.text, type=FrameText)
                    return np.asarray(frame.values, np.float64), text
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.02)
    raise AssertionError("the console does not listen")


async def until_stored(history: Path, board: Board) -> None:
    for _ in range(PATIENCE):
        if load_seen(history, board.session).positions:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("no event was stored")


def run_console(
    site: SiteModel, board: Board, folder: RunFolder, look: Callable[[int], Awaitable[None]]
) -> None:
    """Run a console until `look` is through, then stop it as the supervisor does."""

    async def both() -> None:
        port = free_port()
        serving = asyncio.create_task(serve(site, board, folder, "127.0.0.1", port))
        try:
            await look(port)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            await serving

    asyncio.run(both())


def test_it_serves_the_board_and_keeps_what_happens(
    demo_site: SiteModel, board: Board, tmp_path: Path
) -> None:
    history = tmp_path / "history"
    event = Event(time_s=time.monotonic(), kind="mode", source="control", text="Took over.")
    board.post("control", event)

    async def look(port: int) -> None:
        values, text = await frame_from(port)
        assert 480e3 in values
        assert [seen.text for seen in text.events] == ["Took over."]
        assert board.heartbeat("console")[0] == os.getpid()
        await until_stored(history, board)

    run_console(demo_site, board, RunFolder(tmp_path), look)
    # the next console shows the event again and does not store it twice
    run_console(demo_site, board, RunFolder(tmp_path), look)
    assert [event.text for event, _ in stored_events(history, 10)] == ["Took over."]
    assert (history / "log").is_dir()


def full_disk(folder: Path, site: SiteModel) -> HistoryWriter:
    """A history writer on a disk without room."""
    raise OSError(28, f"no room in {folder.name} for {site.name}")


def test_history_that_fails_is_told_and_stops_nothing(
    demo_site: SiteModel, board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mallee.console.process.Recorder", lambda f, s: Recorder(f, s, full_disk))

    async def look(port: int) -> None:
        values, text = await frame_from(port)
        while not text.history:
            values, text = await frame_from(port)
            await asyncio.sleep(0.2)
        assert "no room in history for charging-site" in text.history
        assert 480e3 in values

    run_console(demo_site, board, RunFolder(tmp_path), look)


class FailsOnce:
    """Makes a writer that fails the first time."""

    def __init__(self) -> None:
        self.tries = 0

    def __call__(self, folder: Path, site: SiteModel) -> HistoryWriter:
        self.tries += 1
        if self.tries == 1:
            raise OSError(5, "the disk stumbled")
        return HistoryWriter(folder, site)


def test_events_survive_a_failure_of_history(
    demo_site: SiteModel, board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = tmp_path / "history"
    monkeypatch.setattr(recorder_module, "RETRY_S", 0.1)
    monkeypatch.setattr("mallee.console.process.Recorder", lambda f, s: Recorder(f, s, FailsOnce()))
    for number in range(3):
        event = Event(time_s=time.monotonic(), kind="k", source="s", text=f"event {number}")
        board.post("control", event)

    async def look(_: int) -> None:
        await until_stored(history, board)

    run_console(demo_site, board, RunFolder(tmp_path), look)
    with EventStore(history / "events.sqlite", read_only=True) as store:
        assert [event.text for event in reversed(store.list())] == [f"event {n}" for n in range(3)]
        assert store.verify() is None


def test_a_port_in_use_is_said(demo_site: SiteModel, board: Board, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}: cannot listen there"):
            asyncio.run(serve(demo_site, board, RunFolder(tmp_path), "127.0.0.1", port))


def test_without_a_site_it_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"run\.json"):
        main(tmp_path)
