"""Makes the drivers of a site: a channel to each place, and from it a driver for each device."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mallee.control.safe_state import standing_values
from mallee.core.protocol import ProtocolFacts, parse_address
from mallee.core.protocols import PROTOCOLS
from mallee.drivers import DRIVERS
from mallee.drivers.driver import Channel, Driver, Login, Target
from mallee.runtime.run_folder import Run, RunFolder
from mallee.runtime.secrets import client_context, find_login, secrets_path, simulated_login
from mallee.site.model import DeviceGroup, SiteModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A driver and where its points belong.

    Attributes:
        first_row: row of the device's first point.
        names: position of each point of the device's model.
        identity: who the catalogue says that the device is; see `core.identity.mismatch`.
        read_back_rows: by row of each point that this driver can set, the row that proves it.
    """

    device: str
    protocol: str
    driver: Driver
    first_row: int
    names: dict[str, int]
    poll_s: float
    timeout_s: float
    read_back_rows: dict[int, int]
    identity: Mapping[str, str] = field(default_factory=dict)


@asynccontextmanager
async def connect(
    site: SiteModel, run: Run, folder: RunFolder, devices: frozenset[str]
) -> AsyncIterator[list[Connection]]:
    """Drivers of these devices; those that dial in find a place to dial in to while this is open.

    Raises:
        ConfigError: a login or certificate that cannot be found, a place that is taken.
    """
    channels: dict[tuple[str, str, int], Channel] = {}
    standing = standing_values(site)
    connections = []
    for group in site.groups:
        if devices.isdisjoint(group.names):
            continue
        for protocol in group.model.protocol:
            facts = PROTOCOLS[protocol]
            login, tls = _access(site, run, folder, group, facts)
            for index, name in enumerate(group.names):
                if name not in devices:
                    continue
                address = parse_address(run.addresses[protocol][name], facts.port, facts.part)
                key = (protocol, address.host, address.port)
                if key not in channels:
                    channels[key] = DRIVERS[protocol](address.host, address.port)
                target = Target(
                    name=name,
                    model=group.model,
                    part=address.part,
                    login=login,
                    tls=tls,
                    standing=_standing(group, index, standing),
                )
                driver = channels[key].driver(target)
                connections.append(_connection(group, protocol, index, driver))
    try:
        for channel in channels.values():
            await channel.open()
        yield connections
    finally:
        await asyncio.gather(*(channel.close() for channel in channels.values()))


def _access(
    site: SiteModel, run: Run, folder: RunFolder, group: DeviceGroup, facts: ProtocolFacts
) -> tuple[Login | None, ssl.SSLContext | None]:
    """What the devices of a group ask for, and what they prove themselves with."""
    simulated = site.file.twin is not None
    tls = None
    if facts.tls:
        tls = client_context(folder, simulated=simulated, tls_ca=group.tls_ca)
    if simulated:
        return simulated_login(folder) if facts.login == "required" else None, tls
    if not group.credentials or facts.login == "none":
        return None, tls
    path = Path(run.secrets) if run.secrets else secrets_path()
    return find_login(group.credentials, path), tls


def _standing(group: DeviceGroup, index: int, standing: Mapping[int, float]) -> dict[str, float]:
    """By point, what shall hold in a device while nobody controls it."""
    settable = (point.name for point in group.model.point if point.access == "readwrite")
    rows = {name: group.row(index, name) for name in settable}
    return {name: standing[row] for name, row in rows.items() if row in standing}


def _connection(group: DeviceGroup, protocol: str, index: int, driver: Driver) -> Connection:
    model, first_row = group.model, group.first_row + group.stride * index
    settable = [p for p in model.point if p.protocol == protocol and p.access == "readwrite"]
    return Connection(
        device=group.names[index],
        protocol=protocol,
        driver=driver,
        first_row=first_row,
        names=model.index,
        poll_s=model.protocol[protocol].poll_s,
        timeout_s=model.protocol[protocol].timeout_s,
        read_back_rows={
            first_row + model.index[p.name]: first_row + model.index[p.read_back or p.name]
            for p in settable
        },
        identity=model.identity,
    )
