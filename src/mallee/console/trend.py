"""The last ten minutes of a few series, for pages that have just been opened.

A ring of 600 rows, one a second; mapped to a file it survives a console that was killed.
"""

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import numpy as np

from mallee.core.arrays import FloatArray

SECONDS = 600
GAP_S = 2.5
"""A longer break between two rows is shown as one."""
SERIES = (
    "import_w",
    "import_in_force_w",
    "load_w",
    "pods_w",
    "facility_w",
    "it_w",
    "battery_charge_w",
)


class TrendColumns(msgspec.Struct, frozen=True, kw_only=True):
    """Columns of equal length, oldest first; a null is a second without a number."""

    time_utc_s: list[float]
    series: dict[str, list[float | None]]


class Trend:
    """The ring.

    Args:
        folder: where to keep it; in memory only without one. Other series than last time start
            an empty ring.
        names: series that are kept.
    """

    def __init__(self, folder: Path | None = None, names: Iterable[str] = SERIES) -> None:
        self._names = tuple(names)
        shape = (SECONDS, 1 + len(self._names))
        self._ring: FloatArray = np.full(shape, np.nan)
        if folder is not None:
            digest = zlib.crc32(" ".join(self._names).encode())
            self._ring = _mapped(folder / f"trend-{digest:08x}", shape)
        times_s = self._ring[:, 0]
        kept = np.isfinite(times_s).any()
        self._next = (int(np.nanargmax(times_s)) + 1) % SECONDS if kept else 0

    def add(self, time_utc_s: float, numbers: Mapping[str, float]) -> None:
        """Append one second; what is missing or unknown stays empty."""
        known = [numbers.get(name, np.nan) for name in self._names]
        self._ring[self._next] = (time_utc_s, *known)
        self._next = (self._next + 1) % SECONDS

    def mean(self, name: str, last_s: float) -> float:
        """Mean of a series over the last `last_s` seconds; NaN where nothing is known."""
        rows = self._rows(last_s)
        numbers = rows[:, 1 + self._names.index(name)]
        known = numbers[np.isfinite(numbers)]
        return float(known.mean()) if len(known) else np.nan

    def columns(self) -> TrendColumns:
        """All rows as columns, an empty one in each gap."""
        rows = self._rows(SECONDS)
        gaps = np.flatnonzero(np.diff(rows[:, 0]) > GAP_S)
        breaks = np.full((len(gaps), rows.shape[1]), np.nan)
        breaks[:, 0] = rows[gaps, 0] + 1.0
        rows = np.insert(rows, gaps + 1, breaks, axis=0)
        series = np.round(rows[:, 1:], 1).astype(object)
        series[~np.isfinite(rows[:, 1:])] = None
        return TrendColumns(
            time_utc_s=rows[:, 0].tolist(),
            series={name: series[:, i].tolist() for i, name in enumerate(self._names)},
        )

    def _rows(self, last_s: float) -> FloatArray:
        """Rows of the last seconds, oldest first."""
        rows: FloatArray = np.roll(self._ring, -self._next, axis=0)
        newest_s = self._ring[self._next - 1, 0]
        wanted: FloatArray = rows[(rows[:, 0] > newest_s - last_s) & (rows[:, 0] <= newest_s)]
        return wanted


def _mapped(path: Path, shape: tuple[int, int]) -> FloatArray:
    size = 8 * shape[0] * shape[1]
    if not path.exists() or path.stat().st_size != size:
        np.full(shape, np.nan).tofile(path)
    ring: FloatArray = np.memmap(path, np.float64, "r+", shape=shape)
    return ring
