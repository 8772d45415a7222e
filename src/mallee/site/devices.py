"""Devices of a site, group by group: each with its model, rows, feeds and addresses."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from mallee.core.arrays import NO_INDEX, IntArray
from mallee.core.device_model import DeviceModel
from mallee.core.patterns import expand_range, fill_template
from mallee.kinds import DeviceKind
from mallee.site.entry import Address, Device, FedBy
from mallee.site.file import SiteFile
from mallee.site.model import DeviceGroup
from mallee.site.problems import Problem, nearest
from mallee.site.tree import power_tree

Models = Mapping[str, DeviceModel]
Feeds = tuple[list[int], list[int]]
"""Normal and standby branch of each member of a `fed_by`."""

_CORDS: Final = "only a transfer_switch, a tie, or a device with two cords takes two"


class Devices:
    """Grows while the site file is walked; what does not fit is noted, and left out.

    Attributes:
        branches: the power tree, with the device that each branch is.
        groups: so far, in the order of their rows.
        taken: paths of devices and racks so far; none may come twice.
        lost: names of what was left out; that they are missing is no news.
        problems: so far.
    """

    def __init__(self, file: SiteFile, models: Models, lost: Iterable[str]) -> None:
        self._file, self._models = file, models
        self.problems: list[Problem] = []
        self.lost = {name for pattern in lost for name in (pattern, *quietly(pattern))}
        if file.grid is not None and file.feed:
            hint = "write every connection as a [[feed]]"
            self.report("feed", "stands beside [grid]", hint, "feeds")
        tree = power_tree(file, dict(models), self.report, frozenset(self.lost))
        self.branches = list(tree.branches)
        self._declared = tree.declared
        self._index = {branch.name: index for index, branch in enumerate(tree.branches)}
        self.groups: list[DeviceGroup] = []
        self.taken: set[str] = set()

    def report(
        self, where: str, what: str, hint: str = "", rule: str = "reference", suggest: str = ""
    ) -> None:
        """Note a problem and go on, so that all of them are told at once."""
        self.problems.append(Problem(where, what, hint, rule, suggest))

    def names(self, pattern: str, where: str, key: str = "name") -> list[str]:
        try:
            return expand_range(pattern)
        except ValueError as problem:
            self.report(f"{where}.{key}", str(problem), rule="name-range")
            return []

    def model(self, name: str, kind: DeviceKind, where: str) -> DeviceModel | None:
        model = self._models.get(name)
        fitting = [m.model for m in self._models.values() if m.kind == kind.name]
        if model is None and name in self.lost:
            return None  # its file is told to be wrong
        if model is None:
            what, hint = f"no catalogue model {name!r}", nearest(name, fitting)
            self.report(f"{where}.model", what, hint, "no-such-model")
        elif model.kind != kind.name:
            what = f"{name!r} is a {model.kind}, not a {kind.name}"
            self.report(f"{where}.model", what, nearest(name, fitting), "wrong-kind")
            return None
        return model

    def feeds(
        self, fed_by: FedBy, where: str, scope: str = "", two: bool = True, key: str = "fed_by"
    ) -> Feeds | None:
        """Normal and standby branch of each member of a range in `fed_by`; None where one lacks.

        Args:
            scope: the pod whose own branches are looked for first, with a slash.
            two: whether two sources may be named.
            key: of the file that names them.
        """
        if not isinstance(fed_by, str) and len(fed_by) > 2:
            hint = "list the normal branch, then the standby one"
            self.report(f"{where}.{key}", f"names {len(fed_by)} branches", hint, "feeds")
        primary, standby = (fed_by, "") if isinstance(fed_by, str) else [*fed_by, "", ""][:2]
        if not primary:
            hint = "name the transformer or breaker above it"
            self.report(where, f"has no {key}", hint, "no-feed")
            return None
        if standby and not two and len(fed_by) == 2:
            what = "names two sources, which would run in parallel through it"
            self.report(f"{where}.{key}", what, _CORDS, "parallel-sources")
        standby = standby if two else ""
        first = self._branches(primary, where, scope, key)
        if standby and standby == primary and len(fed_by) == 2:
            what = f"names {standby!r} twice"
            self.report(f"{where}.{key}", what, "name another second source", "feeds")
        second = self._branches(standby, where, scope, key) if standby else []
        if first is None or second is None:
            return None
        if standby:
            self._compare_voltages(first, second, f"{where}.{key}")
        return first, second or [NO_INDEX] * len(first)

    def _branches(self, pattern: str, where: str, scope: str, key: str) -> list[int] | None:
        found: list[int | None] = []
        for name in self.names(pattern, where, key):
            index = self._index.get(scope + name, self._index.get(name))
            if index is None and not self._is_declared(name, scope):
                hint = nearest(name, self._index)
                self.report(f"{where}.{key}", f"no branch {name!r}", hint, "no-such-branch")
            found.append(index)
        sound = [index for index in found if index is not None]
        return sound if found and len(sound) == len(found) else None

    def _compare_voltages(self, first: list[int], second: list[int], where: str) -> None:
        """Two cords of one device want one voltage."""
        for one, other in zip(first, second, strict=False):
            a, b = self.branches[one], self.branches[other]
            if a.voltage_v != b.voltage_v:
                what = f"its two sources differ in voltage: {a.name} {a.voltage_v:g} V and "
                hint = "give the transformer above one of them the voltage_v of the other"
                self.report(where, f"{what}{b.name} {b.voltage_v:g} V", hint, "voltage-differs")
                return

    def take(self, names: Iterable[str], where: str) -> bool:
        """Reserve names; False, and told, where one is used already."""
        twice = [name for name in names if name in self.taken]
        for name in twice[:1]:
            more = f" (and {len(twice) - 1} more)" if len(twice) > 1 else ""
            self.report(where, f"the name {name!r} is used twice{more}", rule="name-twice")
        self.taken.update(names)
        return not twice

    def add_group(self, names: list[str], where: str, group: DeviceGroup) -> DeviceGroup | None:
        """Give a group its numbers and rows; the names must be new."""
        if not self.take(names, where):
            return None
        last = self.groups[-1] if self.groups else None
        numbered = replace(
            group,
            first_device=last.first_device + last.count if last else 0,
            first_row=last.first_row + last.count * last.stride if last else 0,
        )
        self.groups.append(numbered)
        return numbered

    def addresses(
        self, address: Address, model: DeviceModel, numbers: list[dict[str, int]], where: str
    ) -> dict[str, tuple[str, ...]]:
        if not address:
            return {}
        if isinstance(address, str):
            if len(model.protocol) > 1:
                each = ", ".join(f'{p} = "host:port"' for p in model.protocol)
                self.report(
                    f"{where}.address",
                    f"{model.model} speaks {' and '.join(model.protocol)}",
                    f"give one address each: address = {{ {each} }}",
                    "address",
                )
                return {}
            address = dict.fromkeys(model.protocol, address)
        found = {}
        for protocol, template in address.items():
            if protocol not in model.protocol:
                what = f"{model.model} has no protocol {protocol!r}"
                hint = nearest(protocol, model.protocol)
                self.report(f"{where}.address", what, hint, "address")
                continue
            try:
                found[protocol] = tuple(fill_template(template, n) for n in numbers)
            except ValueError as error:
                self.report(f"{where}.address", str(error), rule="address")
        return found

    def add(
        self, entry: Device, kind: DeviceKind, where: str, scope: str = "", pod: int = 0
    ) -> DeviceGroup | None:
        """Devices that stand at the site or in a pod, outside any rack."""
        model = self.model(entry.model, kind, where)
        names = [scope + name for name in self.names(entry.name, where)]
        feeds = self._feeds_of(entry, kind, where, scope)
        pods = {name for one in self._file.pod for name in quietly(one.name)}
        for name in entry.serves:
            if name not in pods | self.lost:
                self.report(f"{where}.serves", f"no pod {name!r}", nearest(name, pods))
        if model is None or not names or feeds is None:
            self.lost.update(names)
            return None
        numbers = [{"n": n + 1, "pod": pod + 1} for n in range(len(names))]
        none = np.full(len(names), NO_INDEX)
        group = self.add_group(
            names,
            where,
            DeviceGroup(
                model=model,
                names=tuple(names),
                first_device=0,
                first_row=0,
                branch=spread(feeds[0], len(names)),
                standby_branch=spread(feeds[1], len(names)),
                rack=none,
                cdu=none,
                place=where,
                addresses=self.addresses(entry.address, model, numbers, where),
                credentials=entry.credentials,
                tls_ca=entry.tls_ca,
                priority=entry.priority,
                tenant=entry.tenant,
                serves=tuple(entry.serves),
            ),
        )
        if group is not None:
            self._mark_branches(group)
        return group

    def _feeds_of(self, entry: Device, kind: DeviceKind, where: str, scope: str) -> Feeds | None:
        """Where a device hangs: a meter at what it measures, a source that is a root on itself."""
        if kind.role == "measures":
            measured = entry.measures or entry.fed_by
            if not measured:
                hint = 'name the branch that it reads: measures = "..."'
                self.report(where, "measures nothing", hint, "no-feed", 'measures = "..."')
                return None
            return self.feeds(measured, where, scope, key="measures")
        if kind.role == "in_line" or (kind.role == "source" and not entry.fed_by):
            own = [self._index.get(scope + name) for name in quietly(entry.name)]
            sound = [index for index in own if index is not None]
            if len(sound) < len(own) or not own:
                return None  # told where the tree is built
            if kind.role == "source":
                return sound, [NO_INDEX] * len(own)
            above = [self.branches[index] for index in sound]
            return [one.parent for one in above], [one.standby for one in above]
        return self.feeds(entry.fed_by, where, scope, kind.takes_two_feeds)

    def _mark_branches(self, group: DeviceGroup) -> None:
        """Tell the branches that are devices which device they are."""
        for device, name in enumerate(group.names):
            index = self._index.get(name)
            if index is not None and self.branches[index].kind == group.kind:
                number = group.first_device + device
                self.branches[index] = replace(self.branches[index], device=number)

    def is_lost(self, name: str, pod: str) -> bool:
        """Whether a device of a pod is missing only because of a mistake that is told of itself."""
        return name in self.lost or f"{pod}/{name}" in self.lost

    def place_of(self, device: int) -> str:
        """Where in the site file a device is written."""
        return next(g.place for g in self.groups if device < g.first_device + g.count)

    def _is_declared(self, name: str, scope: str) -> bool:
        """Whether a branch is missing only because of a mistake that is told of itself."""
        if self._declared is None:
            return True
        return name in self._declared or scope + name in self._declared


def spread(values: list[int], count: int) -> IntArray:
    """`count` members over a few values in equal blocks, the order kept."""
    return np.array(values, np.int64)[np.arange(count) * len(values) // max(count, 1)]


def quietly(pattern: str) -> Iterable[str]:
    """Names of a pattern whose mistakes are told elsewhere."""
    try:
        return expand_range(pattern)
    except ValueError:
        return ()
