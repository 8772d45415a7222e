"""Readings that cannot be true beside what the device said before, or says beside them.

Each rule here needs more than one number; what a single reading can be is in `plausible`. A doubted
reading is left out, which is better than a wrong one. No I/O, no clock.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray

RESET_S: Final = 60.0
"""A counter that fell counts again once it has risen from its new value for so long."""
COUNTER_STEP: Final = 1e-6
"""A counter may seem to fall by so much of its value: floats on the way are rounded."""
_COUNTERS: Final = ("energy_wh",)


class Doubt:
    """The memory that the rules need for the points of one device.

    Args:
        points: names of the points, in the order of `judge`.
    """

    def __init__(self, points: Sequence[str]) -> None:
        at = {name: column for column, name in enumerate(points)}
        counters = [column for name, column in at.items() if name.endswith(_COUNTERS)]
        self._counters: IntArray = np.array(counters, np.int64)
        self._high = np.full(len(counters), -math.inf)
        self._low, self._rising_s = np.full(len(counters), np.nan), np.full(len(counters), np.nan)
        self._voltage, self._frequency = at.get("voltage_v"), at.get("frequency_hz")

    def judge(self, values: FloatArray, time_s: float) -> NDArray[np.bool_]:
        """Which readings are not to be believed.

        Args:
            values: readings, NaN for none.  # (points,)
        """
        doubtful = np.zeros(values.size, np.bool_)
        if self._counters.size:
            doubtful[self._counters] = self._fallen(values[self._counters], time_s)
        if self._voltage is not None and self._frequency is not None:
            # A frequency is measured on a voltage.
            doubtful[self._voltage] |= bool(
                values[self._voltage] == 0.0 and values[self._frequency] > 0.0
            )
        return doubtful

    def _fallen(self, values: FloatArray, time_s: float) -> NDArray[np.bool_]:
        """Counters of energy below what they had reached: blanks at a start, or a new device's."""
        fallen = values < self._high * (1.0 - COUNTER_STEP)
        begins = fallen & ~(values >= self._low)  # also the first time, when low is NaN
        self._low[begins], self._rising_s[begins] = values[begins], np.nan
        rises = fallen & (values > self._low) & np.isnan(self._rising_s)
        self._rising_s[rises] = time_s
        anew = fallen & (time_s - self._rising_s >= RESET_S)
        known = np.isfinite(values) & (~fallen | anew)
        self._high[known] = values[known]
        self._low[known], self._rising_s[known] = np.nan, np.nan
        return fallen & ~anew
