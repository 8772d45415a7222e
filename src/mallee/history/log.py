"""The append log: one checksummed record a tick, so that a killed process loses nothing.

A log holds the ticks of one UTC minute until they are a Parquet segment. File: a 32-byte header
(magic, digest of the layout), then records of equal size::

    magic u32 | crc32 of what follows u32 | UTC time in ms i64 | float32 a point | float64 a counter

A record that was being written when the process or the machine died fails its checksum and is
ignored. NaN stands for "nothing good was read".
"""

import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.history.layout import MINUTE_MS, Layout, sync_folder

_MAGIC: Final = b"mallee-log-v1\0\0\0"
_RECORD_MAGIC: Final = 0x4C4C414D
_HEADER_BYTES: Final = 32
_SYNC_MS: Final = 1000
_flush = getattr(os, "fdatasync", os.fsync)  # macOS has only the latter


def record_type(points: int, counters: int) -> np.dtype[Any]:
    """How one tick lies in the file."""
    return np.dtype(
        [
            ("magic", "<u4"),
            ("crc", "<u4"),
            ("time_ms", "<i8"),
            ("values", "<f4", (points,)),
            ("counters", "<f8", (counters,)),
        ]
    )


class LogWriter:
    """Appends ticks to one file. A call that returned is on its way to disk whatever kills us."""

    def __init__(self, path: Path, layout: Layout, counters: IntArray) -> None:
        """Create the file; `counters` are the rows kept as float64."""
        self.path = path
        self.minute: int | None = None
        self._counters = counters
        self._record = np.zeros(1, record_type(layout.point_count, len(counters)))
        self._record["magic"] = _RECORD_MAGIC
        self._bytes = self._record.view(np.uint8)
        self._end = _HEADER_BYTES
        self._synced_ms: int | None = None
        self._file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        header = (_MAGIC + layout.digest.encode()).ljust(_HEADER_BYTES, b"\0")
        try:
            _write_all(self._file, header, 0)
        except OSError:
            os.close(self._file)
            path.unlink()
            raise
        sync_folder(path.parent)

    def append(self, time_ms: int, values: FloatArray) -> None:
        """Append one tick; flushed to the disk once a second of its own time.

        Raises:
            OSError: the disk is full or broken; the log is as it was before the call.
        """
        self._record["time_ms"] = time_ms
        self._record["values"] = values
        self._record["counters"] = values[self._counters]
        self._record["crc"] = zlib.crc32(self._bytes.data[8:])
        try:
            _write_all(self._file, self._bytes.data, self._end)
        except OSError:
            os.ftruncate(self._file, self._end)
            raise
        self._end += len(self._bytes)
        self.minute = time_ms // MINUTE_MS
        if self._synced_ms is None or abs(time_ms - self._synced_ms) >= _SYNC_MS:
            _flush(self._file)
            self._synced_ms = time_ms

    def close(self) -> None:
        """Flush and close."""
        os.fsync(self._file)
        os.close(self._file)


def _write_all(file: int, data: bytes | memoryview, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written


@dataclass(frozen=True, slots=True)
class Records:
    """What a log held, in the order of writing."""

    times_ms: IntArray  # (ticks,)
    values: FloatArray  # (ticks, points) or (ticks, chosen rows)


def log_digest(path: Path) -> str | None:
    """Digest of the layout that a log was written with; None where it has no whole header."""
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        return None
    return header[len(_MAGIC) :].rstrip(b"\0").decode("ascii", "replace")


def read_log(path: Path, layout: Layout, rows: IntArray | None = None) -> Records:
    """Whole ticks of a log, which another process may still be writing.

    Args:
        path: the log.
        layout: its layout, see `log_digest`.
        rows: only these points; then only the last record's checksum is proved, since a record
            is whole as soon as there is one after it.
    """
    counter_rows = np.flatnonzero(layout.counters())
    kind = record_type(layout.point_count, len(counter_rows))
    count = max(0, (path.stat().st_size - _HEADER_BYTES) // kind.itemsize)
    if count == 0:
        width = layout.point_count if rows is None else len(rows)
        return Records(np.empty(0, np.int64), np.empty((0, width)))
    records = np.memmap(path, kind, "r", _HEADER_BYTES, (count,))
    proved = range(count) if rows is None else range(count - 1, count)
    good = records["magic"] == _RECORD_MAGIC
    for index in proved:
        payload = records[index : index + 1].view(np.uint8).data[8:]
        good[index] &= zlib.crc32(payload) == records["crc"][index]
    times_ms = np.array(records["time_ms"][good], np.int64)
    if rows is None:
        values = records["values"][good].astype(np.float64)
        values[:, counter_rows] = records["counters"][good]
        return Records(times_ms, values)
    chosen = np.array(records["values"][:, rows], np.float64)
    place = np.searchsorted(counter_rows, rows)
    for column, row in enumerate(rows):
        at = int(place[column])
        if at < len(counter_rows) and counter_rows[at] == row:
            chosen[:, column] = records["counters"][:, at]
    return Records(times_ms, chosen[good])
