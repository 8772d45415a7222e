"""Devices of a site, group by group: each with its model, rows, feeds and addresses."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from mallee.core.arrays import NO_INDEX, IntArray
from mallee.core.device_model import DeviceModel
from mallee.core.patterns import expand_range, fill_template
from mallee.kinds import DeviceKind
from mallee.site.entry import Address, Device, FedBy
from mallee.site.file import SiteFile
from mallee.site.model import DeviceGroup
from mallee.site.problems import Problem, SiteProblems, nearest
from mallee.site.tree import power_tree

Models = Mapping[str, DeviceModel]
Feeds = tuple[list[int], list[int]]
"""Normal and standby branch of each member of a `fed_by`."""


class Devices:
    """Grows while the site file is walked; what does not fit is noted and told all at once.

    Attributes:
        branches: the power tree, with the device that each branch is.
        groups: so far, in the order of their rows.
        taken: paths of devices and racks so far; none may come twice.
    """

    def __init__(self, file: SiteFile, models: Models, source: str) -> None:
        self._file, self._models, self._source = file, models, source
        self._problems: list[Problem] = []
        if not file.feeds:
            hint = "a site has a [grid], or [[feed]]s with a name each"
            self.report("grid", "is missing", hint)
            self.finish()
        if file.grid is not None and file.feed:
            self.report("feed", "stands beside [grid]", "write every connection as a [[feed]]")
        tree = power_tree(file, dict(models), self.report)
        self.branches = list(tree.branches)
        self._declared = tree.declared
        self._index = {branch.name: index for index, branch in enumerate(tree.branches)}
        self.groups: list[DeviceGroup] = []
        self.taken: set[str] = set()

    def report(self, where: str, what: str, hint: str = "") -> None:
        """Note a problem and go on, so that all of them are told at once."""
        self._problems.append(Problem(where, what, hint))

    def finish(self) -> None:
        if self._problems:
            raise SiteProblems(self._source, self._problems)

    def names(self, pattern: str, where: str, key: str = "name") -> list[str]:
        try:
            return expand_range(pattern)
        except ValueError as problem:
            self.report(f"{where}.{key}", str(problem))
            return []

    def model(self, name: str, kind: DeviceKind, where: str) -> DeviceModel | None:
        model = self._models.get(name)
        fitting = [m.model for m in self._models.values() if m.kind == kind.name]
        if model is None:
            self.report(f"{where}.model", f"no catalogue model {name!r}", nearest(name, fitting))
        elif model.kind != kind.name:
            what = f"{name!r} is a {model.kind}, not a {kind.name}"
            self.report(f"{where}.model", what, nearest(name, fitting))
            return None
        return model

    def feeds(self, fed_by: FedBy, where: str, scope: str = "") -> Feeds:
        """Normal and standby branch of each member of a range in `fed_by`.

        Args:
            scope: the pod whose own branches are looked for first, with a slash.
        """
        if not isinstance(fed_by, str) and len(fed_by) > 2:
            hint = "list the normal branch, then the standby one"
            self.report(f"{where}.fed_by", f"names {len(fed_by)} branches", hint)
        primary, standby = (fed_by, "") if isinstance(fed_by, str) else [*fed_by, "", ""][:2]
        if not primary:
            self.report(where, "has no fed_by", "name the transformer or breaker above it")
            return [0], [NO_INDEX]
        first = self._branches(primary, where, scope)
        second = self._branches(standby, where, scope) if standby else [NO_INDEX] * len(first)
        return first, second

    def _branches(self, pattern: str, where: str, scope: str) -> list[int]:
        found = []
        for name in self.names(pattern, where, "fed_by"):
            index = self._index.get(scope + name, self._index.get(name))
            if index is None and not self._is_declared(name, scope):
                hint = nearest(name, self._index)
                self.report(f"{where}.fed_by", f"no branch {name!r}", hint)
            found.append(0 if index is None else index)
        return found or [0]

    def add_group(self, names: list[str], where: str, group: DeviceGroup) -> DeviceGroup:
        """Give a group its numbers and rows; the names must be new."""
        for name in names:
            if name in self.taken:
                self.report(where, f"the name {name!r} is used twice")
            self.taken.add(name)
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
                self.report(
                    f"{where}.address",
                    f"{model.model} speaks {' and '.join(model.protocol)}",
                    "give one address each: address = { "
                    + ", ".join(f'{p} = "host:port"' for p in model.protocol)
                    + " }",
                )
                return {}
            address = dict.fromkeys(model.protocol, address)
        found = {}
        for protocol, template in address.items():
            if protocol not in model.protocol:
                what = f"{model.model} has no protocol {protocol!r}"
                self.report(f"{where}.address", what, nearest(protocol, model.protocol))
                continue
            try:
                found[protocol] = tuple(fill_template(template, n) for n in numbers)
            except ValueError as error:
                self.report(f"{where}.address", str(error))
        return found

    def add(
        self, entry: Device, kind: DeviceKind, where: str, scope: str = "", pod: int = 0
    ) -> DeviceGroup | None:
        """Devices that stand at the site or in a pod, outside any rack."""
        model = self.model(entry.model, kind, where)
        names = [scope + name for name in self.names(entry.name, where)]
        if model is None or not names:
            return None
        feeds = self._feeds_of(entry, kind, where, scope)
        for name in entry.serves:
            if name not in {n for one in self._file.pod for n in _quiet(one.name)}:
                self.report(f"{where}.serves", f"no pod {name!r}", "")
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
                addresses=self.addresses(entry.address, model, numbers, where),
                credentials=entry.credentials,
                tls_ca=entry.tls_ca,
                priority=entry.priority,
                tenant=entry.tenant,
                serves=tuple(entry.serves),
            ),
        )
        self._mark_branches(group)
        return group

    def _feeds_of(self, entry: Device, kind: DeviceKind, where: str, scope: str) -> Feeds:
        """Where a device hangs: a meter at what it measures, a source that is a root on itself."""
        if kind.role == "meter":
            measured = entry.measures or entry.fed_by
            if not measured:
                hint = 'name the branch that it reads: measures = "..."'
                self.report(where, "measures nothing", hint)
                return [0], [NO_INDEX]
            return self.feeds(measured, where, scope)
        if kind.role == "source" and not entry.fed_by:
            own = [self._index.get(name, 0) for name in self.names(entry.name, where)]
            return own, [NO_INDEX] * len(own)
        return self.feeds(entry.fed_by, where, scope)

    def _mark_branches(self, group: DeviceGroup) -> None:
        """Tell the branches that are devices which device they are."""
        for device, name in enumerate(group.names):
            index = self._index.get(name)
            if index is not None and self.branches[index].kind == group.kind:
                number = group.first_device + device
                self.branches[index] = replace(self.branches[index], device=number)

    def _is_declared(self, name: str, scope: str) -> bool:
        """Whether a branch is missing only because of a mistake that is told of itself."""
        if self._declared is None:
            return True
        return name in self._declared or scope + name in self._declared


def spread(values: list[int], count: int) -> IntArray:
    """`count` members over a few values in equal blocks, the order kept."""
    return np.array(values, np.int64)[np.arange(count) * len(values) // max(count, 1)]


def _quiet(pattern: str) -> Iterable[str]:
    """Names of a pattern whose mistakes are told elsewhere."""
    try:
        return expand_range(pattern)
    except ValueError:
        return ()
