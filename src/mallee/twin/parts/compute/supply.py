"""Racks that lose their supply: hold-up first, then dark; their gangs stop and restart later."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.twin.parts.compute.kernels import RackConstants
from mallee.twin.parts.compute.placement import NEVER_MS, Placed
from mallee.twin.parts.compute.shelves import Shelves
from mallee.twin.parts.compute.smoothing import Smoother

VOLTAGE_MIN_PU: Final = 0.5
"""Below this a power supply draws nothing and lives on its hold-up."""

ALWAYS: Final = 1 << 40


class Supply:
    """Which racks have supply.

    Attributes:
        live: racks whose supplies draw from the grid.  # (racks,)
        dark: racks whose hold-up has run out.  # (racks,)
    """

    def __init__(self, racks: int, jobs: list[Placed]) -> None:
        self.live, self.dark = np.ones(racks, np.bool_), np.zeros(racks, np.bool_)
        self._jobs = jobs
        self._waiting = np.zeros(len(jobs), np.bool_)
        self._watching = np.zeros(1, np.bool_)

    def watch(
        self,
        now_ms: int,
        steps: int,
        dt_s: float,
        voltage_pu: float | FloatArray,
        it_w: FloatArray,
        shelves: Shelves,
        racks: RackConstants,
        smoother: Smoother,
    ) -> None:
        """Before a chunk: how long each rack lives, which jobs stop or start.

        Args:
            voltage_pu: of all racks or of each.
            it_w: DC power of each rack at the end of the last block.  # (racks,)
        """
        if not self._watching and np.min(voltage_pu, initial=1.0) >= VOLTAGE_MIN_PU:
            return
        self.live[:] = np.asarray(voltage_pu) >= VOLTAGE_MIN_PU
        left = np.floor(shelves.hold_j / np.maximum(it_w * dt_s, 1e-9)).astype(np.int64)
        racks.live[:] = np.where(self.live, ALWAYS, np.where(self.dark, 0, left))
        lost = ~self.live & ~self.dark & (left < steps)
        self.dark &= ~self.live
        self.dark |= lost
        smoother.command_w[lost] = 0.0
        self._watching[0] = not self.live.all()
        for number, job in enumerate(self._jobs):
            if not job.workload.stretches:
                continue
            if self._waiting[number] and not self.dark[job.racks].any():
                job.running_from_ms = now_ms + round(job.load.restart_s * 1000)
                self._waiting[number] = False
            if lost[job.racks].any():
                job.running_from_ms = NEVER_MS
                self._waiting[number] = True

    def is_waiting(self, job: int) -> bool:
        """Whether a gang stands still because a rack of it is dark."""
        return bool(self._waiting[job])

    def dark_frac(self, job: int) -> float:
        """Share of a job's racks that are dark."""
        if not self._watching[0]:
            return 0.0
        return float(self.dark[self._jobs[job].racks].mean())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that changes, for save and restore."""
        return {
            "live": self.live,
            "dark": self.dark,
            "waiting": self._waiting,
            "watching": self._watching,
        }
