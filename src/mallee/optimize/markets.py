"""Market prices that a site's tariff follows: read from its file, and carried on where they end.

Day-ahead prices are known for a day or so, plans look farther. What is not known takes the hour of
the day before, and a person is told from when on.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from mallee.core.errors import ConfigError
from mallee.optimize.broken import clock
from mallee.optimize.price_file import read_series
from mallee.optimize.series import Series
from mallee.optimize.tariff.file import TariffFile

DAY_S: Final = 86400.0
TOLD_BELOW_S: Final = 12 * 3600.0
"""Prices that end sooner than this are worth a word: the next day's should be there by then."""


def read_markets(path: Path | None, tariff: TariffFile) -> tuple[dict[str, Series], list[str]]:
    """Prices by the names that a tariff follows, and what was strange in the file.

    Args:
        path: CSV with `time` and one column a market; None for none.

    Raises:
        ConfigError: it cannot be read, or a market is missing.
    """
    columns: dict[str, Series] = {}
    notes: list[str] = []
    if path is not None:
        found = read_series(path, timezone=tariff.timezone, allow_gaps=True)
        columns, notes = dict(found.columns), list(found.notes)
    names = {row.market for row in (*tariff.energy, *tariff.export) if row.market}
    missing = sorted(names - set(columns))
    if missing:
        raise ConfigError(
            "energy.prices",
            f"holds no column {missing[0]!r}, which the tariff {tariff.name} follows",
            f"it holds {', '.join(sorted(columns)) or 'nothing'}",
        )
    return {name: columns[name] for name in sorted(names)}, notes


def carried_on(markets: Mapping[str, Series], until_utc_s: float) -> dict[str, Series]:
    """The same prices up to an instant; beyond their end the last day again and again."""
    longer = {}
    for name, series in markets.items():
        missing = int(np.ceil((until_utc_s - series.end_utc_s) / series.step_s))
        values = series.values
        if missing > 0:
            day = min(len(values), max(1, round(DAY_S / series.step_s)))
            values = np.append(values, np.resize(values[-day:], missing))
        longer[name] = Series(series.start_utc_s, series.step_s, values)
    return longer


def end_notes(markets: Mapping[str, Series], now_utc_s: float) -> list[str]:
    """A sentence for each market whose prices end too soon."""
    notes = []
    for name, series in markets.items():
        left_s = series.end_utc_s - now_utc_s
        if left_s <= 0.0:
            notes.append(
                f"prices of {name} ended {clock(series.end_utc_s)}: plans go by those of the last "
                "day that is known"
            )
        elif left_s < TOLD_BELOW_S:
            notes.append(
                f"prices of {name} are known until {clock(series.end_utc_s)}; later hours take "
                "those of the day before"
            )
    return notes
