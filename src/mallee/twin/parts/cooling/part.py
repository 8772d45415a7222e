"""Cooling as a part of the twin."""

from typing import Final

from mallee.twin.part import PartKind
from mallee.twin.parts.cooling.cooling import Cooling

PART: Final = PartKind(order=5, build=lambda b: Cooling(b.site, b.settings.ambient_degc))
