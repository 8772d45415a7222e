"""The collector of virtual time: hands the twin's reported values to control and back, no sockets.

It judges as the real one does. A reading that cannot be true is left out and told; a device whose
communication is broken keeps its last value and goes stale, bad or refused, and hears no commands;
what was written counts when a later reading shows it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import BoolArray, FloatArray
from mallee.core.command import Command
from mallee.core.errors import Rejected
from mallee.core.event import Event
from mallee.core.event_kinds import new_event
from mallee.core.read_back import TOLERANCE_FRAC, Order, ReadBack
from mallee.core.snapshot import Progress, Quality, Snapshot
from mallee.kinds import KINDS
from mallee.simulation.command_record import CommandRecord
from mallee.site.model import SiteModel
from mallee.site.plausible import plausible_range
from mallee.twin.comms import STATES
from mallee.twin.site_twin import SiteTwin

OK, SILENT, SLOW, GARBAGE, REFUSE = range(len(STATES))
_QUALITY = {
    SILENT: Quality.STALE,
    SLOW: Quality.GOOD,
    GARBAGE: Quality.BAD,
    REFUSE: Quality.REFUSED,
}


class _Proof(NamedTuple):
    """What shows that a write to a point was obeyed.

    Attributes:
        point: name of the settable point.
        row: row of the point whose reading proves it.
        poll_s: how often that is read.
        tolerance_frac: how far the reading may lie from what was written.
    """

    point: str
    row: int
    poll_s: float
    tolerance_frac: float


class VirtualCollector:
    """Reads and writes one twin on behalf of control.

    Attributes:
        commands: what was written, and what the devices said to it.
    """

    def __init__(self, site: SiteModel, twin: SiteTwin) -> None:
        self._site, self._twin = site, twin
        self.commands = CommandRecord(site)
        self._time_s = np.zeros(())
        count = site.point_count
        # One cell seen by all rows: while every device answers, all readings are of this instant.
        self._all_now = np.broadcast_to(self._time_s, (count,))
        self._low, self._high = plausible_range(site)
        self._progress = np.zeros(count, np.uint8)
        self._first_row = np.concatenate(
            [group.first_row + group.stride * np.arange(group.count) for group in site.groups]
        )
        self._stride = np.concatenate([np.full(group.count, group.stride) for group in site.groups])
        self._held: FloatArray | None = None
        self._held_times: FloatArray | None = None
        self._last, self._last_s = np.full(count, np.nan), 0.0
        self._implausible: set[int] = set()
        self._lost: set[int] = set()
        self._proofs: dict[int, _Proof] = {}
        self._read_back: dict[tuple[int, float], ReadBack] = {}
        self._pending: dict[int, Order] = {}
        self._asked: dict[int, Command] = {}
        self._events: list[Event] = []
        self._number = 0

    def collect(self, time_s: float) -> Snapshot:
        """All readings at this instant; what earlier commands came to is in `progress`."""
        self._time_s[()] = time_s
        values = self._twin.reported
        wrong = (values < self._low) | (values > self._high)
        if self._held is not None or self._twin.comms.state.any() or wrong.any():
            snapshot = self._collect_broken(time_s, wrong)
        else:
            np.copyto(self._last, values)
            self._last_s = time_s
            snapshot = Snapshot(
                time_s=time_s,
                values=values,
                times_s=self._all_now,
                quality=_quality_of(values),
                progress=self._progress,
            )
        if self._implausible or wrong.any():
            self._tell_implausible(wrong, time_s)
        if self._pending:
            self._deliver(time_s)
        self._prove(snapshot, time_s)
        return snapshot

    def send(self, commands: list[Command], time_s: float) -> None:
        """Take commands; a newer one of the same row replaces an older one not yet delivered."""
        self._number += 1
        for command in commands:
            for row, value in zip(command.rows.tolist(), command.values.tolist(), strict=True):
                proof = self._proof(row)
                self._asked[row] = command
                self._pending[row] = Order(
                    row=row,
                    point=proof.point,
                    value=value,
                    lease_s=command.lease_s,
                    time_s=time_s,
                    number=self._number,
                    tolerance_frac=proof.tolerance_frac,
                )
        self._deliver(time_s)

    def take_events(self) -> list[Event]:
        """What there was to tell since the last call."""
        told, self._events = self._events, []
        return told

    def _collect_broken(self, time_s: float, wrong: BoolArray) -> Snapshot:
        """As `collect`, with some readings that are not to be had or not to be believed."""
        values = self._twin.reported
        if self._held is None or self._held_times is None:
            self._held, self._held_times = self._last.copy(), np.full(values.size, self._last_s)
        fresh = ~wrong
        quality = _quality_of(values)
        quality[wrong] = Quality.BAD
        for device in np.flatnonzero(self._twin.comms.state):
            health = int(self._twin.comms.state[device])
            rows = slice(self._first_row[device], self._first_row[device] + self._stride[device])
            if health != SLOW:
                fresh[rows] = False
                quality[rows] = _QUALITY[health]
        self._held[fresh] = values[fresh]
        self._held_times[fresh] = time_s
        snapshot = Snapshot(
            time_s=time_s,
            values=self._held.copy(),
            times_s=self._held_times.copy(),
            quality=quality,
            progress=self._progress,
        )
        if not (self._twin.comms.state.any() or wrong.any()):
            self._held = self._held_times = None
        return snapshot

    def _tell_implausible(self, wrong: BoolArray, time_s: float) -> None:
        rows = set(np.flatnonzero(wrong).tolist())
        for row in sorted(rows - self._implausible):
            device, _, point = self._site.point_path(row).rpartition("/")
            reading = float(self._twin.reported[row])
            words = {"point": point, "value": reading}
            bounds = {"low": float(self._low[row]), "high": float(self._high[row])}
            self._tell("reading-implausible", time_s, device, reading, **words, **bounds)
        self._implausible = rows

    def _deliver(self, time_s: float) -> None:
        """Write what waits to the devices that listen; the rest waits until its lease is over."""
        for row, order in list(self._pending.items()):
            if order.left_s(time_s) < 0.0:
                del self._pending[row]
                self._lose(order, "could not be delivered before its lease ended", time_s)
            elif self._hears(row):
                del self._pending[row]
                self._write(order, time_s)

    def _write(self, order: Order, time_s: float) -> None:
        try:
            self._twin.write(order.row, order.value, order.lease_s)
        except Rejected as error:
            self._came_to(order, Progress.REJECTED, time_s)
            path = self._site.point_path(order.row)
            self._events.append(new_event("command-rejected", time_s, path, why=str(error)))
            return
        self._came_to(order, Progress.SENT, time_s)
        poll_s = self._proof(order.row).poll_s
        link = (self._device_of(order.row), poll_s)
        self._read_back.setdefault(link, ReadBack(poll_s)).expect(order, time_s)

    def _prove(self, snapshot: Snapshot, time_s: float) -> None:
        """Hold what was written against the readings that have come since, each poll.

        A device that does not answer proves nothing, either way.
        """
        for (device, poll_s), read_back in self._read_back.items():
            if not read_back.rows or round(time_s * 10.0) % max(round(poll_s * 10.0), 1):
                continue
            if self._twin.comms.state[device] not in (OK, SLOW):
                continue
            readings = {}
            for row in read_back.rows:
                proof = self._proof(row).row
                if snapshot.quality[proof] == Quality.GOOD:
                    readings[row] = float(snapshot.values[proof])
            for verdict in read_back.check(readings, time_s):
                if verdict.progress == Progress.DONE:
                    self._came_to(verdict.order, Progress.DONE, time_s)
                    self._lost.discard(verdict.order.row)
                else:
                    why = f"is not followed: it reads {verdict.reading:g}"
                    self._lose(verdict.order, why, time_s)

    def _lose(self, order: Order, why: str, time_s: float) -> None:
        self._came_to(order, Progress.LOST, time_s)
        if order.row not in self._lost:
            self._lost.add(order.row)
            device, _, point = self._site.point_path(order.row).rpartition("/")
            value = order.value
            self._tell("command-lost", time_s, device, value, point=point, value=value, why=why)

    def _came_to(self, order: Order, progress: Progress, time_s: float) -> None:
        self._progress[order.row] = progress
        self.commands.take(self._asked[order.row], order.row, order.value, time_s, progress)

    def _proof(self, row: int) -> _Proof:
        if row not in self._proofs:
            group = self._site.group_of_row(row)
            device, position = divmod(row - group.first_row, group.stride)
            point = group.model.point[position]
            shows = point.read_back or point.name
            kind = KINDS[group.kind].point(point.name)
            self._proofs[row] = _Proof(
                point=point.name,
                row=group.row(device, shows),
                poll_s=group.model.protocol[point.protocol].poll_s if point.protocol else 1.0,
                tolerance_frac=TOLERANCE_FRAC if kind is None else kind.tolerance_frac,
            )
        return self._proofs[row]

    def _tell(self, kind: str, time_s: float, device: str, number: float, **words: object) -> None:
        self._events.append(new_event(kind, time_s, device, {"value": number}, **words))

    def _hears(self, row: int) -> bool:
        return bool(self._twin.comms.state[self._device_of(row)] in (OK, SLOW))

    def _device_of(self, row: int) -> int:
        return int(np.searchsorted(self._first_row, row, side="right")) - 1


def _quality_of(values: FloatArray) -> NDArray[np.uint8]:
    """Good, or never read where there is no number.  # (points,)"""
    return np.where(np.isnan(values), Quality.NEVER, Quality.GOOD).astype(np.uint8)
