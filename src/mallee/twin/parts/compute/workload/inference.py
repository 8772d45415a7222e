"""LLM inference: replicas that prefill in bursts, decode in batches and idle in between.

Arrivals come from a file, or from a Markov-modulated Poisson process with a daily wave. A replica's
power is 0.9-1.0 of its maximum in prefill, 0.4-0.65 in decode and 0.1-0.2 idle. The size of the
requests is that of the conversation trace published with Splitwise (ISCA 2024).
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.site.simulated import Load
from mallee.twin.kernel import kernel
from mallee.twin.parts.compute.layout import Float32Array
from mallee.twin.parts.compute.noise import normal, uniform

PREFILL, DECODE, IDLE = 0.94, 0.6, 0.03
"""Activities: in prefill, in decode with a full batch, without requests."""

BATCH_HALF: Final = 4.0
"""Decoding requests at which decode is half way from idle to its most."""

CONTEXT_TOKENS, GENERATED_TOKENS = 1155.0, 211.0
"""Mean request of the conversation trace."""

PREFILL_TOKENS_PER_S, TOKEN_S = 8000.0, 0.03
"""Speed of one replica: prompt tokens a second, and time between the tokens of an answer."""

UPDATE_MS: Final = 100
"""Replicas change state this often."""

BURST, CALM_S, BURST_S = 1.8, 60.0, 20.0
"""Arrivals in a burst relative to calm, and mean length of both."""

DAY_S: Final = 86_400.0
HEAD: Final = 2
"""The state starts with: in a burst or not, next request of the file. Then for all replicas:
prefill time queued, requests decoding, their mean decode time, activity shown."""


@dataclass(slots=True)
class Inference:
    """All replicas of one service.

    Attributes:
        request_s, prefill_s, decode_s: arrival, prefill time and decode time of each request of a
            file; empty where arrivals are generated.  # (requests,)
    """

    load: Load
    seed: int
    dt_ms: int
    units: int
    request_s: FloatArray
    prefill_s: FloatArray
    decode_s: FloatArray
    stretches: bool = False
    state: FloatArray = field(init=False)
    _numbers: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.state = np.zeros(HEAD + 4 * self.units)
        rate = 0.0 if len(self.request_s) else arrival_rate(self.load.level)
        burst_share = BURST_S / (CALM_S + BURST_S)
        calm = rate / (1.0 - burst_share + BURST * burst_share)
        self._numbers = np.array([calm, self.load.diurnal_frac, 0.0])

    def begin_day_at(self, day_s: float) -> None:
        """Say which second of the local day the run starts at; the daily wave follows."""
        self._numbers[2] = day_s

    def fill(
        self, wave: Float32Array, column: int, row: int, steps: int, start_ms: int, pace: FloatArray
    ) -> None:
        """See `Workload.fill`."""
        del pace
        every = max(1, UPDATE_MS // self.dt_ms)
        fill_inference(
            wave, column, row, steps, start_ms, self.dt_ms, every, self.units, self.seed,
            self._numbers, self.request_s, self.prefill_s, self.decode_s, self.state,
        )  # fmt: skip


def mean_activity(rate_per_s: float) -> float:
    """Mean activity of a replica at an arrival rate."""
    busy = min(rate_per_s * CONTEXT_TOKENS / PREFILL_TOKENS_PER_S, 1.0)
    batch = rate_per_s * GENERATED_TOKENS * TOKEN_S
    decode = IDLE + (DECODE - IDLE) * batch / (batch + BATCH_HALF)
    return busy * PREFILL + (1.0 - busy) * decode


def arrival_rate(level: float) -> float:
    """Arrivals per second and replica that give a mean activity; the most where it is too high."""
    low, high = 0.0, PREFILL_TOKENS_PER_S / CONTEXT_TOKENS
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if mean_activity(middle) < level else (low, middle)
    return 0.5 * (low + high)


@kernel
def arrivals(seed: int, unit: int, tick: int, expected: float) -> float:
    """How many requests come to a replica, by a normal above one and a coin below."""
    if expected > 1.0:
        drawn = expected + np.sqrt(expected) * normal(seed, unit, tick)
        return float(max(0.0, np.floor(drawn + 0.5)))
    return 1.0 if uniform(seed, unit, tick) < expected else 0.0


@kernel
def expected_arrivals(
    seed: int, time_s: float, step_s: float, tick: int, numbers: FloatArray, state: FloatArray
) -> float:
    """Expected requests a replica in the next step: daily wave and bursts of the whole service."""
    if numbers[0] <= 0.0:
        return 0.0
    chance = uniform(seed, 1 << 30, tick)
    if state[0] > 0.5:
        state[0] = 0.0 if chance < step_s / BURST_S else 1.0
    else:
        state[0] = 1.0 if chance < step_s / CALM_S else 0.0
    # A parabola for each half day stands for the sine: no transcendental function in a kernel.
    phase = ((time_s + numbers[2]) / DAY_S + 0.5) % 1.0
    half = phase * 2.0 if phase < 0.5 else phase * 2.0 - 1.0
    wave = 4.0 * half * (1.0 - half)
    daily = 1.0 + numbers[1] * (wave if phase < 0.5 else -wave)
    return float(numbers[0] * daily * (BURST if state[0] > 0.5 else 1.0) * step_s)


@kernel
def update_replica(unit: int, units: int, step_s: float, state: FloatArray) -> None:
    """Advance one replica: prefill first, decode in the rest of the time.

    The batch is a fluid: requests leave it at the rate of their mean decode time.
    """
    prefill, batch, decode = HEAD + unit, HEAD + units + unit, HEAD + 2 * units + unit
    used_s = min(state[prefill], step_s)
    state[prefill] -= used_s
    share = used_s / step_s
    level = IDLE + (DECODE - IDLE) * state[batch] / (state[batch] + BATCH_HALF)
    state[HEAD + 3 * units + unit] = share * PREFILL + (1.0 - share) * level
    if state[batch] > 0.0:
        state[batch] *= max(0.0, 1.0 - step_s / max(state[decode], step_s))


@kernel
def admit(
    unit: int, units: int, count: float, prefill_s: float, decode_s: float, state: FloatArray
) -> None:
    """Queue requests at a replica; its decode time is the mean over the batch."""
    batch, decode = HEAD + units + unit, HEAD + 2 * units + unit
    state[HEAD + unit] += count * prefill_s
    total = state[batch] + count
    state[decode] = (state[decode] * state[batch] + decode_s * count) / total
    state[batch] = total


@kernel
def fill_inference(
    wave: Float32Array,
    column: int,
    row: int,
    steps: int,
    start_ms: int,
    dt_ms: int,
    every: int,
    units: int,
    seed: int,
    numbers: FloatArray,
    request_s: FloatArray,
    prefill_s: FloatArray,
    decode_s: FloatArray,
    state: FloatArray,
) -> None:
    """Advance all replicas and write their activity; between updates it holds."""
    step_ms = every * dt_ms
    step_s = step_ms / 1000.0
    shown = HEAD + 3 * units
    for k in range(steps):
        now_ms = start_ms + k * dt_ms
        if now_ms >= 0 and now_ms % step_ms == 0:
            tick = now_ms // step_ms
            expected = expected_arrivals(seed, now_ms / 1000.0, step_s, tick, numbers, state)
            for unit in range(units):
                count = arrivals(seed, unit, tick, expected)
                if count > 0.0:
                    mean_s = CONTEXT_TOKENS / PREFILL_TOKENS_PER_S
                    admit(unit, units, count, mean_s, GENERATED_TOKENS * TOKEN_S, state)
            following = int(state[1])
            while (
                following < request_s.shape[0] and request_s[following] * 1000.0 < now_ms + step_ms
            ):
                here = following % units
                admit(here, units, 1.0, prefill_s[following], decode_s[following], state)
                following += 1
            state[1] = following
            for unit in range(units):
                update_replica(unit, units, step_s, state)
        for unit in range(units):
            wave[row + k, column + unit] = np.float32(state[shown + unit] if now_ms >= 0 else 0.0)
