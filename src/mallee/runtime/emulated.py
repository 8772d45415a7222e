"""The twin's devices on loopback sockets: views into its reported values, served by protocol."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mallee.core.protocol import parse_address
from mallee.core.protocols import PROTOCOLS
from mallee.emulators import EMULATORS
from mallee.emulators.device import EmulatedDevice, Health, Place
from mallee.runtime.run_folder import Run, RunFolder
from mallee.runtime.secrets import server_context, simulated_login
from mallee.runtime.speaking import speaking
from mallee.site.model import DeviceGroup, SiteModel
from mallee.twin.comms import STATES
from mallee.twin.site_twin import SiteTwin


def emulated_devices(site: SiteModel, twin: SiteTwin) -> list[EmulatedDevice]:
    """The devices that speak: views into the twin, in device order."""
    devices, speaks = [], speaking(site)
    for group in site.groups:
        for index, name in enumerate(group.names):
            if not speaks[group.first_device + index]:
                continue
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


Placed = dict[tuple[str, str, int], dict[str, EmulatedDevice]]
"""Devices by protocol, host and port, then by their part of the address."""


def by_place(run: Run, devices: list[EmulatedDevice], *, dial_in: bool) -> Placed:
    """Who serves where, or dials in where."""
    placed: Placed = {}
    for device in devices:
        for protocol in device.model.protocol:
            facts = PROTOCOLS[protocol]
            if (facts.direction == "dials in") is dial_in:
                address = parse_address(
                    run.addresses[protocol][device.name], facts.port, facts.part
                )
                place = placed.setdefault((protocol, address.host, address.port), {})
                place[address.part] = device
    return placed


async def serve(folder: RunFolder, placed: Placed, stack: AsyncExitStack) -> None:
    login, tls = simulated_login(folder), server_context(folder)
    starting = []
    for (protocol, host, port), members in placed.items():
        facts = PROTOCOLS[protocol]
        place = Place(
            host=host,
            port=port,
            login=login if facts.login == "required" else None,
            tls=tls if facts.tls else None,
        )
        starting.append(EMULATORS[protocol](place, members))
    for running in await asyncio.gather(*starting):
        stack.push_async_callback(running.close)


async def serve_late(folder: RunFolder, placed: Placed, stack: AsyncExitStack) -> None:
    """Start what dials in after everything else: its libraries load slowly."""
    for protocol in {protocol for protocol, _, _ in placed}:
        # In a thread, so that the devices which answer already go on doing so.
        await asyncio.to_thread(EMULATORS.__getitem__, protocol)
    await serve(folder, placed, stack)


def pass_health(twin: SiteTwin, devices: list[EmulatedDevice], speaks: NDArray[np.bool_]) -> None:
    """Faults of communication from the twin to the emulators.

    Args:
        speaks: which devices of the site these are.
    """
    states, delays_s = twin.comms.state[speaks], twin.comms.delay_s[speaks]
    for device, code, delay_s in zip(devices, states.tolist(), delays_s.tolist(), strict=True):
        device.health.state = STATES[code]
        device.health.delay_s = delay_s
