"""Looks at a device of which no model is known: everything it measures, typed, and what it said.

Each protocol folder whose devices can be looked at so exports `EXPLORE`. Nothing is ever written.
"""

import importlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from mallee.core.errors import ConfigError
from mallee.core.protocol import Address
from mallee.core.protocols import PROTOCOLS
from mallee.drivers.driver import Login


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One measured quantity.

    Attributes:
        at: where it is, as `PointSpec.at` says it, where a model can name it so.
        unit: as the device or its schema says it; empty where nothing does.
        name: what the device, the schema or a catalogue model calls it; empty where `at` says it.
        state: "away" where the device says that the value means nothing now.
    """

    at: str
    value: float
    unit: str
    name: str = ""
    state: str = ""


@dataclass(slots=True, kw_only=True)
class Findings:
    """What a look found.

    Attributes:
        identity: who answers, in one line.
        content: what it said, in the form of a sample's content of the protocol.
        omissions: what could not be read, a sentence each.
    """

    identity: str = ""
    readings: list[Reading] = field(default_factory=list)
    content: Any = None
    omissions: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to get in.

    Attributes:
        tls: None speaks plain.
        timeout_s: longest wait for one answer.
        tell: called with how many answers there were so far.
    """

    login: Login | None = None
    tls: ssl.SSLContext | None = None
    timeout_s: float = 5.0
    tell: Callable[[int], None] = lambda _: None


Explore = Callable[[Address, Access], Awaitable[Findings]]
"""Looks at the device at an address.

Raises `Unreachable`, `Refused` or `Malformed` where it cannot be entered.
"""


def explore_of(protocol: str) -> Explore | None:
    """What looks at devices of a protocol; None where they say nothing without a model."""
    if protocol not in PROTOCOLS:
        known = ", ".join(PROTOCOLS)
        raise ConfigError(f"protocol {protocol!r}", "is unknown", f"there are {known}")
    found: Explore | None = getattr(
        importlib.import_module(f"mallee.drivers.{protocol}"), "EXPLORE", None
    )
    return found
