"""A quantity over time as equal steps of constant value, and its means over other steps."""

from dataclasses import dataclass

import numpy as np

from mallee.core.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Series:
    """Constant over each step; unknown before its first and after its last.

    Attributes:
        start_utc_s: beginning of the first step.
        step_s: length of every step.
        values: one a step, in any unit that a mean makes sense of; finite.  # (n,)
    """

    start_utc_s: float
    step_s: float
    values: FloatArray

    @property
    def end_utc_s(self) -> float:
        """End of the last step."""
        return self.start_utc_s + self.step_s * len(self.values)

    @property
    def starts_utc_s(self) -> FloatArray:
        """Beginning of each step.  # (n,)"""
        return self.start_utc_s + self.step_s * np.arange(len(self.values), dtype=np.float64)

    def at(self, utc_s: float) -> float:
        """The value that holds at an instant; the first or last one outside."""
        index = int((utc_s - self.start_utc_s) // self.step_s)
        return float(self.values[min(max(index, 0), len(self.values) - 1)])

    def means(self, edges_utc_s: FloatArray) -> FloatArray:
        """Means over the steps between edges; the first and last value hold on outside.

        Args:
            edges_utc_s: rising instants.  # (m + 1,)
        """
        total = np.concatenate(([0.0], np.cumsum(self.values)))
        place = (edges_utc_s - self.start_utc_s) / self.step_s
        count = len(self.values)
        inside = np.clip(place, 0.0, count)
        index = np.minimum(inside.astype(np.int64), count - 1)
        integral = total[index] + (inside - index) * self.values[index]
        integral += np.minimum(place, 0.0) * self.values[0]
        integral += np.maximum(place - count, 0.0) * self.values[-1]
        return np.diff(integral) / np.diff(place)

    def covers(self, from_utc_s: float, until_utc_s: float) -> bool:
        """Whether all of an interval is known."""
        return self.start_utc_s <= from_utc_s and until_utc_s <= self.end_utc_s
