"""Sites that nobody would draw: whatever can be written down is built whole, or refused whole."""

import copy
import itertools
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.catalogue import load_models
from mallee.core.arrays import NO_INDEX
from mallee.kinds import KINDS
from mallee.site.build import build_site
from mallee.site.file import SiteFile
from mallee.site.model import SiteModel
from mallee.site.problems import SiteProblems

MODELS = load_models()
GRID: dict[str, Any] = {
    "contracted_w": 1e6,
    "import_max_w": 1e6,
    "meter": {"name": "meter", "model": "grid-meter-sunspec"},
}
RACK = {
    "nodes": {"model": "nvidia-gb200-nvl72-compute-tray", "count": 3},
    "power_shelves": {"model": "orv3-power-shelf-33kw", "count": 2},
}
few = settings(max_examples=40)


@st.composite
def sites(draw: st.DrawFn) -> dict[str, Any]:
    """A power tree of transformers and breakers, devices on any of its branches, pods of racks."""
    branches = ["grid"]
    file: dict[str, Any] = {"name": "any", "grid": copy.deepcopy(GRID)}
    file |= {"transformer": [], "breaker": [], "battery": [], "charger": [], "pod": []}
    for number in range(draw(st.integers(1, 6))):
        above = draw(st.sampled_from(branches))
        if draw(st.booleans()):
            entry = {"name": f"tx{number}", "fed_by": above, "rating_va": 1e6}
            file["transformer"].append(entry)
        else:
            entry = {"name": f"q{number}", "fed_by": above, "rating_a": 800.0}
            file["breaker"].append(entry)
        branches.append(str(entry["name"]))
    for table, model in (("battery", "megapack-2h"), ("charger", "charger-cabinet-8x250kw")):
        for number in range(draw(st.integers(0, 3))):
            count = draw(st.integers(1, 3))
            name = f"{table}{number}-{{1..{count}}}" if count > 1 else f"{table}{number}"
            fed_by = draw(st.sampled_from(branches))
            file[table].append({"name": name, "model": model, "fed_by": fed_by})
    for pod in range(draw(st.integers(0, 2))):
        racks = [
            {
                "name": f"r{place}x{{1..{draw(st.integers(1, 4))}}}",
                "fed_by": draw(st.sampled_from(branches)),
                **RACK,
            }
            for place in range(draw(st.integers(1, 2)))
        ]
        file["pod"].append({"name": f"pod{pod}", "rack": racks})
    # Files are written in any order: what feeds may come after what it feeds.
    for table in ("transformer", "breaker"):
        file[table] = draw(st.permutations(file[table]))
    return file


def built(file: dict[str, Any]) -> SiteModel:
    return build_site(msgspec.convert(file, SiteFile), MODELS, "any.toml")


@few
@given(sites())
def test_branches_come_after_what_feeds_them_and_all_are_there(file: dict[str, Any]) -> None:
    site = built(file)
    written = {entry["name"] for table in ("transformer", "breaker") for entry in file[table]}
    assert {branch.name for branch in site.branches} == {"grid", *written}
    for index, branch in enumerate(site.branches):
        assert branch.parent < index
        assert (branch.parent == NO_INDEX) == (branch.kind == "grid")
        assert branch.rating_w > 0.0
        assert branch.rating_w == pytest.approx(branch.rating_a * branch.voltage_v * 3.0**0.5)
        assert site.branch_index(branch.name) == index
    fed_by = {e["name"]: e["fed_by"] for t in ("transformer", "breaker") for e in file[t]}
    for branch in site.branches[1:]:
        assert site.branches[branch.parent].name == fed_by[branch.name]


@few
@given(sites())
def test_every_point_has_one_row_and_every_device_one_number(file: dict[str, Any]) -> None:
    site = built(file)
    row = device = 0
    for group in site.groups:
        assert (group.first_row, group.first_device) == (row, device)
        row, device = row + group.count * group.stride, device + group.count
        for column in (group.branch, group.standby_branch, group.rack, group.cdu):
            assert column.shape == (group.count,)
    assert (row, device) == (site.point_count, site.device_count)
    orders = [KINDS[group.kind].order for group in site.groups if group.rack[0] == NO_INDEX]
    assert orders == sorted(orders)
    names = [name for group in site.groups for name in group.names]
    assert len(set(names)) == len(names)
    for one in (0, site.point_count // 2, site.point_count - 1):
        assert site.find_point(site.point_path(one)) == one


@few
@given(sites())
def test_devices_of_a_rack_hang_where_it_hangs(file: dict[str, Any]) -> None:
    site = built(file)
    for group in site.groups:
        inside = group.rack != NO_INDEX
        assert (group.branch[inside] == site.racks.branch[group.rack[inside]]).all()
        for name, rack in zip(group.names, group.rack.tolist(), strict=True):
            assert rack == NO_INDEX or name.startswith(f"{site.racks.names[rack]}/")
    pods = [site.pods[pod] for pod in site.racks.pod.tolist()]
    assert all(name.startswith(f"{pod}/") for name, pod in zip(site.racks.names, pods, strict=True))


@few
@given(sites())
def test_the_model_is_the_same_however_often_it_is_built(file: dict[str, Any]) -> None:
    one, other = built(file), built(copy.deepcopy(file))
    assert one.digest == other.digest
    assert list(one.point_paths()) == list(other.point_paths())


BREAKS = {
    "unknown branch": "no branch 'nowhere'",
    "unknown model": "no catalogue model 'nothing'",
    "wrong kind": "not a",
    "twice": "is used twice",
    "backwards": "runs backwards",
    "unfed": "has no fed_by",
}


def broken(file: dict[str, Any], how: str) -> None:
    """Spoil one thing."""
    battery = {"name": f"spoilt-{how.replace(' ', '-')}", "model": "megapack-2h", "fed_by": "grid"}
    changes: dict[str, dict[str, Any]] = {
        "unknown branch": {"fed_by": "nowhere"},
        "unknown model": {"model": "nothing"},
        "wrong kind": {"model": "cdu-1300kw"},
        "twice": {"name": "meter"},
        "backwards": {"name": "b{4..2}"},
        "unfed": {"fed_by": ""},
    }
    file["battery"].append({**battery, **changes[how]})


@few
@given(sites(), st.sets(st.sampled_from(sorted(BREAKS)), min_size=1))
def test_all_mistakes_are_told_at_once_and_only_those(
    file: dict[str, Any], kinds: set[str]
) -> None:
    for how in sorted(kinds):
        broken(file, how)
    with pytest.raises(SiteProblems) as caught:
        built(file)
    told = [str(problem) for problem in caught.value.problems]
    assert len(told) == len(kinds)
    for how in kinds:
        assert any(BREAKS[how] in text for text in told), how
    assert all(text in str(caught.value) for text in told)
    assert str(caught.value).startswith("any.toml: ")


@few
@given(sites(), st.data())
def test_a_tree_that_runs_in_a_circle_is_no_tree(file: dict[str, Any], data: st.DataObject) -> None:
    names = [entry["name"] for table in ("transformer", "breaker") for entry in file[table]]
    first = data.draw(st.sampled_from(names))
    below = set(itertools.islice(_below(file, first), 50)) | {first}
    entry = next(e for t in ("transformer", "breaker") for e in file[t] if e["name"] == first)
    entry["fed_by"] = data.draw(st.sampled_from(sorted(below)))
    with pytest.raises(SiteProblems, match="runs in a circle"):
        built(file)


def _below(file: dict[str, Any], name: str) -> Any:
    for table in ("transformer", "breaker"):
        for entry in file[table]:
            if entry["fed_by"] == name:
                yield entry["name"]
                yield from _below(file, entry["name"])


@given(st.integers(1, 40), st.integers(1, 12))
def test_a_range_of_branches_takes_its_members_in_equal_blocks(racks: int, branches: int) -> None:
    file = {
        "name": "any",
        "grid": GRID,
        "breaker": [{"name": f"q{{1..{branches}}}", "fed_by": "grid", "rating_a": 100.0}],
        "pod": [
            {
                "name": "pod1",
                "rack": [{"name": f"r{{1..{racks}}}", "fed_by": f"q{{1..{branches}}}", **RACK}],
            }
        ],
    }
    site = built(file)
    order = site.racks.branch
    assert (np.diff(order) >= 0).all(), "neighbours share a branch"
    counts = np.bincount(order, minlength=len(site.branches))[1:]
    assert counts.sum() == racks
    assert counts.max() - counts.min() <= 1
