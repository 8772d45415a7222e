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

import numpy as np

from mallee.core.arrays import NO_INDEX, IntArray
from mallee.core.device_model import DeviceModel
from mallee.core.errors import ConfigError
from mallee.kinds import KINDS, DeviceKind, Role
from mallee.site.contract import UtilityFeed
from mallee.site.entry import Device
from mallee.site.file import SiteFile
from mallee.site.switchgear import Breaker, Bus, TransferSwitch, Transformer

BranchEntry = UtilityFeed | Transformer | Breaker | Bus | TransferSwitch | Device
"""The table of the site file that a branch was written as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A piece of the power tree; those above come before those below.

    Attributes:
        kind: of `kinds.branches.BRANCHES`, or of the in-line device or source that it is.
        parent: index of the branch above, `NO_INDEX` for a utility feed or a genset.
        standby: index of its second source, `NO_INDEX` for none.
        rating_w: continuous rating at unity power factor.
        rating_a: continuous current per phase.
        voltage_v: nominal line-to-line voltage below it.
        transfer_s: how long its load is without supply when it changes to the other source.
        return_s: how long the normal source must be good before it goes back.
        tie: the tie breaker through which the second source comes; empty where there is none.
        device: number of the device that it is, `NO_INDEX` where it has no address.
        entry: its table of the site file.
    """

    name: str
    kind: str
    parent: int
    rating_w: float
    rating_a: float
    voltage_v: float
    standby: int = NO_INDEX
    transfer_s: float = 0.0
    return_s: float = 0.0
    tie: str = ""
    device: int = NO_INDEX
    entry: BranchEntry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoolantLoop:
    """CDUs that serve their racks together: one, or a group behind a common header.

    Attributes:
        cdus: device numbers.
        spare: how many of them may be lost without the rest falling short.
        place: where in the site file it is written.
    """

    name: str
    cdus: tuple[int, ...]
    spare: int = 0
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceGroup:
    """Devices alike: same model, same place in the site file. Rows of arrays, not objects.

    Attributes:
        names: site-wide unique path of each, such as ``pod1/r1/n03``.  # (devices,)
        first_device: number of the first one among all devices of the site.
        first_row: row of the first point of the first device; devices follow one another.
        branch, standby_branch: branch that each hangs on; of a meter, the one that it measures.
            (devices,)
        rack: rack that each stands in, or `NO_INDEX`.  # (devices,)
        cdu: device number of the CDU that cools each, or `NO_INDEX`.  # (devices,)
        addresses: by protocol, the address of each as the site file gives it; empty where the
            site is simulated and leaves the choice to the runtime.
        credentials: name of the login in the secrets file.
        tls_ca: PEM file of the authority to trust; empty for the system's.
        priority: who is served first when power is short; higher first.
        tenant: whose they are; empty for nobody in particular.
        serves: of plant, names of the pods whose heat it rejects; empty for all.
        place: where in the site file the group is written, such as ``battery.bess1``.
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
    priority: int = 0
    tenant: str = ""
    serves: tuple[str, ...] = ()
    place: str = ""

    @property
    def kind(self) -> str:
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
        cdu: device number of its (first) CDU, or `NO_INDEX` for air.  # (racks,)
        loop: index of its coolant loop, or `NO_INDEX` for air.  # (racks,)
        priority: who is served first when power is short; higher first.  # (racks,)
        tenant: whose it is; empty for nobody in particular.  # (racks,)
        place: where in the site file it is written, ``pod.pod1.rack.r{1..2}``.  # (racks,)
    """

    names: tuple[str, ...]
    pod: IntArray
    branch: IntArray
    standby_branch: IntArray
    cdu: IntArray
    loop: IntArray
    priority: IntArray
    tenant: tuple[str, ...]
    place: tuple[str, ...] = ()


@dataclass(frozen=True)
class SiteModel:
    """One site, complete. `file` keeps the contract and settings as written."""

    file: SiteFile
    branches: tuple[Branch, ...]
    pods: tuple[str, ...]
    racks: Racks
    groups: tuple[DeviceGroup, ...]
    loops: tuple[CoolantLoop, ...] = ()

    @property
    def grid(self) -> UtilityFeed:
        """The contract of the first utility feed, the only one of most sites."""
        return self.file.feeds[0]

    @cached_property
    def feed_branches(self) -> IntArray:
        """Branch of each utility feed, in the order of `file.feeds`.  # (feeds,)"""
        return np.array([self.branch_index(feed.name) for feed in self.file.feeds], np.int64)

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

    def groups_of(self, kind: str | DeviceKind) -> Iterator[DeviceGroup]:
        """All groups of one kind of device."""
        name = kind if isinstance(kind, str) else kind.name
        return (group for group in self.groups if group.kind == name)

    def groups_with(self, *roles: Role) -> Iterator[DeviceGroup]:
        """All groups of the kinds that have one of these roles in the power tree."""
        return (group for group in self.groups if KINDS[group.kind].role in roles)

    def rows(self, kind: str | DeviceKind, point: str) -> IntArray:
        """Rows of a point over all devices of a kind whose model has it."""
        found = [g.rows(point) for g in self.groups_of(kind) if point in g.model.index]
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def model_of(self, device: int) -> DeviceModel:
        """The model of a device by its number."""
        for group in self.groups:
            if device < group.first_device + group.count:
                return group.model
        raise IndexError(f"device {device} of {self.device_count}")

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
