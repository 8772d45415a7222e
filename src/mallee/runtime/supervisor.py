"""Starts the processes of a site and keeps them running: the whole of `mallee up`.

It knows no device and decides nothing. A process that dies is started again at once, one that
hangs is killed first, one that keeps dying is started less and less often. When the supervisor
itself dies the others end with it.
"""

import dataclasses
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from mallee.catalogue.read import load_site
from mallee.core.errors import ConfigError
from mallee.core.event_kinds import new_event
from mallee.core.snapshot import Quality
from mallee.kinds.meter import METER
from mallee.runtime.addresses import choose_addresses, choose_console
from mallee.runtime.board import Board
from mallee.runtime.fence import fence
from mallee.runtime.process import ManagedProcess
from mallee.runtime.roles import SUPERVISOR, seats_of
from mallee.runtime.run_folder import Run, RunFolder, folder_of
from mallee.runtime.secrets import make_simulated
from mallee.site.file import SiteFile
from mallee.site.model import SiteModel
from mallee.site.simulated import Load

TICK_S = 0.05
CALM_AFTER_S = 5.0
"""After the supervisor itself was held up (a suspended machine) nobody counts as hung so long."""
FIRST_VALUE_MAX_S = 10.0
FIRST_TWIN_VALUE_MAX_S = 60.0
"""A twin that was never started before compiles its physics first."""

Tell = Callable[[str], None]


def run_site(
    site: Path,
    *,
    data: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    trace: Path | None = None,
    scale_to_w: float = 0.0,
    seed: int = 1,
    tell: Tell | None = None,
) -> int:
    """Run a site until SIGINT or SIGTERM.

    Args:
        site: site file.
        data: its data folder; ``mallee-data/<site name>`` by default.
        host, port: where the console listens; port 0 chooses.
        trace: IT power that replaces a simulated site's load.
        scale_to_w: peak to which the trace is scaled; 0 takes it as it is.
        seed: of the twin.
        tell: takes the few lines meant for whoever started this; printed by default.

    Raises:
        ConfigError: the site file, an address, a login or the data folder is wrong.
    """
    model = load_site(site)
    if trace is not None:
        file = with_trace(model.file, trace, scale_to_w, site.name)
        model = dataclasses.replace(model, file=file)
    folder = folder_of(model.file, data)
    folder.make()
    with folder.hold():
        run = prepare(model, folder, str(site), host=host, port=port, seed=seed)
        ours = {} if model.file.twin is not None else run.addresses
        with fence(ours):
            board = Board.create(folder.board, model)
            folder.save(run)  # last: whoever finds it finds the new board
            return Supervisor(model, run, folder, board, tell or _print_line).run()


def with_trace(file: SiteFile, trace: Path, scale_to_w: float, source: str) -> SiteFile:
    """The same site with a recorded load.

    Raises:
        ConfigError: the site is not simulated, or there is no such file.
    """
    if file.twin is None:
        hint = "--trace is for simulated sites"
        raise ConfigError(source, "has no [twin] section, so its load is not ours to choose", hint)
    if not trace.is_file():
        raise ConfigError(f"--trace {trace}", "is no file", "give a CSV with t_s,power_w")
    load = Load(kind="trace", trace=str(trace.absolute()), scale_to_w=scale_to_w)
    return msgspec.structs.replace(file, twin=msgspec.structs.replace(file.twin, load=load))


def prepare(
    site: SiteModel, folder: RunFolder, source: str, *, host: str, port: int, seed: int
) -> Run:
    """Choose addresses and make logins: all that the processes will need to know."""
    try:
        before = folder.load()
    except ConfigError:
        before = None
    run = Run(
        site=site.file,
        source=source,
        pid=os.getpid(),
        console=choose_console(host, port, before.console if before else ""),
        addresses=choose_addresses(
            site, source, before.addresses if before else None, str(folder.path)
        ),
        seed=seed,
        start_utc_s=time.time(),
        models=list({group.model.model: group.model for group in site.groups}.values()),
    )
    if site.file.twin is not None:
        make_simulated(folder)
    return run


def _print_line(line: str) -> None:
    """The default of `tell`."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Supervisor:
    """The running processes of one site."""

    def __init__(
        self, site: SiteModel, run: Run, folder: RunFolder, board: Board, tell: Tell
    ) -> None:
        self._site, self._run, self._folder, self._board = site, run, folder, board
        self._tell = tell
        self._stopped = False
        self._processes = [
            (seat, ManagedProcess(seat, folder, board, self._post)) for seat in seats_of(site)
        ]

    def run(self) -> int:
        """Keep everything running until told to stop; returns the exit status."""
        started_s = time.monotonic()
        announced = False
        with self._signals():
            try:
                calm_until_s = last_s = started_s
                while not self._stopped:
                    now_s = time.monotonic()
                    if now_s - last_s > 20.0 * TICK_S:
                        calm_until_s = now_s + CALM_AFTER_S
                    last_s = now_s
                    for _, process in self._processes:
                        process.tend(now_s, watch=now_s >= calm_until_s)
                    self._board.beat(SUPERVISOR, now_s)
                    announced = announced or self._announce(started_s, now_s)
                    time.sleep(TICK_S)
            finally:
                self._stop_all()
        self._tell(f"{self._site.name} stopped; its history is in {self._folder.history}")
        return 0

    def _announce(self, started_s: float, now_s: float) -> bool:
        """Say where the pages are once there is something to see; True when that is said."""
        rows = self._site.rows(METER, "import_w")
        has_value = (self._board.snapshot(now_s).quality[rows] == Quality.GOOD).any()
        if has_value and self._board.heartbeat("console")[0]:
            self._tell(
                f"{self._site.name} is running: {self._run.url}  "
                f"(first value after {now_s - started_s:.1f} s; Ctrl-C stops it)"
            )
            return True
        is_twin = self._site.file.twin is not None
        if now_s - started_s > (FIRST_TWIN_VALUE_MAX_S if is_twin else FIRST_VALUE_MAX_S):
            self._tell(
                f"{self._site.name}: no reading of the meter yet; pages at {self._run.url}, "
                f"logs in {self._folder.logs}"
            )
            return True
        return False

    def _post(self, kind: str, source: str, /, **words: object) -> None:
        event = new_event(kind, time.monotonic(), source, **words)
        self._board.post(SUPERVISOR, event)
        self._tell(f"{event.text} Its log: {self._folder.logs / source}.log")

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Stop on the signals that ask for it, while this runs."""

        def stop(*_: object) -> None:
            self._stopped = True

        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, stop) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop_all(self) -> None:
        """One after the other, so that each finds what it needs to end well."""
        for _, process in sorted(self._processes, key=lambda one: one[0].role.stop_order):
            process.stop()
