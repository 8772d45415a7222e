"""Heat from the racks to the outside air: secondary loops, CDUs, facility loop, plant, room air."""

from mallee.twin.parts.cooling.cooling import Cooling

__all__ = ["Cooling"]
