"""Makes the drivers of a site: the right one for each protocol, with address, login and trust."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from mallee.control.safe_state import standing_values
from mallee.core.errors import ConfigError
from mallee.drivers.dcgm import DcgmDriver
from mallee.drivers.driver import Driver, Login
from mallee.drivers.ocpp import OcppCentral
from mallee.drivers.redfish import RedfishDriver
from mallee.drivers.sunspec import SunSpecDriver
from mallee.runtime.addresses import split_address
from mallee.runtime.run_folder import Run, RunFolder
from mallee.runtime.secrets import client_context, find_login, secrets_path, simulated_login
from mallee.site.model import DeviceGroup, SiteModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A driver and where its points belong.

    Attributes:
        first_row: row of the device's first point.
        names: position of each point of the device's model.
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


@asynccontextmanager
async def connect(
    site: SiteModel, run: Run, folder: RunFolder, devices: frozenset[str]
) -> AsyncIterator[list[Connection]]:
    """Drivers of these devices; chargers find a place to dial in to while this is open.

    Raises:
        ConfigError: a login or certificate that cannot be found.
    """
    centrals: dict[str, OcppCentral] = {}
    connections = []
    try:
        for group in site.groups:
            if devices.isdisjoint(group.names):
                continue
            for protocol in group.model.protocol:
                make = await _maker(site, run, folder, group, protocol, centrals)
                for index, name in enumerate(group.names):
                    if name not in devices:
                        continue
                    address = run.addresses[protocol][name]
                    connections.append(_connection(group, protocol, index, make(address, name)))
        yield connections
    finally:
        await asyncio.gather(*(central.close() for central in centrals.values()))


async def _maker(
    site: SiteModel,
    run: Run,
    folder: RunFolder,
    group: DeviceGroup,
    protocol: str,
    centrals: dict[str, OcppCentral],
) -> Callable[[str, str], Driver]:
    """What makes the driver of each device of a group from its address and name."""
    model = group.model
    if protocol == "redfish":
        login, tls = _redfish_access(site, run, folder, group)
        return lambda address, _: RedfishDriver(model, address, login, tls)
    if protocol == "dcgm":
        return lambda address, _: DcgmDriver(model, address)
    if protocol == "sunspec":
        return lambda address, _: SunSpecDriver(model, address)
    if protocol == "ocpp":
        for address in set(run.addresses[protocol].values()) - set(centrals):
            centrals[address] = OcppCentral(*split_address(address))
            await centrals[address].open()
        login = None if site.file.twin is not None else _login(run, group)
        values = standing_values(site)
        standing_w = {
            name: values[group.row(index, "limit_w")] for index, name in enumerate(group.names)
        }
        return lambda address, name: centrals[address].driver(
            name.replace("/", "."), model, login=login, standing_limit_w=standing_w[name]
        )
    raise ConfigError(f"catalogue model {model.model}", f"no driver for protocol {protocol!r}")


def _redfish_access(
    site: SiteModel, run: Run, folder: RunFolder, group: DeviceGroup
) -> tuple[Login | None, ssl.SSLContext]:
    if site.file.twin is not None:
        return simulated_login(folder), client_context(folder, simulated=True)
    return _login(run, group), client_context(folder, simulated=False, tls_ca=group.tls_ca)


def _login(run: Run, group: DeviceGroup) -> Login | None:
    """The login that the site file names for these devices, from the secrets."""
    if not group.credentials:
        return None
    return find_login(group.credentials, Path(run.secrets) if run.secrets else secrets_path())


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
    )
