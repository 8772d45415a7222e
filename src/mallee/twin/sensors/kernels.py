"""One pass over a class of sensors: average, refresh, error, rounding, delay, faults."""

import math

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray
from mallee.twin.kernel import kernel
from mallee.twin.parts.compute.noise import normal, uniform

OK, STUCK, DROPPED = 0, 1, 2
"""Modes of a sensor; stuck repeats its last report, dropped reports nothing."""

# Columns of the parameter table.
SHARE, EVERY, NOISE, QUANTUM, PER_QUANTUM, DROPOUT, LAG = range(7)
PARAMETERS = 7
# Columns of the state table.
MEAN, HELD = range(2)

_DROPOUT_STREAM = 104_729
"""Added to the seed for drop-outs, so that they never share draws with noise."""


@kernel
def report(
    tick: int,
    seed: int,
    rows: IntArray,
    spec_of: NDArray[np.uint8],
    specs: FloatArray,
    gains: FloatArray,
    biases: FloatArray,
    modes: NDArray[np.uint8],
    state: FloatArray,
    ring: FloatArray,
    true_points: FloatArray,
    reported: FloatArray,
) -> None:
    """Bring `reported` at `rows` up to date.

    Args:
        tick: number of this pass; passes are evenly spaced.
        rows: rows of the sensors.  # (sensors,)
        spec_of: kind of each sensor, a row of `specs`.  # (sensors,)
        specs: parameters by kind, columns as named above, times in ticks.  # (kinds, PARAMETERS)
        gains, biases: each sensor's own factor and offset, faults included.  # (sensors,)
        modes: OK, STUCK or DROPPED.  # (sensors,)
        state: running mean and value last formed.  # (sensors, 2)
        ring: the last values formed, for latency.  # (depth, sensors)
    """
    depth, kinds = ring.shape[0], specs.shape[0]
    slot = tick % depth
    due = np.zeros(kinds, np.bool_)
    shown = np.zeros(kinds, np.int64)
    for kind in range(kinds):
        due[kind] = tick % int(specs[kind, EVERY]) == 0
        shown[kind] = (tick - int(specs[kind, LAG])) % depth
    for sensor in range(len(rows)):
        row, kind = rows[sensor], spec_of[sensor]
        value = true_points[row]
        mean, held = state[sensor, MEAN], state[sensor, HELD]
        mean = value if math.isnan(mean) else mean + specs[kind, SHARE] * (value - mean)
        if due[kind] or math.isnan(held) or math.isnan(value):
            held = mean * gains[sensor] + biases[sensor]
            if specs[kind, NOISE] > 0.0:
                held += mean * specs[kind, NOISE] * normal(seed, row, tick)
            if specs[kind, QUANTUM] > 0.0:
                held = np.floor(held * specs[kind, PER_QUANTUM] + 0.5) * specs[kind, QUANTUM]
            if specs[kind, DROPOUT] > 0.0:
                draw = uniform(seed + _DROPOUT_STREAM, row, tick)
                held = math.nan if draw < specs[kind, DROPOUT] else held
        state[sensor, MEAN], state[sensor, HELD] = mean, held
        ring[slot, sensor] = held
        if modes[sensor] == OK:
            reported[row] = ring[shown[kind], sensor]
        elif modes[sensor] == DROPPED:
            reported[row] = math.nan
