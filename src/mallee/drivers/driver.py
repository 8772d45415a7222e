"""What every driver is: a device behind a socket, seen as points.

A driver opens its connection, reads all its points at once and writes one at a time. It holds no
opinion about the values and keeps no schedule; the collector does. It raises `DeviceError`
children and nothing else for what a device or the network may do.
"""

from dataclasses import dataclass, field
from typing import Protocol

from mallee.core.arrays import FloatArray
from mallee.core.device_model import PointSpec


@dataclass(frozen=True)
class Login:
    """A user name and a password; the password never shows in a log or a traceback."""

    user: str
    password: str = field(repr=False)


class Driver(Protocol):
    """One device over one protocol."""

    @property
    def points(self) -> tuple[PointSpec, ...]:
        """What this driver reads, in the order of `read`; nameplate constants are not among it."""

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
