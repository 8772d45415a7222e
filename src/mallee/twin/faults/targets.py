"""Finds what a fault plan names: grid, plant, pods, racks, jobs, branches, devices, points."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Final

import numpy as np

from mallee.core.arrays import NO_INDEX, IntArray
from mallee.core.errors import ConfigError
from mallee.kinds import KINDS
from mallee.site.model import SiteModel
from mallee.site.problems import nearest
from mallee.twin.faults.kind import Target, TargetKind

DEVICE_KINDS: Final[tuple[TargetKind, ...]] = tuple(KINDS)
BRANCH_KINDS: Final[tuple[TargetKind, ...]] = ("breaker", "transformer", "switch_over")

_NO_ROWS: Final[IntArray] = np.empty(0, np.int64)


class Targets:
    """All targets of a site by kind and name."""

    def __init__(self, site: SiteModel) -> None:
        self._site = site

    def find(self, pattern: str, kinds: tuple[TargetKind, ...], where: str) -> tuple[Target, ...]:
        """What a name, or a pattern with ``*``, means among some kinds.

        Raises:
            ConfigError: nothing of these kinds has that name.
        """
        found: list[Target] = []
        for kind in kinds:
            if kind == "point":
                found.extend(self._points(pattern))
                continue
            names = self.names(kind)
            if "*" in pattern:
                hits = [n for n, name in enumerate(names) if fnmatchcase(name, pattern)]
            else:
                at = self._by_name[kind].get(pattern)
                hits = [] if at is None else [at]
            found.extend(self.make(kind, hit) for hit in hits)
        if not found:
            raise self._unknown(pattern, kinds, where)
        return tuple(found)

    def names(self, kind: TargetKind) -> Sequence[str]:
        """Names of all targets of a kind, in the order of their indexes; points have none here."""
        return self._names.get(kind, ())

    def make(self, kind: TargetKind, number: int) -> Target:
        """The target of a kind at a position of `names`."""
        site, name = self._site, self.names(kind)[number]
        if kind in BRANCH_KINDS:
            return Target(name=name, kind=kind, index=site.branch_index(name), rows=_NO_ROWS)
        if kind not in DEVICE_KINDS:
            return Target(name=name, kind=kind, index=number, rows=_NO_ROWS)
        within = number
        for group in site.groups:
            if group.kind != kind:
                continue
            if within < group.count:
                first = group.first_row + group.stride * within
                rows = np.arange(first, first + group.stride)
                device = group.first_device + within
                return Target(name=name, kind=kind, index=number, device=device, rows=rows)
            within -= group.count
        raise IndexError(f"{kind} {number}")

    def points(self, kind: TargetKind, number: int) -> tuple[str, ...]:
        """Names of the points of a device, by its position in `names`."""
        for group in self._site.groups:
            if group.kind == kind:
                if number < group.count:
                    return tuple(group.model.index)
                number -= group.count
        raise IndexError(f"{kind} {number}")

    def _points(self, pattern: str) -> Iterable[Target]:
        if "*" in pattern:
            device_pattern, _, point_pattern = pattern.rpartition("/")
            for group in self._site.groups:
                points = [p.name for p in group.model.point if fnmatchcase(p.name, point_pattern)]
                if points:
                    for number, name in enumerate(group.names):
                        if fnmatchcase(name, device_pattern):
                            rows = np.array([group.row(number, point) for point in points])
                            yield Target(name=name, kind="point", rows=rows)
            return
        row = self._site.find_point(pattern)
        if row is not None:
            yield Target(name=pattern, kind="point", index=row, rows=np.array([row]))

    @cached_property
    def _names(self) -> dict[TargetKind, Sequence[str]]:
        site = self._site
        jobs = [job.name for job in site.file.twin.jobs] if site.file.twin else []
        names: dict[TargetKind, Sequence[str]] = {
            "grid": [feed.name for feed in site.file.feeds],
            "plant": ("plant",) if site.pods else (),
            "pod": site.pods,
            "rack": site.racks.names,
            "job": (*jobs, "load"),
            "breaker": [f.name for f in site.branches if f.kind == "breaker"],
            "transformer": [f.name for f in site.branches if f.kind == "transformer"],
            "switch_over": [f.name for f in site.branches if f.standby != NO_INDEX and not f.tie],
            "tie": [tie.name for tie in site.file.tie],
        }
        for kind in DEVICE_KINDS:
            names[kind] = [n for g in site.groups if g.kind == kind for n in g.names]
        return names

    @cached_property
    def _by_name(self) -> dict[TargetKind, dict[str, int]]:
        return {kind: {n: i for i, n in enumerate(names)} for kind, names in self._names.items()}

    def _unknown(self, pattern: str, kinds: tuple[TargetKind, ...], where: str) -> ConfigError:
        wanted = " or ".join(kinds)
        for kind, names in self._by_name.items():
            if pattern in names:
                return ConfigError(where, f"{pattern!r} is a {kind}, this fault needs a {wanted}")
        device, _, point = pattern.rpartition("/")
        if "point" in kinds:
            for group in self._site.groups:
                if device in group.names:
                    return ConfigError(
                        where,
                        f"{device!r} has no point {point!r}",
                        nearest(point, group.model.index),
                    )
        known = [name for kind in kinds for name in self.names(kind)]
        return ConfigError(where, f"no {wanted} {pattern!r}", nearest(pattern, known))
