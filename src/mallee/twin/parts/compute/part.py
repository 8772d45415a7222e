"""Racks and the network outside them as parts of the twin."""

from typing import Final

from mallee.twin.local_time import DAY_S
from mallee.twin.part import PartKind
from mallee.twin.parts.compute.compute import Compute

PART: Final = PartKind(
    order=4,
    build=lambda b: Compute(
        b.site, b.seed, b.clock.step_ms, mode=b.mode, day_s=b.local.local_s(0) % DAY_S
    ),
)
