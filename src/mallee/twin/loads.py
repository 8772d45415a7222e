"""What the parts hang on the power tree, together: loads that are constant within a block."""

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray
from mallee.twin.cords import CORD, make_cords
from mallee.twin.part import Load


class Loads:
    """The loads of all parts, one after another.

    Attributes:
        cords: where each hangs.  # (loads,)
        power_w: what each asks for in the block to come; negative gives.  # (loads,)
        sources: 1 where it is a source.  # (loads,)
    """

    def __init__(self, loads: list[Load]) -> None:
        self._loads = loads
        cords = [make_cords(load.branch, load.standby, load.curve) for load in loads]
        self.cords: NDArray[np.void] = np.concatenate([np.zeros(0, CORD), *cords])
        self.power_w: FloatArray = np.zeros(len(self.cords))
        self.sources: IntArray = np.concatenate(
            [np.zeros(0, np.int64), *[np.full(len(ld.branch), int(ld.is_source)) for ld in loads]]
        )
        self._has_sources = bool(self.sources.any())
        ends = np.cumsum([len(load.branch) for load in loads], dtype=np.int64).tolist()
        self._places = [slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True)]

    def take_sources(self) -> None:
        """Read from the parts what their sources give; the rest changes on seconds only."""
        if self._has_sources:
            self.take()

    def take(self) -> None:
        """Read from the parts what they ask for."""
        for load, place in zip(self._loads, self._places, strict=True):
            self.power_w[place] = load.power_w

    def tell(self, branch_state: NDArray[np.void]) -> bool:
        """Tell the parts which of their loads have supply; returns whether all do."""
        alive = branch_state["alive"][self.cords["at"]] == 1
        powered = alive & (self.cords["tripped"] == 0)
        for load, place in zip(self._loads, self._places, strict=True):
            load.powered[:] = powered[place]
        return bool(powered.all())
