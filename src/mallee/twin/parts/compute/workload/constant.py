"""Constant activity: independent work that no other node waits for."""

from dataclasses import dataclass, field

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.twin.parts.compute.layout import Float32Array


@dataclass(slots=True)
class Constant:
    """The same activity always; 0 is idle. One unit a rack, so a cap slows only its own rack."""

    level: float
    dt_ms: int
    units: int
    stretches: bool = False
    state: FloatArray = field(default_factory=lambda: np.zeros(1))

    def fill(
        self, wave: Float32Array, column: int, row: int, steps: int, start_ms: int, pace: FloatArray
    ) -> None:
        """See `Workload.fill`."""
        del pace
        before = min(max(-(start_ms // self.dt_ms), 0), steps)
        mine = slice(column, column + self.units)
        wave[row : row + before, mine] = 0.0
        wave[row + before : row + steps, mine] = self.level
