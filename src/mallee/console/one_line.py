"""Where everything stands on the one-line diagram: a tidy tree, drawn from the grid downwards.

Every box at the bottom gets a column; whatever feeds several others stands centred over its first
and last child, with a bus bar between. Units are those of the page's drawing (1 unit = 1 CSS pixel
at full size). The page only paints what it is told here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, groupby

import msgspec

from mallee.console.site_tree import Place, PlaceKind

COLUMN = 124.0
MARGIN = 14.0
TOP = 32.0
METER_BELOW = 54.0
"""The meter sits on the line this far below the grid connection."""
FIRST_STEP, STEP = 122.0, 98.0
"""From the grid connection to the first branches, and from level to level below."""
BUS_ABOVE = 40.0
"""A bus bar stands this far above the highest of what it feeds."""
BUS_OVERHANG = 18.0
BOX_WIDTH, BOX_HEIGHT = 112.0, 90.0
BOX_ABOVE = 12.0
"""The top of a box lies this far above the level of its row."""
POD_PAD, POD_HEAD, POD_FOOT = 6.0, 14.0, 24.0

BOXES: frozenset[PlaceKind] = frozenset({"battery", "charger", "pod", "racks", "cdu", "network"})


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol or box.

    Attributes:
        id: stable, and the name of its power signal is ``power:<id>``.
        level: depth in the tree, for pages that show it as an indented list.
        x, y: centre of a symbol; centre of the top edge of a box.
        count: how many branches or devices it stands for.
        rating_w: of all of them together; 0 where none is known.
        rating_a: of one of them; 0 for boxes.
    """

    id: str
    kind: PlaceKind
    label: str
    pod: str
    level: int
    x: float
    y: float
    count: int
    rating_w: float
    rating_a: float
    accelerators: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A straight conductor; `bus` ones are drawn heavier. `node` is whose power flows in it."""

    x1: float
    y1: float
    x2: float
    y2: float
    bus: bool
    node: str


class PodFrame(msgspec.Struct, frozen=True, kw_only=True):
    """The outline around what stands in one pod."""

    label: str
    accelerators: int
    x: float
    y: float
    width: float
    height: float


class Diagram(msgspec.Struct, frozen=True, kw_only=True):
    """The whole drawing; nodes parents first."""

    width: float
    height: float
    box_width: float
    box_height: float
    meter_x: float
    meter_y: float
    nodes: list[Node]
    lines: list[Line]
    pods: list[PodFrame]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """A place with its position."""

    place: Place
    id: str
    level: int
    x: float
    y: float
    children: "tuple[_Spot, ...]"

    def walk(self) -> "Iterator[_Spot]":
        yield self
        for child in self.children:
            yield from child.walk()


def draw(tree: Place) -> tuple[Diagram, dict[str, Place]]:
    """Lay a tree out.

    Returns:
        The drawing, and the place behind each node by node id.
    """
    root = _put(tree, 0, count(), "")
    spots = list(root.walk())
    boxes = sum(not spot.children for spot in spots)
    bottom = max(spot.y + (BOX_HEIGHT if spot.place.kind in BOXES else 0.0) for spot in spots)
    diagram = Diagram(
        width=2 * MARGIN + COLUMN * boxes,
        height=bottom + POD_FOOT + POD_PAD,
        box_width=BOX_WIDTH,
        box_height=BOX_HEIGHT,
        meter_x=root.x,
        meter_y=root.y + METER_BELOW,
        nodes=[_node(spot) for spot in spots],
        lines=[line for spot in spots for line in _lines(spot)],
        pods=[frame for spot in spots for frame in _pod_frames(spot)],
    )
    return diagram, {spot.id: spot.place for spot in spots}


def _put(place: Place, level: int, columns: "count[int]", above: str) -> _Spot:
    """Position a subtree: boxes take the next free column, the rest the middle of its children."""
    own = f"{above}/{place.pod}.{place.label}" if place.pod else place.label
    children = tuple(_put(child, level + 1, columns, own) for child in place.children)
    if children:
        x = (children[0].x + children[-1].x) / 2
    else:
        x = MARGIN + COLUMN * (next(columns) + 0.5)
    y = TOP + (FIRST_STEP + (level - 1) * STEP if level else 0.0)
    if place.kind in BOXES:
        y -= BOX_ABOVE
    return _Spot(place=place, id=own, level=level, x=x, y=y, children=children)


def _node(spot: _Spot) -> Node:
    place = spot.place
    return Node(
        id=spot.id,
        kind=place.kind,
        label=place.label,
        pod=place.pod,
        level=spot.level,
        x=spot.x,
        y=spot.y,
        count=len(place.names),
        rating_w=place.rating_w,
        rating_a=place.rating_a,
        accelerators=place.accelerators,
    )


def _lines(spot: _Spot) -> Iterator[Line]:
    """From a branch down to its bus bar, the bar itself, and from the bar to each child."""
    if not spot.children:
        return
    first, last = spot.children[0], spot.children[-1]
    bus_y = min(child.y for child in spot.children) - BUS_ABOVE
    yield Line(x1=spot.x, y1=spot.y, x2=spot.x, y2=bus_y, bus=False, node=spot.id)
    if first is not last:
        x1, x2 = first.x - BUS_OVERHANG, last.x + BUS_OVERHANG
        yield Line(x1=x1, y1=bus_y, x2=x2, y2=bus_y, bus=True, node=spot.id)
    for child in spot.children:
        yield Line(x1=child.x, y1=bus_y, x2=child.x, y2=child.y, bus=False, node=child.id)


def _pod_frames(spot: _Spot) -> Iterator[PodFrame]:
    """One outline around each run of boxes of the same pod below one branch."""
    boxes = [child for child in spot.children if child.place.pod and child.place.kind != "pod"]
    for pod, run in groupby(boxes, key=lambda child: child.place.pod):
        inside = list(run)
        left = inside[0].x - BOX_WIDTH / 2 - POD_PAD
        yield PodFrame(
            label=pod,
            accelerators=sum(child.place.accelerators for child in inside),
            x=left,
            y=inside[0].y - POD_HEAD,
            width=inside[-1].x + BOX_WIDTH / 2 + POD_PAD - left,
            height=POD_HEAD + BOX_HEIGHT + POD_FOOT,
        )
