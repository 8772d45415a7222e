"""The last word on every command: it is clipped to what its device may be asked. Only narrows."""

from dataclasses import replace

import numpy as np

from mallee.control.limits import Limits
from mallee.core.arrays import IntArray
from mallee.core.command import Command
from mallee.core.event import Event
from mallee.core.event_kinds import new_event


def leave_out(commands: list[Command], rows: IntArray) -> list[Command]:
    """Commands without what they would write to some rows: those of devices under maintenance."""
    if not rows.size:
        return commands
    left = []
    for command in commands:
        kept = ~np.isin(command.rows, rows)
        if kept.any():
            left.append(replace(command, rows=command.rows[kept], values=command.values[kept]))
    return left


def guard(
    commands: list[Command], limits: Limits, time_s: float
) -> tuple[list[Command], list[Event]]:
    """Clip values to their range, drop what cannot be written at all, and say so.

    A value that is not a number and a row that takes no commands are programming errors of a
    concern; they never reach a device.
    """
    passed: list[Command] = []
    events: list[Event] = []
    for command in commands:
        low, high = limits.write_min[command.rows], limits.write_max[command.rows]
        # Comparisons with NaN are false: this also finds NaN values and rows without a range.
        inside = (command.values >= low) & (command.values <= high)
        if inside.all():
            passed.append(command)
            continue
        writable = ~np.isnan(low) & ~np.isnan(command.values)
        events.append(
            new_event(
                "command-clipped",
                time_s,
                "guard",
                count=int((~inside).sum()),
                why=command.reason,
            )
        )
        if writable.any():
            passed.append(
                replace(
                    command,
                    rows=command.rows[writable],
                    values=np.clip(command.values, low, high)[writable],
                )
            )
    return passed, events
