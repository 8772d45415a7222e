"""What a planner knows about the load to come: from its own history, or (in studies) the truth."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.forecast import DAY_S, level_time_s, persistence, quantile
from mallee.optimize.series import Series

HIGH_SHARE: Final = 0.95
SCENARIO_DAYS: Final = 7


class Forecaster(Protocol):
    """Loads over steps between edges, W, as means.  # (edges - 1,)"""

    def load_w(self, edges_utc_s: FloatArray) -> FloatArray:
        """What is expected."""
        ...

    def high_w(self, edges_utc_s: FloatArray) -> FloatArray:
        """What is rarely exceeded."""
        ...

    def paths_w(self, edges_utc_s: FloatArray) -> list[FloatArray]:
        """Ways that it may go."""
        ...


@dataclass(frozen=True, slots=True)
class Truth:
    """Perfect foresight: a series that holds the future."""

    series: Series

    def load_w(self, edges_utc_s: FloatArray) -> FloatArray:
        """What will come."""
        return self.series.means(edges_utc_s)

    def high_w(self, edges_utc_s: FloatArray) -> FloatArray:
        """The same."""
        return self.series.means(edges_utc_s)

    def paths_w(self, edges_utc_s: FloatArray) -> list[FloatArray]:
        """The one way."""
        return [self.series.means(edges_utc_s)]


@dataclass(frozen=True, slots=True)
class FromHistory:
    """Yesterday at today's level, quantiles by time of day, and the last days in turn.

    Attributes:
        history: readings up to now, called anew for each forecast.
    """

    history: Callable[[], Series]

    def load_w(self, edges_utc_s: FloatArray) -> FloatArray:
        """Yesterday, and today's level as long as such differences last here."""
        history = self.history()
        return persistence(history, edges_utc_s, level_s=level_time_s(history))

    def high_w(self, edges_utc_s: FloatArray) -> FloatArray:
        """The 95 % quantile at the time of day, never below what is expected."""
        share = quantile(self.history(), edges_utc_s, share=HIGH_SHARE)
        return np.maximum(share, self.load_w(edges_utc_s))

    def paths_w(self, edges_utc_s: FloatArray) -> list[FloatArray]:
        """The last days repeated, begun at each of them in turn, from today's level."""
        history = self.history()
        expected = persistence(history, edges_utc_s, level_s=level_time_s(history))
        plain = persistence(history, edges_utc_s, level_s=0.0)
        level = expected - plain
        return [path + level for path in _day_paths(history, edges_utc_s)]


def _day_paths(history: Series, edges: FloatArray) -> list[FloatArray]:
    day = round(DAY_S / history.step_s)
    whole = min(SCENARIO_DAYS, len(history.values) // day)
    if whole == 0:
        newest = float(history.values[-1]) if len(history.values) else 0.0
        return [np.full(len(edges) - 1, newest)]
    recent = history.values[-whole * day :].reshape(whole, day)
    repeats = int(np.ceil((edges[-1] - edges[0]) / DAY_S / whole)) + 1
    paths = []
    for first in range(whole):
        turned = np.roll(recent, -first, axis=0).reshape(-1)
        path = Series(float(edges[0]), history.step_s, np.tile(turned, repeats))
        paths.append(path.means(edges))
    return paths
