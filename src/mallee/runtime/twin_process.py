"""The twin process: a simulated site in real time, its devices answering on loopback.

Physics runs 100 ms for every 100 ms of the monotonic clock, in the same event loop as the
emulators, so nothing is shared between threads. The state is saved every second; a twin that was
killed goes on where it was, and makes up for the time it was away.
"""

import asyncio
import os
import time
import zipfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import structlog

from mallee.emulators import EMULATORS
from mallee.runtime.board import Board
from mallee.runtime.direct_twin import DirectTwin
from mallee.runtime.emulated import by_place, emulated_devices, pass_health, serve, serve_late
from mallee.runtime.event_loop import beat, run_fast, run_until_told
from mallee.runtime.run_folder import RunFolder, load_run
from mallee.runtime.speaking import speaking
from mallee.site.model import SiteModel
from mallee.twin.site_twin import SiteTwin

STEP_MS: Final = 100
CATCH_UP_MS: Final = 1000
"""Most that one turn makes up for, so that the emulators answer in between."""
AWAY_MAX_S: Final = 60.0
"""A longer absence is left out of the site's time."""
SAVE_EVERY_S: Final = 1.0
SAVE_SHARE: Final = 0.05
"""Most of its time that a twin spends on saving: the state of 67,000 accelerators is 100 MB."""
_log = structlog.get_logger()


def main(folder: Path) -> None:
    """Simulate until told to stop."""
    place = RunFolder(folder)
    run, site = load_run(place)
    board = Board.open(place.board, site)
    twin = SiteTwin(site, seed=run.seed, start_utc_s=run.start_utc_s)
    away_s = _restore(twin, place.twin_state, site, board.session)
    twin.advance(STEP_MS)
    devices, memory = emulated_devices(site, twin), DirectTwin(site, twin, board, place)
    _log.info("simulating", devices=len(devices), time_ms=twin.time_ms, away_s=away_s)

    speaks, tell_events = speaking(site), passing_events(twin, board)

    def tell() -> None:
        tell_events()
        pass_health(twin, devices, speaks)
        memory.publish()

    async def simulate() -> None:
        async with AsyncExitStack() as stack:
            await serve(place, by_place(run, devices, dial_in=False), stack)
            tell()
            clock = run_clock(twin, tell, behind_s=away_s)
            saving = _save_often(twin, place.twin_state, site, board.session)
            late = serve_late(place, by_place(run, devices, dial_in=True), stack)
            await run_until_told(beat(board, "twin"), clock, saving, late, memory.obey())

    run_fast(simulate())


def warm(folder: Path) -> None:
    """Load the compiled kernels, so that a spare can take over at once."""
    _, site = load_run(RunFolder(folder))
    SiteTwin(site).advance(STEP_MS)
    for protocol in {name for group in site.groups for name in group.model.protocol}:
        EMULATORS[protocol]


def passing_events(
    twin: SiteTwin, board: Board, now: Callable[[], float] = time.monotonic
) -> Callable[[], None]:
    """What a site's own contacts would tell: breakers that open and close, and injected faults.

    Returns:
        To be called after each step; posts what is new.
    """
    told = len(twin.events)

    def tell() -> None:
        nonlocal told
        new, told = twin.events[told:], len(twin.events)
        for event in new:
            age_s = twin.time_ms / 1000.0 - event.time_s
            board.post("twin", replace(event, time_s=now() - age_s))

    return tell


async def run_clock(
    twin: SiteTwin,
    tell: Callable[[], None],
    behind_s: float = 0.0,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Advance the twin with the clock, `behind_s` of it to be made up first.

    Args:
        tell: called after each step, to pass on what is new.
    """
    zero_s = now() - behind_s - twin.time_ms / 1000.0
    while True:
        behind_ms = int((now() - zero_s) * 1000.0 + 1e-6) - twin.time_ms
        if behind_ms > AWAY_MAX_S * 1000.0:
            _log.warning("fell behind", behind_s=behind_ms / 1000.0)
            zero_s += (behind_ms - STEP_MS) / 1000.0
            behind_ms = STEP_MS
        if behind_ms >= STEP_MS:
            twin.advance(min(behind_ms, CATCH_UP_MS) // STEP_MS * STEP_MS)
            tell()
        due_s = zero_s + (twin.time_ms + STEP_MS) / 1000.0
        await sleep(max(0.0, due_s - now()))


async def _save_often(twin: SiteTwin, path: Path, site: SiteModel, session: int) -> None:
    took_s = 0.0
    while True:
        await asyncio.sleep(max(SAVE_EVERY_S, took_s / SAVE_SHARE))
        started_s = time.monotonic()
        state = _stamped(twin, site, session)
        # The disk may take its time; meanwhile the emulators answer and the clock runs.
        await asyncio.to_thread(_write_whole, path, state)
        took_s = time.monotonic() - started_s


def save(twin: SiteTwin, path: Path, site: SiteModel, session: int) -> None:
    """Write the twin's state down, whole or not at all."""
    _write_whole(path, _stamped(twin, site, session))


def _stamped(twin: SiteTwin, site: SiteModel, session: int) -> dict[str, Any]:
    """A copy of the state, with when and of which run it is."""
    stamp = {"_saved_s": np.array([time.monotonic()]), "_mark": _mark(site, session)}
    return {**stamp, **twin.save()}


def _write_whole(path: Path, state: dict[str, Any]) -> None:
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        np.savez(file, **state)
    fresh.replace(path)


def _mark(site: SiteModel, session: int) -> "np.ndarray[tuple[int], np.dtype[np.str_]]":
    return np.array([f"{site.digest} {session}"])


def _restore(twin: SiteTwin, path: Path, site: SiteModel, session: int) -> float:
    """Go on from the saved state of this run; returns how long ago that was, 0 without one."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            state = {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        if not isinstance(error, FileNotFoundError):
            _log.warning("saved twin cannot be read, starting afresh", error=str(error))
        return 0.0
    if state.pop("_mark").tolist() != _mark(site, session).tolist():
        return 0.0  # of an earlier run or another layout
    away_s = time.monotonic() - float(state.pop("_saved_s")[0])
    twin.restore(state)
    if away_s > AWAY_MAX_S:
        _log.warning("was away too long to make up for", away_s=away_s, pid=os.getpid())
        return 0.0
    return away_s
