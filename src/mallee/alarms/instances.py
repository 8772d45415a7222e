"""The alarms of one site: every kind at every place where it can come, one row each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from mallee.alarms.kind import AlarmKind, AtPoint, Dark, Limit, Told, Unreadable
from mallee.core.arrays import NO_INDEX, FloatArray, IntArray
from mallee.site.model import DeviceGroup, SiteModel

SITE = "site"
"""Source of alarms about the whole site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointCheck:
    """One `AtPoint` condition at the devices of one group.

    Attributes:
        alarms: rows of the alarms.  # (devices,)
        rows: point rows of each; the worst counts.  # (devices, points)
        limit: in the point's unit.
        sign: 1 where above is wrong, -1 where below is.
    """

    alarms: IntArray
    rows: IntArray
    limit: float
    deadband: float
    sign: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceCheck:
    """One condition of not being read well, at several places.

    Attributes:
        alarms: rows of the alarms.  # (places,)
        rows: point rows that must all be unread.  # (places, points)
    """

    alarms: IntArray
    rows: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class DarkCheck:
    """One condition of having gone altogether, at the places of one kind.

    Attributes:
        alarms: rows of the alarms.  # (places,)
        place: position in `alarms` of each device.  # (devices,)
        rows: point rows of each device, a block a device model.  # (devices, points) each
        power_rows: its power, a block a device model.  # (devices,) each
        below_w: what one draws that is off.
    """

    alarms: IntArray
    place: IntArray
    rows: tuple[IntArray, ...]
    power_rows: tuple[IntArray, ...]
    below_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances:
    """All alarms of a site, one row each.

    Attributes:
        kinds: the kinds; `kind` is an index into them.
        source: what each is about: a device, rack or branch, or `SITE`.
        device, rack, pod, branch, loop: where that is, `NO_INDEX` for none.  # (alarms,) each
        on_delay_s, off_delay_s: of its kind.  # (alarms,)
        points, silences, darks: what to look at.
        told: rows by event kind and source; source "" takes any.
    """

    kinds: tuple[AlarmKind, ...]
    source: tuple[str, ...]
    kind: IntArray
    device: IntArray
    rack: IntArray
    pod: IntArray
    branch: IntArray
    loop: IntArray
    on_delay_s: FloatArray
    off_delay_s: FloatArray
    points: tuple[PointCheck, ...]
    silences: tuple[SilenceCheck, ...]
    darks: tuple[DarkCheck, ...]
    told: dict[tuple[str, str], int]

    @property
    def count(self) -> int:
        """How many alarms the site has."""
        return len(self.source)


def instances_of(site: SiteModel, kinds: Iterable[AlarmKind]) -> Instances:
    """Every alarm that can come at a site; kinds about devices that it has not give none."""
    return _Collector(site, tuple(kinds)).collect()


class _Collector:
    """Walks the kinds once; the lists grow until `collect` freezes them."""

    def __init__(self, site: SiteModel, kinds: tuple[AlarmKind, ...]) -> None:
        self._site, self._kinds = site, kinds
        self._source: list[str] = []
        self._columns: list[tuple[int, int, int, int, int, int]] = []
        self._points: list[PointCheck] = []
        self._silences: list[SilenceCheck] = []
        self._darks: list[DarkCheck] = []
        self._told: dict[tuple[str, str], int] = {}

    def collect(self) -> Instances:
        for index, kind in enumerate(self._kinds):
            condition = kind.condition
            if isinstance(condition, AtPoint):
                self._at_points(index, condition)
            elif isinstance(condition, Unreadable):
                self._unreadable(index, condition)
            elif isinstance(condition, Dark):
                self._dark(index, condition)
            else:
                self._told_of(index, condition)
        columns = np.array(self._columns, np.int64).reshape(-1, 6)
        on_delay_s = np.array([kind.on_delay_s for kind in self._kinds])
        off_delay_s = np.array([kind.off_delay_s for kind in self._kinds])
        return Instances(
            kinds=self._kinds,
            source=tuple(self._source),
            kind=columns[:, 0],
            device=columns[:, 1],
            rack=columns[:, 2],
            pod=columns[:, 3],
            branch=columns[:, 4],
            loop=columns[:, 5],
            on_delay_s=on_delay_s[columns[:, 0]],
            off_delay_s=off_delay_s[columns[:, 0]],
            points=tuple(self._points),
            silences=tuple(self._silences),
            darks=tuple(self._darks),
            told=self._told,
        )

    def _at_points(self, index: int, condition: AtPoint) -> None:
        above = condition.above is not None
        limit = condition.above if condition.above is not None else condition.below
        assert limit is not None
        for group in self._site.groups_of(condition.device):
            names = [name for name in group.model.index if fnmatchcase(name, condition.point)]
            limit_value = self._limit(limit, group)
            if not names or limit_value is None:
                continue  # the model has no such point, or says no limit for it
            self._points.append(
                PointCheck(
                    alarms=self._at_devices(index, group),
                    rows=np.stack([group.rows(name) for name in names], axis=1),
                    limit=limit_value + condition.margin,
                    deadband=condition.deadband,
                    sign=1.0 if above else -1.0,
                )
            )

    def _limit(self, limit: Limit, group: DeviceGroup) -> float | None:
        if not isinstance(limit, str):
            return limit
        if limit.startswith("site."):
            return float(getattr(self._site.file.control, limit.removeprefix("site.")))
        entry = group.model.physics.get(limit) or group.model.limits.get(limit)
        return None if entry is None else entry.value

    def _unreadable(self, index: int, condition: Unreadable) -> None:
        for group in [one for kind in condition.devices for one in self._site.groups_of(kind)]:
            read = [p for p in group.model.point if p.constant is None]
            if condition.protocol and len({p.protocol for p in read}) < 2:
                continue  # its only protocol: then the device is silent
            names = [
                p.name
                for p in read
                if condition.point in ("", p.name) and condition.protocol in ("", p.protocol)
            ]
            if names:
                rows = np.stack([group.rows(name) for name in names], axis=1)
                self._silences.append(
                    SilenceCheck(alarms=self._at_devices(index, group), rows=rows)
                )

    def _dark(self, index: int, condition: Dark) -> None:
        """One alarm a rack or pod that holds such devices."""
        of_pod, racks = condition.of == "pod", self._site.racks
        groups = list(self._site.groups_of(condition.device))
        where = [racks.pod[g.rack] if of_pod else g.rack for g in groups]
        if not groups:
            return
        place = np.concatenate(where)
        found = np.unique(place).tolist()
        alarms = [
            self._add(
                index,
                self._site.pods[one] if of_pod else racks.names[one],
                rack=NO_INDEX if of_pod else one,
                pod=one if of_pod else int(racks.pod[one]),
                branch=self._shared(
                    racks.branch[racks.pod == one] if of_pod else racks.branch[[one]]
                ),
                loop=NO_INDEX if of_pod else int(racks.loop[one]),
            )
            for one in found
        ]
        self._darks.append(
            DarkCheck(
                alarms=np.array(alarms),
                place=np.searchsorted(found, place),
                rows=tuple(_read_rows(group) for group in groups),
                power_rows=tuple(group.rows(condition.device.power) for group in groups),
                below_w=condition.below_w,
            )
        )

    def _shared(self, branches: IntArray) -> int:
        """The lowest branch that is above all of some, or is each of them."""
        above: list[set[int]] = []
        for branch in np.unique(branches).tolist():
            chain = set()
            while branch != NO_INDEX:
                chain.add(branch)
                branch = self._site.branches[branch].parent
            above.append(chain)
        return max(set.intersection(*above), default=NO_INDEX)  # sources come first

    def _pod_of(self, name: str) -> int:
        pods, pod = self._site.pods, name.partition("/")[0]
        return pods.index(pod) if "/" in name and pod in pods else NO_INDEX

    def _told_of(self, index: int, condition: Told) -> None:
        rows: dict[str, int] = {}
        if condition.about == "site":
            rows[""] = self._add(index, SITE)
        elif condition.about == "branches":
            for branch, one in enumerate(self._site.branches):
                rows[one.name] = self._add(index, one.name, branch=branch)
        elif condition.about == "loops":
            for number, loop in enumerate(self._site.loops):
                rows[loop.name] = self._add(
                    index, loop.name, pod=self._pod_of(loop.name), loop=number
                )
        else:
            for group in self._site.groups:
                at = self._at_devices(index, group).tolist()
                rows |= zip(group.names, at, strict=True)
        self._told |= {
            (event, name): row for event in condition.events for name, row in rows.items()
        }

    def _at_devices(self, index: int, group: DeviceGroup) -> IntArray:
        loops = self._loops(group)
        return np.array(
            [
                self._add(
                    index,
                    name,
                    device=group.first_device + number,
                    rack=int(group.rack[number]),
                    pod=self._pod_of(name),
                    branch=int(group.branch[number]),
                    loop=loops[number],
                )
                for number, name in enumerate(group.names)
            ]
        )

    def _loops(self, group: DeviceGroup) -> list[int]:
        """Coolant loop of each device: the one that it is part of, or that cools its rack."""
        racks = self._site.racks
        found = [int(racks.loop[rack]) if rack != NO_INDEX else NO_INDEX for rack in group.rack]
        for index, loop in enumerate(self._site.loops):
            for cdu in loop.cdus:
                if 0 <= cdu - group.first_device < group.count:
                    found[cdu - group.first_device] = index
        return found

    def _add(
        self,
        kind: int,
        source: str,
        *,
        device: int = NO_INDEX,
        rack: int = NO_INDEX,
        pod: int = NO_INDEX,
        branch: int = NO_INDEX,
        loop: int = NO_INDEX,
    ) -> int:
        self._source.append(source)
        self._columns.append((kind, device, rack, pod, branch, loop))
        return len(self._source) - 1


def _read_rows(group: DeviceGroup) -> IntArray:
    """Rows of everything that is read of each device.  # (devices, points)"""
    return np.stack([group.rows(p.name) for p in group.model.point if p.constant is None], axis=1)


def find(instances: Instances, kind: str, source: str) -> Iterator[int]:
    """Rows of alarms by kind and source, in which ``*`` and ``?`` stand for any letters."""
    for row in range(instances.count):
        if fnmatchcase(instances.kinds[int(instances.kind[row])].name, kind) and fnmatchcase(
            instances.source[row], source
        ):
            yield row
