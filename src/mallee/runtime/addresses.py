"""Where each device of a site is reached: as the site file says, else a free port on loopback.

Simulated devices keep their ports while the site runs, so that a restarted twin is found again.
Ports are taken below the range that systems give to outgoing connections (from 32768 on Linux,
49152 on macOS): while the twin is down nobody else can be given one of its ports by chance.
"""

import socket
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

from mallee.core.errors import ConfigError
from mallee.core.protocol import Address, Transport, join_place, parse_address
from mallee.core.protocols import PROTOCOLS
from mallee.runtime.speaking import speaking
from mallee.site.addresses import (
    AddressBook,
    complete_address,
    default_part,
    example_address,
    given_addresses,
    port_of,
)
from mallee.site.model import DeviceGroup, SiteModel

Addresses = dict[str, dict[str, str]]
"""By protocol, then by device name: "host:port" or "host:port/part"."""

LOOPBACK = "127.0.0.1"
PORTS = range(20000, 32000)
CONSOLE_PORTS = range(8460, 8560)


def choose_addresses(
    site: SiteModel,
    source: str,
    before: Mapping[str, Mapping[str, str]] | None = None,
    place: str = "",
) -> Addresses:
    """The address of every device of a site that answers a protocol; see `speaking`.

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
    speaks = speaking(site)
    free = _FreePorts(taken, zlib.crc32(place.encode()) % len(PORTS))
    found: Addresses = {}
    for group in site.groups:
        for protocol in group.model.protocol:
            given = group.addresses.get(protocol)
            own = found.setdefault(protocol, {})
            for index, name in enumerate(group.names):
                if not speaks[group.first_device + index]:
                    continue
                if given is not None:
                    own[name] = _given(given[index], protocol, group, index, source)
                elif not simulated:
                    own[name] = _standing(protocol, group, index, source)
                else:
                    own[name] = _chosen(protocol, group, index, own, before, free)
    _check(found, source, free=simulated)
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
        return join_place(host, port)
    last = [split_address(before)[1]] if before else []
    for candidate in [*last, *CONSOLE_PORTS]:
        if is_free(host, candidate):
            return join_place(host, candidate)
    ports = f"{CONSOLE_PORTS[0]}..{CONSOLE_PORTS[-1]}"
    raise ConfigError("console", f"all ports of {ports} are in use", "choose one with --port")


def split_address(address: str) -> tuple[str, int]:
    """Host and port of "host:port" or "host:port/part"; ``[::1]:80`` for IPv6.

    Raises:
        ValueError: it is not of that form.
    """
    host, colon, port = address.partition("/")[0].rpartition(":")
    if not (host and colon and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"{address!r} is not host:port")
    return host.strip("[]"), int(port)


_SOCKETS: Final = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


def is_free(host: str, port: int, transport: Transport = "tcp") -> bool:
    """Whether a server could listen there now."""
    try:
        found = socket.getaddrinfo(host, port, type=_SOCKETS[transport])
        family, kind, proto, _, place = found[0]
        with socket.socket(family, kind, proto) as probe:
            if transport == "tcp":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            if transport == "tcp":
                probe.listen(1)  # on macOS two may bind one port, but only one may listen
    except OSError:
        return False
    return True


def _given_ports(site: SiteModel) -> Iterator[int]:
    for protocol, model, name, text in given_addresses(site):
        try:
            yield complete_address(model, protocol, name, text).port
        except ValueError:
            continue  # told later, with its place in the file


class _FreePorts:
    """Hands out ports on loopback, one after the other, each once for each transport."""

    def __init__(self, taken: set[int], first: int) -> None:
        self._taken = taken
        self._order = (*PORTS[first:], *PORTS[:first])
        self._next = 0

    def take(self, transport: Transport) -> int:
        """The next free one.

        Raises:
            ConfigError: there is none left.
        """
        while self._next < len(self._order):
            port: int = self._order[self._next]
            self._next += 1
            if port not in self._taken and is_free(LOOPBACK, port, transport):
                self._taken.add(port)
                return port
        raise ConfigError(
            "simulated devices",
            f"no more free ports on {LOOPBACK} in {PORTS[0]}..{PORTS[-1]}",
            "simulate a smaller site, or use `mallee simulate`, which needs no ports",
        )


def _given(text: str, protocol: str, group: DeviceGroup, index: int, source: str) -> str:
    try:
        return str(complete_address(group.model, protocol, group.names[index], text))
    except ValueError as error:
        where = f"{source}: {group.names[index]}.address"
        hint = f'such as "{example_address(group.model, protocol)}"'
        raise ConfigError(where, f"{text!r} is no address: {error}", hint) from None


def _standing(protocol: str, group: DeviceGroup, index: int, source: str) -> str:
    """A real device without an address: only one that dials in may do without."""
    if PROTOCOLS[protocol].direction == "dials in":
        part = default_part(group.model, protocol, group.names[index])
        return str(Address("0.0.0.0", port_of(group.model, protocol), part))
    like = example_address(group.model, protocol)
    raise ConfigError(
        f"{source}: {group.names[index]}",
        f"has no address for {protocol}",
        f'give one, such as address = "{like}", or add a [twin] section to simulate',
    )


def _chosen(
    protocol: str,
    group: DeviceGroup,
    index: int,
    own: Mapping[str, str],
    before: Mapping[str, Mapping[str, str]],
    free: _FreePorts,
) -> str:
    """A place on loopback: that of the last run where it is free; all dial in to one."""
    facts, name = PROTOCOLS[protocol], group.names[index]
    part = default_part(group.model, protocol, name)
    if facts.direction == "dials in" and own:
        return str(Address(*split_address(next(iter(own.values()))), part))
    last = before.get(protocol, {}).get(name, "")
    if last:
        host, port = split_address(last)
        if port in PORTS and is_free(host, port, facts.transport):
            return str(Address(host, port, part))
    return str(Address(LOOPBACK, free.take(facts.transport), part))


def _check(addresses: Addresses, source: str, *, free: bool) -> None:
    """No two devices at one address; every place free before the twin starts to serve it."""
    book = AddressBook(mixed=not free)
    looked: set[tuple[Transport, str, int]] = set()
    for protocol, own in addresses.items():
        facts = PROTOCOLS[protocol]
        for name, text in own.items():
            address = parse_address(text, facts.port, facts.part)
            where = f"{source}: {name}.address"
            other = book.add(protocol, name, address)
            if other:
                hint = "give each its own port"
                raise ConfigError(where, f"{address} is {other}'s too", hint)
            place = (facts.transport, address.host, address.port)
            if free and place not in looked and not is_free(place[1], place[2], place[0]):
                hint = "stop the program that has it, or write another port into the site file"
                raise ConfigError(where, f"port {address.port} is in use", hint)
            looked.add(place)
