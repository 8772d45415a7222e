"""What a site's planner remembers: five-minute means of what was read, planned and forecast.

It outlives the planner: forecasts grow from it, and the month's peaks that were measured before a
restart are paid for all the same.
"""

import math
from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.horizon import FINE_S
from mallee.optimize.series import Series

KEPT: Final = 45 * 288
"""Five minutes that are kept: a month and two weeks to forecast from at its start."""
GAP_MAX: Final = 7 * 288
"""After a longer gap everything begins anew."""
LEADS_S: Final = (3600.0, 86400.0)
"""Forecasts are scored an hour and a day ahead."""
BLANK: Final = math.nan

COLUMNS: Final = (
    "load_w",
    "import_w",
    "charge_w",
    "planned_import_w",
    "planned_charge_w",
    "forecast_hour_w",
    "forecast_day_w",
)
"""One value each five minutes. `load_w` has no blanks: a hole repeats the value before."""


class Memory(msgspec.Struct, kw_only=True):
    """Columns of equal length, oldest first; the last one ended at `end_utc_s`."""

    end_utc_s: float = BLANK
    columns: dict[str, list[float]] = msgspec.field(
        default_factory=lambda: {name: [] for name in COLUMNS}
    )
    pending: dict[int, dict[str, float]] = {}
    """By the number of the five minutes that they are for: plans and forecasts of what comes."""

    def __len__(self) -> int:
        return len(self.columns["load_w"])

    def foretell(self, utc_s: float, **values: float) -> None:
        """Keep what is planned or forecast for the five minutes that begin at an instant."""
        self.pending.setdefault(round(utc_s / FINE_S), {}).update(values)

    def close(self, began_utc_s: float, load_w: float, import_w: float, charge_w: float) -> None:
        """Take in five minutes that were read."""
        missed = round((began_utc_s - self.end_utc_s) / FINE_S) if len(self) else 0
        if missed < 0 or missed > GAP_MAX:
            self.columns = {name: [] for name in COLUMNS}
            missed = 0
        for number in range(missed):
            self._append(self.end_utc_s + number * FINE_S, self.columns["load_w"][-1])
        self._append(began_utc_s, load_w, import_w=import_w, charge_w=charge_w)
        self.end_utc_s = began_utc_s + FINE_S
        first = round(began_utc_s / FINE_S)
        self.pending = {number: row for number, row in self.pending.items() if number > first}

    def _append(self, utc_s: float, load_w: float, **read: float) -> None:
        row = {**self.pending.get(round(utc_s / FINE_S), {}), **read, "load_w": load_w}
        for name, column in self.columns.items():
            column.append(row.get(name, BLANK))
            del column[:-KEPT]

    def series(self, name: str, from_utc_s: float = -math.inf) -> Series:
        """A column as a series, from an instant on."""
        column = self.columns[name]
        begun = self.end_utc_s - FINE_S * len(column)
        skipped = 0
        if from_utc_s > begun:
            skipped = min(len(column), math.ceil((from_utc_s - begun) / FINE_S))
        return Series(begun + FINE_S * skipped, FINE_S, np.array(column[skipped:], dtype=float))

    def readings(self) -> Iterator[tuple[float, float]]:
        """Beginning and mean import of every five minutes that was read."""
        begun = self.end_utc_s - FINE_S * len(self)
        for number, import_w in enumerate(self.columns["import_w"]):
            if math.isfinite(import_w):
                yield begun + number * FINE_S, import_w

    def yesterday_w(self) -> FloatArray:
        """What persistence had said of each value of `load_w`: the same time a day before."""
        load = np.array(self.columns["load_w"], dtype=float)
        return np.concatenate((np.full(min(288, len(load)), np.nan), load[:-288]))[: len(load)]


def decode(raw: bytes) -> Memory | None:
    """A memory that was kept; None where it cannot be read."""
    try:
        memory = msgspec.msgpack.decode(raw, type=Memory)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    lengths = {len(column) for column in memory.columns.values()}
    return memory if set(memory.columns) == set(COLUMNS) and len(lengths) == 1 else None


def encode(memory: Memory) -> bytes:
    """What `decode` reads."""
    return msgspec.msgpack.encode(memory)
