"""One device over one protocol: reads it on schedule, writes to it, and judges both.

What a device does wrong becomes the quality of its points, one event when it is lost and one when
it is back. A command is done when a later reading shows it.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import structlog
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray
from mallee.core.errors import DeviceError, Malformed, Refused, Rejected
from mallee.core.identity import mismatch
from mallee.core.read_back import Order, ReadBack
from mallee.core.snapshot import Progress, Quality
from mallee.drivers.driver import Driver
from mallee.runtime.board import Board
from mallee.runtime.doubt import Doubt
from mallee.runtime.notices import Notices
from mallee.runtime.pace import Pace

LOST_AFTER_POLLS, LOST_AFTER_S = 2, 5.0
"""Without a reading for so long a device counts as lost and an event says so."""
START_GRACE_S = 8.0
"""When everything starts at once, devices may come up a little later than the collector."""
REFUSED_PAUSE_S = 30.0
"""A refused login is a person's to mend; asking more often could lock the account."""
RETRIES, RETRY_POLLS_MAX = 8, 10.0
"""A device that fails is asked as often as ever at first, half as often after every 8 failures."""
WRITE_RETRY_S = 0.25
IDENTIFY_EVERY_S, IDENTIFY_AGAIN_S = 300.0, 10.0
"""How often a device is asked who it is, and how soon again where it is the wrong one."""
REMARKS_MAX = 20
"""A device has no more to say to a person than so much."""
PATIENCE_TIMEOUTS, PATIENCE_S = 10.0, 5.0
"""A reading is several requests, each with the driver's own timeout."""
_log = structlog.get_logger()


class _Trouble(Enum):
    """What is told about a point once, until it is over."""

    IMPLAUSIBLE = "implausible"
    REJECTED = "rejected"
    LOST = "lost"
    UNSENT = "unsent"


@dataclass(slots=True, kw_only=True)
class Link:
    """A device over one protocol.

    Attributes:
        device: its site-wide name.
        rows: board row of each of the driver's points.  # (driver points,)
        low, high: plausible readings.  # (driver points,)
        poll_s, phase_s: when to read.
        start_after_s: when to begin, so that not all devices are connected at once.
        timeout_s: a device that fails to answer for so long is stale.
        identity: who it should be, by the catalogue; see `core.identity.mismatch`.
        read_back_rows: by row of a settable point, the row whose reading proves a write.
        turn: held while writing; shared by all links of the device.
        reader_of: the link that reads a row; several protocols may share a device.
    """

    board: Board
    notices: Notices
    device: str
    protocol: str
    driver: Driver
    rows: IntArray
    low: FloatArray
    high: FloatArray
    poll_s: float
    phase_s: float
    start_after_s: float
    timeout_s: float
    read_back_rows: dict[int, int]
    turn: asyncio.Lock
    reader_of: "Callable[[int], Link]"
    identity: Mapping[str, str] = field(default_factory=dict)
    _pending: dict[int, Order] = field(default_factory=dict)
    read_back: ReadBack = field(init=False)
    column_of: dict[int, int] = field(init=False)
    doubt: Doubt = field(init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _failures: int = 0
    _good_s: float = 0.0
    _lost_after_s: float = 0.0
    _is_lost: bool = False
    _stranger: str = ""
    _identify_s: float = 0.0
    _remarked: set[str] = field(default_factory=set)
    _told: set[tuple[int, _Trouble]] = field(default_factory=set)

    @property
    def _patience_s(self) -> float:
        """Longest that one call of the driver may take before it counts as stuck."""
        return PATIENCE_TIMEOUTS * self.timeout_s + PATIENCE_S

    def __post_init__(self) -> None:
        self.read_back = ReadBack(self.poll_s)
        self.doubt = Doubt([point.name for point in self.driver.points])
        self.column_of = {row: column for column, row in enumerate(self.rows.tolist())}

    async def prepare(self) -> None:
        """Connect and read once ahead of the schedule; failures are left to the schedule."""
        with contextlib.suppress(DeviceError, TimeoutError):
            async with asyncio.timeout(2.0 * self.timeout_s):
                await self.driver.open()
                started_s = time.monotonic()
                values = await self.driver.read()
                await self._identify(started_s)
                self._succeeded(values, started_s)

    async def run(self) -> None:
        """Read and write until cancelled."""
        await asyncio.sleep(self.start_after_s)
        started_s = time.monotonic()
        self._good_s, self._lost_after_s = started_s, started_s + START_GRACE_S
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._poll())
                tasks.create_task(self._write())
        finally:
            await self.driver.close()

    # Reading

    async def _poll(self) -> None:
        pace = Pace(self.poll_s, self.phase_s)
        while True:
            now_s = time.monotonic()
            await asyncio.sleep(pace.next_s(now_s) - now_s)
            started_s = time.monotonic()
            try:
                async with asyncio.timeout(self._patience_s):
                    values = await self.driver.read()
                    await self._identify(started_s)
            except DeviceError as error:
                await self._failed(error)
            except TimeoutError:
                await self._failed(DeviceError(f"no reading within {self._patience_s:g} s"))
            except Exception as error:  # noqa: BLE001
                # A driver's bug on one device's bytes must not blind the rest of the site.
                _log.exception("driver failed", device=self.device, protocol=self.protocol)
                await self._failed(Malformed(f"driver failed: {error!r}"))
            else:
                self._succeeded(values, started_s)

    async def _identify(self, now_s: float) -> None:
        """Ask who answers, when that is due; who will not say is taken for the right one."""
        if not self.identity or now_s < self._identify_s:
            return
        try:
            found = await self.driver.identify()
        except DeviceError as error:
            _log.info("device does not say who it is", device=self.device, error=str(error))
            self._identify_s = now_s + IDENTIFY_EVERY_S
            return
        why = mismatch(self.identity, self.protocol, found)
        self._identify_s = now_s + (IDENTIFY_AGAIN_S if why else IDENTIFY_EVERY_S)
        words = {"protocol": self.protocol, "found": str(found)}
        if why and not self._stranger:
            self.notices.post("device-mistaken", self.device, {}, why=why, **words)
            _log.warning("another device answers", device=self.device, why=why, **words)
        elif self._stranger and not why:
            self.notices.post("device-recognised", self.device, {}, **words)
        self._stranger = why

    async def _failed(self, error: DeviceError) -> None:
        self._failures += 1
        self._identify_s = 0.0  # what comes back may be another
        is_refused = isinstance(error, Refused)
        silent_s = time.monotonic() - self._good_s
        if is_refused:
            self.board.refuse(self.rows)
        elif isinstance(error, Malformed):
            self.board.mark(self.rows, Quality.BAD)
        elif silent_s >= self.timeout_s:  # a connection that breaks may be back at once
            self.board.mark(self.rows, Quality.STALE)
        is_silent = silent_s >= max(LOST_AFTER_POLLS * self.poll_s, LOST_AFTER_S)
        is_due = is_silent and time.monotonic() >= self._lost_after_s
        if not self._is_lost and (is_refused or is_due):
            self._is_lost = True
            self.notices.lost(self.device, f"{self.protocol}: {error}")
            sample = error.sample.hex() if isinstance(error, Malformed) else ""
            _log.warning("device lost", device=self.device, error=str(error), bytes=sample)
        if is_refused:
            await asyncio.sleep(REFUSED_PAUSE_S)
        else:
            times = min(2.0 ** (self._failures // RETRIES), RETRY_POLLS_MAX)
            await asyncio.sleep((times - 1.0) * self.poll_s)

    def _succeeded(self, values: FloatArray, time_s: float) -> None:
        good = (values >= self.low) & (values <= self.high)  # NaN is neither
        good &= ~self.doubt.judge(values, time_s)
        if self._stranger:
            good[:] = False
        if good.all():
            self.board.write_readings(self.rows, values, Quality.GOOD, time_s)
        else:
            self.board.write_readings(self.rows[good], values[good], Quality.GOOD, time_s)
            self.board.mark(self.rows[~good], Quality.BAD)
        if not self._stranger:
            self._tell_implausible(values, good)
        self._tell_remarks()
        if self._is_lost:
            self.notices.back(self.device, f"{self.protocol}: answers again")
            _log.info("device back", device=self.device, protocol=self.protocol)
        self._failures, self._is_lost, self._good_s = 0, False, time.monotonic()
        if self.read_back.rows and not self._stranger:
            self._check(values, time_s)

    def _tell_remarks(self) -> None:
        """What the driver noticed about the device, each sentence once."""
        for remark in self.driver.remarks:
            if remark not in self._remarked and len(self._remarked) < REMARKS_MAX:
                self._remarked.add(remark)
                self.notices.post(
                    "device-remark", self.device, {}, protocol=self.protocol, what=remark
                )

    def _tell_implausible(self, values: FloatArray, good: NDArray[np.bool_]) -> None:
        if good.all() and not self._told:
            return
        for index in np.flatnonzero(~good & np.isfinite(values)).tolist():
            row, point = int(self.rows[index]), self.driver.points[index]
            if self._is_new(row, _Trouble.IMPLAUSIBLE):
                reading, low, high = (float(a[index]) for a in (values, self.low, self.high))
                self._warn("reading-implausible", reading, point=point.name, low=low, high=high)
        for row in self.rows[good].tolist():
            self._told.discard((row, _Trouble.IMPLAUSIBLE))

    # Writing

    def order(self, order: Order) -> None:
        """Take an order; orders are written in sequence, a newer one of the same row replaces."""
        self._pending.pop(order.row, None)  # and so goes to the end: sequence is meaning
        self._pending[order.row] = order
        self._wake.set()

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending:
                row = next(iter(self._pending))
                order = self._pending[row]
                is_over = await self._write_one(order)
                if is_over and self._pending.get(row) is order:
                    del self._pending[row]
                elif not is_over:
                    await asyncio.sleep(WRITE_RETRY_S)

    async def _write_one(self, order: Order) -> bool:
        """Try once; False where it is worth trying again."""
        reader = self.reader_of(self.read_back_rows[order.row])
        async with self.turn:
            left_s = order.left_s(time.monotonic())
            if left_s < 0.0:
                self._lost(order, "could not be delivered before its lease ended")
                return True
            try:
                await self._send(order, left_s)
            except (Rejected, Refused) as error:
                self._progress(order, Progress.REJECTED)
                reader.read_back.forget(order.row)
                if self._is_new(order.row, _Trouble.REJECTED):
                    self._warn("command-rejected", order.value, why=f"{self.device}: {error}")
                return True
            except (DeviceError, TimeoutError) as error:
                if self._is_new(order.row, _Trouble.UNSENT):
                    _log.info("cannot write", path=f"{self.device}/{order.point}", error=str(error))
                return False
        self._told -= {(order.row, _Trouble.REJECTED), (order.row, _Trouble.UNSENT)}
        self._progress(order, Progress.SENT)
        reader.read_back.expect(order, time.monotonic())
        return True

    async def _send(self, order: Order, left_s: float) -> None:
        if self._stranger:
            raise Rejected(f"not sent, another device answers: {self._stranger}")
        async with asyncio.timeout(self._patience_s):
            await self.driver.write(order.point, order.value, left_s)

    def _check(self, values: FloatArray, time_s: float) -> None:
        """Compare what was written with a reading that began after it."""
        readings = {
            row: float(values[self.column_of[self.read_back_rows[row]]])
            for row in self.read_back.rows
        }
        for verdict in self.read_back.check(readings, time_s):
            order = verdict.order
            if verdict.progress == Progress.DONE:
                self._progress(order, Progress.DONE, verdict.reading)
                self._told.discard((order.row, _Trouble.LOST))
            else:
                seen = f"it reads {verdict.reading:g}"
                if math.isnan(verdict.reading):
                    seen = "it is not in force, or cannot be read back"
                self._lost(order, f"is not followed: {seen}", verdict.reading)

    def _lost(self, order: Order, what: str, reading: float = math.nan) -> None:
        self._progress(order, Progress.LOST, reading)
        if self._is_new(order.row, _Trouble.LOST):
            self._warn("command-lost", order.value, point=order.point, why=what)

    def _progress(self, order: Order, progress: Progress, reading: float = math.nan) -> None:
        self.board.set_progress(
            np.array([order.row]),
            order.number,
            progress,
            readings=reading,
            time_s=time.monotonic(),
        )

    # Telling

    def _is_new(self, row: int, trouble: _Trouble) -> bool:
        if (row, trouble) in self._told:
            return False
        self._told.add((row, trouble))
        return True

    def _warn(self, kind: str, value: float, **words: object) -> None:
        self.notices.post(kind, self.device, {"value": value}, value=value, **words)
