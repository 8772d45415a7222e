"""Reads history, also while another process writes it.

What a query sees: the segments of the time asked for and the open minute's log. Times are UTC
seconds since 1970, intervals ``[start, end)``. Nothing is locked; a file that the writer merged
away meanwhile makes the query look again.
"""

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.core.errors import ConfigError
from mallee.history.layout import (
    MINUTE_MS,
    Layout,
    kind_folder,
    load_layout,
    load_layouts,
    segments_between,
)
from mallee.history.log import log_digest, read_log
from mallee.site.problems import nearest

_LOOKS_AGAIN: Final = 5
_POINTS_MAX: Final = 5000


@dataclass(frozen=True, slots=True)
class Series:
    """One point over time.

    Attributes:
        times_s: UTC, rising.  # (rows,)
        values: NaN where nothing good was read.  # (rows,)
    """

    times_s: FloatArray
    values: FloatArray


@dataclass(frozen=True, slots=True)
class History:
    """Several points on one time axis.

    Attributes:
        times_s: UTC, rising.  # (rows,)
        columns: paths of the points.
        values: NaN where nothing good was read.  # (rows, points)
    """

    times_s: FloatArray
    columns: tuple[str, ...]
    values: FloatArray


@dataclass(frozen=True, slots=True)
class _Point:
    """A point that a folder knows, and in which table it stands."""

    site: str
    kind: str
    device: str
    name: str

    @property
    def path(self) -> str:
        return f"{self.device}/{self.name}"


def find_points(folder: Path, patterns: Iterable[str]) -> list[str]:
    """Paths of the points that patterns name; ``*`` and ``?`` stand for any letters.

    Args:
        folder: history folder of the site.
        patterns: such as ``meter/import_w`` or ``pod1/r1/*/power_w``.

    Raises:
        ConfigError: a pattern that no point of this history fits, with the nearest that exists.
    """
    return [point.path for point in _find(load_layouts(folder), list(patterns), folder)]


def read_point(folder: Path, path: str, start_utc_s: float, end_utc_s: float) -> Series:
    """Every reading of one point in ``[start, end)``.

    Raises:
        ConfigError: no such point.
    """
    found = _find(load_layouts(folder), [path], folder)
    return _read_raw(folder, found, _ms(start_utc_s), _ms(end_utc_s))[found[0]]


def read_points(
    folder: Path,
    patterns: Iterable[str],
    start_utc_s: float,
    end_utc_s: float,
    rows_max: int | None = None,
) -> History:
    """Several points on one time axis, if asked for in at most so many rows.

    Args:
        folder: history folder of the site.
        patterns: paths, or patterns as in `find_points`.
        start_utc_s, end_utc_s: the time asked for, ``[start, end)``.
        rows_max: no more rows than this: each then is the mean over an equal part of the time.
            Means of minutes serve where they are fine enough or the readings are gone already.

    Raises:
        ConfigError: a pattern that fits nothing or far too much.
    """
    found = _find(load_layouts(folder), list(patterns), folder)
    first_ms, end_ms = _ms(start_utc_s), _ms(end_utc_s)
    minutes = rows_max is not None and (end_ms - first_ms) >= rows_max * MINUTE_MS
    series = _read_minutes(folder, found, first_ms, end_ms) if minutes else {}
    if not minutes:
        series = _read_raw(folder, found, first_ms, end_ms)
    history = _align([point.path for point in found], [series[point] for point in found])
    return history if rows_max is None else downsample(history, rows_max, start_utc_s, end_utc_s)


def downsample(history: History, rows_max: int, start_utc_s: float, end_utc_s: float) -> History:
    """Means over equal parts of ``[start, end)``; the time of a row is where its part starts.

    A part in which nothing good was read is NaN; parts without any row are left out.
    """
    if len(history.times_s) <= rows_max:
        return history
    step_s = (end_utc_s - start_utc_s) / rows_max
    part = np.minimum(((history.times_s - start_utc_s) / step_s).astype(np.int64), rows_max - 1)
    used, part = np.unique(part, return_inverse=True)
    good = ~np.isnan(history.values)
    sums = np.zeros((len(used), len(history.columns)))
    counts = np.zeros_like(sums)
    np.add.at(sums, part, np.where(good, history.values, 0.0))
    np.add.at(counts, part, good)
    with np.errstate(invalid="ignore"):
        means = sums / counts
    return History(start_utc_s + used * step_s, history.columns, means)


def last_time(folder: Path) -> float | None:
    """UTC of the newest tick of a history, or None where there is none."""
    times_ms = [log[0].max() for log in _logs(folder, None) if len(log[0])]
    for day in sorted(folder.glob("raw/site=*/class=*/day=*")):
        times_ms += [int(path.stem.split("-")[1]) for path in day.glob("*.parquet")]
    return max(times_ms) / 1000.0 if times_ms else None


def _ms(time_s: float) -> int:
    return round(time_s * 1000.0)


def _find(layouts: Sequence[Layout], patterns: list[str], folder: Path) -> list[_Point]:
    if not layouts:
        raise ConfigError(str(folder), "holds no history", "start the site with `mallee up` first")
    known: dict[str, _Point] = {}  # filled when first needed: a large site has 384,000 of them
    found: dict[str, _Point] = {}
    for pattern in patterns:
        exact = _exact(layouts, pattern)
        if exact is not None:
            found[pattern] = exact
            continue
        known = known or {
            f"{device}/{name}": _Point(layout.site, kind, device, name)
            for layout in layouts
            for kind, device, name in layout.paths()
        }
        fits = fnmatch.filter(known, pattern)
        if not fits:
            raise ConfigError(pattern, "no such point in this history", _hint(pattern, known))
        found.update((path, known[path]) for path in fits)
    if len(found) > _POINTS_MAX:
        raise ConfigError(
            " ".join(patterns),
            f"{len(found)} points at once are too many",
            f"ask for at most {_POINTS_MAX}; any Parquet engine reads the segments themselves",
        )
    return list(found.values())


def _exact(layouts: Sequence[Layout], path: str) -> _Point | None:
    """The point of that very path, where the newest site file has the last word."""
    device, _, name = path.rpartition("/")
    for layout in reversed(layouts):
        for group in layout.groups:
            if name in group.points and device in group.devices:
                return _Point(layout.site, group.kind, device, name)
    return None


def _hint(pattern: str, known: dict[str, _Point]) -> str:
    """The nearest device first, then the nearest of its points."""
    device, _, name = pattern.rpartition("/")
    devices = {point.device for point in known.values()}
    if device in devices:
        return nearest(name, [point.name for point in known.values() if point.device == device])
    hint = nearest(device or pattern, devices)
    near = hint.removeprefix("did you mean '").removesuffix("'?")
    if near in devices and f"{near}/{name}" in known:
        return f"did you mean '{near}/{name}'?"
    return f"no device {device!r}; {hint}"


def _read_raw(
    folder: Path, points: list[_Point], first_ms: int, end_ms: int
) -> dict[_Point, Series]:
    # Logs first: a minute that is sealed in between is then seen twice, not missed.
    parts = _read_logs(folder, points, first_ms, end_ms)
    for point, (times_ms, values) in _read_tier(folder, "raw", points, first_ms, end_ms).items():
        parts[point].insert(0, (times_ms, values))
    return {point: _join(parts[point]) for point in points}


def _read_minutes(
    folder: Path, points: list[_Point], first_ms: int, end_ms: int
) -> dict[_Point, Series]:
    """Means of whole minutes, and of what the open minutes hold so far."""
    parts = _read_logs(folder, points, first_ms, end_ms)
    stored = _read_tier(folder, "rollup", points, first_ms, end_ms)
    series = {}
    for point in points:
        times_ms, values = stored[point]
        recent = _join(parts[point])
        minute_ms = (recent.times_s * 1000.0).astype(np.int64) // MINUTE_MS * MINUTE_MS
        for start_ms in np.setdiff1d(minute_ms, times_ms):
            here = recent.values[minute_ms == start_ms]
            good = here[~np.isnan(here)]
            times_ms = np.append(times_ms, start_ms)
            values = np.append(values, good.mean() if len(good) else np.nan)
        series[point] = _join([(times_ms, values)])
    return series


def _join(parts: list[tuple[IntArray, FloatArray]]) -> Series:
    """Parts in one order, every instant once."""
    times_ms = np.concatenate([np.empty(0, np.int64), *(times for times, _ in parts)])
    values = np.concatenate([np.empty(0), *(values for _, values in parts)])
    times_ms, first = np.unique(times_ms, return_index=True)
    return Series(times_ms / 1000.0, values[first])


def _align(paths: list[str], series: list[Series]) -> History:
    times_s = np.unique(np.concatenate([one.times_s for one in series]))
    values = np.full((len(times_s), len(paths)), np.nan)
    for column, one in enumerate(series):
        values[np.searchsorted(times_s, one.times_s), column] = one.values
    return History(times_s, tuple(paths), values)


def _logs(folder: Path, chosen: list[_Point] | None) -> Iterable[tuple[IntArray, Any, Any]]:
    """Times, columns and values of each open log; only times where no points are chosen."""
    for path in sorted((folder / "log").glob("*.log")):
        try:
            digest = log_digest(path)
            if digest is None:
                continue
            layout = load_layout(folder, digest)
            rows = {p: layout.row(p.kind, p.device, p.name) for p in chosen or ()}
            there = {point: row for point, row in rows.items() if row is not None}
            records = read_log(path, layout, np.array(list(there.values()), np.int64))
        except FileNotFoundError:
            continue  # sealed meanwhile: the segment has it
        yield records.times_ms, list(there), records.values


def _read_logs(
    folder: Path, points: list[_Point], first_ms: int, end_ms: int
) -> dict[_Point, list[tuple[IntArray, FloatArray]]]:
    parts: dict[_Point, list[tuple[IntArray, FloatArray]]] = {point: [] for point in points}
    for times_ms, there, values in _logs(folder, points):
        inside = (times_ms >= first_ms) & (times_ms < end_ms)
        for column, point in enumerate(there):
            parts[point].append((times_ms[inside], values[inside, column]))
    return parts


def _read_tier(
    folder: Path, tier: str, points: list[_Point], first_ms: int, end_ms: int
) -> dict[_Point, tuple[IntArray, FloatArray]]:
    """Points from the Parquet files of one tier, table by table."""
    found = {point: (np.empty(0, np.int64), np.empty(0)) for point in points}
    for site, kind in dict.fromkeys((point.site, point.kind) for point in points):
        table = kind_folder(folder, tier, site, kind)
        chosen = [point for point in points if (point.site, point.kind) == (site, kind)]
        for attempt in range(_LOOKS_AGAIN):
            try:
                found.update(_read_table(table, tier, chosen, first_ms, end_ms))
                break
            except duckdb.IOException:  # merged away while we looked
                if attempt == _LOOKS_AGAIN - 1:
                    raise
            except duckdb.InvalidInputException as error:
                hint = "rename it to end in .damaged; everything else stays readable"
                raise ConfigError(str(table), f"a segment is damaged: {error}", hint) from None
    return found


def _read_table(
    table: Path, tier: str, points: list[_Point], first_ms: int, end_ms: int
) -> dict[_Point, tuple[IntArray, FloatArray]]:
    start_ms = first_ms - first_ms % MINUTE_MS if tier == "rollup" else first_ms
    files = [str(s.path) for s in segments_between(table, start_ms, end_ms)]
    if not files:
        return {}
    prefix = "mean_" if tier == "rollup" else ""
    with duckdb.connect() as database:
        source = "read_parquet($files, union_by_name = true, hive_partitioning = false)"
        described = database.execute(
            f"DESCRIBE SELECT * FROM {source}", {"files": files}
        ).fetchall()
        columns = {row[0] for row in described} & {prefix + point.name for point in points}
        wanted = sorted(columns)
        if not wanted:
            return {}
        names = "".join(f', "{column}"' for column in wanted)
        rows = database.execute(
            f"SELECT device, ts{names} FROM {source} WHERE ts >= $start AND ts < $end "
            "AND list_contains($devices, device) ORDER BY device, ts",
            {
                "files": files,
                "start": start_ms,
                "end": end_ms,
                "devices": sorted({point.device for point in points}),
            },
        ).fetchnumpy()
    times_ms, devices = np.asarray(rows["ts"], np.int64), np.asarray(rows["device"], object)
    # Rows come device by device, so each device is one slice.
    changes = [0, *(np.flatnonzero(devices[1:] != devices[:-1]) + 1).tolist(), len(devices)]
    slices = {devices[s]: slice(s, e) for s, e in pairwise(changes) if s < e}
    found = {}
    for point in points:
        if prefix + point.name in columns:
            mine = slices.get(point.device, slice(0))
            values = np.ma.filled(
                np.ma.asarray(rows[prefix + point.name][mine], np.float64), np.nan
            )
            found[point] = (times_ms[mine], values)
    return found
