"""Where each device of a site is reached: as the site file says, else a free port on loopback.

Simulated devices keep their ports while the site runs, so that a restarted twin is found again.
Ports are taken below the range that systems give to outgoing connections (from 32768 on Linux,
49152 on macOS): while the twin is down nobody else can be given one of its ports by chance.
"""

import socket
import zlib
from collections.abc import Iterator, Mapping

from mallee.core.errors import ConfigError
from mallee.site.model import DeviceGroup, SiteModel

Addresses = dict[str, dict[str, str]]
"""By protocol, then by device name: "host:port"."""

LOOPBACK = "127.0.0.1"
PORTS = range(20000, 32000)
CONSOLE_PORTS = range(8460, 8560)


def choose_addresses(
    site: SiteModel,
    source: str,
    before: Mapping[str, Mapping[str, str]] | None = None,
    place: str = "",
) -> Addresses:
    """The address of every device of a site.

    Args:
        site: its devices; one with a `twin` section gets loopback addresses where it names none.
        source: name of the site file, for messages.
        before: addresses of the last run, taken again where they are still free.
        place: decides where the search for free ports begins, so that two sites which start at
            the same time do not reach for the same ones.

    Raises:
        ConfigError: a real device without an address, an address that is none, a port in use.
    """
    simulated = site.file.twin is not None
    before = before or {}
    kept = (address for own in before.values() for address in own.values())
    taken = {*_given_ports(site), *(split_address(address)[1] for address in kept)}
    free = _free_ports(taken, zlib.crc32(place.encode()) % len(PORTS))
    found: Addresses = {}
    for group in site.groups:
        for protocol in group.model.protocol:
            given = group.addresses.get(protocol)
            own = found.setdefault(protocol, {})
            for index, name in enumerate(group.names):
                if given is not None:
                    own[name] = _given(given[index], protocol, group, index, source)
                elif not simulated:
                    own[name] = _standing(protocol, group, index, source)
                else:
                    own[name] = _chosen(protocol, name, own, before, free)
    if simulated:
        _check_free(found, source)
    return found


def choose_console(host: str, port: int, before: str = "") -> str:
    """Address of the web pages.

    Args:
        port: the one to take; 0 takes that of the last run or the next free one.
        before: address in the last run.

    Raises:
        ConfigError: the host is unknown, or the port asked for is in use.
    """
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        hint = "give an address of this computer, such as 127.0.0.1"
        raise ConfigError(f"--host {host}", f"is unknown: {error.strerror}", hint) from None
    if port:
        if not is_free(host, port):
            hint = "stop the program that has it, or choose another with --port"
            raise ConfigError(f"--port {port}", f"port {port} on {host} is in use", hint)
        return join_address(host, port)
    last = [split_address(before)[1]] if before else []
    for candidate in [*last, *CONSOLE_PORTS]:
        if is_free(host, candidate):
            return join_address(host, candidate)
    ports = f"{CONSOLE_PORTS[0]}..{CONSOLE_PORTS[-1]}"
    raise ConfigError("console", f"all ports of {ports} are in use", "choose one with --port")


def join_address(host: str, port: int) -> str:
    """ "host:port", an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split_address(address: str) -> tuple[str, int]:
    """Host and port of "host:port"; ``[::1]:80`` for IPv6.

    Raises:
        ValueError: it is not of that form.
    """
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"{address!r} is not host:port")
    return host.strip("[]"), int(port)


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    try:
        family, kind, proto, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen(1)  # on macOS two may bind one port, but only one may listen
    except OSError:
        return False
    return True


def _given_ports(site: SiteModel) -> Iterator[int]:
    for group in site.groups:
        for addresses in group.addresses.values():
            for address in addresses:
                port = address.rpartition(":")[2]
                if port.isdigit():
                    yield int(port)


def _free_ports(taken: set[int], first: int) -> Iterator[int]:
    for port in (*PORTS[first:], *PORTS[:first]):
        if port not in taken and is_free(LOOPBACK, port):
            taken.add(port)
            yield port
    ports = f"{PORTS[0]}..{PORTS[-1]}"
    raise ConfigError(
        "simulated devices",
        f"no more free ports on {LOOPBACK} in {ports}",
        "simulate a smaller site, or use `mallee simulate`, which needs no ports",
    )


def _given(address: str, protocol: str, group: DeviceGroup, index: int, source: str) -> str:
    port = group.model.protocol[protocol].port
    text = address if address.rpartition(":")[2].isdigit() else f"{address}:{port}"
    try:
        split_address(text)
    except ValueError as error:
        where = f"{source}: {group.names[index]}.address"
        raise ConfigError(where, str(error), f'such as "10.0.0.5:{port}"') from None
    return text


def _standing(protocol: str, group: DeviceGroup, index: int, source: str) -> str:
    """A real device without an address: only a charger may do without, it dials in."""
    port = group.model.protocol[protocol].port
    if protocol == "ocpp":
        return f"0.0.0.0:{port}"
    raise ConfigError(
        f"{source}: {group.names[index]}",
        f"has no address for {protocol}",
        f'give one, such as address = "10.0.0.5:{port}", or add a [twin] section to simulate',
    )


def _chosen(
    protocol: str,
    name: str,
    own: Mapping[str, str],
    before: Mapping[str, Mapping[str, str]],
    free: Iterator[int],
) -> str:
    if protocol == "ocpp" and own:
        return next(iter(own.values()))  # all chargers dial to one place
    last = before.get(protocol, {}).get(name, "")
    if last and is_free(*split_address(last)) and split_address(last)[1] in PORTS:
        return last
    return f"{LOOPBACK}:{next(free)}"


def _check_free(addresses: Addresses, source: str) -> None:
    """Every place must be free before the twin starts, so that the message is one and clear."""
    seen: dict[str, str] = {}
    for protocol, own in addresses.items():
        for name, address in own.items():
            other = seen.get(address)
            if other is not None and protocol != "ocpp":
                hint = "give each its own port"
                raise ConfigError(f"{source}: {name}.address", f"{address} is {other}'s too", hint)
            if other is None and not is_free(*split_address(address)):
                port = split_address(address)[1]
                hint = "stop the program that has it, or write another port into the site file"
                raise ConfigError(f"{source}: {name}.address", f"port {port} is in use", hint)
            seen[address] = name
