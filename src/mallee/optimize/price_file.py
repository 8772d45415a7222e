"""Reads prices and other forecasts from CSV files, whatever their clock does, and says what it did.

Local time stamps without offset skip an hour in spring and repeat one in autumn; market files
leave hours out, repeat them, or pretend that there is no clock change. Nothing is filled silently:
each repair is a note that names where and how much.
"""

import csv
import datetime as dt
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.core.errors import ConfigError
from mallee.optimize.series import Series

HOLE_MAX_S: Final = 6 * 3600.0
"""Longer holes are an error: nobody should plan with made-up days."""
PRICE_ODD_USD_PER_MWH: Final = 2.0
"""A median below this looks like a price per kWh."""
TIME_NAMES: Final = ("time", "timestamp", "time_local", "time_cet", "datetime", "start", "t_s")


@dataclass(slots=True)
class Imported:
    """Columns of a file on an even clock.

    Attributes:
        columns: by their names in the file.
        notes: what was repaired or looks odd, one sentence each.
    """

    columns: dict[str, Series]
    notes: list[str] = field(default_factory=list)


def read_series(
    path: Path, *, timezone: str, columns: Sequence[str] = (), allow_gaps: bool = False
) -> Imported:
    """All number columns of a CSV file (or .csv.gz), or those named.

    Args:
        timezone: of stamps without offset.
        columns: which to read; all that hold numbers when empty.
        allow_gaps: fill holes of any length instead of refusing those above six hours.

    Raises:
        ConfigError: no such file or column, no time column, a row without a number, a long hole.
    """
    rows = _rows(path)
    header = [name.strip() for name in rows[0]]
    time_name = next((n for n in header if n.lower() in TIME_NAMES), None)
    if time_name is None:
        raise ConfigError(
            path.name, "has no time column", f"name one of its columns {', '.join(TIME_NAMES[:3])}"
        )
    wanted = list(columns) or [
        n for n in header if n != time_name and _is_number(rows[1][header.index(n)])
    ]
    missing = [name for name in wanted if name not in header]
    if missing:
        raise ConfigError(path.name, f"has no column {missing[0]!r}", f"it has {', '.join(header)}")
    result = Imported({})
    stamps = [row[header.index(time_name)] for row in rows[1:]]
    utc_s = _instants(stamps, timezone, path.name, result.notes)
    for name in wanted:
        values = _numbers(rows[1:], header.index(name), path.name, name)
        result.columns[name] = _even(utc_s, values, path.name, name, result.notes, allow_gaps)
        _look(name, result.columns[name], path.name, result.notes)
    return result


def _rows(path: Path) -> list[list[str]]:
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except (OSError, gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"cannot be read: {error}") from None
    sample = text[:4096].split("\n", 1)[0]
    rows = list(csv.reader(io.StringIO(text), delimiter=";" if ";" in sample else ","))
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if len(rows) < 3:
        raise ConfigError(str(path), "holds fewer than two rows", "a header and two rows or more")
    return rows


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbers(rows: list[list[str]], column: int, source: str, name: str) -> FloatArray:
    values = np.full(len(rows), np.nan)
    for i, row in enumerate(rows):
        text = row[column].strip() if column < len(row) else ""
        if text == "" or text.lower() in ("nan", "na", "null", "n/e", "-"):
            continue
        try:
            values[i] = float(text)
        except ValueError:
            raise ConfigError(
                f"{source}: line {i + 2}: {name}",
                f"is {text!r}",
                "a number with a decimal point would be right",
            ) from None
    return values


def _instants(stamps: list[str], timezone: str, source: str, notes: list[str]) -> FloatArray:
    """Seconds since 1970 UTC; the second pass of a repeated local hour is one hour later."""
    zone = ZoneInfo(timezone)
    result = np.empty(len(stamps))
    skipped = 0
    previous = -np.inf
    for i, text in enumerate(stamps):
        moment = _moment(text, source, i + 2)
        if isinstance(moment, float):
            result[i] = moment
            continue
        if moment.tzinfo is not None:
            result[i] = moment.timestamp()
            continue
        first = moment.replace(tzinfo=zone)
        here = first.timestamp()
        later = first.replace(fold=1).timestamp()
        if later > here and here <= previous < later:
            here = later  # the hour's second pass
        if dt.datetime.fromtimestamp(here, zone).replace(tzinfo=None) != moment:
            skipped += 1
        previous = result[i] = here
    if skipped:
        notes.append(
            f"{source}: {skipped} time stamps lie in an hour that {timezone} skips in spring; they "
            "are counted to the next hour"
        )
    return result


def _moment(text: str, source: str, line: int) -> dt.datetime | float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise ConfigError(
            f"{source}: line {line}",
            f"{text!r} is no time",
            "write 2026-07-15T13:00, with an offset such as -05:00 where there is one",
        ) from None


def _even(
    utc_s: FloatArray,
    values: FloatArray,
    source: str,
    name: str,
    notes: list[str],
    allow_gaps: bool,
) -> Series:
    """On an even clock: doubles averaged, short holes filled with the hour of the day before."""
    order = np.argsort(utc_s, kind="stable")
    utc_s, values = utc_s[order], values[order]
    gaps = np.diff(utc_s)
    step_s = float(np.median(gaps[gaps > 0.0])) if np.any(gaps > 0.0) else 3600.0
    place = np.round((utc_s - utc_s[0]) / step_s).astype(np.int64)
    if np.any(np.abs(place * step_s + utc_s[0] - utc_s) > 0.01 * step_s):
        odd = int(np.argmax(np.abs(place * step_s + utc_s[0] - utc_s)))
        raise ConfigError(
            f"{source}: {name}",
            f"is not on an even clock of {step_s:g} s near {_clock(float(utc_s[odd]))}",
            "resample the file first",
        )
    known = np.isfinite(values)
    count = int(place[-1]) + 1
    sums = np.bincount(place[known], weights=values[known], minlength=count)
    hits = np.bincount(place[known], minlength=count)
    doubles = np.flatnonzero(hits > 1)
    if doubles.size:
        at = _clock(float(utc_s[0] + doubles[0] * step_s))
        notes.append(f"{source}: {name}: {doubles.size} hours come twice, first {at}; averaged")
    even = np.divide(sums, hits, out=np.full(count, np.nan), where=hits > 0)
    holes = np.flatnonzero(hits == 0)
    if holes.size:
        _check_holes(holes, step_s, float(utc_s[0]), source, name, allow_gaps)
        even = _filled(even, holes, round(86400.0 / step_s))
        at = _clock(float(utc_s[0] + holes[0] * step_s))
        notes.append(
            f"{source}: {name}: {holes.size} missing values, first {at}; each took that of the day "
            "before"
        )
    return Series(float(utc_s[0]), step_s, even)


def _check_holes(
    holes: IntArray, step_s: float, start: float, source: str, name: str, allow_gaps: bool
) -> None:
    runs = np.split(holes, np.flatnonzero(np.diff(holes) > 1) + 1)
    longest = max(runs, key=len)
    if len(longest) * step_s > HOLE_MAX_S and not allow_gaps:
        raise ConfigError(
            f"{source}: {name}",
            f"lacks {len(longest) * step_s / 3600.0:g} h from "
            + _clock(start + float(longest[0]) * step_s),
            "use a file without long holes, or allow gaps for a study",
        )


def _filled(values: FloatArray, holes: IntArray, day: int) -> FloatArray:
    """Each blank takes the value of the day before, or else the nearest one known."""
    known = np.flatnonzero(np.isfinite(values))
    for hole in holes.tolist():
        before = hole - day
        if before >= 0 and np.isfinite(values[before]):
            values[hole] = values[before]
        else:
            values[hole] = values[known[np.argmin(np.abs(known - hole))]]
    return values


def _look(name: str, series: Series, source: str, notes: list[str]) -> None:
    """Odd prices: per kWh instead of per MWh."""
    lower = name.lower()
    if not any(word in lower for word in ("price", "mwh", "eur", "usd", "lmp", "forecast")):
        return
    typical = float(np.median(np.abs(series.values)))
    if 0.0 < typical < PRICE_ODD_USD_PER_MWH:
        notes.append(
            f"{source}: {name}: half of the prices are below {typical:.3g} per MWh; they look like "
            "prices per kWh: multiply them by 1000 if so"
        )


def _clock(utc_s: float) -> str:
    return dt.datetime.fromtimestamp(utc_s, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
