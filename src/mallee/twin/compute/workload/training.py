"""Synchronous training: every accelerator of the gang computes, then waits for the slowest one.

An iteration computes for a share of its time and communicates in the rest (activity near idle);
pipeline bubbles dent the compute phase, checkpoints stall the whole gang. Swings of such jobs lie
in 0.2-3 Hz and cover about 90 % of the dynamic range (arXiv 2508.14318, arXiv 2509.16513).
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from mallee.core.site import FloatArray
from mallee.core.site_file import Load
from mallee.twin.compute.layout import Float32Array
from mallee.twin.compute.noise import normal
from mallee.twin.kernel import kernel

SAMPLE_MS: Final = 20
"""Activity is sampled at least this often and averaged over longer steps."""

POSITION, LENGTH, ITERATION, STALL, RAMP = range(5)
"""Entries of the state: seconds into the iteration at full pace, its length, its number, seconds
of checkpoint left, seconds since the (re)start."""


@dataclass(slots=True)
class Training:
    """One gang.

    Attributes:
        seed: key of the iteration jitter.
    """

    load: Load
    seed: int
    dt_ms: int
    units: int = 1
    stretches: bool = True
    state: FloatArray = field(default_factory=lambda: np.zeros(5))
    _numbers: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        load = self.load
        self.state[LENGTH] = load.iteration_s
        self._numbers = np.array(
            [
                load.iteration_s,
                load.iteration_jitter_frac,
                load.compute_frac,
                load.compute_level,
                load.comm_level,
                float(load.bubbles),
                load.bubble_s,
                load.bubble_depth_frac,
                float(load.checkpoint_iterations),
                load.checkpoint_s,
                load.checkpoint_level,
                load.start_ramp_s,
            ]
        )

    def fill(
        self, wave: Float32Array, column: int, row: int, steps: int, start_ms: int, pace: FloatArray
    ) -> None:
        """See `Workload.fill`."""
        samples = max(1, self.dt_ms // SAMPLE_MS)
        slowest = float(pace[0])
        fill_training(
            wave,
            column,
            row,
            steps,
            start_ms,
            self.dt_ms,
            samples,
            slowest,
            self.seed,
            self._numbers,
            self.state,
        )


@kernel
def activity_at(position_s: float, length_s: float, numbers: FloatArray) -> float:
    """Activity at a place inside an iteration."""
    compute_s = numbers[2] * length_s
    if position_s >= compute_s:
        return float(numbers[4])
    level = numbers[3]
    bubbles = numbers[5]
    if bubbles > 0.0:
        period_s = compute_s / (bubbles + 1.0)
        number = np.floor(position_s / period_s + 0.5)
        if 1.0 <= number <= bubbles and abs(position_s - number * period_s) < 0.5 * numbers[6]:
            return float(level * (1.0 - numbers[7]))
    return float(level)


@kernel
def fill_training(
    wave: Float32Array,
    column: int,
    row: int,
    steps: int,
    start_ms: int,
    dt_ms: int,
    samples: int,
    pace: float,
    seed: int,
    numbers: FloatArray,
    state: FloatArray,
) -> None:
    """Advance the gang's state and write its activity.

    A pace below 1 stretches the compute phase so that the whole iteration takes 1 / pace as long:
    communication does not get slower by a power cap.
    """
    dt_s = dt_ms / 1000.0 / samples
    compute_frac = numbers[2]
    stretch = (1.0 / max(pace, 0.01) - (1.0 - compute_frac)) / max(compute_frac, 1e-6)
    compute_speed = 1.0 / max(stretch, 1e-6)
    for k in range(steps):
        if start_ms + k * dt_ms < 0:
            wave[row + k, column] = np.float32(0.0)
            continue
        if start_ms + k * dt_ms < dt_ms:  # a new start, or a restart after an abort
            state[0], state[3], state[4] = 0.0, 0.0, 0.0
        total = 0.0
        for _ in range(samples):
            length_s = state[1]
            ramp = 1.0 if state[4] >= numbers[11] else state[4] / numbers[11]
            state[4] += dt_s
            if state[3] > 0.0:
                state[3] -= dt_s
                total += numbers[10] * ramp
                continue
            total += activity_at(state[0], length_s, numbers) * ramp
            state[0] += dt_s * (compute_speed if state[0] < compute_frac * length_s else 1.0)
            if state[0] >= length_s:
                state[0] -= length_s
                state[2] += 1.0
                jitter = normal(seed, 17, int(state[2]))
                state[1] = numbers[0] * max(0.2, 1.0 + numbers[1] * jitter)
                if numbers[8] > 0.0 and int(state[2]) % int(numbers[8]) == 0:
                    state[3] = numbers[9]
        wave[row + k, column] = np.float32(total / samples)
