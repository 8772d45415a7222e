"""Writes query results for other programs: CSV, Parquet, JSON."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import duckdb
import msgspec
import numpy as np

from mallee.core.errors import ConfigError
from mallee.history.layout import is_counter
from mallee.history.query import History


def write_csv(history: History, file: TextIO) -> None:
    """One row a time: ``time_utc`` (ISO 8601), then a column a point; empty: nothing was read."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["time_utc", *history.columns])
    for time_s, values in zip(history.times_s, history.values, strict=True):
        writer.writerow([iso(time_s), *("" if np.isnan(v) else f"{v:.10g}" for v in values)])


def export_csv(history: History, path: Path) -> None:
    """`write_csv` into a file.

    Raises:
        ConfigError: the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            write_csv(history, file)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be written: {error.strerror}") from None


def export_parquet(history: History, path: Path) -> None:
    """``ts`` (UTC, integer ms), then a column a point, NULL where nothing was read.

    Raises:
        ConfigError: the file cannot be written.
    """
    data = {"ts": np.round(history.times_s * 1000.0).astype(np.int64)}
    columns = ["ts"]
    for number, name in enumerate(history.columns):
        kept = np.float64 if is_counter(name) else np.float32
        data[f"c{number}"] = history.values[:, number].astype(kept)
        quoted = name.replace('"', '""')
        columns.append(f"nullif(c{number}, 'nan') AS \"{quoted}\"")
    target = str(path).replace("'", "''")
    with duckdb.connect() as database:
        database.register("history", data)
        try:
            database.execute(
                f"COPY (SELECT {', '.join(columns)} FROM history) TO '{target}' "
                "(FORMAT parquet, COMPRESSION zstd)"
            )
        except duckdb.IOException as error:
            raise ConfigError(str(path), f"cannot be written: {error}") from None


def to_json(history: History) -> str:
    """``{"times_s": [], "columns": [], "values": [[] a point]}``, null where nothing was read."""
    values = [
        [None if np.isnan(value) else float(value) for value in column]
        for column in history.values.T
    ]
    answer = {"times_s": history.times_s.tolist(), "columns": history.columns, "values": values}
    return msgspec.json.encode(answer).decode()


def iso(time_s: float) -> str:
    """UTC as people and spreadsheets read it, to the millisecond where there is one."""
    moment = datetime.fromtimestamp(round(time_s * 1000.0) / 1000.0, UTC)
    spec = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")
