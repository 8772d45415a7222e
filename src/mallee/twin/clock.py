"""Time in the twin: whole milliseconds, never summed floats.

Each period divides its parent's, so every event of a slow layer falls on a step of the faster one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

STEP_MS: Final = 20
"""Electrical step: a piecewise-constant input adds half a step of delay, 0.19 rad at 3 Hz."""

BLOCK_MS: Final = 100
THERMAL_MS: Final = 1_000
SLOW_MS: Final = 60_000
STEP_S: Final = STEP_MS / 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The periods of a twin.

    Attributes:
        step_ms: electrical step.
        block_ms: steps run in blocks that end here at the latest; what layers tell each other
            changes only here, so results do not depend on how calls of `advance` cut the time.
        thermal_ms: coolant, transformer and cell temperatures: dies settle in about 3 s, the
            rest is slower.
        slow_ms: ageing, and the cars of the next day.
    """

    step_ms: int = STEP_MS
    block_ms: int = BLOCK_MS
    thermal_ms: int = THERMAL_MS
    slow_ms: int = SLOW_MS

    @property
    def step_s(self) -> float:
        """The electrical step in seconds."""
        return self.step_ms / 1000.0

    def block_ends(self, start_ms: int, end_ms: int) -> Iterator[int]:
        """Ends of the blocks from `start_ms` to `end_ms`, in order.

        Raises:
            ValueError: a time that is no multiple of the electrical step.
        """
        if start_ms % self.step_ms or end_ms % self.step_ms:
            raise ValueError(f"{start_ms} to {end_ms} ms is not whole steps of {self.step_ms} ms")
        now_ms = start_ms
        while now_ms < end_ms:
            now_ms = min((now_ms // self.block_ms + 1) * self.block_ms, end_ms)
            yield now_ms


def make_clock(step_ms: int) -> Clock:
    """Periods for an electrical step: 1 ms for a pod's ripple, 20 ms, up to minutes for years.

    Steps of a second run in blocks of ten, longer ones of sixty; the slower layers follow at their
    ends.

    Raises:
        ValueError: a step that does not fit the periods above it.
    """
    if step_ms <= BLOCK_MS:
        if step_ms < 1 or BLOCK_MS % step_ms:
            raise ValueError(f"a step of {step_ms} ms does not divide {BLOCK_MS} ms")
        return Clock(step_ms=step_ms)
    if step_ms < THERMAL_MS:
        if THERMAL_MS % step_ms or step_ms % BLOCK_MS:
            raise ValueError(f"a step of {step_ms} ms does not divide {THERMAL_MS} ms")
        return Clock(step_ms=step_ms, block_ms=step_ms)
    if step_ms == THERMAL_MS:
        return Clock(step_ms=step_ms, block_ms=10 * step_ms, thermal_ms=10 * step_ms)
    if step_ms % THERMAL_MS or SLOW_MS % step_ms:
        raise ValueError(f"a step of {step_ms} ms is not a part of a minute in whole seconds")
    block_ms = 60 * step_ms
    return Clock(step_ms=step_ms, block_ms=block_ms, thermal_ms=block_ms, slow_ms=block_ms)
