"""Addresses of devices as the site file gives them, completed from model and protocol."""

from collections.abc import Iterator

from mallee.core.device_model import DeviceModel
from mallee.core.protocol import Address, parse_address
from mallee.core.protocols import PROTOCOLS
from mallee.site.model import SiteModel

EXAMPLE_HOST = "10.0.0.5"


def port_of(model: DeviceModel, protocol: str) -> int:
    """Port where no address names one: the model's, else the protocol's own."""
    return model.protocol[protocol].port or PROTOCOLS[protocol].port


def default_part(model: DeviceModel, protocol: str, name: str) -> str:
    """Which device of a place one is where its address does not say so; see `Part`."""
    facts = PROTOCOLS[protocol]
    if facts.part is None:
        return ""
    return facts.part.default(model.options(protocol, facts.options), name)


def complete_address(model: DeviceModel, protocol: str, name: str, text: str) -> Address:
    """The address of one device, with port and part filled in.

    Raises:
        ValueError: the text is no address of this protocol.
    """
    address = parse_address(text, port_of(model, protocol), PROTOCOLS[protocol].part)
    part = address.part or default_part(model, protocol, name)
    return Address(address.host, address.port, part)


def example_address(model: DeviceModel, protocol: str) -> str:
    """What an address could look like, for messages."""
    return f"{EXAMPLE_HOST}:{port_of(model, protocol)}"


class AddressBook:
    """Who is where: finds the second device at one address, and two protocols at one place.

    Args:
        mixed: protocols of one line may share a place, as SunSpec and plain Modbus do behind a
            gateway; the twin gives each its own.
    """

    def __init__(self, *, mixed: bool) -> None:
        self._mixed = mixed
        self._places: dict[tuple[str, str, int], tuple[str, dict[str, str]]] = {}

    def add(self, protocol: str, name: str, address: Address) -> str:
        """Enter a device; returns whose address it has already, empty if nobody's."""
        transport = PROTOCOLS[protocol].transport
        place = (transport, address.host.casefold(), address.port)
        line = (self._mixed and PROTOCOLS[protocol].line) or protocol
        before, members = self._places.setdefault(place, (line, {}))
        if before != line:
            return next(iter(members.values()))
        owner = members.setdefault(address.part, name)
        return "" if owner == name else owner


def given_addresses(site: SiteModel) -> Iterator[tuple[str, DeviceModel, str, str]]:
    """Every address in the site file: protocol, model, device and text."""
    for group in site.groups:
        for protocol, addresses in group.addresses.items():
            for name, text in zip(group.names, addresses, strict=True):
                yield protocol, group.model, name, text
