"""Synchronous training: every accelerator of the gang computes, then waits for the slowest one.

An iteration computes for a share of its time and communicates in the rest (activity near idle);
pipeline bubbles dent the compute phase, checkpoints stall the whole gang. Swings of such jobs lie
in 0.2-3 Hz and cover about 90 % of the dynamic range (arXiv 2508.14318, arXiv 2509.16513).
"""

import math
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.site.simulated import Load
from mallee.twin.kernel import kernel
from mallee.twin.parts.compute.layout import Float32Array
from mallee.twin.parts.compute.noise import normal

SAMPLE_MS: Final = 20
"""Activity is sampled at least this often and averaged over longer steps."""

SAMPLES_MAX: Final = 240
"""Even a step of minutes takes no more samples than this."""

WANDER_S: Final = 0.5
"""The slow wander of the activity moves this often."""

POSITION, LENGTH, ITERATION, STALL, WANDER, ENTRIES = range(6)
"""Entries of the state: seconds into the iteration at full pace, its length, its number, seconds
of checkpoint left, the wander."""

JITTER_KEY, WANDER_KEY, STALL_KEY = 17, 18, 19
"""Entities under which the random numbers of a gang are drawn."""


class Numbers(NamedTuple):
    """What the kernel needs of a load, in its units."""

    iteration_s: float
    jitter: float
    compute_frac: float
    compute: float
    comm: float
    bubbles: float
    bubble_s: float
    bubble_depth: float
    checkpoint_every: float
    checkpoint_s: float
    checkpoint: float
    checkpoint_jitter: float
    setup_s: float
    setup: float
    ramp_s: float
    wander: float
    wander_keep: float
    wander_add: float


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
    state: FloatArray = field(default_factory=lambda: np.zeros(ENTRIES))
    _numbers: Numbers = field(init=False)

    def __post_init__(self) -> None:
        load = self.load
        self.state[LENGTH] = load.iteration_s
        keep = math.exp(-WANDER_S / load.wander_s)
        self._numbers = Numbers(
            iteration_s=load.iteration_s,
            jitter=load.iteration_jitter_frac,
            compute_frac=load.compute_frac,
            compute=load.compute_level,
            comm=load.comm_level,
            bubbles=float(load.bubbles),
            bubble_s=load.bubble_s,
            bubble_depth=load.bubble_depth_frac,
            checkpoint_every=float(load.checkpoint_iterations),
            checkpoint_s=load.checkpoint_s,
            checkpoint=load.checkpoint_level,
            checkpoint_jitter=load.checkpoint_jitter_frac,
            setup_s=load.setup_s,
            setup=load.setup_level,
            ramp_s=load.start_ramp_s,
            wander=load.wander_frac,
            wander_keep=keep,
            wander_add=math.sqrt(1.0 - keep * keep),
        )

    def fill(
        self, wave: Float32Array, column: int, row: int, steps: int, start_ms: int, pace: FloatArray
    ) -> None:
        """See `Workload.fill`."""
        samples = min(max(1, self.dt_ms // SAMPLE_MS), SAMPLES_MAX)
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
def level_at(position_s: float, length_s: float, numbers: Numbers) -> float:
    """Activity at a place inside an iteration."""
    compute_s = numbers.compute_frac * length_s
    if position_s >= compute_s:
        return numbers.comm
    if numbers.bubbles > 0.0:
        period_s = compute_s / (numbers.bubbles + 1.0)
        number = np.floor(position_s / period_s + 0.5)
        off_s = abs(position_s - number * period_s)
        if 1.0 <= number <= numbers.bubbles and off_s < 0.5 * numbers.bubble_s:
            return numbers.compute * (1.0 - numbers.bubble_depth)
    return numbers.compute


@kernel
def begin_iteration(seed: int, numbers: Numbers, state: FloatArray) -> None:
    """The next iteration: its length, and whether a checkpoint comes before it."""
    state[POSITION] -= state[LENGTH]
    state[ITERATION] += 1.0
    number = int(state[ITERATION])
    stretch = 1.0 + numbers.jitter * normal(seed, JITTER_KEY, number)
    state[LENGTH] = numbers.iteration_s * max(0.2, stretch)
    if numbers.checkpoint_every > 0.0 and number % int(numbers.checkpoint_every) == 0:
        stretch = 1.0 + numbers.checkpoint_jitter * normal(seed, STALL_KEY, number)
        state[STALL] = numbers.checkpoint_s * max(0.2, stretch)


@kernel
def advance_gang(
    seed: int,
    age_s: float,
    dt_s: float,
    compute_speed: float,
    numbers: Numbers,
    state: FloatArray,
) -> float:
    """Advance a gang by one sample and return its activity in it.

    Args:
        age_s: time since the (re)start.
    """
    if numbers.wander > 0.0 and int((age_s + dt_s) / WANDER_S) != int(age_s / WANDER_S):
        drawn = normal(seed, WANDER_KEY, int((age_s + dt_s) / WANDER_S))
        state[WANDER] = numbers.wander_keep * state[WANDER] + numbers.wander_add * drawn
    if age_s < numbers.setup_s:
        return numbers.setup
    running_s = age_s - numbers.setup_s
    ramp = 1.0 if running_s >= numbers.ramp_s else running_s / numbers.ramp_s
    if state[STALL] > 0.0:
        state[STALL] -= dt_s
        return numbers.checkpoint * ramp
    level = level_at(state[POSITION], state[LENGTH], numbers)
    computes = state[POSITION] < numbers.compute_frac * state[LENGTH]
    state[POSITION] += dt_s * (compute_speed if computes else 1.0)
    if state[POSITION] >= state[LENGTH]:
        begin_iteration(seed, numbers, state)
    return float(max(0.0, level * ramp * (1.0 + numbers.wander * state[WANDER])))


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
    numbers: Numbers,
    state: FloatArray,
) -> None:
    """Advance the gang's state and write its activity.

    A pace below 1 stretches the compute phase so that the whole iteration takes 1 / pace as long:
    communication does not get slower by a power cap.
    """
    dt_s = dt_ms / 1000.0 / samples
    rest = 1.0 - numbers.compute_frac
    stretch = (1.0 / max(pace, 0.01) - rest) / max(numbers.compute_frac, 1e-6)
    compute_speed = 1.0 / max(stretch, 1e-6)
    for k in range(steps):
        now_ms = start_ms + k * dt_ms
        total = 0.0
        if now_ms >= 0:
            if now_ms < dt_ms:  # a new start, or a restart after an abort
                state[POSITION], state[STALL] = 0.0, 0.0
            for sample in range(samples):
                age_s = now_ms / 1000.0 + sample * dt_s
                total += advance_gang(seed, age_s, dt_s, compute_speed, numbers, state)
        wave[row + k, column] = np.float32(total / samples)
