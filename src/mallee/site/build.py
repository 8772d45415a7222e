"""Turns a site file and the catalogue into a `SiteModel`, or says all that does not fit."""

from collections.abc import Iterable

import numpy as np
from msgspec import structs

from mallee.core.arrays import NO_INDEX, IntArray
from mallee.kinds import KINDS, DeviceKind
from mallee.kinds.cdu import CDU
from mallee.kinds.meter import METER
from mallee.kinds.transfer_switch import TRANSFER_SWITCH
from mallee.site.devices import Devices, Models, spread
from mallee.site.entry import Device, FedBy
from mallee.site.file import Pod, Rack, Several, SiteFile
from mallee.site.model import CoolantLoop, DeviceGroup, SiteModel
from mallee.site.problems import Problem, SiteProblems, nearest
from mallee.site.racks import RackRows
from mallee.site.switchgear import TransferSwitch


def build_site(file: SiteFile, models: Models, source: str = "site file") -> SiteModel:
    """Build the model of a site.

    Args:
        file: the decoded site file.
        models: the catalogue, by model name.
        source: name of the file, for error messages.

    Raises:
        SiteProblems: unknown models or branches, repeated names, loops in the power tree; all
            of them.
    """
    site, problems = survey_site(file, models)
    if problems or site is None:
        raise SiteProblems(source, problems)
    return site


def survey_site(
    file: SiteFile, models: Models, lost: Iterable[str] = ()
) -> tuple[SiteModel | None, tuple[Problem, ...]]:
    """The model of a site as far as it can be built, and all that could not.

    What has a mistake is left out, with what hangs on it, so that each mistake is told once.

    Args:
        file: the decoded site file.
        models: the catalogue, by model name.
        lost: names (with ranges) of what was in the file and could not be read.

    Returns:
        The site, None where there is no feed to build it from, and the problems.
    """
    if not file.feeds:
        hint = "a site has a [grid], or [[feed]]s with a name each"
        missing = Problem("grid", "is missing", hint, "feeds")
        return None, () if set(lost) & {"grid", "feed"} else (missing,)
    builder = _Builder(file, models, lost)
    return builder.build(), tuple(builder.devices.problems)


class _Builder:
    """Walks the file once; the lists grow until `build` freezes them."""

    def __init__(self, file: SiteFile, models: Models, lost: Iterable[str]) -> None:
        self.file = file
        self.devices = Devices(file, models, lost)
        self.pods: list[str] = []
        self.loops: list[CoolantLoop] = []
        self.racks = RackRows()

    def build(self) -> SiteModel:
        file = self.file
        for feed in file.feeds:
            where = "grid.meter" if feed is file.grid else f"feed.{feed.name}.meter"
            self.devices.add(structs.replace(feed.meter, measures=feed.name), METER, where)
        for kind in KINDS.values():
            for entry in file.devices(kind):
                self.devices.add(entry, kind, f"{kind.table}.{entry.name}")
        for switch in file.transfer_switch:
            if switch.model:
                self._switch_device(switch)
        for pod in file.pod:
            self._pods(pod)
        return SiteModel(
            file=file,
            branches=tuple(self.devices.branches),
            pods=tuple(self.pods),
            racks=self.racks.freeze(),
            groups=tuple(self.devices.groups),
            loops=tuple(self.loops),
        )

    def _switch_device(self, switch: TransferSwitch) -> None:
        """A transfer switch that can be talked to is a device besides."""
        entry = Device(
            name=switch.name,
            model=switch.model,
            fed_by=switch.fed_by,
            address=switch.address,
            credentials=switch.credentials,
            tls_ca=switch.tls_ca,
        )
        self.devices.add(entry, TRANSFER_SWITCH, f"transfer_switch.{switch.name}")

    def _pods(self, pod: Pod) -> None:
        """One pod entry; its racks of all its pods, class by class, so that groups stay few."""
        where = f"pod.{pod.name}"
        names = self.devices.names(pod.name, where)
        first_pod = len(self.pods)
        loops: list[dict[str, int]] = []
        for number, name in enumerate(names, first_pod):
            cdus: dict[str, int] = {}
            for kind in KINDS.values():
                for entry in pod.devices(kind):
                    at = f"{where}.{kind.table}.{entry.name}"
                    group = self.devices.add(entry, kind, at, f"{name}/", number)
                    if kind is CDU and group is not None:
                        for device, path in enumerate(group.names):
                            cdus[path.rpartition("/")[2]] = group.first_device + device
            loops.append(self._loops(pod, name, cdus, where))
        self.pods += names
        for rack in pod.rack:
            self._racks(rack, pod, names, first_pod, loops, f"{where}.rack.{rack.name}")

    def _loops(self, pod: Pod, name: str, cdus: dict[str, int], where: str) -> dict[str, int]:
        """The coolant loops of a pod: one a CDU, and one a group of them, by name."""
        found: dict[str, int] = {}
        for cdu, number in cdus.items():
            found[cdu] = len(self.loops)
            place = self.devices.place_of(number)
            self.loops.append(CoolantLoop(name=f"{name}/{cdu}", cdus=(number,), place=place))
        for group in pod.cdu_group:
            at = f"{where}.cdu_group.{group.name}"
            members = self.devices.names(group.cdus, at, "cdus")
            for member in members:
                if member not in cdus and not self.devices.is_lost(member, name):
                    what = f"no cdu {member!r} in this pod"
                    hint = nearest(member, cdus)
                    self.devices.report(f"{at}.cdus", what, hint, "no-such-cdu")
            if group.name in found:
                what = f"the name {group.name!r} is used twice"
                self.devices.report(at, what, rule="name-twice")
            numbers = tuple(cdus[member] for member in members if member in cdus)
            if members and group.spare >= len(members):
                what = f"{len(members)} CDUs of which {group.spare} are spare leave none"
                hint = "name more CDUs, or fewer spare ones"
                self.devices.report(f"{at}.spare", what, hint, "cdu-group")
            found[group.name] = len(self.loops)
            self.loops.append(
                CoolantLoop(name=f"{name}/{group.name}", cdus=numbers, spare=group.spare, place=at)
            )
        return found

    def _racks(
        self,
        rack: Rack,
        pod: Pod,
        pods: list[str],
        first_pod: int,
        loops: list[dict[str, int]],
        where: str,
    ) -> None:
        """One rack entry in each of the pods: its racks, then its devices group by group."""
        own_names = self.devices.names(rack.name, where)
        count, total = len(own_names), len(own_names) * len(pods)
        if not total:
            return
        feeds = self._rack_feeds(rack.fed_by, pods, count, where)
        first_rack = self.racks.count
        loop = np.full(total, NO_INDEX)
        for number, name in enumerate(pods):
            loop[number * count : (number + 1) * count] = self._rack_loops(
                rack.cdu, loops[number], count, where, name
            )
        names = [f"{name}/{own}" for name in pods for own in own_names]
        if not self.devices.take(names, where) or feeds is None:
            return
        branch, standby = feeds
        self.racks.add(
            names=names,
            pod=first_pod + np.arange(total) // count,
            branch=branch,
            standby=standby,
            cdu=self._first_cdus(loop),
            loop=loop,
            priority=rack.priority or pod.priority,
            tenant=rack.tenant or pod.tenant,
            place=where,
        )
        for kind in KINDS.values():
            several = rack.several(kind) if kind.rack_table else None
            if several is not None:
                at = f"{where}.{kind.rack_table}"
                self._rack_devices(several, kind, (first_rack, total, count, first_pod), at)

    def _rack_feeds(
        self, fed_by: FedBy, pods: list[str], count: int, where: str
    ) -> tuple[IntArray, IntArray] | None:
        """Branches of the racks of an entry: spread over all pods, or in each over its own."""
        found = [self.devices.feeds(fed_by, where, f"{pod}/") for pod in pods]
        each = [feeds for feeds in found if feeds is not None]
        if not each or len(each) < len(found):
            return None
        if all(feeds == each[0] for feeds in each):
            total = count * len(pods)
            return spread(each[0][0], total), spread(each[0][1], total)
        columns = ([spread(feeds[side], count) for feeds in each] for side in (0, 1))
        first, second = (np.concatenate(column) for column in columns)
        return first, second

    def _rack_devices(
        self, several: Several, kind: DeviceKind, place: tuple[int, int, int, int], where: str
    ) -> None:
        """The equal devices of one kind in each rack of an entry.

        Args:
            place: first rack, number of racks, racks a pod, first pod.
        """
        first_rack, total, count, first_pod = place
        model = self.devices.model(several.model, kind, where)
        members = self._members(several, kind.letter, where)
        if model is None or not members:
            return
        rack_of = np.repeat(np.arange(total), len(members))
        rows = self.racks
        names = [f"{rows.names[first_rack + r]}/{m}" for r in range(total) for m in members]
        numbers = (
            [
                {"n": n + 1, "rack": r % count + 1, "pod": first_pod + r // count + 1}
                for r in range(total)
                for n in range(len(members))
            ]
            if several.address
            else []
        )
        own = slice(first_rack, first_rack + total)
        self.devices.add_group(
            names,
            where,
            DeviceGroup(
                model=model,
                names=tuple(names),
                first_device=0,
                first_row=0,
                branch=rows.column("branch")[own][rack_of],
                standby_branch=rows.column("standby")[own][rack_of],
                rack=first_rack + rack_of,
                cdu=rows.column("cdu")[own][rack_of],
                addresses=self.devices.addresses(several.address, model, numbers, where),
                credentials=several.credentials,
                tls_ca=several.tls_ca,
                priority=rows.priorities[first_rack],
                tenant=rows.tenants[first_rack],
                place=where,
            ),
        )

    def _members(self, several: Several, letter: str, where: str) -> list[str]:
        width = len(str(several.count))
        pattern = several.name or f"{letter}{{{1:0{width}d}..{several.count}}}"
        names = self.devices.names(pattern, where)
        if names and len(names) != several.count:
            what = f"makes {len(names)} names for count = {several.count}"
            self.devices.report(f"{where}.name", what, rule="name-range")
            return []
        return names

    def _rack_loops(
        self, pattern: str, loops: dict[str, int], count: int, where: str, pod: str
    ) -> IntArray:
        if not pattern:
            return np.full(count, NO_INDEX)
        found = []
        for name in self.devices.names(pattern, where, "cdu"):
            if name not in loops and not self.devices.is_lost(name, pod):
                what, hint = f"no cdu {name!r} in this pod", nearest(name, loops)
                self.devices.report(f"{where}.cdu", what, hint, "no-such-cdu")
            found.append(loops.get(name, NO_INDEX))
        return spread(found or [NO_INDEX], count)

    def _first_cdus(self, loop: IntArray) -> IntArray:
        """Device number of the first CDU of each loop; none for air."""
        first = [one.cdus[0] if one.cdus else NO_INDEX for one in self.loops]
        return np.array([first[index] if index >= 0 else NO_INDEX for index in loop], np.int64)
