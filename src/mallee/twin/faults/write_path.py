"""What happens to commands between a device's door and its doing: lost, late, half, refused."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.core.errors import Rejected

AS_ASKED, IGNORED, LATE, HALF, DECLINED = range(5)
"""Ways of a device to treat what is written to it."""

WAITING_MAX: Final = 10_000
"""Late writes kept; a plan that exceeds this is wrong."""


class Write(NamedTuple):
    """A set point on its way."""

    due_ms: int
    row: int
    value: float
    lease_s: float


@dataclass(slots=True)
class WritePath:
    """One row a device of the site.

    Attributes:
        mode: one of the ways above.  # (devices,)
        delay_s: how late, for `LATE`.  # (devices,)
        share: how much of a change is done, for `HALF`.  # (devices,)
        waiting: late writes, in the order of their coming.
    """

    mode: NDArray[np.uint8]
    delay_s: FloatArray
    share: FloatArray
    waiting: list[Write]

    def admit(
        self, device: int, row: int, value: float, lease_s: float, now: float, time_ms: int
    ) -> float | None:
        """What the device does at once about a write.

        Args:
            device: device number. row: row of the set point.
            now: the value that stands there.

        Returns:
            The value to apply, None for nothing (yet).

        Raises:
            Rejected: the device declines.
        """
        mode = self.mode[device]
        if mode == AS_ASKED:
            return value
        if mode == DECLINED:
            raise Rejected(f"device {device} declines every command")
        if mode == LATE and len(self.waiting) < WAITING_MAX:
            due_ms = time_ms + round(1000 * float(self.delay_s[device]))
            self.waiting.append(Write(due_ms, row, value, lease_s))
        if mode == HALF and np.isfinite(now):
            return float(now + self.share[device] * (value - now))
        return None

    def due(self, time_ms: int) -> list[Write]:
        """Late writes whose time has come, taken out of the queue."""
        if not self.waiting:
            return []
        ready = [write for write in self.waiting if write.due_ms <= time_ms]
        self.waiting = [write for write in self.waiting if write.due_ms > time_ms]
        return ready

    def save(self) -> dict[str, FloatArray]:
        """Everything that changes."""
        return {
            "mode": self.mode.astype(np.float64),
            "delay_s": self.delay_s.copy(),
            "share": self.share.copy(),
            "waiting": np.array(self.waiting, np.float64).reshape(-1, 4),
        }

    def restore(self, saved: dict[str, FloatArray]) -> None:
        """Back to what `save` gave."""
        self.mode[:], self.delay_s[:], self.share[:] = (
            saved["mode"],
            saved["delay_s"],
            saved["share"],
        )
        self.waiting = [
            Write(int(d), int(r), float(v), float(s)) for d, r, v, s in saved["waiting"]
        ]


def make_write_path(devices: int) -> WritePath:
    """Every device does what it is told."""
    return WritePath(np.zeros(devices, np.uint8), np.zeros(devices), np.full(devices, 0.5), [])
