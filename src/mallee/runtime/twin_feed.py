"""What the twin reports of devices that answer no protocol: a memory-mapped file with one writer.

The twin writes it after each step of its clock, the collector copies its rows. The way back needs
no file: the twin finds commands to these devices on the board, as the collector finds the others.
"""

import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray
from mallee.core.errors import ConfigError
from mallee.runtime.seqlock import Sequence
from mallee.site.model import SiteModel

ALIGNMENT: Final = 64


@dataclass(frozen=True, slots=True)
class Reported:
    """A copy of what devices say.

    Attributes:
        time_s: when the twin wrote it, monotonic; minus infinity before the first time.
        values: what their sensors say, NaN for nothing.  # (rows asked for,)
        health: how well each device answers, as `CommsHealth.state`.  # (devices,)
    """

    time_s: float
    values: FloatArray
    health: NDArray[np.uint8]


class TwinFeed:
    """The mapped file; make one with `create` (the twin) or `open` (a collector).

    Attributes:
        declined: by row, number of the last command that a device declined.  # (points,)
    """

    def __init__(self, site: SiteModel, memory: mmap.mmap) -> None:
        arrays = _arrays(site, memory)
        self._sequence = Sequence(arrays["sequence"])
        self._time_s, self._values = arrays["time_s"], arrays["values"]
        self._health = arrays["health"]
        self.declined: IntArray = arrays["declined"]

    @classmethod
    def create(cls, path: Path, site: SiteModel) -> "TwinFeed":
        """A new file in place of any that was there before."""
        fresh = path.with_name(path.name + ".new")
        file = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "r+b") as stream:
            stream.truncate(_size(site))
            feed = cls(site, mmap.mmap(stream.fileno(), 0))
        feed._time_s[:] = -np.inf
        fresh.replace(path)
        return feed

    @classmethod
    def open(cls, path: Path, site: SiteModel) -> "TwinFeed":
        """Map the file of a running twin.

        Raises:
            ConfigError: there is none, or it belongs to another site model.
        """
        try:
            with path.open("r+b") as stream:
                memory = mmap.mmap(stream.fileno(), 0)
        except (OSError, ValueError) as error:
            hint = "the twin writes it when it starts"
            raise ConfigError(str(path), f"no reported values here ({error})", hint) from None
        if len(memory) != _size(site):
            raise ConfigError(str(path), "is laid out for another site", "restart `mallee up`")
        return cls(site, memory)

    def write(self, time_s: float, reported: FloatArray, health: NDArray[np.uint8]) -> None:
        """Put out what all devices say now."""
        self._sequence.begin()
        self._values[:] = reported
        self._health[:] = health
        self._time_s[0] = time_s
        self._sequence.end()

    def read(self, rows: IntArray) -> Reported:
        """A copy of some rows and of every device's health."""
        return self._sequence.read(
            lambda: Reported(float(self._time_s[0]), self._values[rows], self._health.copy())
        )


def _regions(site: SiteModel) -> dict[str, tuple[str, int]]:
    return {
        "sequence": ("i8", 1),
        "time_s": ("f8", 1),
        "values": ("f8", site.point_count),
        "declined": ("i8", site.point_count),
        "health": ("u1", site.device_count),
    }


def _size(site: SiteModel) -> int:
    regions = _regions(site).values()
    return sum(
        -(-np.dtype(kind).itemsize * count // ALIGNMENT) * ALIGNMENT for kind, count in regions
    )


def _arrays(site: SiteModel, memory: mmap.mmap) -> dict[str, NDArray[Any]]:
    arrays, offset = {}, 0
    for name, (kind, count) in _regions(site).items():
        arrays[name] = np.frombuffer(memory, kind, count, offset)
        offset += -(-arrays[name].nbytes // ALIGNMENT) * ALIGNMENT
    return arrays
