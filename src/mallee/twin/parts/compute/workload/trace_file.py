"""Reads measured power traces, and says exactly what is wrong with those it cannot use."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError

HOLE_MAX_S: Final = 10.0
"""A longer hole is an error: what happened in it would be invented."""

GAP_NOTED_S: Final = 1.0
"""Gaps above this are interpolated with a note."""

EPOCH_MS_MIN: Final = 1e11
"""Larger times are milliseconds since 1970: as seconds they would lie after the year 5000."""

_INDEX: Final = frozenset(
    {"gpu", "index", "gpu_index", "device", "uuid", "gpu_uuid", "node", "host", "hostname"}
)
"""Columns that tell rows of several devices apart."""

TOTALS: Final = ("power_w", "total_w")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A power trace.

    Attributes:
        time_s: strictly rising, from 0.  # (samples,)
        total_w: power of everything.  # (samples,)
        gpu_w: power by accelerator; no columns if the file gives only a total.  # (samples, gpus)
        notes: what a reader should know, such as gaps that were interpolated.
    """

    source: str
    time_s: FloatArray
    total_w: FloatArray
    gpu_w: FloatArray
    notes: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Time from the first to the last sample."""
        return float(self.time_s[-1])


def read_trace(path: Path) -> Trace:
    """Read a trace, plain or gzipped CSV.

    Raises:
        ConfigError: not readable, a missing column, a value that is no number, negative power,
            time that does not rise, or a hole longer than `HOLE_MAX_S`; names the line.
    """
    try:
        with open_text(path) as lines:
            return _read(path.name, csv.reader(lines))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            str(path), f"cannot be read: {reason}", "give a CSV or .csv.gz file"
        ) from None


def open_text(path: Path) -> TextIO:
    """Open a file for reading, gzipped or plain by its name."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")  # spreadsheets put a mark at the start


def _read(source: str, rows: Iterator[list[str]]) -> Trace:
    header = [name.strip() for name in next(rows, [])]
    if not header:
        raise ConfigError(source, "is empty", "expected a header line t_s,power_w")
    columns = _columns(source, header)
    values: list[list[float]] = []
    lines: list[int] = []
    for line, row in enumerate(rows, 2):
        if row:
            values.append(_numbers(source, line, row, header, columns))
            lines.append(line)
    if len(values) < 2:
        raise ConfigError(source, f"has {len(values)} samples", "a trace needs at least two")
    table = np.array(values)
    if table[0, 0] > EPOCH_MS_MIN:
        table[:, 0] /= 1000.0
    notes = _check_time(source, table[:, 0], lines)
    gpu_w = table[:, 2:] if header[columns[1]] in TOTALS else table[:, 1:]
    total_w = table[:, 1] if header[columns[1]] in TOTALS else gpu_w.sum(axis=1)
    return Trace(
        source=source, time_s=table[:, 0] - table[0, 0], total_w=total_w, gpu_w=gpu_w, notes=notes
    )


def _columns(source: str, header: list[str]) -> list[int]:
    """Positions of the time, of the total if there is one, and of the accelerators in order."""
    where = f"{source}: line 1"
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        hint = "give every column its own name, such as gpu0_w, gpu1_w"
        raise ConfigError(where, f"the column {twice[0]} stands there twice", hint)
    if "t_s" not in header:
        raise ConfigError(where, f"no column t_s in {','.join(header)}", "expected t_s,power_w")
    index = [name for name in header if name.lower() in _INDEX]
    if index:
        hint = "one row for each moment: give every GPU its own column gpuN_w, or their sum"
        raise ConfigError(where, f"column {index[0]} says that rows are of single GPUs", hint)
    totals = [header.index(name) for name in TOTALS if name in header]
    gpus = sorted(
        (
            name
            for name in header
            if name.startswith("gpu") and name[3:-2].isdigit() and name.endswith("_w")
        ),
        key=lambda name: int(name[3:-2]),
    )
    if not totals and not gpus:
        hint = "expected t_s,power_w or t_s,gpu0_w..gpuN_w,total_w, powers in W"
        raise ConfigError(where, f"no power column in {','.join(header)}", hint)
    return [header.index("t_s"), *totals[:1], *(header.index(name) for name in gpus)]


def _numbers(
    source: str, line: int, row: list[str], header: list[str], columns: list[int]
) -> list[float]:
    if len(row) != len(header):
        raise ConfigError(
            f"{source}: line {line}", f"has {len(row)} values for {len(header)} columns"
        )
    numbers = []
    for column in columns:
        try:
            number = float(row[column])
        except ValueError:
            number = float("nan")
        if not np.isfinite(number):
            raise ConfigError(
                f"{source}: line {line}",
                f"{header[column]} is {row[column]!r}",
                "expected a finite number",
            )
        if number < 0.0:
            raise ConfigError(
                f"{source}: line {line}", f"{header[column]} is {number:g}", "expected 0 or more"
            )
        numbers.append(number)
    return numbers


def _check_time(source: str, time_s: FloatArray, lines: list[int]) -> tuple[str, ...]:
    steps_s = np.diff(time_s)
    bad = np.flatnonzero(steps_s <= 0.0)
    if len(bad):
        at = int(bad[0])
        what = f"t_s goes from {time_s[at]:g} to {time_s[at + 1]:g}"
        raise ConfigError(
            f"{source}: line {lines[at + 1]}", what, "time must rise; sort the file by t_s"
        )
    hole = int(steps_s.argmax())
    if steps_s[hole] > HOLE_MAX_S and steps_s[hole] > 3.0 * float(np.median(steps_s)):
        what = f"no samples from {time_s[hole]:g} to {time_s[hole + 1]:g} s"
        hint = f"holes up to {HOLE_MAX_S:g} s are interpolated, longer ones need a better trace"
        raise ConfigError(f"{source}: line {lines[hole + 1]}", what, hint)
    gaps = int((steps_s > GAP_NOTED_S).sum())
    if not gaps:
        return ()
    return (f"{source}: {gaps} gaps interpolated, the longest {steps_s[hole]:.2f} s",)
