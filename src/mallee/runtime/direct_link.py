"""Devices of a large simulated site that are read in memory: thousands at once, as arrays.

Does for them what `Link` does for one device: quality, events, and the proof of each command by a
later reading. Nothing here loops over devices, but for telling.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray
from mallee.core.read_back import GRACE_MIN_S, GRACE_POLLS, tolerance_of
from mallee.core.snapshot import Progress, Quality
from mallee.runtime.board import Board, CommandRows
from mallee.runtime.link import LOST_AFTER_S
from mallee.runtime.notices import MANY, Notices
from mallee.runtime.pace import Pace
from mallee.runtime.twin_feed import Reported, TwinFeed
from mallee.site.model import SiteModel
from mallee.site.plausible import plausible_range

_OF_HEALTH: Final = np.array(
    [Quality.GOOD, Quality.STALE, Quality.GOOD, Quality.BAD, Quality.REFUSED], np.uint8
)
"""Quality of a device's points by its health: ok, silent, slow, garbage, refuse."""
_HOW: Final = ("", "silent", "slow", "answers garbage", "refuses")
STALE_S: Final = 2.0
"""Without a word of the twin for so long nothing it said counts."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Points that are read together.

    Attributes:
        rows, devices: row and device of each.  # (points,)
        low, high: plausible readings.  # (points,)
    """

    poll_s: float
    rows: IntArray
    devices: IntArray
    low: FloatArray
    high: FloatArray


def rows_by_pace(site: SiteModel, direct: NDArray[np.bool_]) -> list[Rows]:
    """All points of the devices that are read in memory, by how often their model wants it."""
    low, high = plausible_range(site)
    found: dict[float, list[tuple[IntArray, IntArray]]] = {}
    for group in site.groups:
        own = np.flatnonzero(direct[group.first_device : group.first_device + group.count])
        for name, protocol in group.model.protocol.items():
            columns = [
                column for column, point in enumerate(group.model.point) if point.protocol == name
            ]
            rows = group.first_row + group.stride * own[:, None] + np.array(columns, np.int64)
            devices = np.repeat(group.first_device + own, len(columns))
            found.setdefault(protocol.poll_s, []).append((rows.ravel(), devices))
    together = {
        poll_s: tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))
        for poll_s, parts in found.items()
    }
    return [
        Rows(poll_s, rows, devices, low[rows], high[rows])
        for poll_s, (rows, devices) in together.items()
        if rows.size
    ]


class DirectLink:
    """All devices of a site that are read in memory.

    Args:
        direct: which devices.  # (devices,)
    """

    def __init__(
        self,
        site: SiteModel,
        board: Board,
        feed: TwinFeed,
        notices: Notices,
        direct: NDArray[np.bool_],
    ) -> None:
        self._site, self._board, self._feed, self._notices = site, board, feed, notices
        self._direct = direct
        self._names = np.array([name for group in site.groups for name in group.names])
        self._well_s = np.full(site.device_count, np.nan)
        self._lost = np.zeros(site.device_count, np.bool_)
        self._watched = DirectReadBack(site, direct)
        self._commands = -1

    async def run(self) -> None:
        """Read until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for rows in rows_by_pace(self._site, self._direct):
                tasks.create_task(self._poll(rows))
            tasks.create_task(self._prove())

    async def _poll(self, rows: Rows) -> None:
        pace = Pace(rows.poll_s)
        while True:
            now_s = time.monotonic()
            await asyncio.sleep(pace.next_s(now_s) - now_s)
            self.read(rows, time.monotonic())

    def read(self, rows: Rows, now_s: float) -> None:
        """Take over what the twin says of these rows."""
        said = self._feed.read(rows.rows)
        if now_s - said.time_s > STALE_S:
            self._board.mark(rows.rows, Quality.STALE)
            return
        quality = _OF_HEALTH[said.health[rows.devices]]
        plausible = (said.values >= rows.low) & (said.values <= rows.high)  # NaN is neither
        quality[(quality == Quality.GOOD) & ~plausible] = Quality.BAD
        good = quality == Quality.GOOD
        self._board.write_readings(rows.rows[good], said.values[good], Quality.GOOD, said.time_s)
        for bad in (Quality.STALE, Quality.BAD, Quality.REFUSED):
            if (quality == bad).any():
                self._board.mark(rows.rows[quality == bad], bad)

    async def _prove(self) -> None:
        pace = Pace(1.0)
        while True:
            now_s = time.monotonic()
            await asyncio.sleep(pace.next_s(now_s) - now_s)
            self.prove(time.monotonic())

    def prove(self, now_s: float) -> None:
        """Once a second: who is lost, and which commands are in force."""
        said = self._feed.read(self._watched.proof_rows)
        self._tell_lost(said, now_s)
        if self._board.command_count != self._commands:
            self._commands = self._board.command_count
            self._watched.expect(self._board.commands(), now_s)
        mute = _OF_HEALTH[said.health[self._watched.devices]] != Quality.GOOD
        changed, progress = self._watched.check(said, self._feed.declined, mute, now_s)
        for state in (Progress.DONE, Progress.LOST, Progress.REJECTED):
            these = changed[progress == state]
            if these.size:
                watched = self._watched
                self._board.set_progress(
                    watched.rows[these],
                    watched.numbers[these],
                    state,
                    readings=said.values[these],
                    time_s=now_s,
                )
                if state != Progress.DONE:
                    self._tell_commands(these, said.values[these], state)

    def _tell_commands(self, these: IntArray, readings: FloatArray, state: Progress) -> None:
        """The first few by name; so many as a large site may lose at once tell nobody more."""
        watched = self._watched
        for index, reading in list(zip(these.tolist(), readings.tolist(), strict=True))[:MANY]:
            path = self._site.point_path(int(watched.rows[index]))
            device, _, point = path.rpartition("/")
            value = float(watched.values[index])
            more = f", and {these.size - 1} more" if these.size > MANY else ""
            if state == Progress.REJECTED:
                why = f"{path} = {value:g}: the device declines{more}"
                self._notices.post("command-rejected", device, {"value": value}, why=why)
            else:
                why = f"is not followed: it reads {reading:g}{more}"
                numbers = {"value": value}
                self._notices.post(
                    "command-lost", device, numbers, value=value, point=point, why=why
                )

    def _tell_lost(self, said: Reported, now_s: float) -> None:
        if np.isnan(self._well_s[0]):
            self._well_s[:] = now_s
        well = (_OF_HEALTH[said.health] == Quality.GOOD) & (now_s - said.time_s <= STALE_S)
        self._well_s[well | ~self._direct] = now_s
        lost = now_s - self._well_s > LOST_AFTER_S
        for device in np.flatnonzero(lost & ~self._lost).tolist():
            how = _HOW[said.health[device]] or "the twin says nothing"
            self._notices.lost(str(self._names[device]), f"in memory: {how}")
        for device in np.flatnonzero(self._lost & ~lost).tolist():
            self._notices.back(str(self._names[device]), "in memory: answers again")
        self._lost = lost


class DirectReadBack:
    """The last command to each settable point of the devices that are read in memory.

    Attributes:
        rows, proof_rows: row of each settable point, and of the one that proves it.  # (settable,)
        devices: device of each.  # (settable,)
        values, numbers: of the last command; number 0 where there was none.  # (settable,)
    """

    def __init__(self, site: SiteModel, direct: NDArray[np.bool_]) -> None:
        rows, proofs, devices, names = [], [], [], []
        for group in site.groups:
            own = np.flatnonzero(direct[group.first_device : group.first_device + group.count])
            for point in group.model.point:
                if point.access == "readwrite":
                    rows.append(group.rows(point.name)[own])
                    proofs.append(group.rows(point.read_back or point.name)[own])
                    devices.append(group.first_device + own)
                    names += [point.name] * own.size
        empty = [np.empty(0, np.int64)]
        self.rows, self.proof_rows = np.concatenate(rows or empty), np.concatenate(proofs or empty)
        self.devices = np.concatenate(devices or empty)
        # A tolerance is a share of the value, but at least what such registers resolve.
        least = {name: tolerance_of(name, 0.0) for name in set(names)}
        share = {name: tolerance_of(name, 1e9) / 1e9 for name in set(names)}
        self._least = np.array([least[name] for name in names])
        self._share = np.array([share[name] for name in names])
        count = self.rows.size
        self.values, self.numbers = np.full(count, np.nan), np.zeros(count, np.int64)
        self._since_s, self._ends_s = np.full(count, np.inf), np.full(count, np.inf)
        self._progress = np.zeros(count, np.uint8)

    def expect(self, commands: CommandRows, now_s: float) -> None:
        """Take over commands that were given since the last time."""
        numbers = commands.numbers[self.rows]
        fresh = numbers > self.numbers
        values = commands.values[self.rows]
        # Asking again for a value that is not followed does not start its time anew.
        anew = fresh & ~((values == self.values) & (self._progress != Progress.DONE))
        self._since_s[anew] = now_s
        self._progress[fresh] = Progress.SENT
        self.values[fresh], self.numbers[fresh] = values[fresh], numbers[fresh]
        lease_s = commands.leases_s[self.rows]
        ends_s = np.where(lease_s > 0.0, commands.times_s[self.rows] + lease_s, np.inf)
        self._ends_s[fresh] = ends_s[fresh]

    def check(
        self, said: Reported, declined: IntArray, mute: NDArray[np.bool_], now_s: float
    ) -> tuple[IntArray, NDArray[np.uint8]]:
        """Which commands changed with a reading, and what became of them."""
        watched = (self.numbers > 0) & (now_s <= self._ends_s) & ~mute & np.isfinite(said.values)
        tolerance = np.maximum(self._share * np.abs(self.values), self._least)
        shown = watched & (np.abs(said.values - self.values) <= tolerance)
        self._since_s[shown] = now_s
        late = watched & ~shown & (now_s - self._since_s > max(GRACE_MIN_S, float(GRACE_POLLS)))
        progress = self._progress.copy()
        progress[shown], progress[late] = Progress.DONE, Progress.LOST
        progress[watched & (declined[self.rows] == self.numbers)] = Progress.REJECTED
        changed = np.flatnonzero(progress != self._progress)
        self._progress = progress
        return changed, progress[changed]
