"""Constant activity, and a long HPL-like run: the two loads without an iteration."""

from dataclasses import dataclass, field

import numpy as np

from mallee.core.site import FloatArray
from mallee.twin.compute.layout import Float32Array


@dataclass(slots=True)
class Constant:
    """The same activity always; 0 is idle."""

    level: float
    dt_ms: int
    units: int = 1
    stretches: bool = False
    state: FloatArray = field(default_factory=lambda: np.zeros(1))

    def fill(
        self, wave: Float32Array, column: int, row: int, steps: int, start_ms: int, pace: FloatArray
    ) -> None:
        """See `Workload.fill`."""
        del pace
        before = min(max(-(start_ms // self.dt_ms), 0), steps)
        wave[row : row + before, column] = 0.0
        wave[row + before : row + steps, column] = self.level
