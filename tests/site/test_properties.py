"""What holds for every site: order, rows, sums, digests, and that checks never fail."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.core.arrays import NO_INDEX
from mallee.core.errors import ConfigError
from mallee.site.checks import check_site
from mallee.site.flows import flows_of
from mallee.site.loads import device_range, rack_range
from tests.site.random_sites import RandomSite, random_sites
from tests.site.sites import built, surveyed

NODE_W = (6200.0, 10200.0)
"""Least and most of the node that random sites are made of."""


@given(random_sites())
@settings(max_examples=30, deadline=None)
def test_sources_come_before_what_they_feed(case: RandomSite) -> None:
    site = built(case.text)
    names = [branch.name for branch in site.branches]
    assert sorted(names) == sorted([*case.parents, "grid"])
    assert len(set(names)) == len(names)
    for index, branch in enumerate(site.branches):
        assert branch.parent < index
        assert branch.standby == NO_INDEX
        if branch.parent != NO_INDEX:
            assert names[branch.parent] == case.parents[branch.name]
            assert branch.voltage_v == 400.0
        assert site.branch_index(branch.name) == index


@given(random_sites())
@settings(max_examples=20, deadline=None)
def test_every_point_has_one_row_and_every_row_one_point(case: RandomSite) -> None:
    site = built(case.text)
    rows = [group.rows(point) for group in site.groups for point in group.model.index]
    every = np.sort(np.concatenate(rows))
    assert (every == np.arange(site.point_count)).all()
    devices = sum(group.count for group in site.groups)
    assert devices == site.device_count
    for row in (0, site.point_count // 2, site.point_count - 1):
        assert site.find_point(site.point_path(row)) == row


@given(random_sites())
@settings(max_examples=20, deadline=None)
def test_the_order_of_branches_in_the_file_changes_no_row_of_a_rack(case: RandomSite) -> None:
    """Tables of branches may stand in any order; the digest of rows follows devices alone."""
    site = built(case.text)
    head, *tables = case.text.split("[[")
    switchgear = [t for t in tables if not t.startswith(("pod", "ups", "pdu"))]
    rest = [t for t in tables if t.startswith(("pod", "ups", "pdu"))]
    again = built(head + "".join("[[" + table for table in [*reversed(switchgear), *rest]))
    assert again.digest == site.digest
    assert {b.name: b.rating_w for b in again.branches} == {
        b.name: b.rating_w for b in site.branches
    }


@given(random_sites())
@settings(max_examples=30, deadline=None)
def test_flows_conserve_power(case: RandomSite) -> None:
    """What racks ask of a feed is what stands below it, less what branches below cannot carry."""
    site = built(case.text)
    flows = flows_of(site)
    racks = sum(case.racks.values())
    assert np.isclose(flows.racks_full_w[0], racks * 2 * NODE_W[1])
    assert np.isclose(rack_range(site).most_w.sum(), racks * 2 * NODE_W[1])
    for index, branch in enumerate(site.branches):
        below = [i for i, one in enumerate(site.branches) if one.parent == index]
        own = case.racks.get(branch.name, 0) * 2
        assert np.isclose(
            flows.racks_full_w[index], own * NODE_W[1] + flows.racks_full_w[below].sum()
        )
        assert np.isclose(
            flows.racks_least_w[index], own * NODE_W[0] + flows.racks_least_w[below].sum()
        )
        assert flows.racks_least_w[index] <= flows.racks_most_w[index] + 1e-6
        assert flows.racks_most_w[index] <= flows.racks_full_w[index] + 1e-6
        assert 0.0 <= flows.share[index] <= 1.0
        # Every branch is held to its rating, or is told to be overloaded.
        carried = flows.fixed_w[index] + flows.racks_most_w[index] + flows.others_least_w[index]
        assert carried <= branch.rating_w * (1 + 1e-9) or flows.least_w[index] > branch.rating_w


@given(random_sites())
@settings(max_examples=20, deadline=None)
def test_in_line_devices_lose_power_and_nothing_else_appears(case: RandomSite) -> None:
    site = built(case.text)
    flows = flows_of(site)
    kinds = {branch.kind for branch in site.branches}
    if kinds & {"ups", "transformer"}:  # a rack PDU loses nothing without load
        assert flows.fixed_w[0] > 0.0
    elif "pdu" not in kinds:
        assert flows.fixed_w[0] == 0.0


@given(random_sites(), st.integers(0, 9))
@settings(max_examples=20, deadline=None)
def test_a_lost_branch_takes_what_hangs_on_it_and_nothing_else(
    case: RandomSite, which: int
) -> None:
    site = built(case.text)
    lost = 1 + which % (len(site.branches) - 1)
    normal, after = flows_of(site), flows_of(site, (lost,))
    below = {lost}
    for index, branch in enumerate(site.branches):
        if branch.parent in below:
            below.add(index)
    assert {int(i) for i in np.flatnonzero(~after.alive)} == below
    gone = normal.racks_full_w[lost]
    assert np.isclose(after.racks_full_w[0], normal.racks_full_w[0] - gone)


@given(random_sites())
@settings(max_examples=30, deadline=None)
def test_checks_never_fail_and_say_the_same_again(case: RandomSite) -> None:
    site = built(case.text)
    found = check_site(site, lambda cap_frac: cap_frac)
    assert found == check_site(built(case.text), lambda cap_frac: cap_frac)
    assert all(finding.text and finding.where for finding in found)
    worst = [finding.level for finding in found]
    assert worst == sorted(worst, key=["error", "warning", "note"].index)


@given(random_sites(), st.data())
@settings(max_examples=30, deadline=None)
def test_a_damaged_file_is_told_of_and_never_a_crash(case: RandomSite, data: st.DataObject) -> None:
    """Lines that are gone, doubled values, other words: a finding with a line, or a site."""
    rows = case.text.splitlines()
    at = data.draw(st.integers(0, len(rows) - 1))
    damage = data.draw(st.sampled_from(["gone", "number", "text", "key", "list"]))
    key, equals, _ = rows[at].partition(" = ")
    if damage == "gone":
        rows[at] = ""
    elif equals:
        rows[at] = {
            "number": f"{key} = -7",
            "text": f'{key} = "other"',
            "key": f"{key}x = 1",
            "list": f"{key} = [1, 2]",
        }[damage]
    with TemporaryDirectory() as folder:
        try:
            found = surveyed("\n".join(rows), Path(folder))
        except ConfigError as error:
            assert "is not valid TOML" in str(error), rows[at]
            return
    for problem in found.problems:
        assert 0 <= problem.line <= len(rows)
        assert problem.what
    if found.site is not None:
        check_site(found.site, in_part=bool(found.problems))


@given(st.integers(1, 400), st.integers(1, 12))
@settings(max_examples=20, deadline=None)
def test_racks_spread_in_equal_blocks(racks: int, branches: int) -> None:
    text = f"""
name = "spread"
[grid]
contracted_w = 1e9
import_max_w = 1e9
voltage_v = 400
meter = {{ name = "meter", model = "grid-meter-sunspec" }}
[[breaker]]
name = "q{{1..{branches}}}"
fed_by = "grid"
rating_a = 100
[[pod]]
name = "pod"
[[pod.rack]]
name = "r{{1..{racks}}}"
fed_by = "q{{1..{branches}}}"
nodes = {{ model = "nvidia-hgx-h100-node", count = 1 }}
"""
    site = built(text)
    each = np.bincount(site.racks.branch, minlength=len(site.branches))[1:]
    assert each.sum() == racks
    assert each.max() - each.min() <= 1
    assert (np.diff(site.racks.branch) >= 0).all()
    node = next(iter(site.groups_of("node")))
    assert device_range(node.model) == NODE_W
