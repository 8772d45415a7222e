"""Something that happened, as everybody in the house tells it."""

from dataclasses import dataclass, field
from enum import IntEnum


class Severity(IntEnum):
    """How much an event matters to a person."""

    INFO = 0
    WARNING = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. `event_kinds.new_event` makes one of a known kind.

    Attributes:
        time_s: monotonic time of the cycle that saw it.
        kind: name of a row of `event_kinds.EVENT_KINDS`.
        source: the device, branch or concern it is about.
        text: one sentence with the numbers.
    """

    time_s: float
    kind: str
    source: str
    text: str
    severity: Severity = Severity.INFO
    numbers: dict[str, float] = field(default_factory=dict)
