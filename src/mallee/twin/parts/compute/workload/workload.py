"""What every workload offers to the racks that run it."""

from typing import Protocol

from mallee.core.arrays import FloatArray
from mallee.twin.parts.compute.layout import Float32Array


class Workload(Protocol):
    """Activity over time, one column for each group of accelerators in lockstep.

    Activity 0 is idle and 1 is nameplate power; a replayed trace may leave that range.

    Attributes:
        units: how many columns.
        stretches: whether caps slow its waveform down (a gang in lockstep) or not (a replay).
        state: everything that changes, for save and restore.
    """

    units: int
    stretches: bool
    state: FloatArray

    def fill(
        self, wave: Float32Array, column: int, row: int, steps: int, start_ms: int, pace: FloatArray
    ) -> None:
        """Write the mean activity of each sub-step.

        Args:
            wave: rows are sub-steps; written from `row` on, from `column` on.
            steps: sub-steps to write.
            start_ms: time since the job's start at the first of them; negative before it.
            pace: speed of each unit relative to uncapped, 0..1.  # (units,)
        """
        ...
