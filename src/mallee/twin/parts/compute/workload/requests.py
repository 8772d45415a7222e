"""Reads arrivals of inference requests."""

import csv
from pathlib import Path

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError
from mallee.twin.parts.compute.workload.inference import (
    CONTEXT_TOKENS,
    GENERATED_TOKENS,
    PREFILL_TOKENS_PER_S,
    TOKEN_S,
)
from mallee.twin.parts.compute.workload.trace_file import open_text


def read_requests(path: Path) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Arrival, prefill time and decode time of every request of a CSV, plain or gzipped.

    The columns are ``t_s`` and optionally ``context_tokens`` and ``generated_tokens``.

    Raises:
        ConfigError: not readable, no column t_s, no number, or time that falls.
    """
    try:
        with open_text(path) as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"cannot be read: {error}", "give a CSV or .csv.gz") from None
    if not rows or "t_s" not in rows[0]:
        raise ConfigError(path.name, "no column t_s or no rows", "expected t_s,context_tokens")
    columns = []
    for name, usual in (
        ("t_s", 0.0),
        ("context_tokens", CONTEXT_TOKENS),
        ("generated_tokens", GENERATED_TOKENS),
    ):
        columns.append([_number(path, line, row, name, usual) for line, row in enumerate(rows, 2)])
    time_s, context, generated = (np.array(column) for column in columns)
    falls = np.flatnonzero(np.diff(time_s) < 0.0)
    if len(falls):
        raise ConfigError(f"{path.name}: line {falls[0] + 3}", "t_s falls", "sort the file by t_s")
    return time_s - time_s[0], context / PREFILL_TOKENS_PER_S, generated * TOKEN_S


def _number(path: Path, line: int, row: dict[str, str], name: str, usual: float) -> float:
    try:
        number = float(row[name]) if name in row else usual
    except (TypeError, ValueError):
        number = float("nan")
    if not (np.isfinite(number) and number >= 0.0):
        where = f"{path.name}: line {line}"
        raise ConfigError(where, f"{name} is {row[name]!r}", "expected a number, 0 or more")
    return number
