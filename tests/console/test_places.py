"""The power tree: everything is in it once, as the rows of the kinds say."""

from pathlib import Path

import numpy as np
import pytest

from mallee.catalogue import load_site
from mallee.console.places import LOSSES, PowerTree, power_tree
from mallee.kinds import KINDS
from mallee.kinds.branches import BRANCHES
from mallee.site.model import SiteModel

ROOT = Path(__file__).parents[2]
LOADS = (
    *(("node", "power_w"), ("switch", "power_w")),
    *(("cdu", "power_w"), ("battery", "charge_w"), ("charger", "power_w")),
)


def ids(tree: PowerTree) -> list[str]:
    return [place.id for place in tree.places]


def examples() -> list[str]:
    return sorted(path.stem for path in (ROOT / "examples/sites").glob("*.toml"))


@pytest.mark.parametrize("name", examples())
def test_every_example_is_a_tree_with_each_load_once(
    name: str, large_site: SiteModel, demo_site: SiteModel
) -> None:
    known_sites = {site.name: site for site in (large_site, demo_site)}
    site = known_sites.get(name) or load_site(ROOT / f"examples/sites/{name}.toml")
    tree = power_tree(site)
    assert len(set(ids(tree))) == len(tree.places)
    assert all(place.parent < index for index, place in enumerate(tree.places))
    counted = np.concatenate([source.rows for source in tree.sources])
    for group in site.groups:
        kind = KINDS[group.kind]
        if kind.power in group.model.index and kind.role in ("load", "storage"):
            found = np.isin(counted, group.rows(kind.power))
            assert found.sum() == group.count, group.names[0]
    known = {drawing.symbol for drawing in BRANCHES.values()} | {LOSSES.symbol, "rack"}
    known |= {kind.drawing.symbol for kind in KINDS.values() if kind.drawing}
    assert {place.symbol for place in tree.places} <= known
    assert sum(p.accelerators for p in tree.places) == sum(
        g.count * g.model.accelerators for g in site.groups
    )


def test_the_demo_site_shows_every_device_it_has(demo_site: SiteModel) -> None:
    tree = power_tree(demo_site)
    assert ids(tree) == [
        *("grid", "tx1", "q-battery", "bess1", "q-ev1", "ev1", "q-ev2", "ev2"),
        *("q-pod", "pod1/cdu1", "pod1/r1", "pod1/r2", "tx1/losses"),
    ]
    by_id = dict(zip(ids(tree), tree.places, strict=True))
    assert by_id["tx1"].metered and not by_id["q-pod"].metered
    assert by_id["tx1/losses"].computed
    assert by_id["bess1"].shown == ["soc"]
    assert by_id["pod1/r1"].accelerators == 72


def test_the_loads_of_the_demo_are_those_of_its_kinds(demo_site: SiteModel) -> None:
    tree = power_tree(demo_site)
    boxes = [s for p, s in zip(tree.places, tree.sources, strict=True) if p.box]
    counted = np.sort(np.concatenate([source.rows for source in boxes]))
    wanted = np.sort(np.concatenate([demo_site.rows(kind, point) for kind, point in LOADS]))
    assert np.array_equal(counted, wanted)


def test_a_transformer_without_a_meter_has_a_modelled_loss(tmp_path: Path) -> None:
    text = (ROOT / "examples/sites/charging-site.toml").read_text("utf-8")
    text = text.replace('name = "tx1"', 'name = "tx{1..2}"')
    text = text.replace('name = "q-pod"\nfed_by = "tx1"', 'name = "q-pod"\nfed_by = "tx2"')
    path = tmp_path / "two.toml"
    path.write_text(text, "utf-8")
    tree = power_tree(load_site(path))
    by_id = dict(zip(ids(tree), zip(tree.places, tree.sources, strict=True), strict=True))
    assert by_id["grid"][0].metered and not by_id["tx2"][0].metered
    entry = load_site(path).file.transformer[0]
    assert by_id["tx2"][1].no_load_w == pytest.approx(entry.no_load_loss_frac * 750e3)
    assert by_id["tx2"][1].load_loss_w == pytest.approx(entry.load_loss_frac * 750e3)
    assert {"grid/losses", "tx1/losses", "tx2/losses"} <= set(by_id)


def test_a_large_site_has_a_place_a_rack(large_site: SiteModel) -> None:
    tree = power_tree(large_site)
    racks = [place for place in tree.places if place.accelerators]
    assert len(racks) == len(large_site.racks.names)
    assert sum(place.accelerators for place in racks) == 67_104
