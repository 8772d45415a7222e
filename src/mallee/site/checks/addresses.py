"""How real devices are reached: addresses that lack, are none, or come twice."""

from collections.abc import Iterator

from mallee.core.protocols import PROTOCOLS
from mallee.site.addresses import AddressBook, complete_address, example_address
from mallee.site.checks.finding import Finding, several
from mallee.site.model import DeviceGroup, SiteModel


def missing(site: SiteModel) -> Iterator[Finding]:
    """On a real site each protocol of a device needs an address, unless the device dials in."""
    if site.file.twin is not None:
        return
    for group in site.groups:
        spoken = group.model.protocol
        wanted = [name for name in spoken if PROTOCOLS[name].direction != "dials in"]
        lacking = [name for name in wanted if name not in group.addresses]
        everyone = several(group, range(group.count))
        if lacking:
            like = {name: f'"{example_address(group.model, name)}"' for name in wanted}
            several_of = ", ".join(f"{name} = {text}" for name, text in like.items())
            yield Finding(
                level="error" if lacking == wanted else "warning",
                rule="no-address",
                where=everyone,
                key=f"{group.place}.address",
                text=f"no address for {' and '.join(lacking)}",
                hint='give address = "host:port", or add [twin] to simulate the site',
                suggest=f"address = {like[wanted[0]]}"
                if len(wanted) == 1
                else f"address = {{ {several_of} }}",
            )
        locked = [name for name in group.addresses if PROTOCOLS[name].login == "required"]
        if locked and not group.credentials:
            yield Finding(
                level="warning",
                rule="no-credentials",
                where=everyone,
                key=f"{group.place}.credentials",
                text=f"names no credentials, and {' and '.join(locked)} services want a login",
                hint="name a login of the secrets file",
                suggest='credentials = "bmc"',
            )


def twice(site: SiteModel) -> Iterator[Finding]:
    """Addresses that are none; two devices, or two protocols, behind one. One finding a table."""
    book = AddressBook(mixed=site.file.twin is None)
    for group in site.groups:
        found = (one for protocol in group.addresses for one in _of_protocol(group, protocol, book))
        yield from list(found)[:1]


def _of_protocol(group: DeviceGroup, protocol: str, book: AddressBook) -> Iterator[Finding]:
    """What is wrong with the addresses of a group, device by device."""
    model, part = group.model, PROTOCOLS[protocol].part
    for name, text in zip(group.names, group.addresses[protocol], strict=True):
        try:
            address = complete_address(model, protocol, name, text)
        except ValueError as error:
            yield Finding(
                level="error",
                rule="address",
                where=name,
                key=f"{group.place}.address",
                text=f"{text!r} is no address",
                hint=f'{error}; write "host:port", such as "{example_address(model, protocol)}"',
            )
            continue
        other = book.add(protocol, name, address)
        if other:
            hint = "use {n}, {rack} and {pod} to count addresses up"
            if part is not None:
                hint += f", or add /part to tell devices at one place apart ({part.words})"
            yield Finding(
                level="error",
                rule="address-twice",
                where=name,
                key=f"{group.place}.address",
                text=f"has the address {address} of {other}",
                hint=hint,
            )
