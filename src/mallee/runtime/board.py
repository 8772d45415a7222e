"""The board: one memory-mapped file through which the processes of a site see each other.

Laid out from the site model: a value, a time and a quality for every point; the last command to
every settable one, why, and how far it came; plans and requests; heartbeats; what control says of
itself; events. Every region has one writer, named below. Readers copy and nobody waits for anybody.

    region                            written by
    readings, progress, outcomes      collect, each shard the rows of its own devices
    commands, reasons                 control
    status, control state             control
    plans, outlook                    plan
    requests                          console
    heartbeat and events of a process that process
"""

import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from mallee.core.arrays import FloatArray, IntArray
from mallee.core.command import CONTROL
from mallee.core.errors import ConfigError
from mallee.core.event import Event
from mallee.core.outlook import Outlook
from mallee.core.plan import Plan, Plans
from mallee.core.request import Request, Requests
from mallee.core.snapshot import Progress, Quality, Snapshot
from mallee.core.status import ControlStatus
from mallee.runtime.board_layout import HEADER, LAYOUT, MAGIC, REASONS, TIMINGS, arrays_of, size_of
from mallee.runtime.event_ring import EventReader, EventRing, MessageRing
from mallee.runtime.reasons import Reason, Reasons
from mallee.runtime.record_ring import RecordBatch, RecordRing
from mallee.runtime.roles import PROCESSES
from mallee.runtime.seqlock import Blob, Sequence
from mallee.runtime.typed_blob import TypedBlob
from mallee.site.model import SiteModel


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRows:
    """The last command to every point, by row; number 0 where there was none.

    Attributes:
        values: the commanded value, in the point's unit.  # (points,)
        leases_s: how long it holds from `times_s`.  # (points,)
        times_s: when control gave it, monotonic.  # (points,)
        numbers: count up, so their order is the order of the commands.  # (points,)
        reasons: numbers for `Board.reason`.  # (points,)
    """

    values: FloatArray
    leases_s: FloatArray
    times_s: FloatArray
    numbers: IntArray
    reasons: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The last control cycles, oldest first.

    Attributes:
        late_s: start of each cycle behind its schedule.  # (cycles,)
        compute_s: time that each took.  # (cycles,)
        count: cycles since the board was made.
    """

    late_s: FloatArray
    compute_s: FloatArray
    count: int


class Board:
    """A mapped board; make one with `create` or `open`.

    Args:
        shard: which collector this process is, if it is one.
    """

    def __init__(self, site: SiteModel, memory: mmap.mmap, shard: int = 0) -> None:
        self._arrays = arrays = arrays_of(site, memory)
        self._values, self._times_s = arrays["values"], arrays["times_s"]
        self._quality, self._progress = arrays["quality"], arrays["progress"]
        self._handled, self._numbers = arrays["handled"], arrays["command_numbers"]
        self._readings = Sequence(arrays["reading_sequences"], shard)
        self._commands = Sequence(arrays["command_sequence"])
        self._command_log = RecordRing(arrays["command_count"], arrays["command_log"])
        self._outcomes = [
            RecordRing(arrays["outcome_counts"][one : one + 1], records)
            for one, records in enumerate(arrays["outcomes"])
        ]
        self._own_outcomes = self._outcomes[shard]
        reasons = (arrays[name] for name in ("reason_count", "reason_marks", "reasons"))
        self._reasons = Reasons(MessageRing(*reasons), REASONS)
        self._state = self._blob("state")
        self._status: TypedBlob[ControlStatus | None] = TypedBlob(
            self._blob("status"), ControlStatus, None
        )
        self._plans = TypedBlob(self._blob("plans"), Plans, Plans())
        self._outlook: TypedBlob[Outlook | None] = TypedBlob(self._blob("outlook"), Outlook, None)
        self._requests = TypedBlob(self._blob("requests"), Requests, Requests())
        self._rings: dict[str, EventRing] = {
            name: EventRing(
                arrays["event_heads"][index : index + 1],
                arrays["event_marks"][index],
                arrays["events"][index],
            )
            for index, name in enumerate(PROCESSES)
        }

    def _blob(self, name: str) -> Blob:
        arrays = self._arrays
        return Blob(arrays[f"{name}_head"], arrays[f"{name}_sizes"], arrays[name])

    @classmethod
    def create(cls, path: Path, site: SiteModel) -> "Board":
        """A new, empty board in place of any that was there before."""
        fresh = path.with_suffix(".new")
        with fresh.open("w+b") as file:
            fresh.chmod(0o600)
            file.truncate(size_of(site))
            board = cls(site, mmap.mmap(file.fileno(), 0))
        board._values[:] = np.nan
        board._times_s[:] = -np.inf
        board._quality[:] = Quality.NEVER
        board._arrays["command_values"][:] = np.nan
        board._arrays["beats_s"][:] = -np.inf
        session = int.from_bytes(os.urandom(7), "big")
        board._arrays["header"][0] = (MAGIC, LAYOUT, site.digest.encode(), session)
        fresh.replace(path)
        return board

    @classmethod
    def open(cls, path: Path, site: SiteModel, shard: int = 0) -> "Board":
        """Map the board of a running site.

        Args:
            shard: which collector this process is, if it is one.

        Raises:
            ConfigError: there is none, or it was laid out for another site model.
        """
        try:
            with path.open("r+b") as file:
                memory = mmap.mmap(file.fileno(), 0)
        except (OSError, ValueError) as error:
            hint = "start the site with `mallee up`"
            raise ConfigError(str(path), f"no board here ({error})", hint) from None
        header = np.frombuffer(memory, HEADER, 1)[0] if len(memory) >= HEADER.itemsize else None
        if header is None or header["magic"] != MAGIC or header["layout"] != LAYOUT:
            raise ConfigError(str(path), "is no board of this version", "restart `mallee up`")
        if header["digest"] != site.digest.encode() or len(memory) != size_of(site):
            raise ConfigError(
                str(path),
                f"is laid out for another site model than {site.name} ({site.digest})",
                "the site file or the catalogue changed: restart `mallee up`",
            )
        return cls(site, memory, shard)

    @property
    def session(self) -> int:
        """Random number of this board: event positions of another session mean nothing here."""
        return int(self._arrays["header"][0]["session"])

    # Readings: written by collect

    def write_readings(
        self, rows: IntArray, values: ArrayLike, quality: ArrayLike, time_s: float
    ) -> None:
        """New values, in the order that keeps a half-written row harmless: its time comes last."""
        self._readings.begin()
        self._values[rows] = values
        self._quality[rows] = quality
        self._times_s[rows] = time_s
        self._readings.end()

    def mark(self, rows: IntArray, quality: Quality) -> None:
        """Change the quality; values and times stay, and what was never read stays `NEVER`."""
        self._readings.begin()
        self._quality[rows] = np.where(np.isfinite(self._times_s[rows]), quality, Quality.NEVER)
        self._readings.end()

    def refuse(self, rows: IntArray) -> None:
        """Mark as `REFUSED`, never read or not."""
        self._readings.begin()
        self._quality[rows] = Quality.REFUSED
        self._readings.end()

    def set_progress(
        self,
        rows: IntArray,
        numbers: ArrayLike,
        progress: ArrayLike,
        *,
        readings: ArrayLike = np.nan,
        time_s: float = np.nan,
    ) -> None:
        """How far the commands with these numbers have come.

        Args:
            readings: what was read back, NaN where nothing was.
            time_s: when that became known.
        """
        self._readings.begin()
        self._progress[rows] = progress
        self._handled[rows] = numbers
        self._readings.end()
        self._own_outcomes.append(
            rows.size, command=numbers, row=rows, time_s=time_s, reading=readings, progress=progress
        )

    def outcomes_since(self, positions: Mapping[int, int]) -> dict[int, RecordBatch]:
        """What became known of commands, by collector, after so many records of each."""
        return {
            shard: ring.read(positions.get(shard, 0))
            for shard, ring in enumerate(self._outcomes)
            if ring.appended > positions.get(shard, 0)
        }

    def snapshot(self, time_s: float) -> Snapshot:
        """A copy of all readings; the progress of a command that collect has not seen is `SENT`."""
        numbers = self._numbers.copy()
        values, times_s, quality, progress, handled = self._readings.read(
            lambda: (
                self._values.copy(),
                self._times_s.copy(),
                self._quality.copy(),
                self._progress.copy(),
                self._handled.copy(),
            )
        )
        progress[handled < numbers] = Progress.SENT
        return Snapshot(
            time_s=time_s, values=values, times_s=times_s, quality=quality, progress=progress
        )

    # Commands: written by control

    def command(
        self,
        rows: IntArray,
        values: ArrayLike,
        lease_s: float,
        time_s: float,
        *,
        reason: str = "",
        actor: str = CONTROL,
    ) -> IntArray:
        """Ask collect to write, or renew a lease with the same value.

        Returns:
            The commands' numbers; those of one device are written in this order.  # (rows,)
        """
        why = self._reasons.put(actor, reason)
        numbers = np.arange(self.command_count + 1, self.command_count + 1 + rows.size)
        self._commands.begin()
        self._arrays["command_values"][rows] = values
        self._arrays["command_leases_s"][rows] = lease_s
        self._arrays["command_times_s"][rows] = time_s
        self._arrays["command_reasons"][rows] = why
        self._numbers[rows] = numbers
        self._commands.end()
        return self._command_log.append(
            rows.size, row=rows, value=values, lease_s=lease_s, time_s=time_s, reason=why
        )

    @property
    def command_count(self) -> int:
        """Number of the latest command: cheap to watch."""
        return self._command_log.appended

    def reason(self, number: int) -> Reason:
        """Why a command was given and by whom."""
        return self._reasons.get(number)

    def commands_since(self, position: int) -> RecordBatch:
        """All writes asked for after the first `position` ones, as `board_layout.COMMAND`."""
        return self._command_log.read(position)

    def commands(self) -> CommandRows:
        """A copy of the last command to every point."""
        arrays = self._arrays
        return self._commands.read(
            lambda: CommandRows(
                values=arrays["command_values"].copy(),
                leases_s=arrays["command_leases_s"].copy(),
                times_s=arrays["command_times_s"].copy(),
                numbers=self._numbers.copy(),
                reasons=arrays["command_reasons"].copy(),
            )
        )

    def handled(self) -> IntArray:
        """Number of the last command to each point whose progress is on the board.  # (points,)"""
        return self._handled.copy()

    # Intent: plans are written by plan, requests by the console

    def publish_plans(self, plans: tuple[Plan, ...], generation: int) -> None:
        """Put out all plans in place of those before."""
        self._plans.write(Plans(generation=generation, plans=plans))

    def plans(self) -> Plans:
        """All plans, stale ones too."""
        return self._plans.read()

    def publish_outlook(self, outlook: Outlook) -> None:
        """Put out what the newest energy plan shows to people."""
        self._outlook.write(outlook)

    def outlook(self) -> Outlook | None:
        """What the newest energy plan shows; None before the first."""
        return self._outlook.read()

    def publish_requests(self, requests: tuple[Request, ...], generation: int) -> None:
        """Put out all requests in place of those before.

        Raises:
            ValueError: they do not fit; those before stay in force.
        """
        self._requests.write(Requests(generation=generation, requests=requests))

    def requests(self) -> Requests:
        """All requests, also those whose lease has not begun or has ended."""
        return self._requests.read()

    # What control says of itself

    def publish_status(self, status: ControlStatus) -> None:
        """Put out what the "why" line says now."""
        self._status.write(status)

    def status(self) -> ControlStatus | None:
        """What control said last; None before its first cycle."""
        return self._status.read()

    def save_state(self, state: bytes) -> None:
        """Keep control's state for the process that comes after this one."""
        self._state.write(state)

    def saved_state(self) -> bytes | None:
        """The state that control saved last."""
        return self._state.read()

    def record_cycle(self, late_s: float, compute_s: float) -> None:
        """Keep how late a cycle began and how long it took."""
        count = int(self._arrays["timing_count"][0])
        self._arrays["timings_s"][count % TIMINGS] = (late_s, compute_s)
        self._arrays["timing_count"][0] = count + 1

    def timing(self) -> Timing:
        """The last cycles' timing."""
        count = int(self._arrays["timing_count"][0])
        rows = np.arange(max(0, count - TIMINGS), count) % TIMINGS
        late_s, compute_s = self._arrays["timings_s"][rows].T
        return Timing(late_s=late_s, compute_s=compute_s, count=count)

    # Processes

    def beat(self, process: str, time_s: float) -> None:
        """Say that this process is alive and at work."""
        index = PROCESSES.index(process)
        self._arrays["pids"][index] = os.getpid()
        self._arrays["beats_s"][index] = time_s

    def heartbeat(self, process: str) -> tuple[int, float]:
        """Process id and time of the last beat; (0, -inf) before the first."""
        index = PROCESSES.index(process)
        return int(self._arrays["pids"][index]), float(self._arrays["beats_s"][index])

    def post(self, process: str, event: Event) -> None:
        """Put an event into the ring of a process; only that process may."""
        self._rings[process].post(event)

    def event_reader(self, positions: Mapping[str, int] | None = None) -> EventReader:
        """A reader of all events, from the oldest kept or from where another one stopped."""
        return EventReader(self._rings, positions or {})
