"""What control asks of devices, and what it has to say about it."""

from dataclasses import dataclass, field
from enum import IntEnum

from mallee.core.arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Writes to settable points, one value a row.

    One command carries as many rows as share its reason: a cap for 8,375 nodes is one command.

    Attributes:
        rows: point rows, each `readwrite`.  # (writes,)
        values: what to write, in the point's unit.  # (writes,)
        lease_s: how long the value holds without being renewed. Where the device has a timer of
            its own it is given this time; where it has none the value alone must be safe.
        reason: why, for the audit and the "why" line.
    """

    rows: IntArray
    values: FloatArray
    lease_s: float
    reason: str


class Severity(IntEnum):
    """How much an event matters to a person."""

    INFO = 0
    WARNING = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened.

    Attributes:
        time_s: monotonic time of the cycle that saw it.
        kind: stable name, such as ``limit-binding`` or ``device-lost``.
        source: the device, branch or concern it is about.
        text: one sentence with the numbers.
    """

    time_s: float
    kind: str
    source: str
    text: str
    severity: Severity = Severity.INFO
    numbers: dict[str, float] = field(default_factory=dict)
