"""Turns a site file and the catalogue's models into a `SiteModel`, or says what does not fit."""

import difflib
import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from mallee.core.arrays import NO_INDEX, IntArray
from mallee.core.device_model import DeviceModel, Kind
from mallee.core.errors import ConfigError
from mallee.core.patterns import expand_range, fill_template
from mallee.site.file import Address, Device, Feed, Grid, Pod, Rack, Several, SiteFile
from mallee.site.model import Branch, DeviceGroup, Racks, SiteModel

Models = Mapping[str, DeviceModel]


def build_site(file: SiteFile, models: Models, source: str = "site file") -> SiteModel:
    """Build the model of a site.

    Args:
        file: the decoded site file.
        models: the catalogue, by model name.
        source: name of the file, for error messages.

    Raises:
        ConfigError: an unknown model or branch, a repeated name, a loop in the power tree.
    """
    return _Builder(file, models, source).build()


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the closest valid word, or lists a few."""
    words = sorted(known)
    close = difflib.get_close_matches(word, words, 1, 0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return "known: " + ", ".join(words[:12]) if words else ""


class _Builder:
    """Walks the file once; the lists grow until `build` freezes them."""

    def __init__(self, file: SiteFile, models: Models, source: str) -> None:
        self.file, self.models, self.source = file, models, source
        self.branches = _power_tree(file, self._error)
        self.branch_index = {branch.name: index for index, branch in enumerate(self.branches)}
        self.groups: list[DeviceGroup] = []
        self.seen: set[str] = set()
        self.rack_names: list[str] = []
        self.rack_columns: list[tuple[int, int, int, int]] = []  # pod, branch, standby, cdu

    def build(self) -> SiteModel:
        file = self.file
        self._site_devices(file.grid.meter, "meter", "grid.meter")
        for kind, entries in (
            ("battery", file.battery),
            ("charger", file.charger),
            ("ups", file.ups),
        ):
            for entry in entries:
                self._site_devices(entry, kind, f"{kind}.{entry.name}")  # type: ignore[arg-type]
        pods = [name for pod in file.pod for name in self._pods(pod)]
        columns = np.array(self.rack_columns, np.int64).reshape(-1, 4).T
        racks = Racks(
            names=tuple(self.rack_names),
            pod=columns[0],
            branch=columns[1],
            standby_branch=columns[2],
            cdu=columns[3],
        )
        return SiteModel(file, self.branches, tuple(pods), racks, tuple(self.groups))

    def _error(self, where: str, what: str, hint: str = "") -> ConfigError:
        return ConfigError(f"{self.source}: {where}", what, hint)

    def _names(self, pattern: str, where: str, key: str = "name") -> list[str]:
        return _expand(pattern, f"{where}.{key}", self._error)

    def _model(self, name: str, kinds: tuple[str, ...], where: str) -> DeviceModel:
        model = self.models.get(name)
        if model is None:
            fitting = [m.model for m in self.models.values() if m.kind in kinds]
            raise self._error(
                f"{where}.model", f"no catalogue model {name!r}", nearest(name, fitting)
            )
        if model.kind not in kinds:
            hint = nearest(name, [m.model for m in self.models.values() if m.kind in kinds])
            raise self._error(
                f"{where}.model", f"{name!r} is a {model.kind}, not a {kinds[0]}", hint
            )
        return model

    def _feeds(self, feed: Feed, where: str) -> tuple[list[int], list[int]]:
        """Primary and standby branch of each member of a range in `feed`."""
        if not isinstance(feed, str) and len(feed) > 2:
            hint = "list the normal branch, then the standby one"
            raise self._error(f"{where}.fed_by", f"names {len(feed)} branches", hint)
        primary, standby = (feed, "") if isinstance(feed, str) else [*feed, "", ""][:2]
        if not primary:
            raise self._error(where, "has no fed_by", "name the transformer or breaker above it")

        def indexes(pattern: str) -> list[int]:
            found = []
            for name in self._names(pattern, where, "fed_by"):
                if name not in self.branch_index:
                    hint = nearest(name, self.branch_index)
                    raise self._error(f"{where}.fed_by", f"no branch {name!r}", hint)
                found.append(self.branch_index[name])
            return found

        first = indexes(primary)
        return first, indexes(standby) if standby else [NO_INDEX] * len(first)

    def _add_group(
        self,
        model: DeviceModel,
        names: list[str],
        where: str,
        *,
        branch: IntArray,
        standby: IntArray,
        rack: IntArray,
        cdu: IntArray,
        addresses: Mapping[str, tuple[str, ...]],
        credentials: str,
        tls_ca: str,
    ) -> DeviceGroup:
        for name in names:
            if name in self.seen:
                raise self._error(where, f"the name {name!r} is used twice")
            self.seen.add(name)
        last = self.groups[-1] if self.groups else None
        group = DeviceGroup(
            model=model,
            names=tuple(names),
            first_device=last.first_device + last.count if last else 0,
            first_row=last.first_row + last.count * last.stride if last else 0,
            branch=branch,
            standby_branch=standby,
            rack=rack,
            cdu=cdu,
            addresses=addresses,
            credentials=credentials,
            tls_ca=tls_ca,
        )
        self.groups.append(group)
        return group

    def _addresses(
        self, address: Address, model: DeviceModel, numbers: list[dict[str, int]], where: str
    ) -> dict[str, tuple[str, ...]]:
        if not address:
            return {}
        if isinstance(address, str):
            if len(model.protocol) > 1:
                raise self._error(
                    f"{where}.address",
                    f"{model.model} speaks {' and '.join(model.protocol)}",
                    "give one address each: address = { "
                    + ", ".join(f'{p} = "host:port"' for p in model.protocol)
                    + " }",
                )
            address = dict.fromkeys(model.protocol, address)
        for protocol in address:
            if protocol not in model.protocol:
                hint = nearest(protocol, model.protocol)
                raise self._error(
                    f"{where}.address", f"{model.model} has no protocol {protocol!r}", hint
                )
        try:
            return {
                protocol: tuple(fill_template(template, n) for n in numbers)
                for protocol, template in address.items()
            }
        except ValueError as error:
            raise self._error(f"{where}.address", str(error)) from None

    def _site_devices(
        self, entry: Device, kind: Kind, where: str, prefix: str = "", pod: int = 0
    ) -> DeviceGroup:
        """Devices that stand at the site or in a pod, outside any rack."""
        model = self._model(entry.model, (kind,), where)
        names = [prefix + name for name in self._names(entry.name, where)]
        if kind == "meter" and not entry.fed_by:
            feeds = ([0], [NO_INDEX])
        else:
            feeds = self._feeds(entry.fed_by, where)
        numbers = [{"n": n + 1, "pod": pod + 1} for n in range(len(names))]
        none = np.full(len(names), NO_INDEX)
        return self._add_group(
            model,
            names,
            where,
            branch=_spread(feeds[0], len(names)),
            standby=_spread(feeds[1], len(names)),
            rack=none,
            cdu=none,
            addresses=self._addresses(entry.address, model, numbers, where),
            credentials=entry.credentials,
            tls_ca=entry.tls_ca,
        )

    def _pods(self, pod: Pod) -> list[str]:
        """One pod entry; its racks of all its pods, class by class, so that groups stay few."""
        where = f"pod.{pod.name}"
        names = self._names(pod.name, where)
        first_pod = len({row[0] for row in self.rack_columns})
        cdus: list[dict[str, int]] = []
        for number, name in enumerate(names):
            own: dict[str, int] = {}
            for kind, entries in (("cdu", pod.cdu), ("switch", pod.switch), ("pdu", pod.pdu)):
                for entry in entries:
                    at = f"{where}.{kind}.{entry.name}"
                    group = self._site_devices(entry, kind, at, f"{name}/", number)  # type: ignore[arg-type]
                    if kind == "cdu":
                        for device, path in enumerate(group.names):
                            own[path.rpartition("/")[2]] = group.first_device + device
            cdus.append(own)
        for rack in pod.rack:
            self._racks(rack, names, first_pod, cdus, f"{where}.rack.{rack.name}")
        return names

    def _racks(
        self, rack: Rack, pods: list[str], first_pod: int, cdus: list[dict[str, int]], where: str
    ) -> None:
        """One rack entry in each of the pods: its racks, then its devices group by group."""
        own_names = self._names(rack.name, where)
        count = len(own_names)
        feeds = self._feeds(rack.fed_by, where)
        total = count * len(pods)
        branch, standby = _spread(feeds[0], total), _spread(feeds[1], total)
        first_rack = len(self.rack_names)
        cdu = np.full(total, NO_INDEX)
        for number, pod in enumerate(pods):
            here = slice(number * count, (number + 1) * count)
            cdu[here] = self._rack_cdus(rack.cdu, cdus[number], count, where)
            for name in own_names:
                path = f"{pod}/{name}"
                if path in self.seen:
                    raise self._error(where, f"the name {path!r} is used twice")
                self.seen.add(path)
                self.rack_names.append(path)
        for index in range(total):
            pod_index = first_pod + index // count
            self.rack_columns.append(
                (pod_index, int(branch[index]), int(standby[index]), int(cdu[index]))
            )
        parts: tuple[tuple[Several | None, Kind, str], ...] = (
            (rack.nodes, "node", "n"),
            (rack.switches, "switch", "sw"),
            (rack.power_shelves, "power_shelf", "ps"),
        )
        for several, kind, letter in parts:
            if several is None:
                continue
            at = f"{where}.{kind}s"
            model = self._model(several.model, (kind,), at)
            members = self._members(several, letter, at)
            rack_of = np.repeat(np.arange(total), several.count)
            names = [
                f"{self.rack_names[first_rack + r]}/{m}" for r in range(total) for m in members
            ]
            numbers = (
                [
                    {"n": n + 1, "rack": r % count + 1, "pod": first_pod + r // count + 1}
                    for r in range(total)
                    for n in range(several.count)
                ]
                if several.address
                else []
            )
            self._add_group(
                model,
                names,
                at,
                branch=branch[rack_of],
                standby=standby[rack_of],
                rack=first_rack + rack_of,
                cdu=cdu[rack_of],
                addresses=self._addresses(several.address, model, numbers, at),
                credentials=several.credentials,
                tls_ca=several.tls_ca,
            )

    def _members(self, several: Several, letter: str, where: str) -> list[str]:
        width = len(str(several.count))
        pattern = several.name or f"{letter}{{{1:0{width}d}..{several.count}}}"
        names = self._names(pattern, where)
        if len(names) != several.count:
            raise self._error(
                f"{where}.name", f"makes {len(names)} names for count = {several.count}"
            )
        return names

    def _rack_cdus(self, pattern: str, cdus: dict[str, int], count: int, where: str) -> IntArray:
        if not pattern:
            return np.full(count, NO_INDEX)
        found = []
        for name in self._names(pattern, where, "cdu"):
            if name not in cdus:
                raise self._error(
                    f"{where}.cdu", f"no cdu {name!r} in this pod", nearest(name, cdus)
                )
            found.append(cdus[name])
        return _spread(found, count)


def _spread(values: list[int], count: int) -> IntArray:
    """`count` members over a few values in equal blocks, the order kept."""
    return np.array(values, np.int64)[np.arange(count) * len(values) // max(count, 1)]


def _expand(pattern: str, where: str, error: Callable[..., ConfigError]) -> list[str]:
    try:
        return expand_range(pattern)
    except ValueError as problem:
        raise error(where, str(problem)) from None


def _power_tree(file: SiteFile, error: Callable[..., ConfigError]) -> tuple[Branch, ...]:
    """Branches in an order in which parents come first."""
    grid: Grid = file.grid
    volts = grid.voltage_v * math.sqrt(3.0)
    waiting: dict[str, tuple[str, Branch]] = {}
    for transformer in file.transformer:
        for name in _expand(transformer.name, f"transformer.{transformer.name}.name", error):
            branch = Branch(
                name=name,
                kind="transformer",
                parent=NO_INDEX,
                rating_w=transformer.rating_va * 1.0,  # at unity power factor
                rating_a=transformer.rating_va / volts,
            )
            _add_once(waiting, name, transformer.fed_by, branch, error)
    for breaker in file.breaker:
        for name in _expand(breaker.name, f"breaker.{breaker.name}.name", error):
            branch = Branch(
                name=name,
                kind="breaker",
                parent=NO_INDEX,
                rating_w=breaker.rating_a * volts,
                rating_a=breaker.rating_a,
            )
            _add_once(waiting, name, breaker.fed_by, branch, error)
    connection = grid.import_max_w
    root = Branch(
        name="grid", kind="grid", parent=NO_INDEX, rating_w=connection, rating_a=connection / volts
    )
    placed, order = {"grid": 0}, [root]
    while waiting:
        ready = [name for name, (above, _) in waiting.items() if above in placed]
        if not ready:
            name, (above, branch) = next(iter(waiting.items()))
            if above in waiting:
                raise error(f"{branch.kind}.{name}.fed_by", "the power tree runs in a circle here")
            hint = nearest(above, [*placed, *waiting])
            raise error(f"{branch.kind}.{name}.fed_by", f"no branch {above!r}", hint)
        for name in ready:
            above, branch = waiting.pop(name)
            placed[name] = len(order)
            order.append(
                Branch(
                    name=name,
                    kind=branch.kind,
                    parent=placed[above],
                    rating_w=branch.rating_w,
                    rating_a=branch.rating_a,
                )
            )
    return tuple(order)


def _add_once(
    waiting: dict[str, tuple[str, Branch]],
    name: str,
    above: str,
    branch: Branch,
    error: Callable[..., ConfigError],
) -> None:
    if name in waiting or name == "grid":
        raise error(f"{branch.kind}.{name}", f"the branch name {name!r} is used twice")
    waiting[name] = (above, branch)
