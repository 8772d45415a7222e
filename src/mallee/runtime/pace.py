"""Schedules that do not drift: the k-th turn is due at a fixed instant, however long turns take."""

import math


class Pace:
    """Due times of something that repeats, on the monotonic clock.

    Args:
        period_s: between turns.
        phase_s: instant of every turn within its period, counted from the clock's zero, so that
            a restarted process falls into the same step.
    """

    def __init__(self, period_s: float, phase_s: float = 0.0) -> None:
        self._period_s, self._phase_s = period_s, phase_s
        self._turn = -math.inf
        self.missed = 0

    def next_s(self, now_s: float) -> float:
        """When the next turn is due: at or after `now_s`, and never the same turn twice.

        `missed` counts the turns that were due since the last one and are skipped.
        """
        turn = math.ceil((now_s - self._phase_s) / self._period_s)
        if math.isfinite(self._turn):
            turn = max(turn, int(self._turn) + 1)
            self.missed = turn - int(self._turn) - 1
        self._turn = turn
        return self._phase_s + turn * self._period_s
