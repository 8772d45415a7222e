"""Batteries as a part of the twin."""

from typing import Final

from mallee.twin.part import PartKind
from mallee.twin.parts.battery.batteries import Batteries

PART: Final = PartKind(
    order=2,
    build=lambda b: Batteries(b.site, b.seed, b.settings.soc_start, b.clock),
)
