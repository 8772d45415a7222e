"""Finds values that stood and were changed by somebody else, by what control does about it.

Control writes the cap of a node only where the device reads something else. So a write of the very
value that a reading had already proved says that the device was changed in between: by another
system, a person at the machine, or a restart that forgot it. Values with a lease are renewed all
the time and say nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from mallee.core.audit import Outcome, Write
from mallee.core.event import Event
from mallee.core.event_kinds import new_event
from mallee.core.snapshot import Progress


@dataclass(slots=True)
class _Standing:
    value: float
    number: int
    is_proved: bool = False


class OtherHands:
    """Remembers the last write to each point, and whether a reading proved it."""

    def __init__(self) -> None:
        self._standing: dict[str, _Standing] = {}

    def look(self, writes: Iterable[Write], outcomes: Iterable[Outcome]) -> list[Event]:
        """What is new since the last call; one event however many points were changed at once."""
        told: list[Write | Outcome] = [*writes, *outcomes]
        told.sort(key=lambda one: (one.time_s, isinstance(one, Outcome), one.number))
        changed = []
        for one in told:
            before = self._standing.get(one.path)
            if isinstance(one, Outcome):
                if before is not None and one.number >= before.number:
                    before.is_proved = one.progress == Progress.DONE
                continue
            stood = before is not None and before.is_proved and before.value == one.value
            if stood and one.lease_s == 0.0:
                changed.append(one)
            self._standing[one.path] = _Standing(one.value, one.number)
        return [_event(changed)] if changed else []


def _event(changed: list[Write]) -> Event:
    first = changed[0]
    device, _, point = first.path.rpartition("/")
    others = f", as were {len(changed) - 1} others" if len(changed) > 1 else ""
    return new_event(
        "command-lost",
        first.time_s,
        device,
        {"count": float(len(changed))},
        point=point,
        value=first.value,
        why=(f"stood and was changed by another hand or a restart{others}; control puts it back"),
    )
