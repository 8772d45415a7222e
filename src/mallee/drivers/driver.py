"""What every driver is: a device behind a socket, seen as points.

A driver opens its connection, reads all its points at once and writes one at a time. It holds no
opinion about the values and keeps no schedule; the collector does. It raises `DeviceError`
children and nothing else for what a device or the network may do.

Drivers come from a *channel*: the gateway, central system or broker at one host and port, which
its devices share. Each protocol folder exports its kind of channel as `CHANNEL`.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel, PointSpec
from mallee.core.identity import Identity


@dataclass(frozen=True)
class Login:
    """A user name and a password; the password never shows in a log or a traceback."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One device as its channel needs to know it.

    Attributes:
        part: which of the devices at the channel's place; see `core.protocol.Part`.
        login: what it asks for; None where it asks for nothing.
        tls: context that verifies it; None speaks plain.
        standing: by point, what shall hold in the device whenever no lease runs. A driver whose
            protocol keeps such a value in the device sets it after every connect.
    """

    name: str
    model: DeviceModel
    part: str = ""
    login: Login | None = None
    tls: ssl.SSLContext | None = None
    standing: Mapping[str, float] = field(default_factory=dict)


class Driver(Protocol):
    """One device over one protocol."""

    @property
    def points(self) -> tuple[PointSpec, ...]:
        """What this driver reads, in the order of `read`; nameplate constants are not among it."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences that a person should read about what answers; each is told once."""

    async def open(self) -> None:
        """Connect and log in.

        Raises:
            Unreachable: nothing answers at the address in time.
            Refused: the login is denied.
            Malformed: something answers, but not in this protocol.
        """

    async def read(self) -> FloatArray:
        """All points now; NaN where the device does not deliver one.  # (points,)

        Connects by itself where `open` was not called or the connection broke since.

        Raises:
            Unreachable, Refused, Malformed: nothing could be read.
        """

    async def identify(self) -> Identity:
        """Who answers, by its own words now.

        Raises:
            Unreachable, Refused, Malformed: as `read`.
        """

    async def write(self, point: str, value: float, lease_s: float) -> None:
        """Give a setpoint to the device, in the unit of the point.

        Args:
            point: name of a `readwrite` point of this driver.
            value: what to set.
            lease_s: the device falls back by itself after this time, where its protocol can say
                so; 0 leaves the value standing.

        Raises:
            Rejected: the device declines the value; the message gives value and allowed range.
            Unreachable, Refused, Malformed: it is not known to have arrived.
        """

    async def close(self) -> None:
        """Log out and disconnect; never raises for what the device does meanwhile."""


class Channel(Protocol):
    """What devices at one host and port share; opened once, whatever stands behind it."""

    def driver(self, target: Target) -> Driver:
        """The driver of one device; to be called once for each."""

    async def open(self) -> None:
        """Make ready: listen, where devices dial in. Whoever is polled connects when first read.

        Raises:
            ConfigError: the place cannot be listened on.
        """

    async def close(self) -> None:
        """Give up what is shared, after the drivers are closed."""


class OpenChannel(Protocol):
    """What makes the channel to a host and port."""

    def __call__(self, host: str, port: int) -> Channel:
        """The channel, not yet open."""
