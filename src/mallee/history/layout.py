"""Where history keeps what: folders, file names, and which point sits in which column.

One history folder belongs to one site::

    layouts/<digest>.json      which point each place of a log record is; written before it is used
    log/<number>.log           open minutes, see `mallee.history.log`
    raw/site=<id>/class=<kind>/day=<UTC date>/<first>-<last>.parquet      every reading
    rollup/site=<id>/class=<kind>/day=<UTC date>/<first>-<last>.parquet   one row a minute
    events.sqlite, audit.sqlite           see `mallee.history.events` and `.audit`

Every kind of device has one wide table (``ts``, ``device``, one column a point), sorted by device
and time, so that any engine that reads Parquet can use it. ``ts`` is UTC in integer milliseconds.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError
from mallee.core.units import unit_of
from mallee.site.model import SiteModel

MINUTE_MS = 60_000
DAY_MS = 86_400_000


class LayoutGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Equal devices whose points follow one another, as in `core.site.DeviceGroup`."""

    kind: str
    devices: tuple[str, ...]
    points: tuple[str, ...]
    first_row: int


class Layout(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The rows of a site, written beside the data so that it can be read without the site file."""

    site: str
    groups: tuple[LayoutGroup, ...]

    @classmethod
    def of(cls, site: SiteModel) -> Self:
        """The layout of a site model."""
        groups = (
            LayoutGroup(
                kind=group.kind,
                devices=group.names,
                points=tuple(point.name for point in group.model.point),
                first_row=group.first_row,
            )
            for group in site.groups
        )
        return cls(site=site.name, groups=tuple(groups))

    @property
    def digest(self) -> str:
        """Changes whenever any row changes its meaning."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]

    @property
    def point_count(self) -> int:
        """How many rows a record has."""
        return sum(len(group.devices) * len(group.points) for group in self.groups)

    @property
    def kinds(self) -> list[str]:
        """Kinds of device, one table each."""
        return list(dict.fromkeys(group.kind for group in self.groups))

    def counters(self) -> NDArray[np.bool_]:
        """Rows kept as float64: energies grow for years and float32 has 7 digits.  # (points,)"""
        found = [np.tile([is_counter(p) for p in g.points], len(g.devices)) for g in self.groups]
        return np.concatenate(found) if found else np.zeros(0, np.bool_)

    def paths(self) -> Iterator[tuple[str, str, str]]:
        """Kind, device and point of every row."""
        for group in self.groups:
            for device in group.devices:
                for point in group.points:
                    yield group.kind, device, point

    def row(self, kind: str, device: str, point: str) -> int | None:
        """Row of a point, or None."""
        for group in self.groups:
            if group.kind == kind and point in group.points and device in group.devices:
                position = group.devices.index(device) * len(group.points)
                return group.first_row + position + group.points.index(point)
        return None

    def save(self, folder: Path) -> None:
        """Write it once, durably, under its digest."""
        path = folder / "layouts" / f"{self.digest}.json"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".tmp")
            draft.write_bytes(msgspec.json.encode(self))
            publish(draft, path)


def load_layout(folder: Path, digest: str) -> Layout:
    """The layout that a log or an older program version was written with.

    Raises:
        ConfigError: it is missing or damaged.
    """
    path = folder / "layouts" / f"{digest}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Layout)
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(str(path), f"is not a readable history layout: {error}") from None


def load_layouts(folder: Path) -> list[Layout]:
    """All layouts that the site ever had, oldest first."""
    paths = sorted(
        (folder / "layouts").glob("*.json"), key=lambda p: (p.stat().st_mtime_ns, p.name)
    )
    return [load_layout(folder, path.stem) for path in paths]


def is_counter(point: str) -> bool:
    """Whether a point's value grows without end, as of a count of energy."""
    unit = unit_of(point)
    return unit is not None and unit.is_wide


@dataclass(frozen=True, slots=True)
class Table:
    """The wide table of one kind of device, for a number of ticks."""

    devices: tuple[str, ...]
    columns: dict[str, NDArray[np.floating[Any]]]  # each (devices x ticks,)


def table_of(layout: Layout, kind: str, values: FloatArray) -> Table:
    """Cut one kind's table out of records.

    Args:
        layout: the layout that the records were written with.
        kind: kind of device.
        values: records in time order.  # (ticks, points)

    Returns:
        Columns sorted by device name, then time; NaN where a device has no such point.
    """
    groups = [group for group in layout.groups if group.kind == kind]
    names = [name for group in groups for name in group.devices]
    place = np.empty(len(names), np.int64)
    place[np.argsort(np.array(names, object))] = np.arange(len(names))
    ticks = len(values)
    columns: dict[str, NDArray[np.floating[Any]]] = {}
    first = 0
    for group in groups:
        where = place[first : first + len(group.devices)]
        first += len(group.devices)
        for position, point in enumerate(group.points):
            if point not in columns:
                dtype: type[np.floating[Any]] = np.float64 if is_counter(point) else np.float32
                columns[point] = np.full(len(names) * ticks, np.nan, dtype)
            rows = group.first_row + position + len(group.points) * np.arange(len(group.devices))
            columns[point].reshape(len(names), ticks)[where] = values[:, rows].T
    return Table(tuple(sorted(names)), columns)


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One Parquet file; its name says what time it covers."""

    first_ms: int
    last_ms: int
    path: Path

    @classmethod
    def at(cls, path: Path) -> Self:
        """The segment that a file name stands for.

        Raises:
            ValueError: the name is not ``<first>-<last>.parquet``.
        """
        first, last = path.stem.split("-")
        return cls(int(first), int(last), path)


def kind_folder(folder: Path, tier: str, site: str, kind: str) -> Path:
    """Folder of one table; `tier` is ``raw`` or ``rollup``."""
    return folder / tier / f"site={site}" / f"class={kind}"


def day_of(time_ms: int) -> str:
    """Name of the folder of a UTC day."""
    return f"day={datetime.fromtimestamp(time_ms // 1000, UTC):%Y-%m-%d}"


def segments_between(table: Path, first_ms: int, end_ms: int) -> list[Segment]:
    """Segments of one table that overlap ``[first_ms, end_ms)``, in time order."""
    found = []
    days = sorted(table.glob("day=*"))
    lowest, highest = day_of(max(first_ms, 0)), day_of(max(end_ms - 1, 0))
    for day in days:
        if lowest <= day.name <= highest:
            found += [Segment.at(path) for path in day.glob("*.parquet")]
    return sorted(s for s in found if s.last_ms >= first_ms and s.first_ms < end_ms)


def publish(draft: Path, path: Path) -> None:
    """Make a finished file appear under its name, whole or not at all, even if the power fails."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
