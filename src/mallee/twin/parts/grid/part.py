"""The utility's grid as a part of the twin."""

from typing import Final

from mallee.twin.part import PartKind
from mallee.twin.parts.grid.feeds import Feeds

PART: Final = PartKind(order=0, build=lambda b: Feeds(b.site, b.clock))
