"""What control asks of devices."""

from dataclasses import dataclass

from mallee.core.arrays import FloatArray, IntArray

CONTROL = "control"
"""Actor of what control decides by itself."""
HEARTBEAT = "heartbeat"
"""Reason of writes that only show that a controller lives: they need no record."""


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
        actor: by whom: `CONTROL`, or who made the request that it follows.
    """

    rows: IntArray
    values: FloatArray
    lease_s: float
    reason: str
    actor: str = CONTROL
