"""The board: one memory-mapped file through which the processes of a site see each other.

Laid out from the site model: a value, a time and a quality for every point; the last command to
every settable one and how far it came; heartbeats; what control says of itself; events. Every
region has one writer, named below. Readers copy and nobody waits for anybody.

    region                            written by
    readings, progress of commands    collect
    commands, status, control state   control
    heartbeat and events of a role    that role
"""

import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import msgspec
import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from mallee.core.arrays import FloatArray, IntArray
from mallee.core.errors import ConfigError
from mallee.core.event import Event
from mallee.core.snapshot import Progress, Quality, Snapshot
from mallee.core.status import ControlStatus
from mallee.runtime.event_ring import SLOT_BYTES, SLOTS, EventReader, EventRing
from mallee.runtime.seqlock import Blob, Sequence
from mallee.site.model import SiteModel

Role = Literal["supervisor", "twin", "collect", "control", "console"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

LAYOUT = 1
"""Grows with every change of what follows; a board of another layout is not opened."""

TIMINGS = 4096
STATUS_BYTES = 16 * 1024
STATE_BYTES_PER_DEVICE = 512
ALIGNMENT = 64

_HEADER = np.dtype([("magic", "S8"), ("layout", "i8"), ("digest", "S16"), ("session", "i8")])
_MAGIC = b"MALLEE\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRows:
    """The last command to every point, by row; number 0 where there was none.

    Attributes:
        values: the commanded value, in the point's unit.  # (points,)
        leases_s: how long it holds from `times_s`.  # (points,)
        times_s: when control gave it, monotonic.  # (points,)
        numbers: count up, so their order is the order of the commands.  # (points,)
    """

    values: FloatArray
    leases_s: FloatArray
    times_s: FloatArray
    numbers: IntArray


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
    """A mapped board; make one with `create` or `open`."""

    def __init__(self, site: SiteModel, memory: mmap.mmap) -> None:
        self._site, self._memory = site, memory
        fields = _fields(site)
        arrays: dict[str, NDArray[Any]] = {
            name: np.frombuffer(memory, dtype, int(np.prod(shape)), offset).reshape(shape)
            for name, (dtype, shape, offset) in fields.items()
        }
        self._arrays = arrays
        self._values, self._times_s = arrays["values"], arrays["times_s"]
        self._quality, self._progress = arrays["quality"], arrays["progress"]
        self._handled, self._numbers = arrays["handled"], arrays["command_numbers"]
        self._readings = Sequence(arrays["sequences"][0:1])
        self._commands = Sequence(arrays["sequences"][1:2])
        self._status = Blob(arrays["status_head"], arrays["status_sizes"], arrays["status"])
        self._state = Blob(arrays["state_head"], arrays["state_sizes"], arrays["state"])
        self._rings: dict[str, EventRing] = {
            role: EventRing(
                arrays["event_heads"][index : index + 1],
                arrays["event_marks"][index],
                arrays["events"][index],
            )
            for index, role in enumerate(ROLES)
        }
        self._status_decoder = msgspec.msgpack.Decoder(ControlStatus)

    @classmethod
    def create(cls, path: Path, site: SiteModel) -> "Board":
        """A new, empty board in place of any that was there before."""
        fresh = path.with_suffix(".new")
        with fresh.open("w+b") as file:
            fresh.chmod(0o600)
            file.truncate(_size(site))
            board = cls(site, mmap.mmap(file.fileno(), 0))
        board._values[:] = np.nan
        board._times_s[:] = -np.inf
        board._quality[:] = Quality.NEVER
        board._arrays["command_values"][:] = np.nan
        board._arrays["beats_s"][:] = -np.inf
        session = int.from_bytes(os.urandom(7), "big")
        board._arrays["header"][0] = (_MAGIC, LAYOUT, site.digest.encode(), session)
        fresh.replace(path)
        return board

    @classmethod
    def open(cls, path: Path, site: SiteModel) -> "Board":
        """Map the board of a running site.

        Raises:
            ConfigError: there is none, or it was laid out for another site model.
        """
        try:
            with path.open("r+b") as file:
                memory = mmap.mmap(file.fileno(), 0)
        except (OSError, ValueError) as error:
            hint = "start the site with `mallee up`"
            raise ConfigError(str(path), f"no board here ({error})", hint) from None
        header = np.frombuffer(memory, _HEADER, 1)[0] if len(memory) >= _HEADER.itemsize else None
        if header is None or header["magic"] != _MAGIC or header["layout"] != LAYOUT:
            raise ConfigError(str(path), "is no board of this version", "restart `mallee up`")
        if header["digest"] != site.digest.encode() or len(memory) != _size(site):
            raise ConfigError(
                str(path),
                f"is laid out for another site model than {site.name} ({site.digest})",
                "the site file or the catalogue changed: restart `mallee up`",
            )
        return cls(site, memory)

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

    def set_progress(self, rows: IntArray, numbers: ArrayLike, progress: ArrayLike) -> None:
        """How far the commands with these numbers have come."""
        self._readings.begin()
        self._progress[rows] = progress
        self._handled[rows] = numbers
        self._readings.end()

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

    def command(self, rows: IntArray, values: ArrayLike, lease_s: float, time_s: float) -> IntArray:
        """Ask collect to write, or renew a lease with the same value.

        Returns:
            The commands' numbers; those of one device are written in this order.  # (rows,)
        """
        last = int(self._arrays["command_count"][0])
        numbers = np.arange(last + 1, last + 1 + rows.size)
        self._commands.begin()
        self._arrays["command_values"][rows] = values
        self._arrays["command_leases_s"][rows] = lease_s
        self._arrays["command_times_s"][rows] = time_s
        self._numbers[rows] = numbers
        self._arrays["command_count"][0] = last + rows.size
        self._commands.end()
        return numbers

    @property
    def command_count(self) -> int:
        """Number of the latest command: cheap to watch."""
        return int(self._arrays["command_count"][0])

    def commands(self) -> CommandRows:
        """A copy of the last command to every point."""
        arrays = self._arrays
        return self._commands.read(
            lambda: CommandRows(
                values=arrays["command_values"].copy(),
                leases_s=arrays["command_leases_s"].copy(),
                times_s=arrays["command_times_s"].copy(),
                numbers=self._numbers.copy(),
            )
        )

    def handled(self) -> IntArray:
        """Number of the last command to each point whose progress is on the board.  # (points,)"""
        return self._handled.copy()

    # What control says of itself

    def publish_status(self, status: ControlStatus) -> None:
        """Put out what the "why" line says now."""
        self._status.write(msgspec.msgpack.encode(status))

    def status(self) -> ControlStatus | None:
        """What control said last; None before its first cycle."""
        message = self._status.read()
        return None if message is None else self._status_decoder.decode(message)

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

    def beat(self, role: Role, time_s: float) -> None:
        """Say that this process is alive and at work."""
        index = ROLES.index(role)
        self._arrays["pids"][index] = os.getpid()
        self._arrays["beats_s"][index] = time_s

    def heartbeat(self, role: Role) -> tuple[int, float]:
        """Process id and time of the last beat; (0, -inf) before the first."""
        index = ROLES.index(role)
        return int(self._arrays["pids"][index]), float(self._arrays["beats_s"][index])

    def post(self, role: Role, event: Event) -> None:
        """Put an event into the ring of a role; only the process of that role may."""
        self._rings[role].post(event)

    def event_reader(self, positions: Mapping[str, int] | None = None) -> EventReader:
        """A reader of all events, from the oldest kept or from where another one stopped."""
        return EventReader(self._rings, positions or {})


Field = tuple[np.dtype[np.generic], tuple[int, ...], int]


def _fields(site: SiteModel) -> dict[str, Field]:
    """Type, shape and offset of each region, in file order."""
    points, roles = site.point_count, len(ROLES)
    state_bytes = STATUS_BYTES + STATE_BYTES_PER_DEVICE * site.device_count
    regions: dict[str, tuple[DTypeLike, tuple[int, ...]]] = {
        "header": (_HEADER, (1,)),
        "sequences": ("i8", (2,)),
        "values": ("f8", (points,)),
        "times_s": ("f8", (points,)),
        "quality": ("u1", (points,)),
        "progress": ("u1", (points,)),
        "handled": ("i8", (points,)),
        "command_count": ("i8", (1,)),
        "command_values": ("f8", (points,)),
        "command_leases_s": ("f8", (points,)),
        "command_times_s": ("f8", (points,)),
        "command_numbers": ("i8", (points,)),
        "pids": ("i8", (roles,)),
        "beats_s": ("f8", (roles,)),
        "timing_count": ("i8", (1,)),
        "timings_s": ("f8", (TIMINGS, 2)),
        "status_head": ("i8", (1,)),
        "status_sizes": ("i8", (2, 2)),
        "status": ("u1", (2, STATUS_BYTES)),
        "state_head": ("i8", (1,)),
        "state_sizes": ("i8", (2, 2)),
        "state": ("u1", (2, state_bytes)),
        "event_heads": ("i8", (roles,)),
        "event_marks": ("i8", (roles, SLOTS, 3)),
        "events": ("u1", (roles, SLOTS, SLOT_BYTES)),
    }
    fields: dict[str, Field] = {}
    offset = 0
    for name, (kind, shape) in regions.items():
        dtype = np.dtype(kind)
        fields[name] = (dtype, shape, offset)
        size = dtype.itemsize * int(np.prod(shape))
        offset += -(-size // ALIGNMENT) * ALIGNMENT
    return fields


def _size(site: SiteModel) -> int:
    dtype, shape, offset = _fields(site)["events"]
    return offset + dtype.itemsize * int(np.prod(shape))
