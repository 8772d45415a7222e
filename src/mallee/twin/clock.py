"""Time in the twin: whole milliseconds, never summed floats.

Each period divides its parent's, so every event of a slow layer falls on a step of the faster one.
"""

from collections.abc import Iterator
from typing import Final

STEP_MS: Final = 20
"""Electrical step: a piecewise-constant input adds half a step of delay, 0.19 rad at 3 Hz."""

BLOCK_MS: Final = 100
"""Steps run in blocks that end here at the latest; what layers tell each other changes only here.

Because it is fixed, results do not depend on how calls of `advance` cut the time.
"""

THERMAL_MS: Final = 1_000
"""Coolant, transformer and cell temperatures: dies settle in about 3 s, the rest is slower."""

SLOW_MS: Final = 60_000
"""Ageing and state-of-charge cycles."""

STEP_S: Final = STEP_MS / 1000.0


def block_ends(start_ms: int, end_ms: int) -> Iterator[int]:
    """Ends of the blocks from `start_ms` to `end_ms`, in order.

    Raises:
        ValueError: a time that is no multiple of the electrical step.
    """
    if start_ms % STEP_MS or end_ms % STEP_MS:
        raise ValueError(f"{start_ms} to {end_ms} ms is not whole steps of {STEP_MS} ms")
    now_ms = start_ms
    while now_ms < end_ms:
        now_ms = min((now_ms // BLOCK_MS + 1) * BLOCK_MS, end_ms)
        yield now_ms
