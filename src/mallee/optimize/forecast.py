"""Forecasts from a site's own history, and how good any forecast was against persistence.

No forecast research: published forecasts are imported, and where there are none, yesterday at the
same time with today's level says most of what can be said. Each is scored against persistence, so
that a page can show whether it earns its place.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.series import Series

DAY_S: Final = 86400.0
LEVEL_S: Final = 3600.0
"""How long today's difference from yesterday lasts, e-folding."""


def persistence(
    history: Series, edges_utc_s: FloatArray, *, level_s: float = LEVEL_S
) -> FloatArray:
    """Yesterday at the same time, and today's level for the next hour.

    Args:
        history: readings up to the first edge; a day of them or the newest value is repeated.
        edges_utc_s: steps that are forecast; the first is now.
        level_s: how long the newest difference from yesterday lasts; 0 for none.

    Returns:
        Means over the steps.
    """
    day = round(DAY_S / history.step_s)
    values = history.values
    if len(values) < day:
        return np.full(len(edges_utc_s) - 1, float(values[-1]))
    last = values[-day:]
    repeats = int(np.ceil((edges_utc_s[-1] - edges_utc_s[0]) / DAY_S)) + 1
    path = Series(history.end_utc_s, history.step_s, np.tile(last, repeats)).means(edges_utc_s)
    if level_s > 0.0 and len(values) > day:
        difference = float(values[-1] - values[-1 - day])
        middle_s = (edges_utc_s[:-1] + edges_utc_s[1:]) / 2.0 - edges_utc_s[0]
        path = path + difference * np.exp(-middle_s / level_s)
    return path


def level_time_s(history: Series) -> float:
    """How long differences from the day before last here, e-folding, from their own correlation.

    The difference's correlation with itself an hour on, as a first-order process; an hour where
    the history is too short, between a quarter of an hour and a day.
    """
    day, hour = round(DAY_S / history.step_s), round(LEVEL_S / history.step_s)
    difference = history.values[day:] - history.values[:-day]
    if len(difference) < 2 * hour + 2:
        return LEVEL_S
    one, other = difference[:-hour], difference[hour:]
    spread = float(np.std(one) * np.std(other))
    if spread <= 0.0:
        return LEVEL_S
    match = float(np.mean((one - one.mean()) * (other - other.mean()))) / spread
    if match <= 0.02:
        return LEVEL_S / 4.0
    return float(np.clip(-LEVEL_S / np.log(min(match, 0.999)), LEVEL_S / 4.0, DAY_S))


def seasonal(history: Series, edges_utc_s: FloatArray, *, days: int = 7) -> FloatArray:
    """Mean of the same time of day over some days."""
    return _by_time_of_day(history, edges_utc_s, days, None)


def quantile(
    history: Series, edges_utc_s: FloatArray, *, share: float, days: int = 14
) -> FloatArray:
    """What was not exceeded with a probability at the same time of day.

    Args:
        share: 0..1, such as 0.95.
        days: how many days of history to look at.
    """
    return _by_time_of_day(history, edges_utc_s, days, share)


def _by_time_of_day(
    history: Series, edges_utc_s: FloatArray, days: int, share: float | None
) -> FloatArray:
    day = round(DAY_S / history.step_s)
    whole = min(days, len(history.values) // day)
    if whole == 0:
        return np.full(len(edges_utc_s) - 1, float(np.mean(history.values)))
    table = history.values[-whole * day :].reshape(whole, day)
    row = table.mean(axis=0) if share is None else np.quantile(table, share, axis=0)
    repeats = int(np.ceil((edges_utc_s[-1] - edges_utc_s[0]) / DAY_S)) + 1
    return Series(history.end_utc_s, history.step_s, np.tile(row, repeats)).means(edges_utc_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How good a forecast was.

    Attributes:
        mean_error: of forecast less actual, in the quantity's unit.
        mean_absolute_error: likewise.
        skill: 1 - MAE / MAE of persistence; 0 is no better, below 0 is worse.
        count: values compared.
    """

    mean_error: float
    mean_absolute_error: float
    skill: float
    count: int


def score(forecast: FloatArray, actual: FloatArray, yesterday: FloatArray) -> Score:
    """Compare a forecast, and persistence, with what came; blanks are left out.

    Args:
        yesterday: what persistence had said.
    """
    known = np.isfinite(forecast) & np.isfinite(actual) & np.isfinite(yesterday)
    if not np.any(known):
        return Score(mean_error=np.nan, mean_absolute_error=np.nan, skill=np.nan, count=0)
    error = forecast[known] - actual[known]
    base = float(np.mean(np.abs(yesterday[known] - actual[known])))
    mae = float(np.mean(np.abs(error)))
    return Score(
        mean_error=float(np.mean(error)),
        mean_absolute_error=mae,
        skill=1.0 - mae / base if base > 0.0 else 0.0,
        count=int(np.count_nonzero(known)),
    )
