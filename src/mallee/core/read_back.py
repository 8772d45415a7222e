"""Orders on their way to a device, and the readings that prove them. No I/O, no clock.

The links of the field and the collector of virtual time judge by the same rules.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from mallee.core.snapshot import Progress
from mallee.core.units import unit_of

GRACE_POLLS, GRACE_MIN_S = 3, 3.0
"""How long readings may show something else before a command counts as lost."""
TOLERANCE_FRAC = 0.01
EXACT = 0.01
"""What may lie between two readings of a number without a unit (a mode) or a count."""


@dataclass(frozen=True, slots=True)
class Order:
    """One value to write.

    Attributes:
        row, point: where, and the point's name.
        lease_s: how long it holds; 0 for a value that stands.
        time_s: when it was asked for.
        number: of the command, so that an older one's verdict is told from a newer one's.
        tolerance_frac: how far a reading may lie from the value and still prove it.
    """

    row: int
    point: str
    value: float
    lease_s: float
    time_s: float
    number: int
    tolerance_frac: float = TOLERANCE_FRAC

    def left_s(self, now_s: float) -> float:
        """Rest of the lease; 0 for a value that stands without one, negative once it has ended."""
        if self.lease_s == 0.0:
            return 0.0
        left_s = self.time_s + self.lease_s - now_s
        return left_s if left_s > 0.0 else -1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What readings say about an order: `DONE` or `LOST`; one that says nothing proves nothing."""

    order: Order
    progress: Progress
    reading: float


@dataclass(slots=True)
class _Sent:
    """A written order: when it was written, since when readings differ, what was said of it."""

    order: Order
    tolerance: float
    sent_s: float
    since_s: float
    progress: Progress = Progress.SENT


class ReadBack:
    """The orders that the readings of one link have to show.

    Args:
        poll_s: time between readings.
    """

    def __init__(self, poll_s: float) -> None:
        self._grace_s = max(GRACE_POLLS * poll_s, GRACE_MIN_S)
        self._sent: dict[int, _Sent] = {}

    def expect(self, order: Order, sent_s: float) -> None:
        """Watch for an order that was written at `sent_s`; asking again for a value that is not
        followed does not start its time anew."""
        before = self._sent.get(order.row)
        repeats = (
            before is not None
            and before.order.value == order.value
            and before.progress != Progress.DONE
        )
        since_s = before.since_s if before is not None and repeats else sent_s
        tolerance = tolerance_of(order.point, order.value, order.tolerance_frac)
        self._sent[order.row] = _Sent(order, tolerance, sent_s, since_s)

    def forget(self, row: int) -> None:
        """Expect nothing of a row any more."""
        self._sent.pop(row, None)

    @property
    def rows(self) -> list[int]:
        """Rows of settable points that are watched."""
        return list(self._sent)

    def check(self, readings: Mapping[int, float], time_s: float) -> list[Verdict]:
        """What changed with a reading that began at `time_s`.

        Args:
            readings: by the row of the settable point, what the point that proves it reads.
            time_s: readings from before an order was written prove nothing.
        """
        verdicts = []
        for row, sent in list(self._sent.items()):
            if sent.order.left_s(time_s) < 0.0:
                del self._sent[row]
                continue
            reading = readings.get(row, math.nan)
            if time_s < sent.sent_s:
                continue
            order = sent.order
            if abs(reading - order.value) <= sent.tolerance:
                progress, sent.since_s = Progress.DONE, time_s
            elif time_s - sent.since_s > self._grace_s:
                progress = Progress.LOST
            else:
                continue
            if progress != sent.progress:
                sent.progress = progress
                verdicts.append(Verdict(order, progress, reading))
        return verdicts


def tolerance_of(point: str, value: float, tolerance_frac: float = TOLERANCE_FRAC) -> float:
    """How far a reading may be from what was written and still prove it.

    A share of the value, or what registers of such a quantity resolve; numbers without a unit (a
    mode) and counts must agree.
    """
    unit = unit_of(point)
    if unit is None or point.endswith("count"):
        return EXACT
    return max(tolerance_frac * abs(value), unit.resolution)
