"""Facts about a protocol that rooms below its driver need: who calls whom, where, and the address.

The rows are in `mallee.core.protocols`, one file a protocol.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Literal

import msgspec

Transport = Literal["tcp", "udp"]


class NoOptions(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Options of a protocol that has none."""


def no_part(_options: Any, _name: str) -> str:
    """The default where an address without a part is the whole place."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What may follow a place in an address, ``host:port/part``: one of several devices there.

    Attributes:
        words: what it is, for messages, such as "a unit id 0..255".
        pattern: what it looks like.
        default: the part where the address gives none, from options and device name.
    """

    words: str
    pattern: str
    default: Callable[[Any, str], str] = no_part


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolFacts:
    """One protocol.

    Attributes:
        direction: `polled` devices are asked, those that `dials in` connect to us and say who they
            are, those that `pushes` send to a broker that we listen to.
        transport: what its default port belongs to.
        port: where neither site file nor model names one.
        login: whether devices of the protocol ask for one.
        tls: whether it is spoken over TLS.
        part: what tells several devices at one place apart; None where a place is one device.
        line: what carries it, where other protocols may share it at one place; empty for itself.
        options: what `[protocol.NAME] options` of a device model may say.
    """

    direction: Literal["polled", "dials in", "pushes"]
    transport: Transport
    port: int
    login: Literal["none", "optional", "required"] = "none"
    tls: bool = False
    part: Part | None = None
    line: str = ""
    options: type[msgspec.Struct] = NoOptions


@dataclass(frozen=True, slots=True)
class Address:
    """Where one device is: a host, a port, and which of several devices there."""

    host: str
    port: int
    part: str = ""

    @property
    def place(self) -> str:
        """ "host:port", an IPv6 address in brackets."""
        return join_place(self.host, self.port)

    def __str__(self) -> str:
        """As a site file writes it."""
        return f"{self.place}/{self.part}" if self.part else self.place


def join_place(host: str, port: int) -> str:
    """ "host:port", an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_address(text: str, port: int, part: Part | None = None) -> Address:
    """The address that a person wrote: ``host``, ``host:port``, ``host:port/part``, ``host/part``.

    Args:
        port: the port where none is written.
        part: what may follow the slash; None allows nothing.

    Raises:
        ValueError: it is none; the message says what is wrong with it.
    """
    place, slash, own = text.partition("/")
    host, colon, digits = place.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        host, digits = place, str(port)  # no port, or a bare IPv6 address
    if not (digits.isdecimal() and 0 < int(digits) < 65536):
        raise ValueError(f"{digits!r} is no port 1..65535")
    if not _is_host(host):
        raise ValueError(f"{host!r} is no host")
    if slash and part is None:
        raise ValueError("one device stands at a place, so nothing follows it after a slash")
    if slash and part is not None and not re.fullmatch(part.pattern, own):
        raise ValueError(f"{own!r} is not {part.words}")
    return Address(host.strip("[]"), int(digits), own)


def _is_host(host: str) -> bool:
    if ":" not in host:
        return bool(host) and not re.search(r"[\s/@\[\]?#]", host)
    try:
        return ip_address(host.strip("[]")).version == 6
    except ValueError:
        return False
