"""Every kind of alarm that ships with Mallee: one row each, a file a theme.

`docs/alarms.md` is made from them. A new kind of alarm is a new row.
"""

from collections.abc import Iterable
from typing import Final

from mallee.alarms.kind import AlarmKind
from mallee.alarms.rows import compute, cooling, power, running

_ROWS: Final = tuple(
    sorted(
        (*power.ROWS, *cooling.ROWS, *compute.ROWS, *running.ROWS), key=lambda kind: kind.priority
    )
)

ALARMS: Final = {kind.name: kind for kind in _ROWS}
"""All kinds by name; priority first, then in the order in which they are listed."""


def describe_alarms(kinds: Iterable[AlarmKind] = _ROWS) -> str:
    """All kinds as a Markdown table."""
    lines = [
        "| alarm | priority | if nobody responds | what to do | within | explained by |",
        "|---|---|---|---|---|---|",
    ]
    for kind in kinds:
        causes = ", ".join(f"`{name}`" for name in kind.caused_by)
        lines.append(
            f"| `{kind.name}` | {kind.priority} | {kind.consequence} | {kind.response} "
            f"| {_duration(kind.respond_within_s)} | {causes} |"
        )
    return "\n".join(lines) + "\n"


def _duration(time_s: float) -> str:
    return f"{time_s / 3600:.0f} h" if time_s >= 3600.0 else f"{time_s / 60:.0f} min"
