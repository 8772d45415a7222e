"""What every emulator serves: one device's points, a way to write them, and how well it answers.

Each protocol folder exports `SERVE`, which serves all devices at one place; see `Serve`.
"""

import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel

HealthState = Literal["ok", "silent", "slow", "garbage", "refuse"]


@dataclass(slots=True)
class Health:
    """How the device answers, looked at on every request, so a fault acts at once.

    Attributes:
        state: `silent` takes requests and never answers, `slow` answers after `delay_s`, `garbage`
            answers with bytes that break the protocol, `refuse` denies every login and request.
        delay_s: how late a slow answer comes.
    """

    state: HealthState = "ok"
    delay_s: float = 0.0


@dataclass(slots=True)
class EmulatedDevice:
    """One device of the twin.

    Attributes:
        name: site-wide path, such as ``pod1/r1/n03``.
        values: a view of what its sensors say now, one a point of its model.  # (points,)
        write: takes point name, value and lease (s; 0 stands until written again); raises
            `Rejected` where the device declines.
        health: how well it answers; change it in place.
    """

    name: str
    model: DeviceModel
    values: FloatArray
    write: Callable[[str, float, float], None]
    health: Health = field(default_factory=Health)


@dataclass(frozen=True, slots=True)
class Running:
    """A serving emulator.

    Attributes:
        address: "host:port" that drivers connect to.
        stop: ends the service; `close` awaits it.
    """

    address: str
    stop: Callable[[], Awaitable[None]]

    async def close(self) -> None:
        """Stop serving: open connections end, the port is free again."""
        await self.stop()


class Credentials(Protocol):
    """A user and a password, such as `drivers.driver.Login`."""

    @property
    def user(self) -> str:
        """User name."""

    @property
    def password(self) -> str:
        """Password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where emulated devices listen, or dial in to.

    Attributes:
        port: 0 takes a free one where they listen.
        login: the one account; None asks for nothing.
        tls: server context, shared by all devices of a process; None speaks plain.
    """

    host: str
    port: int
    login: Credentials | None = None
    tls: ssl.SSLContext | None = None


Serve = Callable[[Place, Mapping[str, EmulatedDevice]], Awaitable[Running]]
"""Starts all devices at a place, by the part of their address; see `core.protocol.Part`.

Raises `ConfigError` or `OSError` where the place cannot be listened on.
"""
