"""One thing found about a site, and the words that findings share."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from mallee.site.model import DeviceGroup
from mallee.site.problems import Problem
from mallee.site.rules import RULES

Level = Literal["error", "warning", "note"]

RATINGS_A = (
    16, 20, 25, 32, 40, 50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630, 800,
    1000, 1250, 1600, 2000, 2500, 3200, 4000, 5000, 6300,
)  # fmt: skip
"""Usual ratings of breakers and switchgear (IEC 60059, preferred numbers)."""

RATINGS_VA = (75e3, 112.5e3, 150e3, 225e3, 300e3, 500e3, 750e3, 1e6, 1.5e6, 2e6, 2.5e6, 3e6, 3.75e6)
"""Usual ratings of pad-mounted transformers (hardware reference; IEEE C57.12.34)."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing found: how bad, where in the site, what, and what would be right.

    Attributes:
        rule: a short name that stays the same, of `mallee.site.rules.RULES`.
        where: place or devices that it is about, as people call them.
        key: place in the file where it is written or would be mended.
        suggest: a line that would mend it; empty where none can be known.
        file: the file that `line` is of; empty for the site file.
        line: counted from 1; 0 where it is not known.
    """

    level: Level
    rule: str
    where: str
    text: str
    hint: str = ""
    suggest: str = ""
    key: str = ""
    file: str = ""
    line: int = 0

    def __post_init__(self) -> None:
        """See that the rule is a known one."""
        if self.rule not in RULES:
            raise ValueError(f"no rule {self.rule!r}")


def finding_of(problem: Problem) -> Finding:
    """A mistake that keeps a site from being built, as a finding."""
    return Finding(
        level="error",
        rule=problem.rule,
        where=problem.where,
        text=problem.what,
        hint=problem.hint,
        suggest=problem.suggest,
        key=problem.where,
        file=problem.file,
        line=problem.line,
    )


def watts(power_w: float) -> str:
    """A power as people read it, three digits."""
    for size, unit in ((1e6, "MW"), (1e3, "kW")):
        if abs(power_w) >= size:
            return f"{power_w / size:.3g} {unit}" if power_w < 1e9 else f"{power_w / 1e6:.0f} MW"
    return f"{power_w:.0f} W"


def several(group: DeviceGroup, positions: Iterable[int]) -> str:
    """Devices of a group by name: the first, and how many more."""
    return names_of([group.names[position] for position in positions])


def names_of(names: list[str]) -> str:
    """Names in a few words: the first, and how many more."""
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
