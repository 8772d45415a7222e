"""All kinds of fault by name."""

from dataclasses import replace
from typing import Final

from mallee.twin.faults.families import (
    battery,
    charging,
    communications,
    compute,
    cooling,
    devices,
    generation,
    grid,
    power,
    sensors,
)
from mallee.twin.faults.kind import FaultKind

_FAMILIES: Final = (
    compute, power, grid, battery, cooling, charging, generation, sensors, communications, devices,
)  # fmt: skip

KINDS: Final[dict[str, FaultKind]] = {
    kind.name: replace(kind, family=family.__name__.rpartition(".")[2])
    for family in _FAMILIES
    for kind in family.KINDS
}
"""Every kind of fault that a plan may name."""


def describe_kinds() -> str:
    """All kinds as a Markdown table: name, targets, parameters with their range, meaning."""
    lines = ["| kind | targets | parameters | what happens |", "|---|---|---|---|"]
    for kind in KINDS.values():
        parameters = ", ".join(
            f"`{p.name}` {p.default:g} ({p.low:g}..{p.high:g})" for p in kind.parameters
        )
        lines.append(f"| `{kind.name}` | {', '.join(kind.targets)} | {parameters} | {kind.text} |")
    return "\n".join(lines) + "\n"
