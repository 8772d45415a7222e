"""Charging stations as a part of the twin."""

from typing import Final

from mallee.twin.part import PartKind
from mallee.twin.parts.charging.stations import Stations

PART: Final = PartKind(order=3, build=lambda b: Stations(b.site, b.seed, b.local))
