"""How fast each job runs under its caps: the slowest accelerator of a gang sets its pace."""

import numpy as np
from numpy.typing import NDArray

from mallee.core.site import FloatArray, IntArray
from mallee.twin.compute.layout import Float32Array
from mallee.twin.kernel import kernel


@kernel
def least_limits(
    cap_w: Float32Array,
    hot_w: Float32Array,
    top_w: Float32Array,
    unit: NDArray[np.int32],
    gpu_slots: IntArray,
    slow: Float32Array,
    limit_frac: FloatArray,
    slow_frac: FloatArray,
) -> None:
    """The tightest limit and the slowest accelerator of every unit.

    Args:
        top_w: nameplate of each slot.  # (racks, slots)
        slow: speed of each accelerator by its own faults, 1 if healthy.  # (racks, slots)
        limit_frac: power limit as a fraction of nameplate, written.  # (units,)
        slow_frac: least of `slow`, written.  # (units,)
    """
    limit_frac[:] = 1e9
    slow_frac[:] = 1.0
    for rack in range(cap_w.shape[0]):
        for s in range(gpu_slots[rack]):
            own = unit[rack, s]
            frac = min(np.float64(cap_w[rack, s]), np.float64(hot_w[rack, s])) / np.float64(
                top_w[rack, s]
            )
            limit_frac[own] = min(limit_frac[own], frac)
            slow_frac[own] = min(slow_frac[own], np.float64(slow[rack, s]))


@kernel
def look_up(table: FloatArray, at: float) -> float:
    """Linear look-up in a table of equal steps over 0..1."""
    last = table.shape[0] - 1
    place = min(max(at, 0.0), 1.0) * last
    below = min(int(place), last - 1)
    return float(table[below] + (place - below) * (table[below + 1] - table[below]))


@kernel
def count_work(
    wave: Float32Array,
    row: int,
    steps: int,
    column: int,
    gpus: FloatArray,
    limit_frac: FloatArray,
    idle_frac: float,
    table: FloatArray,
    pace: FloatArray,
    stretches: bool,
    work: FloatArray,
) -> None:
    """Add the work done and the work that would have been done without caps.

    Args:
        idle_frac: idle power as a fraction of nameplate.
        pace: speed of each unit.  # (units,)
        stretches: work follows the pace (a gang), else the table at each moment's power (a replay).
        work: done and possible, in accelerator sub-steps at full activity, changed.  # (2,)
    """
    for unit in range(gpus.shape[0]):
        for k in range(row, row + steps):
            active = max(np.float64(wave[k, column + unit]), 0.0)
            speed = pace[unit]
            if not stretches:
                wanted_frac = idle_frac + (1.0 - idle_frac) * active
                if wanted_frac > limit_frac[column + unit]:
                    speed *= look_up(table, limit_frac[column + unit] / wanted_frac)
            work[0] += gpus[unit] * active * speed
            work[1] += gpus[unit] * active
