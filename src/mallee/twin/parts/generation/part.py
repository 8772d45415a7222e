"""Engine generators as a part of the twin."""

from typing import Final

from mallee.twin.part import PartKind
from mallee.twin.parts.generation.gensets import Gensets

PART: Final = PartKind(order=7, build=lambda b: Gensets(b.site))
