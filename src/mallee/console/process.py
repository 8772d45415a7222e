"""The console process: once a second from the board to history and to everyone who watches."""

import asyncio
import math
import signal
import time
from pathlib import Path

from aiohttp import web

from mallee.console.aligned import SecondMeans
from mallee.console.api.serving import Served
from mallee.console.commands import CommandReader
from mallee.console.hub import Hub
from mallee.console.live import EVENTS_KEPT, Live
from mallee.console.recorder import Recorder, Second, Seen, Told, load_seen, stored_events
from mallee.console.server import make_app
from mallee.console.signals import Readings
from mallee.core.errors import ConfigError
from mallee.runtime.addresses import split_address
from mallee.runtime.board import Board
from mallee.runtime.roles import process_names
from mallee.runtime.run_folder import RunFolder, load_run
from mallee.site.model import SiteModel

SAMPLE_S, SAMPLES = 0.1, 10
SHUTDOWN_S = 1.0


def main(run_folder: Path) -> None:
    """Serve a running site until told to stop; started by the supervisor.

    Raises:
        ConfigError: no site was started in this folder, or its port is taken.
    """
    folder = RunFolder(run_folder)
    run, site = load_run(folder)
    host, port = split_address(run.console)
    asyncio.run(serve(site, Board.open(folder.board, site), folder, host, port))


async def serve(site: SiteModel, board: Board, folder: RunFolder, host: str, port: int) -> None:
    """Run pages, stream and history until SIGTERM or SIGINT."""
    live, hub, recorder = Live(site, folder.run), Hub(), Recorder(folder.history, site)
    for event, time_utc_s in stored_events(folder.history, EVENTS_KEPT):
        live.add_event(event, time_utc_s)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    served = Served(live=live, board=board, history=folder.history)
    runner = web.AppRunner(
        make_app(served, hub, host=host), access_log=None, shutdown_timeout=SHUTDOWN_S
    )
    await runner.setup()
    try:
        await _listen(runner, host, port)
        async with asyncio.TaskGroup() as tasks:
            recording = tasks.create_task(recorder.run())
            watching = tasks.create_task(_watch(board, folder, live, hub, recorder))
            await stop.wait()
            recording.cancel()
            watching.cancel()
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        hint = "choose another one with `mallee up --port`"
        raise ConfigError(
            f"{host}:{port}", f"cannot listen there: {error.strerror}", hint
        ) from None


async def _watch(board: Board, folder: RunFolder, live: Live, hub: Hub, recorder: Recorder) -> None:
    """Sample what is fast, and once a second, in step with the wall clock, tell everyone."""
    seen = load_seen(folder.history, board.session)
    events = board.event_reader(seen.positions)
    commands = CommandReader(live.site, board, seen.records)
    means, names = SecondMeans(live.site), process_names(live.site)
    while True:
        now_s, now_utc_s = time.monotonic(), time.time()
        offset_s = now_utc_s - now_s
        board.beat("console", now_s)
        snapshot = board.snapshot(now_s)
        means.add(snapshot)
        values = means.of_last_second(snapshot.values)
        new = events.read().events
        writes, outcomes = commands.read()
        for event in new:
            live.add_event(event, event.time_s + offset_s)
        status = board.status()
        hub.publish(
            live.tick(
                Readings(
                    values=values,
                    ages_s=snapshot.time_s - snapshot.times_s,
                    quality=snapshot.quality,
                ),
                status,
                status_age_s=now_s - status.time_s if status else math.inf,
                time_utc_s=now_utc_s,
                processes={name: now_s - board.heartbeat(name)[1] for name in names},
                history=recorder.trouble,
                aligned=means.aligned(snapshot),
            )
        )
        recorder.put(
            Second(
                time_utc_s=now_utc_s,
                values=values,
                quality=snapshot.quality,
                utc_offset_s=offset_s,
                told=Told(events=new, writes=tuple(writes), outcomes=tuple(outcomes)),
                seen=Seen(
                    session=board.session,
                    positions=dict(events.positions),
                    records=dict(commands.positions),
                ),
            )
        )
        for _ in range(SAMPLES - 1):
            await asyncio.sleep(SAMPLE_S - time.time() % SAMPLE_S)
            means.add(board.snapshot(time.monotonic()))
        await asyncio.sleep(1.0 - time.time() % 1.0)
