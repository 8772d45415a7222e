"""Links, real drivers and served devices over loopback: what each way to fail looks like."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from mallee.core.device_model import DeviceModel
from mallee.core.snapshot import Progress, Quality
from mallee.drivers.driver import Driver
from mallee.drivers.redfish.driver import RedfishDriver
from mallee.drivers.sunspec.driver import SunSpecDriver
from mallee.emulators.device import EmulatedDevice, HealthState
from mallee.emulators.redfish.server import serve_redfish
from mallee.emulators.sunspec.server import serve_sunspec
from mallee.runtime import link as link_module
from mallee.runtime.board import Board
from mallee.runtime.collector import make_links, watch_commands
from mallee.runtime.drivers_of import Connection
from mallee.runtime.notices import Notices
from mallee.runtime.run_folder import RunFolder
from mallee.runtime.secrets import (
    client_context,
    make_simulated,
    server_context,
    simulated_login,
)
from mallee.site.model import DeviceGroup, SiteModel

FAULTS: list[tuple[HealthState, Quality]] = [
    ("silent", Quality.STALE),
    ("garbage", Quality.BAD),
    ("refuse", Quality.REFUSED),
]


def group_of(site: SiteModel, kind: str) -> DeviceGroup:
    return next(group for group in site.groups if group.kind == kind)


def emulated(group: DeviceGroup) -> EmulatedDevice:
    """The group's first device, following whatever is written to it."""
    values = np.array([40.0 if p.name.endswith("degc") else 60.0 for p in group.model.point])
    values[["frac" in p.name or p.name in ("soc", "soh") for p in group.model.point]] = 0.5

    def write(point: str, value: float, lease_s: float) -> None:
        del lease_s
        values[group.model.index[point]] = value

    return EmulatedDevice(name=group.names[0], model=group.model, values=values, write=write)


def quick(model: DeviceModel, protocol: str) -> DeviceModel:
    """The same model, given less time to answer."""
    spec = msgspec.structs.replace(model.protocol[protocol], timeout_s=0.5)
    return msgspec.structs.replace(model, protocol={**model.protocol, protocol: spec})


def connection(group: DeviceGroup, protocol: str, driver: Driver, timeout_s: float) -> Connection:
    settable = [p.name for p in driver.points if p.access == "readwrite"]
    return Connection(
        device=group.names[0],
        protocol=protocol,
        driver=driver,
        first_row=group.first_row,
        names=group.model.index,
        poll_s=0.05,
        timeout_s=timeout_s,
        read_back_rows={group.row(0, name): group.row(0, name) for name in settable},
    )


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that must happen."""
    async with asyncio.timeout(30.0):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "REFUSED_PAUSE_S", 0.05)


@pytest.mark.slow
def test_real_drivers_show_each_fault_and_recover(site: SiteModel, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.make()
    make_simulated(folder)
    board = Board.create(folder.board, site)
    meter, cdu = group_of(site, "meter"), group_of(site, "cdu")
    devices = {"meter": emulated(meter), "cdu": emulated(cdu)}

    def quality(group: DeviceGroup) -> int:
        """The one quality of all points that the device has ever delivered."""
        rows = np.arange(group.first_row, group.first_row + group.stride)
        found = set(board.snapshot(0.0).quality[rows].tolist()) - {int(Quality.NEVER)}
        return found.pop() if len(found) == 1 else -1

    async def story() -> None:
        login, tls = simulated_login(folder), client_context(folder, simulated=True)
        served = [
            await serve_sunspec(devices["meter"], "127.0.0.1", 0),
            await serve_redfish(devices["cdu"], "127.0.0.1", 0, server_context(folder), login),
        ]
        drivers: list[Driver] = [
            SunSpecDriver(meter.model, served[0].address),
            RedfishDriver(quick(cdu.model, "redfish"), served[1].address, login, tls),
        ]
        connections = [
            connection(meter, "sunspec", drivers[0], 0.5),
            connection(cdu, "redfish", drivers[1], 3.0),
        ]
        links = make_links(site, board, connections, Notices(board))
        tasks = [asyncio.create_task(link.run()) for link in links]
        tasks.append(asyncio.create_task(watch_commands(site, board, links)))
        try:
            await until(lambda: quality(meter) == quality(cdu) == Quality.GOOD)
            row = cdu.row(0, "supply_set_degc")
            board.command(np.array([row]), 33.0, lease_s=0.0, time_s=0.0)
            await until(lambda: board.snapshot(0.0).progress[row] == Progress.DONE)
            for state, expected in FAULTS:
                for device in devices.values():
                    device.health.state = state
                await until(lambda: quality(meter) == quality(cdu) == expected)  # noqa: B023
                for device in devices.values():
                    device.health.state = "ok"
                await until(lambda: quality(meter) == quality(cdu) == Quality.GOOD)
            devices["cdu"].health.state, devices["cdu"].health.delay_s = "slow", 0.3
            before_s = board.snapshot(0.0).times_s[[meter.first_row, cdu.first_row]]
            await until(lambda: (board.snapshot(0.0).times_s[cdu.first_row] > before_s[1]).item())
            assert quality(meter) == Quality.GOOD
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for running in served:
                await running.close()

    asyncio.run(story())
    assert board.snapshot(0.0).value(cdu.row(0, "supply_set_degc")) == pytest.approx(33.0)
