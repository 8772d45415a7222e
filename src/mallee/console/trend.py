"""The last ten minutes of a few series, kept in memory for pages that have just been opened."""

from collections import deque
from collections.abc import Iterable, Mapping

import msgspec

SECONDS = 600
SERIES = ("import_w", "import_max_w", "load_w", "pods_w", "it_w", "chargers_w", "battery_charge_w")


class TrendColumns(msgspec.Struct, frozen=True, kw_only=True):
    """Columns of equal length, oldest first; a null is a second without a number."""

    time_utc_s: list[float]
    series: dict[str, list[float | None]]


class Trend:
    """A ring of the last ten minutes, one row a second."""

    def __init__(self, names: Iterable[str] = SERIES) -> None:
        self._names = tuple(names)
        self._rows: deque[tuple[float, tuple[float | None, ...]]] = deque(maxlen=SECONDS)

    def add(self, time_utc_s: float, numbers: Mapping[str, float]) -> None:
        """Append one second; missing or unknown numbers become null."""
        known = (numbers.get(name, float("nan")) for name in self._names)
        # x == x is false for NaN only
        self._rows.append((time_utc_s, tuple(float(x) if x == x else None for x in known)))

    def mean(self, name: str, last_s: int) -> float:
        """Mean of a series over its last `last_s` rows; NaN where none is known."""
        position = self._names.index(name)
        rows = list(self._rows)[-last_s:]
        known = [row[position] for _, row in rows]
        numbers = [value for value in known if value is not None]
        return sum(numbers) / len(numbers) if numbers else float("nan")

    def columns(self) -> TrendColumns:
        """All rows as columns."""
        rows = list(self._rows)
        return TrendColumns(
            time_utc_s=[time for time, _ in rows],
            series={name: [row[i] for _, row in rows] for i, name in enumerate(self._names)},
        )
