"""Replays a measured trace as activity: exact means of the piecewise-linear trace in every step."""

from dataclasses import dataclass, field

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.twin.kernel import kernel
from mallee.twin.parts.compute.layout import Float32Array


@dataclass(slots=True)
class Replay:
    """Columns of a trace as activity; after its end the last value holds.

    Attributes:
        time_s: of the samples, from 0.  # (samples,)
        activity: by sample and unit.  # (samples, units)
    """

    time_s: FloatArray
    activity: FloatArray
    dt_ms: int
    stretches: bool = False
    state: FloatArray = field(default_factory=lambda: np.zeros(1))
    units: int = field(init=False)

    def __post_init__(self) -> None:
        self.units = self.activity.shape[1]
        self.activity = np.ascontiguousarray(self.activity)

    def fill(
        self, wave: Float32Array, column: int, row: int, steps: int, start_ms: int, pace: FloatArray
    ) -> None:
        """See `Workload.fill`."""
        del pace
        fill_replay(
            wave, column, row, steps, start_ms, self.dt_ms, self.time_s, self.activity, self.state
        )


@kernel
def fill_replay(
    wave: Float32Array,
    column: int,
    row: int,
    steps: int,
    start_ms: int,
    dt_ms: int,
    time_s: FloatArray,
    activity: FloatArray,
    state: FloatArray,
) -> None:
    """Mean of the trace over each step; `state[0]` remembers the sample before the step."""
    last = time_s.shape[0] - 1
    units = activity.shape[1]
    at = int(state[0])
    for k in range(steps):
        if start_ms + k * dt_ms < 0:
            for unit in range(units):
                wave[row + k, column + unit] = np.float32(0.0)
            continue
        from_s = (start_ms + k * dt_ms) / 1000.0
        until_s = (start_ms + (k + 1) * dt_ms) / 1000.0
        while at > 0 and time_s[at] > from_s:
            at -= 1
        while at < last - 1 and time_s[at + 1] <= from_s:
            at += 1
        for unit in range(units):
            total, here, now_s = 0.0, at, from_s
            while now_s < until_s:
                if now_s >= time_s[last]:
                    total += activity[last, unit] * (until_s - now_s)
                    break
                end_s = min(until_s, time_s[here + 1])
                slope = (activity[here + 1, unit] - activity[here, unit]) / (
                    time_s[here + 1] - time_s[here]
                )
                middle_s = 0.5 * (now_s + end_s) - time_s[here]
                total += (activity[here, unit] + slope * middle_s) * (end_s - now_s)
                now_s = end_s
                if here < last - 1:
                    here += 1
            wave[row + k, column + unit] = np.float32(total / (until_s - from_s))
    state[0] = at
