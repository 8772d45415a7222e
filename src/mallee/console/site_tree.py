"""Who feeds whom as a drawable tree, with the point rows whose sum is each branch's power.

A branch without a meter of its own shows the sum of what hangs below it. A rack's power is what
its nodes and switches draw plus what its power shelves lose (input less output), so it follows
the load every second although shelves are read more slowly. Large sites are folded: branches alike
become one branch with a count, and everything in a pod becomes one box.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from mallee.core.arrays import NO_INDEX, FloatArray, IntArray
from mallee.kinds import KINDS
from mallee.kinds.branches import BRANCHES
from mallee.site.model import DeviceGroup, SiteModel

PlaceKind = str
"""A branch's kind, a device's symbol, or what stands for several: ``racks``, ``pod``."""

LEAVES_MAX = 12
"""With more boxes than this the tree is folded, so that it still fits a screen."""

GATHERED = {"pod": 15, "racks": 16}
"""Boxes that stand for many devices, and where they come among their neighbours."""

ORDER: dict[str, int] = {
    **{name: drawing.order for name, drawing in BRANCHES.items()},
    **{
        kind.drawing.symbol: 10 + kind.drawing.order if kind.consumes else kind.drawing.order
        for kind in KINDS.values()
        if kind.drawing is not None
    },
    **GATHERED,
}
"""From left to right among the children of one branch: branches, then devices, then pods."""


@dataclass(slots=True, kw_only=True)
class Place:
    """One branch or box of the diagram, with everything below it.

    Attributes:
        names: the branches or devices it stands for, more than one where folded; a pod's racks.
        pod: name of the pod it stands in, empty outside pods.
        rating_w: continuous rating, the sum where folded; for a box the most it consumes.
        rating_a: continuous current of one branch; 0 for boxes.
        rows, weights: its own power is ``sum(weights * values[rows])``; children not included.
        devices: rows of other quantities of its devices, by point name.
        accelerators: how many accelerators it holds.
    """

    kind: PlaceKind
    names: list[str]
    pod: str = ""
    rating_w: float = 0.0
    rating_a: float = 0.0
    rows: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    weights: FloatArray = field(default_factory=lambda: np.empty(0))
    devices: dict[str, IntArray] = field(default_factory=dict)
    accelerators: int = 0
    children: list["Place"] = field(default_factory=list)

    def walk(self) -> Iterator["Place"]:
        """This place and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def all_rows(self) -> tuple[IntArray, FloatArray]:
        """Rows and weights of its whole subtree."""
        places = list(self.walk())
        return np.concatenate([p.rows for p in places]), np.concatenate([p.weights for p in places])

    @property
    def label(self) -> str:
        """What people call it: ``tx1``, or ``tx1-tx40`` where folded."""
        if self.kind == "pod":
            return self.pod
        return self.names[0] if len(self.names) == 1 else f"{self.names[0]}-{self.names[-1]}"


def site_tree(site: SiteModel) -> Place:
    """The tree of a site from its grid connection down, folded where it would not fit a screen."""
    places = [
        Place(
            kind=branch.kind,
            names=[branch.name],
            rating_w=branch.rating_w,
            rating_a=branch.rating_a,
        )
        for branch in site.branches
    ]
    for index, branch in enumerate(site.branches):
        if branch.parent != NO_INDEX:
            places[branch.parent].children.append(places[index])
        places[index].children.extend(_leaves(site, index))
    root = places[0]
    boxes = sum(not place.children for place in root.walk())
    if boxes > LEAVES_MAX:
        _fold(root)
    return root


def _leaves(site: SiteModel, branch: int) -> list[Place]:
    """The boxes directly below a branch: site devices, then each pod's racks and devices."""
    leaves = [_rack(site, int(rack)) for rack in np.flatnonzero(site.racks.branch == branch)]
    for group in site.groups:
        kind = KINDS[group.kind]
        if kind.drawing is None or not kind.power or kind.role == "in_line":
            continue
        here = np.flatnonzero((group.branch == branch) & (group.rack == NO_INDEX))
        leaves.extend(_device(site, group, int(device)) for device in here)
    return sorted(leaves, key=_order)


def _order(place: Place) -> tuple[str, int]:
    """Pod by pod, and within each as `ORDER` says; equals keep the order of the site file."""
    return place.pod, ORDER.get(place.kind, 99)


def _device(site: SiteModel, group: DeviceGroup, device: int) -> Place:
    kind, name = KINDS[group.kind], group.names[device]
    pod = name.split("/")[0] if "/" in name else ""
    return Place(
        kind=kind.drawing.symbol if kind.drawing is not None else kind.name,
        names=[name.removeprefix(f"{pod}/")],
        pod=pod if pod in site.pods else "",
        rating_w=group.model.power_max_w,
        rows=np.array([group.row(device, kind.power)]),
        weights=np.array([-1.0 if kind.role == "source" else 1.0]),
        devices={p.name: np.array([group.row(device, p.name)]) for p in group.model.point},
    )


def _rack(site: SiteModel, rack: int) -> Place:
    pod = site.pods[site.racks.pod[rack]]
    place = Place(kind="racks", names=[site.racks.names[rack].removeprefix(f"{pod}/")], pod=pod)
    for group in site.groups:
        here = group.rack == rack
        count = int(here.sum())
        if count == 0:
            continue
        if group.kind == "power_shelf":
            _add(place, group.rows("input_w")[here], 1.0)
            _add(place, group.rows("output_w")[here], -1.0)
        elif "power_w" in group.model.index:
            _add(place, group.rows("power_w")[here], 1.0)
            place.rating_w += count * group.model.power_max_w
            place.accelerators += count * group.model.accelerators
        if "cap_w" in group.model.index:
            place.devices["cap_w"] = group.rows("cap_w")[here]
    return place


def _add(place: Place, rows: IntArray, weight: float) -> None:
    place.rows = np.concatenate([place.rows, rows])
    place.weights = np.concatenate([place.weights, np.full(len(rows), weight)])


def _fold(place: Place) -> None:
    """Merge children alike: branches of one rating that feed the same kinds, all in one pod."""
    merged = []
    for _, alike in groupby(sorted(place.children, key=_alike), key=_alike):
        merged.append(_merge(list(alike)))
    place.children = sorted(merged, key=_order)
    for child in place.children:
        _fold(child)


def _alike(place: Place) -> tuple[str, str, float, tuple[str, ...]]:
    if place.kind not in ("transformer", "breaker"):
        return "" if place.pod else place.kind, place.pod, 0.0, ()
    loads = {below.kind for below in place.walk()} & {"battery", "charger", "racks"}
    return place.kind, "", place.rating_w, tuple(sorted(loads))


def _merge(places: list[Place]) -> Place:
    points = {point for place in places for point in place.devices}
    in_pod = places[0].pod != ""
    counted = [place for place in places if place.kind == "racks"] if in_pod else places
    return Place(
        kind="pod" if in_pod else places[0].kind,
        names=[name for place in counted for name in place.names],
        pod=places[0].pod,
        rating_w=sum(place.rating_w for place in places),
        rating_a=places[0].rating_a,
        rows=np.concatenate([place.rows for place in places]),
        weights=np.concatenate([place.weights for place in places]),
        devices={
            point: _join(place.devices.get(point) for place in places) for point in sorted(points)
        },
        accelerators=sum(place.accelerators for place in places),
        children=[child for place in places for child in place.children],
    )


def _join(rows: Iterable[IntArray | None]) -> IntArray:
    return np.concatenate([found for found in rows if found is not None])
