"""The collector of virtual time: hands the twin's reported values to control and back, no sockets.

It fails as the real one does: a device whose communication is broken keeps its last value and
goes stale, bad or refused, and takes no commands.
"""

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.command import Command
from mallee.core.errors import Rejected
from mallee.core.event import Event
from mallee.core.event_kinds import new_event
from mallee.core.snapshot import Progress, Quality, Snapshot
from mallee.simulation.command_record import CommandRecord
from mallee.site.model import SiteModel
from mallee.twin.comms import STATES
from mallee.twin.site_twin import SiteTwin

OK, SILENT, SLOW, GARBAGE, REFUSE = range(len(STATES))
_QUALITY = {
    SILENT: Quality.STALE,
    SLOW: Quality.GOOD,
    GARBAGE: Quality.BAD,
    REFUSE: Quality.REFUSED,
}


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
        self._all_good = np.zeros(count, np.uint8)
        self._progress = np.zeros(count, np.uint8)
        self._first_row = np.concatenate(
            [group.first_row + group.stride * np.arange(group.count) for group in site.groups]
        )
        self._stride = np.concatenate([np.full(group.count, group.stride) for group in site.groups])
        self._held: FloatArray | None = None
        self._held_times: FloatArray | None = None

    def collect(self, time_s: float) -> Snapshot:
        """All readings at this instant."""
        self._time_s[()] = time_s
        values = self._twin.reported
        if self._held is None and not self._twin.comms.state.any():
            return Snapshot(
                time_s=time_s,
                values=values,
                times_s=self._all_now,
                quality=self._all_good,
                progress=self._progress,
            )
        return self._collect_broken(time_s)

    def _collect_broken(self, time_s: float) -> Snapshot:
        """As `collect`, with some devices that do not answer as they should."""
        values = self._twin.reported
        if self._held is None or self._held_times is None:
            self._held, self._held_times = values.copy(), np.full(values.size, time_s)
        fresh = np.ones(values.size, bool)
        quality = np.zeros(values.size, np.uint8)
        for device in np.flatnonzero(self._twin.comms.state):
            health = int(self._twin.comms.state[device])
            rows = slice(self._first_row[device], self._first_row[device] + self._stride[device])
            fresh[rows] = health == SLOW
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
        if not self._twin.comms.state.any():
            self._held = self._held_times = None
        return snapshot

    def send(self, commands: list[Command], time_s: float) -> list[Event]:
        """Deliver commands; what a device declines or cannot hear becomes an event or nothing."""
        events: list[Event] = []
        broken = bool(self._twin.comms.state.any())
        for command in commands:
            for row, value in zip(command.rows.tolist(), command.values.tolist(), strict=True):
                if broken and not self._hears(row):
                    self.commands.take(command, row, value, time_s, Progress.LOST)
                    continue
                try:
                    self._twin.write(row, value, command.lease_s)
                    self.commands.take(command, row, value, time_s, Progress.SENT)
                except Rejected as error:
                    self.commands.take(command, row, value, time_s, Progress.REJECTED)
                    events.append(
                        new_event(
                            "command-rejected",
                            time_s,
                            self._site.point_path(row),
                            why=str(error),
                        )
                    )
        return events

    def _hears(self, row: int) -> bool:
        device = int(np.searchsorted(self._first_row, row, side="right")) - 1
        return bool(self._twin.comms.state[device] in (OK, SLOW))
