"""The power tree as pages draw it: every branch of a site, and on it a box for each device or rack.

What stands here comes from the rows of `kinds`: symbol, label, order, the point that says the
power, the points worth showing. How much of it fits a screen is the page's business.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from mallee.console.aligned import is_fast
from mallee.core.arrays import NO_INDEX, FloatArray, IntArray
from mallee.kinds import KINDS, DeviceKind, Drawing, How
from mallee.kinds.branches import BRANCHES
from mallee.site.model import Branch, DeviceGroup, SiteModel
from mallee.site.switchgear import Transformer

METERED = "import_w"
"""The point of a meter that says what flows in its branch."""
LOSSES = Drawing(symbol="losses", order=90, label="Losses")
RACK = Drawing(symbol="rack", order=60, label="Rack")
_BOXES_FROM = 10
"""Boxes stand to the right of branches."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A branch or a box of the one-line diagram.

    Attributes:
        id: its name, unique at the site; the signal of its power is ``power:<id>``.
        parent: index of the place above it, -1 for a source.
        symbol: what is painted; a page that does not know it paints a plain box.
        label: what people call one of them.
        order: from left to right among what hangs on one branch.
        pod: the pod that it stands in, empty outside pods.
        box: whether it ends its branch: a device, a rack, losses.
        metered: its power is read, not added up.
        computed: its power is worked out from others: what a branch loses, what has no meter.
        rating_w: continuous rating of a branch, the most that a box draws; 0 for none.
        rating_a: continuous current of a branch; 0 for none.
        accelerators: how many it holds.
        standby: id of its second source, empty for none.
        shown: quantities worth showing beside power; the signal of each is ``<name>:<id>``.
    """

    id: str
    parent: int
    symbol: str
    label: str
    order: int
    pod: str = ""
    box: bool = False
    metered: bool = False
    computed: bool = False
    rating_w: float = 0.0
    rating_a: float = 0.0
    accelerators: int = 0
    standby: str = ""
    shown: list[str] = []


@dataclass(slots=True, kw_only=True)
class Shown:
    """A quantity beside the power: how the readings of several devices are joined."""

    name: str
    unit: str
    how: How
    rows: IntArray


@dataclass(slots=True, kw_only=True)
class Sources:
    """Where the numbers of a place come from.

    Attributes:
        rows, weights: its own power is ``sum(weights * values[rows])``.
        input_rows, output_rows: of what passes the power on (power shelves): what goes in over
            what comes out is by how much the place draws more than its loads.
        no_load_w, load_loss_w: modelled loss of a branch without a meter, at rating.
        consumes: counted among the loads of the site.
        fast: read several times a second.
    """

    rows: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    weights: FloatArray = field(default_factory=lambda: np.empty(0))
    input_rows: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    output_rows: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    no_load_w: float = 0.0
    load_loss_w: float = 0.0
    consumes: bool = False
    fast: bool = False
    shown: list[Shown] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerTree:
    """All places, those above before those below, and the sources of each."""

    places: list[Place]
    sources: list[Sources]


def power_tree(site: SiteModel) -> PowerTree:
    """The tree of a site from its feeds down."""
    boxes = _boxes_by_branch(site)
    meters = _meters(site)
    children: dict[int, list[int]] = defaultdict(list)
    for index, branch in enumerate(site.branches):
        children[branch.parent].append(index)
    handed_on = set()
    for index in range(len(site.branches)):  # all of a meter's flow goes on into an only child
        if index in meters and len(children[index]) == 1 and not boxes[index]:
            if children[index][0] not in meters:
                handed_on.add(index)
            meters.setdefault(children[index][0], meters[index])
    tree = PowerTree(places=[], sources=[])
    ids: dict[int, int] = {}

    def put(index: int) -> None:
        branch = site.branches[index]
        parent = ids.get(branch.parent, -1)
        ids[index] = len(tree.places)
        place, source = _branch(site, branch, parent, meters.get(index))
        tree.places.append(place)
        tree.sources.append(source)
        for child in children[index]:
            put(child)
        for box, box_source in sorted(boxes[index], key=lambda one: (one[0].pod, one[0].order)):
            tree.places.append(msgspec.structs.replace(box, parent=ids[index]))
            tree.sources.append(box_source)
        loses = place.metered or source.no_load_w > 0.0 or source.load_loss_w > 0.0
        if loses and index not in handed_on and (children[index] or boxes[index]):
            tree.places.append(_losses(place, ids[index]))
            tree.sources.append(Sources())

    for root in children[NO_INDEX]:
        put(root)
    return tree


def _losses(place: Place, parent: int) -> Place:
    """What goes into a branch and comes out of nothing below it."""
    return Place(
        id=f"{place.id}/losses",
        parent=parent,
        symbol=LOSSES.symbol,
        label="Losses, unmetered" if place.metered else LOSSES.label,
        order=LOSSES.order,
        box=True,
        computed=True,
    )


def _meters(site: SiteModel) -> dict[int, IntArray]:
    """By branch, the rows that say its power: a meter's, or its own where it is a device."""
    found: dict[int, IntArray] = {}
    for group in site.groups_with("measures"):
        if METERED in group.model.index:
            for device, branch in enumerate(group.branch.tolist()):
                found.setdefault(branch, np.array([group.row(device, METERED)]))
    for index, branch in enumerate(site.branches):
        own = _device_of(site, branch)
        if own is None:
            continue
        group, device = own
        point = KINDS[group.kind].power
        if point in group.model.index:
            found.setdefault(index, np.array([group.row(device, point)]))
    return found


def _device_of(site: SiteModel, branch: Branch) -> tuple[DeviceGroup, int] | None:
    for group in site.groups:
        device = branch.device - group.first_device
        if branch.device != NO_INDEX and 0 <= device < group.count:
            return group, device
    return None


def _branch(
    site: SiteModel, branch: Branch, parent: int, meter: IntArray | None
) -> tuple[Place, Sources]:
    own = _device_of(site, branch)
    drawing = BRANCHES.get(branch.kind) or KINDS[branch.kind].drawing
    assert drawing is not None
    source = Sources()
    if meter is not None:
        source.rows, source.weights = meter, np.ones(len(meter))
    if isinstance(branch.entry, Transformer) and meter is None:
        source.no_load_w = branch.entry.no_load_loss_frac * branch.rating_w
        source.load_loss_w = branch.entry.load_loss_frac * branch.rating_w
    if own is not None:
        source.shown = _shown(KINDS[own[0].kind], own[0], np.array([own[1]]))
    standby = "" if branch.standby == NO_INDEX else site.branches[branch.standby].name
    place = Place(
        id=branch.name,
        parent=parent,
        symbol=drawing.symbol,
        label=drawing.label,
        order=drawing.order,
        metered=meter is not None,
        rating_w=_finite(branch.rating_w),
        rating_a=_finite(branch.rating_a),
        standby=standby,
        shown=[shown.name for shown in source.shown],
    )
    return place, source


def _finite(value: float) -> float:
    return value if np.isfinite(value) else 0.0


Box = tuple[Place, Sources]


def _boxes_by_branch(site: SiteModel) -> dict[int, list[Box]]:
    """The boxes directly below each branch; their parent is still open."""
    taken = {branch.name for branch in site.branches}
    found: dict[int, list[Box]] = defaultdict(list)
    for group in site.groups:
        kind = KINDS[group.kind]
        if kind.drawing is None or kind.power not in group.model.index or kind.role == "in_line":
            continue
        for device, name in enumerate(group.names):
            branch = int(group.branch[device])
            if group.rack[device] == NO_INDEX and branch != NO_INDEX and name not in taken:
                found[branch].append(_device_box(site, group, kind, kind.drawing, device))
    for rack, box in enumerate(_rack_boxes(site)):
        if site.racks.branch[rack] != NO_INDEX:
            found[int(site.racks.branch[rack])].append(box)
    return found


def _pod_of(site: SiteModel, name: str) -> str:
    pod = name.split("/")[0] if "/" in name else ""
    return pod if pod in site.pods else ""


def _device_box(
    site: SiteModel, group: DeviceGroup, kind: DeviceKind, drawing: Drawing, device: int
) -> Box:
    name = group.names[device]
    shown = _shown(kind, group, np.array([device]))
    standby = int(group.standby_branch[device])
    source = Sources(
        rows=np.array([group.row(device, kind.power)]),
        weights=np.array([-1.0 if kind.role == "source" else 1.0]),
        consumes=kind.role == "load",
        fast=is_fast(group, group.model.point[group.model.index[kind.power]]),
        shown=shown,
    )
    place = Place(
        id=name,
        parent=-1,
        symbol=drawing.symbol,
        label=drawing.label,
        order=_BOXES_FROM + drawing.order,
        pod=_pod_of(site, name),
        box=True,
        rating_w=group.model.power_max_w,
        standby="" if standby == NO_INDEX else site.branches[standby].name,
        shown=[one.name for one in shown],
    )
    return place, source


def _rack_boxes(site: SiteModel) -> Iterator[Box]:
    """A box a rack: what its loads draw, times what its shelves take to deliver it."""
    members: list[list[tuple[DeviceGroup, IntArray]]] = [[] for _ in site.racks.names]
    for group in site.groups:
        for rack in np.unique(group.rack[group.rack != NO_INDEX]).tolist():
            members[rack].append((group, np.flatnonzero(group.rack == rack)))
    for rack, inside in enumerate(members):
        source, rating_w, accelerators = Sources(consumes=True), 0.0, 0
        shown: dict[str, Shown] = {}
        for group, devices in inside:
            kind, model = KINDS[group.kind], group.model
            if kind.role == "passes" and {"input_w", "output_w"} <= model.index.keys():
                source.input_rows = _join(source.input_rows, group.rows("input_w")[devices])
                source.output_rows = _join(source.output_rows, group.rows("output_w")[devices])
            elif kind.consumes and kind.power in model.index:
                source.rows = _join(source.rows, group.rows(kind.power)[devices])
                rating_w += len(devices) * model.power_max_w
                accelerators += len(devices) * model.accelerators
            if kind.role != "passes":
                for one in _shown(kind, group, devices):
                    shown[one.name] = _together(shown.get(one.name), one)
        source.weights = np.ones(len(source.rows))
        source.shown = list(shown.values())
        standby = int(site.racks.standby_branch[rack])
        yield (
            Place(
                id=site.racks.names[rack],
                parent=-1,
                symbol=RACK.symbol,
                label=RACK.label,
                order=RACK.order,
                pod=site.pods[site.racks.pod[rack]],
                box=True,
                rating_w=rating_w,
                accelerators=accelerators,
                standby="" if standby == NO_INDEX else site.branches[standby].name,
                shown=[one.name for one in source.shown],
            ),
            source,
        )


def _join(rows: IntArray, more: IntArray) -> IntArray:
    return np.concatenate([rows, more])


def _shown(kind: DeviceKind, group: DeviceGroup, devices: IntArray) -> list[Shown]:
    """The quantities that a kind shows, over some devices; its power is shown anyway.

    A pattern such as ``gpu*_temp_degc`` is one number, ``*_degc`` one a point.
    """
    rows: dict[str, Shown] = {}
    for point in group.model.point:
        row = kind.point(point.name)
        if row is None or row.shown is None or point.name == kind.power:
            continue
        name = point.name if row.name.startswith("*") else row.name.replace("*", "")
        more = Shown(
            name=name,
            unit=name.rpartition("_")[2],
            how=row.shown,
            rows=group.rows(point.name)[devices],
        )
        rows[name] = _together(rows.get(name), more)
    return list(rows.values())


def _together(shown: Shown | None, more: Shown) -> Shown:
    if shown is None:
        return more
    return replace(shown, rows=np.concatenate([shown.rows, more.rows]))
