"""The twin process: a simulated site in real time, its devices answering on loopback.

Physics runs 100 ms for every 100 ms of the monotonic clock, in the same event loop as the
emulators, so nothing is shared between threads. The state is saved every second; a twin that was
killed goes on where it was, and makes up for the time it was away.
"""

import asyncio
import importlib
import os
import time
import zipfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import structlog

from mallee.emulators.dcgm import serve_dcgm
from mallee.emulators.device import EmulatedDevice, Health, Running
from mallee.emulators.redfish import serve_redfish
from mallee.emulators.sunspec import serve_sunspec
from mallee.runtime.addresses import split_address
from mallee.runtime.board import Board
from mallee.runtime.event_loop import beat, run_fast, run_until_told
from mallee.runtime.run_folder import Run, RunFolder, load_run
from mallee.runtime.secrets import server_context, simulated_login
from mallee.site.model import DeviceGroup, SiteModel
from mallee.twin.comms import STATES
from mallee.twin.site_twin import SiteTwin

STEP_MS: Final = 100
CATCH_UP_MS: Final = 1000
"""Most that one turn makes up for, so that the emulators answer in between."""
AWAY_MAX_S: Final = 60.0
"""A longer absence is left out of the site's time."""
SAVE_EVERY_S: Final = 1.0
CHARGER_MODULE: Final = "mallee.emulators.charger"
_log = structlog.get_logger()


def main(folder: Path) -> None:
    """Simulate until told to stop."""
    place = RunFolder(folder)
    run, site = load_run(place)
    board = Board.open(place.board, site)
    twin = SiteTwin(site, seed=run.seed, start_utc_s=run.start_utc_s)
    away_s = _restore(twin, place.twin_state, site, board.session)
    twin.advance(STEP_MS)
    devices = emulated_devices(site, twin)
    _log.info("simulating", devices=len(devices), time_ms=twin.time_ms, away_s=away_s)

    async def simulate() -> None:
        async with AsyncExitStack() as stack:
            for running in await asyncio.gather(*_services(run, place, devices)):
                stack.push_async_callback(running.close)
            clock = run_clock(twin, devices, behind_s=away_s)
            saving = _save_often(twin, place.twin_state, site, board.session)
            chargers = _dial_in(run, devices, stack)
            await run_until_told(beat(board, "twin"), clock, saving, chargers)

    run_fast(simulate())


def warm(folder: Path) -> None:
    """Load the compiled kernels, so that a spare can take over at once."""
    _, site = load_run(RunFolder(folder))
    SiteTwin(site).advance(STEP_MS)
    importlib.import_module(CHARGER_MODULE)


def emulated_devices(site: SiteModel, twin: SiteTwin) -> list[EmulatedDevice]:
    """What the emulators serve: views into the twin, one device each, in device order."""
    devices = []
    for group in site.groups:
        for index, name in enumerate(group.names):
            first = group.first_row + group.stride * index
            devices.append(
                EmulatedDevice(
                    name=name,
                    model=group.model,
                    values=twin.reported[first : first + group.stride],
                    write=partial(_write, twin, group, index),
                    health=Health(),
                )
            )
    return devices


def _write(
    twin: SiteTwin, group: DeviceGroup, index: int, point: str, value: float, lease_s: float
) -> None:
    twin.write(group.row(index, point), value, lease_s)


def _services(
    run: Run, folder: RunFolder, devices: list[EmulatedDevice]
) -> list[Awaitable[Running]]:
    """Everything that has to listen, not yet started."""
    login, tls = simulated_login(folder), server_context(folder)
    starting: list[Awaitable[Running]] = []
    for device in devices:
        for protocol in device.model.protocol:
            host, port = split_address(run.addresses[protocol][device.name])
            if protocol == "redfish":
                starting.append(serve_redfish(device, host, port, tls, login))
            elif protocol == "dcgm":
                starting.append(serve_dcgm(device, host, port))
            elif protocol == "sunspec":
                starting.append(serve_sunspec(device, host, port))
    return starting


async def _dial_in(run: Run, devices: list[EmulatedDevice], stack: AsyncExitStack) -> None:
    """Start the chargers, which dial in, after everything else: their library loads slowly."""
    # In a thread, so that the devices which answer already go on doing so.
    module = await asyncio.to_thread(importlib.import_module, CHARGER_MODULE)
    run_charger: Callable[..., Awaitable[Running]] = module.run_charger
    for device in devices:
        if "ocpp" in device.model.protocol:
            address, identity = run.addresses["ocpp"][device.name], device.name.replace("/", ".")
            running = await run_charger(device, f"ws://{address}", identity)
            stack.push_async_callback(running.close)


async def run_clock(
    twin: SiteTwin,
    devices: list[EmulatedDevice],
    behind_s: float = 0.0,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Advance the twin with the clock, `behind_s` of it to be made up first."""
    zero_s = now() - behind_s - twin.time_ms / 1000.0
    while True:
        behind_ms = int((now() - zero_s) * 1000.0 + 1e-6) - twin.time_ms
        if behind_ms > AWAY_MAX_S * 1000.0:
            _log.warning("fell behind", behind_s=behind_ms / 1000.0)
            zero_s += (behind_ms - STEP_MS) / 1000.0
            behind_ms = STEP_MS
        if behind_ms >= STEP_MS:
            twin.advance(min(behind_ms, CATCH_UP_MS) // STEP_MS * STEP_MS)
            _pass_health(twin, devices)
        due_s = zero_s + (twin.time_ms + STEP_MS) / 1000.0
        await sleep(max(0.0, due_s - now()))


def _pass_health(twin: SiteTwin, devices: list[EmulatedDevice]) -> None:
    """Faults of communication from the twin to the emulators."""
    for device, code, delay_s in zip(
        devices, twin.comms.state.tolist(), twin.comms.delay_s.tolist(), strict=True
    ):
        device.health.state = STATES[code]
        device.health.delay_s = delay_s


async def _save_often(twin: SiteTwin, path: Path, site: SiteModel, session: int) -> None:
    while True:
        await asyncio.sleep(SAVE_EVERY_S)
        save(twin, path, site, session)


def save(twin: SiteTwin, path: Path, site: SiteModel, session: int) -> None:
    """Write the twin's state down, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        stamp = {"_saved_s": np.array([time.monotonic()]), "_mark": _mark(site, session)}
        arrays: dict[str, Any] = {**stamp, **twin.save()}
        np.savez(file, **arrays)
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
