"""What a planner knows about the load to come: from its own history, or (in studies) the truth."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mallee.core.arrays import FloatArray
from mallee.optimize.forecast import level_time_s, persistence
from mallee.optimize.scenarios import load_paths_w
from mallee.optimize.series import Series


class Forecaster(Protocol):
    """Loads over steps between edges, W, as means.  # (edges - 1,)"""

    def load_w(self, edges_utc_s: FloatArray) -> FloatArray:
        """What is expected."""
        ...

    def paths_w(self, edges_utc_s: FloatArray) -> FloatArray:
        """Ways that it may go.  # (paths, edges - 1)"""
        ...


@dataclass(frozen=True, slots=True)
class Truth:
    """Perfect foresight: a series that holds the future."""

    series: Series

    def load_w(self, edges_utc_s: FloatArray) -> FloatArray:
        """What will come."""
        return self.series.means(edges_utc_s)

    def paths_w(self, edges_utc_s: FloatArray) -> FloatArray:
        """The one way."""
        return self.series.means(edges_utc_s)[None, :]


@dataclass(frozen=True, slots=True)
class FromHistory:
    """Yesterday at today's level, and scenarios.

    Attributes:
        history: readings up to now, called anew for each forecast.
    """

    history: Callable[[], Series]

    def load_w(self, edges_utc_s: FloatArray) -> FloatArray:
        """Yesterday, and today's level as long as such differences last here."""
        history = self.history()
        return persistence(history, edges_utc_s, level_s=level_time_s(history))

    def paths_w(self, edges_utc_s: FloatArray) -> FloatArray:
        """Scenarios of `scenarios.py`."""
        return load_paths_w(self.history(), edges_utc_s)
