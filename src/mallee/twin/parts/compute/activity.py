"""Activity of all units of a site over the coming sub-steps, and where caps do not bind yet."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mallee.twin.parts.compute.kernels import mark_starts, roll_rows
from mallee.twin.parts.compute.placement import Placed

OFFSET_MAX_MS: Final = 30
"""Racks of a gang follow its start by up to this long."""

OVERSHOOT_MS: Final = 80
"""For this long after a kernel start a cap does not bind (measured on V100: 66-84 ms)."""

OVERSHOOT: Final = np.float32(1.6)
"""Power over the cap in that time: 240 W seen under a 150 W cap."""


class Activity:
    """Rows are sub-steps, columns units; column 0 is idle.

    Attributes:
        lead: rows of the past that stand before the present block.
        wave: activity.  # (lead + chunk, units)
        boost: factor on caps, above 1 while a kernel has just started.  # (lead + chunk, units)
        still: rows in which no unit changed.  # (lead + chunk,)
        mean: activity over the last block.  # (units,)
    """

    def __init__(self, jobs: list[Placed], dt_ms: int, chunk: int) -> None:
        columns = 1 + sum(job.workload.units for job in jobs)
        self._jobs, self._dt_ms = jobs, dt_ms
        self.lead = 3 + OFFSET_MAX_MS // dt_ms
        self.wave = np.zeros((self.lead + chunk, columns), np.float32)
        self.boost = np.ones_like(self.wave)
        self.still = np.zeros(self.lead + chunk, np.bool_)
        self.mean = np.zeros(columns, np.float32)
        self._resting = np.ones(columns, np.bool_)
        self._left = np.zeros(columns, np.int64)
        self._hold = max(1, OVERSHOOT_MS // dt_ms) if dt_ms <= OVERSHOOT_MS else 0

    def fill(self, now_ms: int, steps: int) -> None:
        """Write the next sub-steps of every job."""
        lead = self.lead
        for job in self._jobs:
            since_ms = now_ms - job.running_from_ms
            job.workload.fill(self.wave, job.column, lead, steps, since_ms, job.pace)
            if now_ms + steps * self._dt_ms > job.stop_ms:
                self._stop(job, now_ms, steps)
        mark_starts(
            self.wave,
            self.boost,
            self.still,
            lead,
            steps,
            self._resting,
            self._left,
            self._hold,
            OVERSHOOT,
        )

    def roll(self, steps: int) -> None:
        """What was written becomes the past."""
        roll_rows(self.wave, self.boost, self.still, self.lead, steps, self.mean)

    def _stop(self, job: Placed, now_ms: int, steps: int) -> None:
        """Take a job's activity away after its end, at once or over its ramp."""
        after_s = (now_ms - job.stop_ms + self._dt_ms * np.arange(steps)) / 1000.0
        ramp_s = job.load.stop_ramp_s
        left = 1.0 - after_s / ramp_s if ramp_s > 0.0 else np.zeros(steps)
        factor = np.where(after_s < 0.0, 1.0, np.clip(left, 0.0, 1.0)).astype(np.float32)
        rows = slice(self.lead, self.lead + steps)
        self.wave[rows, job.column : job.column + job.workload.units] *= factor[:, None]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that changes, for save and restore."""
        return {
            "wave": self.wave[: self.lead],
            "boost": self.boost[: self.lead],
            "still": self.still[: self.lead],
            "resting": self._resting,
            "boost_left": self._left,
            "activity": self.mean,
        }
