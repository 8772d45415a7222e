"""Parquet segments: written from a log, rolled up by the minute, merged as they age, dropped.

A segment appears whole or not at all: it is written under a temporary name, flushed, renamed, and
its folder flushed. Nothing is ever changed in place, so readers need no lock.
"""

import shutil
from pathlib import Path
from typing import Final

import duckdb
import msgspec
import numpy as np

from mallee.core.arrays import IntArray
from mallee.history.layout import (
    DAY_MS,
    MINUTE_MS,
    Layout,
    Segment,
    Table,
    day_of,
    is_counter,
    kind_folder,
    publish,
    segments_between,
    sync_folder,
    table_of,
)
from mallee.history.log import Records

_WINDOWS_MS: Final = (10 * MINUTE_MS, 60 * MINUTE_MS, DAY_MS)
_MERGED_MAX_BYTES: Final = 512 * 2**20  # a 67,000-GPU site stays at ten-minute files
_JOURNAL: Final = "compaction.json"
_COPY: Final = "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"


class _Journal(msgspec.Struct):
    """A merge under way: once `output` exists, `inputs` are to go."""

    output: str
    inputs: list[str]


class SegmentStore:
    """All Parquet files of one history folder. One process and one thread writes."""

    def __init__(self, folder: Path) -> None:
        """Finish or forget what a killed process left half done."""
        self.folder = folder
        self._database = duckdb.connect()
        # Half a core at most for housekeeping; the console shares the rest.
        self._database.execute("SET threads = 1")
        self._database.execute("SET preserve_insertion_order = true")
        self._database.execute("SET memory_limit = '1GB'")
        self._database.execute(f"SET temp_directory = {_text(folder / 'spill')}")
        self._recover()

    def close(self) -> None:
        """Release the engine."""
        self._database.close()
        shutil.rmtree(self.folder / "spill", ignore_errors=True)

    def seal(self, layout: Layout, records: Records) -> None:
        """Turn the ticks of one UTC minute into a segment and its rollup, kind by kind.

        Doing it twice has the same result as once, so a log is deleted only afterwards.
        """
        order = np.argsort(records.times_ms, kind="stable")
        times_ms, values = records.times_ms[order], records.values[order]
        last_of_time = np.append(times_ms[1:] != times_ms[:-1], True)
        times_ms, values = times_ms[last_of_time], values[last_of_time]
        first_ms, last_ms = int(times_ms[0]), int(times_ms[-1])
        for kind in layout.kinds:
            table = table_of(layout, kind, values)
            day = kind_folder(self.folder, "raw", layout.site, kind) / day_of(first_ms)
            path = day / f"{first_ms}-{last_ms}.parquet"
            self._write_table(table, times_ms, path)
            self._roll_up(layout.site, kind, first_ms - first_ms % MINUTE_MS)

    def compact(self, now_ms: int) -> None:
        """Merge files of windows that are over: minutes to ten minutes, hours, days."""
        for day in sorted(self.folder.glob("r*/site=*/class=*/day=*")):
            segments = sorted(Segment.at(path) for path in day.glob("*.parquet"))
            if len(segments) < 2:
                continue
            for window_ms in _WINDOWS_MS:
                windows: dict[int, list[Segment]] = {}
                for segment in segments:
                    windows.setdefault(segment.first_ms // window_ms, []).append(segment)
                for number, members in windows.items():
                    if (number + 1) * window_ms <= now_ms:
                        self._merge(day, members)
                segments = sorted(Segment.at(path) for path in day.glob("*.parquet"))

    def drop_before(self, tier: str, time_ms: int) -> None:
        """Remove whole days that are older than a time."""
        oldest = day_of(time_ms)
        for day in sorted(self.folder.glob(f"{tier}/site=*/class=*/day=*")):
            if day.name < oldest:
                shutil.rmtree(day)

    def drop_oldest_raw(self, before_ms: int | None = None) -> bool:
        """Remove the oldest raw segment (that ends before a time); False where there is none.

        Rollups and events stay: they are small and tell what happened.
        """
        found = [
            Segment.at(path) for path in self.folder.glob("raw/site=*/class=*/day=*/*.parquet")
        ]
        if before_ms is not None:
            found = [segment for segment in found if segment.last_ms < before_ms]
        if found:
            min(found).path.unlink()
        return bool(found)

    def _write_table(self, table: Table, times_ms: IntArray, path: Path) -> None:
        data = {
            "ts": np.tile(times_ms, len(table.devices)),
            "device": np.repeat(np.array(table.devices, object), len(times_ms)),
            **table.columns,
        }
        self._database.register("tick_table", data)
        try:
            columns = ", ".join(f"nullif({_name(c)}, 'nan') AS {_name(c)}" for c in table.columns)
            self._copy(f"SELECT ts, device, {columns} FROM tick_table", path)
        finally:
            self._database.unregister("tick_table")

    def _roll_up(self, site: str, kind: str, minute_ms: int) -> None:
        """Minimum, maximum, mean and last of each column over one minute of raw segments."""
        table = kind_folder(self.folder, "raw", site, kind)
        files = [s.path for s in segments_between(table, minute_ms, minute_ms + MINUTE_MS)]
        source = f"read_parquet({_texts(files)}, union_by_name = true, hive_partitioning = false)"
        described = self._database.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        points = [row[0] for row in described if row[0] not in ("ts", "device")]
        sums = ", ".join(
            f"min({_name(p)}) AS {_name('min_' + p)}, max({_name(p)}) AS {_name('max_' + p)}, "
            f"avg({_name(p)})::{'DOUBLE' if is_counter(p) else 'FLOAT'} AS {_name('mean_' + p)}, "
            f"arg_max({_name(p)}, ts) AS {_name('last_' + p)}"
            for p in points
        )
        inside = f"ts >= {minute_ms} AND ts < {minute_ms + MINUTE_MS}"
        path = kind_folder(self.folder, "rollup", site, kind) / day_of(minute_ms)
        self._copy(
            f"SELECT {minute_ms}::BIGINT AS ts, device, {sums} FROM {source} "
            f"WHERE {inside} GROUP BY device ORDER BY device",
            path / f"{minute_ms}-{minute_ms}.parquet",
        )

    def _merge(self, day: Path, members: list[Segment]) -> None:
        size = sum(segment.path.stat().st_size for segment in members)
        if len(members) < 2 or size > _MERGED_MAX_BYTES:
            return
        first_ms = min(segment.first_ms for segment in members)
        last_ms = max(segment.last_ms for segment in members)
        path = day / f"{first_ms}-{last_ms}.parquet"
        if any(segment.path == path for segment in members):
            return  # one file already spans the others, as after a step of the clock
        inputs = [segment.path for segment in members]
        source = f"read_parquet({_texts(inputs)}, union_by_name = true, hive_partitioning = false)"
        try:
            draft = self._draft(f"SELECT * FROM {source} ORDER BY device, ts", path)
        except duckdb.InvalidInputException:
            self._set_damaged_aside(inputs)
            return
        journal = _Journal(
            str(path.relative_to(self.folder)), [str(p.relative_to(self.folder)) for p in inputs]
        )
        self._write_journal(journal)
        publish(draft, path)
        self._finish_merge(journal)

    def _set_damaged_aside(self, paths: list[Path]) -> None:
        """Rename files that are not Parquet any more: they stop neither merges nor readers then."""
        for path in paths:
            try:
                self._database.execute(f"SELECT count(*) FROM read_parquet({_text(path)})")
            except duckdb.InvalidInputException:
                path.rename(path.with_suffix(".damaged"))

    def _write_journal(self, journal: _Journal) -> None:
        draft = self.folder / f"{_JOURNAL}.tmp"
        draft.write_bytes(msgspec.json.encode(journal))
        publish(draft, self.folder / _JOURNAL)

    def _finish_merge(self, journal: _Journal) -> None:
        if (self.folder / journal.output).exists():
            for name in journal.inputs:
                (self.folder / name).unlink(missing_ok=True)
            sync_folder((self.folder / journal.output).parent)
        (self.folder / _JOURNAL).unlink()

    def _recover(self) -> None:
        for draft in self.folder.glob("r*/site=*/class=*/day=*/*.tmp"):
            draft.unlink()
        journal = self.folder / _JOURNAL
        if journal.exists():
            self._finish_merge(msgspec.json.decode(journal.read_bytes(), type=_Journal))

    def _copy(self, query: str, path: Path) -> None:
        publish(self._draft(query, path), path)

    def _draft(self, query: str, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".tmp")
        try:
            self._database.execute(f"COPY ({query}) TO {_text(draft)} {_COPY}")
        except duckdb.IOException:
            draft.unlink(missing_ok=True)
            raise
        return draft


def _name(column: str) -> str:
    """An identifier in SQL."""
    return '"' + column.replace('"', '""') + '"'


def _text(value: object) -> str:
    """A string in SQL."""
    return "'" + str(value).replace("'", "''") + "'"


def _texts(values: list[Path]) -> str:
    return "[" + ", ".join(_text(value) for value in values) + "]"
