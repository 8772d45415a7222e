"""How real devices are reached: addresses that lack, are none, or come twice."""

import re
from collections.abc import Iterator
from ipaddress import ip_address

from mallee.site.checks.finding import Finding, several
from mallee.site.model import DeviceGroup, SiteModel


def missing(site: SiteModel) -> Iterator[Finding]:
    """On a real site every protocol of a device needs an address; a charger dials in by itself."""
    if site.file.twin is not None:
        return
    for group in site.groups:
        wanted = [name for name in group.model.protocol if name != "ocpp"]
        lacking = [name for name in wanted if name not in group.addresses]
        everyone = several(group, range(group.count))
        if lacking:
            port = group.model.protocol[lacking[0]].port
            yield Finding(
                level="error" if lacking == wanted else "warning",
                rule="no-address",
                where=everyone,
                key=f"{group.place}.address",
                text=f"no address for {' and '.join(lacking)}",
                hint='give address = "host:port", or add [twin] to simulate the site',
                suggest=f'address = "10.0.0.5:{port}"'
                if len(wanted) == 1
                else "address = { "
                + ", ".join(f'{p} = "10.0.0.5:{group.model.protocol[p].port}"' for p in wanted)
                + " }",
            )
        if "redfish" in group.addresses and not group.credentials:
            yield Finding(
                level="warning",
                rule="no-credentials",
                where=everyone,
                key=f"{group.place}.credentials",
                text="names no credentials, and Redfish services want a login",
                hint="name a login of the secrets file",
                suggest='credentials = "bmc"',
            )


def twice(site: SiteModel) -> Iterator[Finding]:
    """Addresses that are none; two devices, or two protocols, behind one. One finding a table."""
    seen: dict[str, str] = {}
    told: set[str] = set()
    for group in site.groups:
        key = f"{group.place}.address"
        for name, place, address, port in _places(group):
            other = seen.get(place, "")
            seen.setdefault(place, name)
            if key in told or (is_place(place) and not other):
                continue
            told.add(key)
            is_none = not is_place(place)
            yield Finding(
                level="error",
                rule="address" if is_none else "address-twice",
                where=name,
                key=key,
                text=f"{address!r} is no address"
                if is_none
                else f"has the address {place} of {other}",
                hint=f'write "host:port", such as "10.0.0.5:{port}"'
                if is_none
                else "use {n}, {rack} and {pod} to count addresses up",
            )


def _places(group: DeviceGroup) -> Iterator[tuple[str, str, str, int]]:
    """Device, host:port, the address as written, and the usual port, by protocol."""
    for protocol, addresses in group.addresses.items():
        if protocol == "ocpp":
            continue
        port = group.model.protocol[protocol].port
        for name, address in zip(group.names, addresses, strict=True):
            # An IPv6 address holds colons of its own; with a port it stands in brackets.
            bare = "]:" not in address and (address.count(":") != 1)
            yield name, f"{address}:{port}" if bare else address, address, port


def is_place(place: str) -> bool:
    """Whether a text is host:port, an IPv6 host in brackets."""
    host, _, port = place.rpartition(":")
    if not (host and port.isdigit() and 0 < int(port) < 65536):
        return False
    if ":" not in host:
        return not re.search(r"[\s/]", host)
    try:
        return ip_address(host.strip("[]")).version == 6
    except ValueError:
        return False
