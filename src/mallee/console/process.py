"""The console process: once a second from the board to history and to everyone who watches."""

import asyncio
import math
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from mallee.console.access.door import Door
from mallee.console.alarms import AlarmWatch
from mallee.console.aligned import SecondMeans
from mallee.console.api.serving import Served
from mallee.console.commands import CommandReader
from mallee.console.desk import Desk
from mallee.console.hub import Hub
from mallee.console.live import CONTROL_SILENT_S, EVENTS_KEPT, Live
from mallee.console.notifier import Notifier
from mallee.console.other_hands import OtherHands
from mallee.console.receivers import NAME as NOTIFY
from mallee.console.receivers import NOBODY, Receivers, load_receivers, secrets_of
from mallee.console.recorder import Recorder, Second, Seen, Told, load_seen, stored_events
from mallee.console.self_check import SelfCheck
from mallee.console.server import make_app
from mallee.console.signals import Readings
from mallee.core.errors import ConfigError
from mallee.core.event import Event
from mallee.core.snapshot import Snapshot
from mallee.drivers.driver import Login
from mallee.history import ActionStore
from mallee.runtime.addresses import split_address
from mallee.runtime.board import Board
from mallee.runtime.roles import process_names
from mallee.runtime.run_folder import RunFolder, load_run
from mallee.runtime.secrets import find_login, secrets_path
from mallee.site.model import SiteModel

SAMPLE_S, SAMPLES = 0.1, 10
SHUTDOWN_S = 1.0


@dataclass(frozen=True, slots=True)
class ToBeTold:
    """Who is told of alarms, with their logins by name, or why nobody is."""

    receivers: Receivers = NOBODY
    logins: Mapping[str, Login | None] = field(default_factory=dict)
    trouble: str = ""


def main(run_folder: Path) -> None:
    """Serve a running site until told to stop; started by the supervisor.

    Raises:
        ConfigError: no site was started in this folder, or its port is taken.
    """
    folder = RunFolder(run_folder)
    run, site = load_run(folder)
    host, port = split_address(run.console)
    told = told_of_alarms(folder, Path(run.secrets) if run.secrets else secrets_path())
    asyncio.run(serve(site, Board.open(folder.board, site), folder, host, port, told))


def told_of_alarms(folder: RunFolder, secrets: Path) -> ToBeTold:
    """Who is told; a wrong file is an alarm and stops nothing."""
    try:
        receivers = load_receivers(folder.path / NOTIFY)
        logins = secrets_of(receivers, lambda name: find_login(name, secrets))
    except ConfigError as error:
        return ToBeTold(trouble=str(error))
    return ToBeTold(receivers, logins)


async def serve(
    site: SiteModel,
    board: Board,
    folder: RunFolder,
    host: str,
    port: int,
    told: ToBeTold | None = None,
) -> None:
    """Run pages, stream and history until SIGTERM or SIGINT."""
    live, hub, recorder = Live(site, folder.run), Hub(), Recorder(folder.history, site)
    for event, time_utc_s in stored_events(folder.history, EVENTS_KEPT):
        live.add_event(event, time_utc_s)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    alarms = AlarmWatch(site, folder.history, board.session)
    told = told or ToBeTold()
    notifier = alarms.notifier = Notifier(
        alarms.desk, told.receivers, told.logins, f"http://{host}:{port}/", trouble=told.trouble
    )
    served = Served(live=live, board=board, history=folder.history, alarms=alarms, run=folder)
    store = ActionStore(folder.history / "audit.sqlite")
    desk = Desk(site, board, folder.run, store, lambda: (time.time(), time.monotonic()))
    app = make_app(served, hub, host=host, door=Door(folder), desk=desk)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        async with asyncio.TaskGroup() as tasks:
            recording = tasks.create_task(recorder.run())
            keeping = tasks.create_task(alarms.run())
            telling = tasks.create_task(notifier.run(lambda: _is_well(board)))
            watching = tasks.create_task(_watch(Watching(board, folder, served, hub, recorder)))
            following = tasks.create_task(_follow(desk))
            await stop.wait()
            for task in (recording, keeping, telling, watching, following):
                task.cancel()
    finally:
        await runner.cleanup()
        store.close()


async def _follow(desk: Desk) -> None:
    """What becomes of requests, once a second."""
    while True:
        await asyncio.to_thread(desk.tick)
        await asyncio.sleep(1.0)


def _is_well(board: Board) -> bool:
    """Whether control is alive, which is what a heartbeat to the outside stands for."""
    status = board.status()
    return status is not None and time.monotonic() - status.time_s < CONTROL_SILENT_S


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        hint = "choose another one with `mallee up --port`"
        raise ConfigError(
            f"{host}:{port}", f"cannot listen there: {error.strerror}", hint
        ) from None


async def _watch(watching: "Watching") -> None:
    """Sample what is fast, and once a second, in step with the wall clock, tell everyone."""
    while True:
        watching.tell_second()
        for _ in range(SAMPLES - 1):
            await asyncio.sleep(SAMPLE_S - time.time() % SAMPLE_S)
            watching.sample()
        await asyncio.sleep(1.0 - time.time() % 1.0)


class Watching:
    """What the console does with the board: ten samples a second, one of them told in full."""

    def __init__(
        self, board: Board, folder: RunFolder, served: Served, hub: Hub, recorder: Recorder
    ) -> None:
        seen = load_seen(folder.history, board.session)
        self._board, self._live, self._hub, self._recorder = board, served.live, hub, recorder
        self._alarms = served.alarms or AlarmWatch(served.live.site)
        self._events = board.event_reader(seen.positions)
        self._commands = CommandReader(self._live.site, board, seen.records)
        self._means, self._names = SecondMeans(self._live.site), process_names(self._live.site)
        self._self_check = SelfCheck(folder.path)
        self._hands = OtherHands()
        self._told: list[Event] = []

    def sample(self) -> None:
        """Between the seconds: means go on, and an alarm that an event raises is told at once."""
        now_s, now_utc_s = time.monotonic(), time.time()
        snapshot = self._board.snapshot(now_s)
        self._means.add(snapshot)
        if new := self._new_events(now_s, now_utc_s):
            self._look(snapshot, new, now_utc_s)
            self._hub.publish(self._live.retell())

    def tell_second(self) -> None:
        """Everything: to the page, to the alarms, to history."""
        board, live = self._board, self._live
        now_s, now_utc_s = time.monotonic(), time.time()
        board.beat("console", now_s)
        snapshot = board.snapshot(now_s)
        self._means.add(snapshot)
        values = self._means.of_last_second(snapshot.values)
        new = self._new_events(now_s, now_utc_s)
        checked = self._self_check.look(self._recorder.trouble, now_s, now_utc_s)
        if self._alarms.notifier is not None:
            checked += self._alarms.notifier.take_events(now_s)
        self._hear(checked, now_utc_s - now_s)
        self._look(snapshot, [*new, *checked], now_utc_s)
        writes, outcomes = self._commands.read()
        for event in self._hands.look(writes, outcomes):
            board.post("console", event)
        status = board.status()
        self._hub.publish(
            live.tick(
                Readings(
                    values=values,
                    ages_s=snapshot.time_s - snapshot.times_s,
                    quality=snapshot.quality,
                ),
                status,
                status_age_s=now_s - status.time_s if status else math.inf,
                time_utc_s=now_utc_s,
                processes={name: now_s - board.heartbeat(name)[1] for name in self._names},
                history=self._recorder.trouble or self._alarms.trouble,
                aligned=self._means.aligned(snapshot),
            )
        )
        told, self._told = Told(events=tuple(self._told)), []
        self._recorder.put(
            Second(
                time_utc_s=now_utc_s,
                values=values,
                quality=snapshot.quality,
                utc_offset_s=now_utc_s - now_s,
                told=told + Told(writes=tuple(writes), outcomes=tuple(outcomes)),
                seen=Seen(
                    session=board.session,
                    positions=dict(self._events.positions),
                    records=dict(self._commands.positions),
                ),
            )
        )

    def _new_events(self, now_s: float, now_utc_s: float) -> list[Event]:
        new = list(self._events.read().events)
        self._hear(new, now_utc_s - now_s)
        return new

    def _hear(self, events: list[Event], offset_s: float) -> None:
        """Show events, and keep them for the next second of history."""
        self._told += events
        for event in events:
            self._live.add_event(event, event.time_s + offset_s)

    def _look(self, snapshot: Snapshot, events: list[Event], now_utc_s: float) -> None:
        self._alarms.look(snapshot, events, now_utc_s)
        self._live.alarms = self._alarms.summary()
