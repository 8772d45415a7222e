"""The power tree as a part of the twin."""

from typing import Final

from mallee.twin.part import PartKind
from mallee.twin.parts.power.branches import Branches

PART: Final = PartKind(order=1, build=lambda b: Branches(b.site, b.clock))
