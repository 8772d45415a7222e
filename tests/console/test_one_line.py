"""The one-line diagram: everything is on it once, and nothing lies on anything else."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mallee.catalogue import load_site
from mallee.console.one_line import BOX_HEIGHT, BOX_WIDTH, BOXES, Diagram, Node, draw
from mallee.console.site_tree import LEAVES_MAX, site_tree
from mallee.site.model import SiteModel

LOADS = (
    *(("node", "power_w"), ("switch", "power_w"), ("power_shelf", "input_w")),
    *(("cdu", "power_w"), ("battery", "charge_w"), ("charger", "power_w")),
)


def diagram_of(site: SiteModel) -> Diagram:
    return draw(site_tree(site))[0]


@pytest.mark.parametrize("name", ["demo_site", "large_site"])
def test_every_load_is_counted_once(name: str, request: pytest.FixtureRequest) -> None:
    site = request.getfixturevalue(name)
    rows, weights = site_tree(site).all_rows()
    consuming = np.sort(rows[weights > 0])
    wanted = np.sort(np.concatenate([site.rows(kind, point) for kind, point in LOADS]))
    assert np.array_equal(consuming, wanted)
    # what the shelves put out is what nodes and switches draw: taken off once
    assert np.array_equal(np.sort(rows[weights < 0]), site.rows("power_shelf", "output_w"))


def test_the_demo_site_shows_every_device_it_has(demo_site: SiteModel) -> None:
    labels = [node.label for node in diagram_of(demo_site).nodes]
    assert labels == [
        *("grid", "tx1", "q-battery", "bess1", "q-ev1", "ev1", "q-ev2", "ev2"),
        *("q-pod", "r1", "r2", "cdu1"),
    ]
    assert [(pod.label, pod.accelerators) for pod in diagram_of(demo_site).pods] == [("pod1", 144)]


def test_a_large_site_is_folded_by_branch_and_pod(large_site: SiteModel) -> None:
    nodes = diagram_of(large_site).nodes
    assert sum(node.kind in BOXES for node in nodes) <= LEAVES_MAX
    transformers = {n.label: (n.count, n.rating_w) for n in nodes if n.kind == "transformer"}
    assert transformers == {"tx1-tx40": (40, 150e6), "tx41-tx80": (40, 150e6)}
    racks = {node.label: node.count for node in nodes if node.kind == "pod"}
    assert racks == dict.fromkeys(("hall1", "hall2", "hall3", "hall4"), 233)
    assert sum(node.accelerators for node in nodes) == 67_104


@pytest.mark.parametrize("name", ["demo_site", "large_site"])
def test_nothing_overlaps_or_leaves_the_drawing(name: str, request: pytest.FixtureRequest) -> None:
    diagram = diagram_of(request.getfixturevalue(name))
    boxes = [node for node in diagram.nodes if node.kind in BOXES]
    for one, other in pairwise(sorted(boxes, key=lambda node: (node.y, node.x))):
        assert other.x - one.x >= BOX_WIDTH or other.y - one.y >= BOX_HEIGHT
    for box in boxes:
        assert BOX_WIDTH / 2 <= box.x <= diagram.width - BOX_WIDTH / 2
        assert box.y + BOX_HEIGHT <= diagram.height
    for pod in diagram.pods:
        assert pod.x >= 0 and pod.x + pod.width <= diagram.width
        assert pod.y + pod.height <= diagram.height


def test_branches_stand_over_the_middle_of_what_they_feed(demo_site: SiteModel) -> None:
    nodes = {node.label: node for node in diagram_of(demo_site).nodes}
    assert nodes["q-pod"].x == nodes["r2"].x
    assert nodes["tx1"].x == (nodes["q-battery"].x + nodes["q-pod"].x) / 2
    assert nodes["grid"].x == nodes["tx1"].x


def test_every_node_hangs_on_a_line(demo_site: SiteModel) -> None:
    diagram = diagram_of(demo_site)
    ends = Counter((line.x2, line.y2) for line in diagram.lines)

    def hangs(node: Node) -> bool:
        return ends[(node.x, node.y)] == 1

    assert all(hangs(node) for node in diagram.nodes if node.kind != "grid")
    assert len({node.id for node in diagram.nodes}) == len(diagram.nodes)


def test_two_transformers_feed_two_bus_bars(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "examples/sites/charging-site.toml").read_text("utf-8")
    text = text.replace('name = "tx1"', 'name = "tx{1..2}"')
    text = text.replace('name = "q-pod"\nfed_by = "tx1"', 'name = "q-pod"\nfed_by = "tx2"')
    path = tmp_path / "two.toml"
    path.write_text(text, "utf-8")
    diagram = diagram_of(load_site(path))
    nodes = {node.label: node for node in diagram.nodes}
    bars = [line for line in diagram.lines if line.bus]
    assert sorted(bar.node for bar in bars) == ["grid", "q-pod", "tx1"]
    assert nodes["tx2"].x == nodes["q-pod"].x
