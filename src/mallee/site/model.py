"""The site model: who feeds whom, which devices stand where, and where each point sits in arrays.

Built once from the site file and the catalogue and then never changed. Things counted in tens
(branches, groups of equal devices) are objects; things counted in thousands (racks, devices,
points) are array rows. Every point of the site has one *row*, the same in the board, in a
snapshot, in the twin's reported values and in the history.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mallee.core.device_model import DeviceModel, Kind
from mallee.core.errors import ConfigError
from mallee.site.file import SiteFile

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

NO_INDEX = -1
"""Marks "none" in index arrays: no rack, no standby branch, no parent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A node of the power tree; branch 0 is the grid connection.

    Attributes:
        parent: index of the branch above, `NO_INDEX` for the grid connection.
        rating_w: continuous rating at unity power factor.
        rating_a: continuous current per phase.
    """

    name: str
    kind: Literal["grid", "transformer", "breaker"]
    parent: int
    rating_w: float
    rating_a: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceGroup:
    """Devices alike: same model, same place in the site file. Rows of arrays, not objects.

    Attributes:
        names: site-wide unique path of each, such as ``pod1/r1/n03``.  # (devices,)
        first_device: number of the first one among all devices of the site.
        first_row: row of the first point of the first device; devices follow one another.
        branch, standby_branch: branch that each hangs on.  # (devices,)
        rack: rack that each stands in, or `NO_INDEX`.  # (devices,)
        cdu: device number of the CDU that cools each, or `NO_INDEX`.  # (devices,)
        addresses: by protocol, the address of each as the site file gives it; empty where the
            site is simulated and leaves the choice to the runtime.
        credentials: name of the login in the secrets file.
        tls_ca: PEM file of the authority to trust; empty for the system's.
    """

    model: DeviceModel
    names: tuple[str, ...]
    first_device: int
    first_row: int
    branch: IntArray
    standby_branch: IntArray
    rack: IntArray
    cdu: IntArray
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    credentials: str = ""
    tls_ca: str = ""

    @property
    def kind(self) -> Kind:
        """The class of device."""
        return self.model.kind

    @property
    def count(self) -> int:
        """How many devices."""
        return len(self.names)

    @property
    def stride(self) -> int:
        """Points per device."""
        return len(self.model.point)

    def rows(self, point: str) -> IntArray:
        """Row of a point of every device.  # (devices,)

        Raises:
            ConfigError: the model has no such point, but whoever asks cannot do without.
        """
        if point not in self.model.index:
            hint = f"other models of a {self.kind} show how"
            raise ConfigError(f"catalogue model {self.model.model}", f"lacks point {point!r}", hint)
        return self.first_row + self.model.index[point] + self.stride * np.arange(self.count)

    def row(self, device: int, point: str) -> int:
        """Row of a point of the group's `device`-th device, counted from 0."""
        return self.first_row + self.stride * device + self.model.index[point]


@dataclass(frozen=True, slots=True, kw_only=True)
class Racks:
    """All racks of the site, one row each.

    Attributes:
        names: such as ``pod1/r1``.  # (racks,)
        pod: index of the pod it stands in.  # (racks,)
        branch, standby_branch: branch it hangs on.  # (racks,)
        cdu: device number of its CDU, or `NO_INDEX` for air.  # (racks,)
    """

    names: tuple[str, ...]
    pod: IntArray
    branch: IntArray
    standby_branch: IntArray
    cdu: IntArray


@dataclass(frozen=True)
class SiteModel:
    """One site, complete. `file` keeps the contract and settings as written."""

    file: SiteFile
    branches: tuple[Branch, ...]
    pods: tuple[str, ...]
    racks: Racks
    groups: tuple[DeviceGroup, ...]

    @property
    def name(self) -> str:
        """Name of the site."""
        return self.file.name

    @cached_property
    def point_count(self) -> int:
        """How many points, so how many rows."""
        return sum(group.count * group.stride for group in self.groups)

    @cached_property
    def device_count(self) -> int:
        """How many devices."""
        return sum(group.count for group in self.groups)

    @cached_property
    def digest(self) -> str:
        """Changes whenever the layout of rows changes; stored beside whatever is laid out by it."""
        layout = repr([(g.names, [p.name for p in g.model.point]) for g in self.groups])
        return hashlib.sha256(layout.encode()).hexdigest()[:16]

    def groups_of(self, kind: Kind) -> Iterator[DeviceGroup]:
        """All groups of one kind of device."""
        return (group for group in self.groups if group.kind == kind)

    def rows(self, kind: Kind, point: str) -> IntArray:
        """Rows of a point over all devices of a kind whose model has it."""
        found = [g.rows(point) for g in self.groups_of(kind) if point in g.model.index]
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def branch_index(self, name: str) -> int:
        """Index of a branch by name.

        Raises:
            KeyError: no such branch.
        """
        for index, branch in enumerate(self.branches):
            if branch.name == name:
                return index
        raise KeyError(name)

    def group_of_row(self, row: int) -> DeviceGroup:
        """The group that a row belongs to."""
        for group in self.groups:
            if row < group.first_row + group.count * group.stride:
                return group
        raise IndexError(f"row {row} of {self.point_count}")

    def point_path(self, row: int) -> str:
        """Path of a point, such as ``pod1/r1/n03/gpu0_power_w``."""
        group = self.group_of_row(row)
        device, position = divmod(row - group.first_row, group.stride)
        return f"{group.names[device]}/{group.model.point[position].name}"

    def find_point(self, path: str) -> int | None:
        """Row of a point by path, or None."""
        device_name, _, point = path.rpartition("/")
        for group in self.groups:
            if point in group.model.index and device_name in group.names:
                return group.row(group.names.index(device_name), point)
        return None

    def point_paths(self) -> Iterator[str]:
        """Every point's path in row order. For lists and searches, not for loops that run often."""
        for group in self.groups:
            points = [point.name for point in group.model.point]
            for name in group.names:
                for point in points:
                    yield f"{name}/{point}"
