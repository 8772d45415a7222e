"""Ways that load may go, from a site's own history.

    path(t) = profile(time of day) + residual of a past day + level(t)

Residuals are taken a day at a time, so that what belongs together (an afternoon of cars, a night
without jobs) stays together. The level is what the mean of a day has lately been off the profile;
it wanders as a first-order process whose step is the standard deviation of day-to-day changes. The
paths are the same for the same history: numbers come from one fixed seed.
"""

from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.series import Series

PATHS: Final = 24
DAYS_MAX: Final = 14
LEVEL_S: Final = 6 * 3600.0
"""The newest readings that say where the level is."""
CHANGE_MIN_FRAC: Final = 0.05
"""Least standard deviation of the level's change in a day, as a share of the mean load: with few
days of history nobody knows it. Halls of mixed jobs show 5 to 10 % (Alibaba 2023 traces)."""
REVERT_DAYS: Final = 4.0
DAY_S: Final = 86400.0
SEED: Final = 20260725


def load_paths_w(history: Series, edges_utc_s: FloatArray, count: int = PATHS) -> FloatArray:
    """Scenarios of load over steps.

    Args:
        history: readings up to now, one value or more.
        edges_utc_s: the first is now.
        count: even; for each path with a high level there is one with a low level.

    Returns:
        Means over the steps, W; at least zero where all of history was.  # (count, steps)
    """
    day = round(DAY_S / history.step_s)
    whole = min(DAYS_MAX, len(history.values) // day)
    days = (
        history.values[-whole * day :].reshape(whole, day) if whole else history.values[-1:, None]
    )
    profile = days.mean(axis=0)
    residual = (days - profile) * np.sqrt(whole / (whole - 1.0)) if whole > 1 else 0.0 * days
    tail = max(1, min(round(LEVEL_S / history.step_s), len(history.values)))
    level_w = float(np.mean(history.values[-tail:] - np.resize(profile, whole * day or 1)[-tail:]))
    change_w = _change_w(days)
    rng = np.random.default_rng(SEED)
    length_days = int(np.ceil((edges_utc_s[-1] - edges_utc_s[0]) / DAY_S)) + 1
    picked = rng.integers(len(days), size=(count, length_days))
    half = rng.standard_normal((count // 2, length_days + 1))
    shocks = np.concatenate((half, -half)) * change_w
    middle = ((edges_utc_s[:-1] + edges_utc_s[1:]) / 2.0 - edges_utc_s[0]) / DAY_S
    paths = np.empty((count, len(edges_utc_s) - 1))
    for one in range(count):
        values = (profile + residual[picked[one]]).reshape(-1)
        step_s = history.step_s if whole else DAY_S
        shape = Series(float(edges_utc_s[0]), step_s, values).means(edges_utc_s)
        paths[one] = shape + _level(level_w, shocks[one], middle)
    floor: FloatArray = np.maximum(paths, min(0.0, float(history.values.min())))
    return floor


def _change_w(days: FloatArray) -> float:
    """Standard deviation of the change of a day's mean from one day to the next."""
    means = days.mean(axis=1)
    least = CHANGE_MIN_FRAC * float(np.abs(means).mean())
    if len(means) < 4:
        return least
    return max(least, float(np.sqrt(np.mean(np.diff(means) ** 2))))


def _level(now_w: float, shocks_w: FloatArray, middle_days: FloatArray) -> FloatArray:
    """The level at the middle of each step: known now, wandering and slowly forgotten."""
    keep = np.exp(-1.0 / REVERT_DAYS)
    knots = [now_w]
    for shock_w in shocks_w.tolist():
        knots.append(keep * knots[-1] + shock_w)
    level: FloatArray = np.interp(middle_days, np.arange(len(knots)), knots)
    return level
