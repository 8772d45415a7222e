"""The one writer of a site's history: ticks to the log, logs to segments, old data away.

    append -> log (flushed once a second) -> every UTC minute: segment -> rollup -> merges

`append` only writes to the log; everything slower happens on one background thread, of which at
most a few minutes may be waiting. A log is deleted when its segment and rollup are on the disk.
"""

import errno
import fcntl
import os
import shutil
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final, Self

import duckdb
import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError, MalleeError
from mallee.core.snapshot import Quality
from mallee.history.layout import DAY_MS, MINUTE_MS, Layout, load_layout
from mallee.history.log import LogWriter, Records, log_digest, read_log
from mallee.history.segments import SegmentStore
from mallee.site.model import SiteModel

_WAITING_MAX: Final = 5  # minutes that may wait for the background thread
_COMPACT_EVERY_MS: Final = 10 * MINUTE_MS


class HistoryFull(MalleeError):  # noqa: N818 - named by what happened
    """The disk is full and no raw segment is left that could make room."""


class HistoryWriter:
    """Keeps every point of a site, once a tick.

    Args:
        folder: history folder of the site; made where missing.
        site: the site model; its rows are the rows of `append`.
        raw_days: how long every reading is kept.
        rollup_days: how long the one-minute rollups are kept.
        free_min_bytes: room on the disk that raw segments leave to everything else.
        free_bytes: tells how much room there is; the disk's own answer unless a test knows better.

    Raises:
        ConfigError: another process writes this history already.
    """

    def __init__(
        self,
        folder: Path,
        site: SiteModel,
        *,
        raw_days: float = 7.0,
        rollup_days: float = 730.0,
        free_min_bytes: int = 256 * 2**20,
        free_bytes: Callable[[Path], int] | None = None,
    ) -> None:
        self.folder = folder
        self._raw_ms, self._rollup_ms = int(raw_days * DAY_MS), int(rollup_days * DAY_MS)
        self._free_min_bytes = free_min_bytes
        self._free_bytes = free_bytes or (lambda path: shutil.disk_usage(path).free)
        (folder / "log").mkdir(parents=True, exist_ok=True)
        self._lock = _lock(folder)
        self._layout = Layout.of(site)
        self._layout.save(folder)
        self._digest = self._layout.digest
        self._counters = np.flatnonzero(self._layout.counters())
        self._store = SegmentStore(folder)
        self._worker = ThreadPoolExecutor(1, "history")
        self._waiting: deque[Future[None]] = deque()
        self._due: deque[Path] = deque()  # logs to seal; the background thread takes them out
        self._log: LogWriter | None = None
        self._compacted_ms = 0
        left = sorted((folder / "log").glob("*.log"))
        self._next_log = int(left[-1].stem) + 1 if left else 1
        for path in left:
            self._seal(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, time_utc_s: float, values: FloatArray, quality: NDArray[np.uint8]) -> None:
        """Keep one tick. Once this returns, the death of the process cannot lose it.

        Args:
            time_utc_s: UTC of the tick, seconds since 1970; kept to the millisecond.
            values: a value a row.  # (points,)
            quality: `Quality` a row; what is not good is kept as "nothing".  # (points,)

        Raises:
            HistoryFull: no room on the disk.
            Exception: whatever stopped the background thread since the last call.
        """
        self._reap(_WAITING_MAX)
        time_ms = round(time_utc_s * 1000.0)
        good = np.where(quality == Quality.GOOD, values, np.nan)
        if self._log is not None and self._log.minute != time_ms // MINUTE_MS:
            self._finish_log()
        while True:
            try:
                if self._log is None:
                    path = self.folder / "log" / f"{self._next_log:010d}.log"
                    self._log = LogWriter(path, self._layout, self._counters)
                    self._next_log += 1
                self._log.append(time_ms, good)
            except OSError as error:
                if not _is_full(error):
                    raise
                if not self._worker.submit(self._store.drop_oldest_raw).result():
                    raise self._full() from error
            else:
                return

    def flush(self) -> None:
        """Wait until every finished minute is a segment."""
        self._reap(0)

    def close(self) -> None:
        """Turn the open minute into a segment and stop."""
        try:
            if self._log is not None:
                self._finish_log()
            self._reap(0)
        finally:
            self._worker.shutdown()
            self._store.close()
            os.close(self._lock)

    def _finish_log(self) -> None:
        assert self._log is not None
        log, self._log = self._log, None
        log.close()
        self._seal(log.path)

    def _seal(self, path: Path) -> None:
        self._due.append(path)
        self._waiting.append(self._worker.submit(self._seal_due))

    def _reap(self, waiting_max: int) -> None:
        """Collect finished background work, and wait while more than so many minutes are due."""
        while self._waiting and (self._waiting[0].done() or len(self._waiting) > waiting_max):
            self._waiting.popleft().result()

    def _seal_due(self) -> None:
        """On the background thread: logs become segments. One that fails stays due."""
        while self._due:
            path = self._due[0]
            digest = log_digest(path)
            if digest is not None:
                own = digest == self._digest
                layout = self._layout if own else load_layout(self.folder, digest)
                records = read_log(path, layout)
                if len(records.times_ms):
                    self._make_room()
                    self._seal_records(layout, records)
            path.unlink()
            self._due.popleft()

    def _seal_records(self, layout: Layout, records: Records) -> None:
        minute_ms = int(records.times_ms[-1]) // MINUTE_MS * MINUTE_MS
        while True:
            try:
                self._store.seal(layout, records)
                self._keep_house(minute_ms + MINUTE_MS)
            except (OSError, duckdb.IOException) as error:
                # Too full for a segment: older readings make room for it, not its own.
                if not _is_full(error):
                    raise
                if not self._store.drop_oldest_raw(before_ms=minute_ms):
                    raise self._full() from error
            else:
                return

    def _keep_house(self, now_ms: int) -> None:
        if abs(now_ms - self._compacted_ms) >= _COMPACT_EVERY_MS:
            self._store.drop_before("raw", now_ms - self._raw_ms)
            self._store.drop_before("rollup", now_ms - self._rollup_ms)
            self._store.compact(now_ms)
            self._compacted_ms = now_ms - now_ms % _COMPACT_EVERY_MS

    def _is_short(self) -> bool:
        return self._free_bytes(self.folder) < self._free_min_bytes

    def _full(self) -> HistoryFull:
        return HistoryFull(
            f"no room for history in {self.folder}: the disk is full and no raw segment is left "
            "to drop; free some space"
        )

    def _make_room(self) -> None:
        while self._is_short() and self._store.drop_oldest_raw():
            pass


def _is_full(error: Exception) -> bool:
    """Whether there was no room on the disk; DuckDB only says so in words."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return os.strerror(errno.ENOSPC) in str(error) or os.strerror(errno.EDQUOT) in str(error)


def _lock(folder: Path) -> int:
    handle = os.open(folder / "writer.lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise ConfigError(
            str(folder), "another process writes this history", "stop it, or choose another folder"
        ) from None
    return handle
