"""The power tree of a site file: feeds, transformers, switchgear and in-line devices, in order."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mallee.core.arrays import NO_INDEX
from mallee.core.device_model import DeviceModel
from mallee.core.patterns import expand_range
from mallee.kinds import KINDS
from mallee.kinds.transfer_switch import TRANSFER_SWITCH
from mallee.site.entry import Device, FedBy
from mallee.site.file import Pod, SiteFile
from mallee.site.model import Branch, BranchEntry
from mallee.site.problems import ANY, Report, nearest
from mallee.site.switchgear import Breaker, Bus, TransferSwitch, Transformer

TRANSFER_S = {"ats": 0.1, "sts": 0.008}
"""Interruption of a transfer: contactors 50..100 ms, thyristors 4..8 ms (hardware reference)."""

TIE_S = 0.5
"""An automatic tie closes after the main has opened and its bus is dead (assumed)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """A branch whose sources are not placed yet.

    Attributes:
        where: its place in the file.
        above: names of its normal source and, where it has one, the standby one.
        scope: the pod that its sources are looked for in first, with a slash; empty at the site.
    """

    kind: str
    where: str
    above: tuple[str, ...]
    entry: BranchEntry
    scope: str = ""
    rating_w: float | None = None
    rating_a: float | None = None
    voltage_v: float | None = None
    transfer_s: float = 0.0
    return_s: float = 0.0
    tie: str = ""
    tied_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerTree:
    """What could be built of a power tree.

    Attributes:
        branches: in an order in which sources come first.
        declared: names of all branches that the file means, placed or not; None where a name
            could not even be read.
    """

    branches: tuple[Branch, ...]
    declared: frozenset[str] | None


def power_tree(
    file: SiteFile, models: dict[str, DeviceModel], report: Report, lost: frozenset[str]
) -> PowerTree:
    """The power tree of a site.

    Args:
        file: the decoded site file.
        models: of the in-line devices and sources, by model name; unknown ones are left out.
        report: called for everything that does not fit.
        lost: names whose tables could not be read; nobody is told that they are missing.
    """
    unreadable = [ANY] if ANY in lost else []

    def note(
        where: str, what: str, hint: str = "", rule: str = "reference", suggest: str = ""
    ) -> None:
        if where.endswith(".name") or rule == "name-twice":
            unreadable.append(where)
        report(where, what, hint, rule, suggest)

    placed: dict[str, int] = {}
    order: list[Branch] = []
    for root in _roots(file, models, note):
        if root.name in placed:
            what = f"the branch name {root.name!r} is used twice"
            note(f"{root.kind}.{root.name}", what, rule="name-twice")
            continue
        placed[root.name] = len(order)
        order.append(root)
    waiting, orphans = _to_place(file, models, placed, note)
    _tie(file, waiting, report)
    declared = None if unreadable else frozenset((*placed, *waiting, *orphans, *lost))
    while waiting:
        ready = [
            name
            for name, one in waiting.items()
            if all(_resolve(above, one.scope, placed) in placed for above in one.above)
        ]
        if not ready:
            _report_stuck(waiting, declared, report)
            break
        for name in ready:
            one = waiting.pop(name)
            sources = [placed[_resolve(source, one.scope, placed)] for source in one.above]
            above = sources or [0]  # one without a source is told already
            placed[name] = len(order)
            order.append(_branch(name, one, above, order))
            _compare_sources(one, [order[index] for index in above], report)
    return PowerTree(branches=tuple(order), declared=declared)


def _to_place(
    file: SiteFile, models: dict[str, DeviceModel], placed: dict[str, int], note: Report
) -> tuple[dict[str, _Waiting], set[str]]:
    """Branches that wait for their sources, and names of those that have none to wait for."""
    waiting: dict[str, _Waiting] = {}
    orphans: set[str] = set()
    for name, one in [*_switchgear(file, note), *_in_line(file, models, note)]:
        if not one.above:
            orphans.add(name)  # told already
        elif name in waiting or name in placed:
            note(one.where, f"the branch name {name!r} is used twice", rule="name-twice")
        else:
            waiting[name] = one
    return waiting, orphans


def _branch(name: str, one: _Waiting, above: list[int], order: list[Branch]) -> Branch:
    voltage_v = one.voltage_v if one.voltage_v is not None else order[above[0]].voltage_v
    volts = voltage_v * math.sqrt(3.0)
    if one.rating_a is not None:
        rating_w, rating_a = one.rating_a * volts, one.rating_a
    else:
        rating_w = one.rating_w if one.rating_w is not None else math.inf
        rating_a = rating_w / volts
    return Branch(
        name=name,
        kind=one.kind,
        parent=above[0],
        standby=above[1] if len(above) > 1 else NO_INDEX,
        rating_w=rating_w,
        rating_a=rating_a,
        voltage_v=voltage_v,
        transfer_s=one.transfer_s,
        return_s=one.return_s,
        tie=one.tie,
        entry=one.entry,
    )


def _roots(file: SiteFile, models: dict[str, DeviceModel], report: Report) -> Iterator[Branch]:
    """Utility feeds, then gensets: what has voltage by itself."""
    for feed in file.feeds:
        yield Branch(
            name=feed.name,
            kind="grid",
            parent=NO_INDEX,
            rating_w=feed.import_max_w,
            rating_a=feed.import_max_w / (feed.voltage_v * math.sqrt(3.0)),
            voltage_v=feed.voltage_v,
            entry=feed,
        )
    # A genset without a voltage of its own fits the lowest one: it stands beside the loads.
    levels_v = [feed.voltage_v for feed in file.feeds]
    levels_v += [tx.voltage_v for tx in file.transformer if tx.voltage_v is not None]
    low_v = min(levels_v)
    for kind in KINDS.values():
        if kind.role != "source":
            continue
        for entry in file.devices(kind):
            model = models.get(entry.model)
            if entry.fed_by or model is None:
                continue  # a source that hangs on a branch gives into it
            for name in _expand(entry.name, f"{kind.table}.{entry.name}.name", report):
                volts = model.parameter_or("voltage_v", low_v)
                yield Branch(
                    name=name,
                    kind=kind.name,
                    parent=NO_INDEX,
                    rating_w=model.power_max_w,
                    rating_a=model.power_max_w / (volts * math.sqrt(3.0)),
                    voltage_v=volts,
                    entry=entry,
                )


def _switchgear(file: SiteFile, report: Report) -> Iterator[tuple[str, _Waiting]]:
    tables: tuple[tuple[str, list[BranchEntry]], ...] = (
        ("transformer", list(file.transformer)),
        ("breaker", list(file.breaker)),
        ("switchboard", list(file.switchboard)),
        ("busway", list(file.busway)),
        (TRANSFER_SWITCH.name, list(file.transfer_switch)),
    )
    for kind, entries in tables:
        for entry in entries:
            assert not isinstance(entry, Device) or entry.fed_by
            where = f"{kind}.{entry.name}"
            names = _expand(entry.name, f"{where}.name", report)
            sources = _sources(_fed_by(entry), len(names), where, report)
            if kind != TRANSFER_SWITCH.name:
                sources = _only_first(sources, where, report)
            for name, above in zip(names, sources, strict=True):
                yield name, _switchgear_branch(kind, f"{kind}.{name}", above, entry)


def _fed_by(entry: BranchEntry) -> FedBy:
    return getattr(entry, "fed_by", "")


def _switchgear_branch(
    kind: str, where: str, above: tuple[str, ...], entry: BranchEntry
) -> _Waiting:
    one = _Waiting(kind=kind, where=where, above=above, entry=entry)
    if isinstance(entry, Transformer):
        return replace(one, rating_w=entry.rating_va * 1.0, voltage_v=entry.voltage_v)
    if isinstance(entry, Breaker | Bus):
        return replace(one, rating_a=entry.rating_a)
    assert isinstance(entry, TransferSwitch)
    transfer_s = TRANSFER_S[entry.type] if entry.transfer_s is None else entry.transfer_s
    return replace(one, rating_a=entry.rating_a, transfer_s=transfer_s, return_s=entry.return_s)


def _in_line(
    file: SiteFile, models: dict[str, DeviceModel], report: Report
) -> Iterator[tuple[str, _Waiting]]:
    """UPS and PDUs, at the site and in pods: devices that are a branch themselves."""
    places: list[tuple[str, str, SiteFile | Pod]] = [("", "", file)]
    for pod in file.pod:
        where = f"pod.{pod.name}."
        places += [(where, f"{name}/", pod) for name in _expand(pod.name, where + "name", report)]
    for where, scope, place in places:
        for kind in KINDS.values():
            if kind.role != "in_line":
                continue
            for entry in place.devices(kind):
                at = f"{where}{kind.table}.{entry.name}"
                names = _expand(entry.name, f"{at}.name", lambda *_: None)
                model = models.get(entry.model)
                sources = _sources(entry.fed_by, len(names), at, report)
                if not kind.takes_two_feeds:
                    sources = _only_first(sources, at, report)
                for name, above in zip(names, sources, strict=True):
                    one = _Waiting(kind=kind.name, where=at, above=above, entry=entry, scope=scope)
                    if model is None:  # told where its group is made
                        yield scope + name, replace(one, above=())
                        continue
                    rating_w = model.parameter_or("rating_w", model.power_max_w)
                    yield scope + name, replace(one, rating_w=rating_w)


def _tie(file: SiteFile, waiting: dict[str, _Waiting], report: Report) -> None:
    """Through a tie each of two switchboards has the other's source as its second one."""
    for tie in file.tie:
        where = f"tie.{tie.name}"
        one, other = (waiting.get(name) for name in tie.between)
        if tie.between[0] == tie.between[1]:
            report(f"{where}.between", "names one switchboard twice", "name two")
        for name, found in zip(tie.between, (one, other), strict=True):
            if found is None or found.kind != "switchboard":
                boards = [n for n, w in waiting.items() if w.kind == "switchboard"]
                report(
                    f"{where}.between",
                    f"no switchboard {name!r}",
                    nearest(name, boards),
                    "no-such-branch",
                )
        pair = [found for found in (one, other) if found and found.kind == "switchboard"]
        if one is None or other is None or one is other or len(pair) < 2:
            continue
        for name, mine, its in ((tie.between[0], one, other), (tie.between[1], other, one)):
            waiting[name] = replace(
                mine,
                above=(mine.above[0], its.above[0]),
                tie=tie.name,
                tied_to=its.where,
                transfer_s=TIE_S,
            )


def _sources(fed_by: FedBy, count: int, where: str, report: Report) -> list[tuple[str, ...]]:
    """Sources of each member of a range; a range in `fed_by` spreads them in equal blocks."""
    patterns = [fed_by] if isinstance(fed_by, str) else fed_by
    if not patterns or not patterns[0]:
        report(where, "has no fed_by", "name the branch above it, or a feed", "no-feed")
        return [()] * count
    columns = []
    for pattern in patterns:
        names = _expand(pattern, f"{where}.fed_by", report) or [pattern]
        columns.append([names[n * len(names) // count] for n in range(count)])
    return list(zip(*columns, strict=True))


def _resolve(name: str, scope: str, placed: dict[str, int]) -> str:
    """A name as seen from a pod: its own branch of that name comes before the site's."""
    return scope + name if scope and scope + name in placed else name


def _report_stuck(
    waiting: dict[str, _Waiting],
    declared: frozenset[str] | None,
    report: Report,
) -> None:
    """Say of each branch that hangs on nothing or on itself why it cannot be placed."""
    if declared is None:
        return  # a name that cannot be read is told already
    for one in waiting.values():
        for source in one.above:
            if not {source, one.scope + source} & declared:
                hint = nearest(source, declared)
                report(f"{one.where}.fed_by", f"no branch {source!r}", hint, "no-such-branch")
    for circle in _circles(waiting):
        names = " > ".join([*circle, circle[0]])
        report(
            f"{waiting[circle[0]].where}.fed_by",
            f"the power tree runs in a circle here: {names}",
            "feed one of them from a branch nearer to the grid",
            "power-loop",
        )


def _circles(waiting: dict[str, _Waiting]) -> Iterator[list[str]]:
    """Every circle among branches that wait for each other, once."""
    seen: set[str] = set()
    for start in waiting:
        path: list[str] = []
        name = start
        while name in waiting and name not in seen and name not in path:
            path.append(name)
            one = waiting[name]
            stuck = [_resolve(source, one.scope, dict.fromkeys(waiting, 0)) for source in one.above]
            name = next((source for source in stuck if source in waiting), "")
        if name in path:
            yield path[path.index(name) :]
        seen.update(path)


def _compare_sources(one: _Waiting, above: list[Branch], report: Report) -> None:
    """Two sources of one branch must have one voltage."""
    if len(above) < 2 or above[0].voltage_v == above[1].voltage_v:
        return
    names = " and ".join(f"{branch.name} {branch.voltage_v:g} V" for branch in above[:2])
    where = f"tie.{one.tie}.between" if one.tie else f"{one.where}.fed_by"
    report(where, f"its two sources differ in voltage: {names}", _ONE_VOLTAGE, "voltage-differs")


_ONE_VOLTAGE = "give the transformer above one of them the voltage_v of the other"


def _only_first(
    sources: list[tuple[str, ...]], where: str, report: Report
) -> list[tuple[str, ...]]:
    """A branch has one source; two would run in parallel through it."""
    if any(len(names) > 1 for names in sources):
        report(
            f"{where}.fed_by",
            f"names {len(sources[0])} sources, which would run in parallel through it",
            "only a transfer_switch, a tie, or a device with two cords takes two",
            "parallel-sources",
        )
    return [names[:1] for names in sources]


def _expand(pattern: str, where: str, report: Report) -> list[str]:
    try:
        return expand_range(pattern)
    except ValueError as problem:
        report(where, str(problem), rule="name-range")
        return []
