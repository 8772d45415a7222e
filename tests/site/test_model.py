"""The site model: paths and rows agree, ranges spread, and what does not fit is named."""

import numpy as np
import pytest

from mallee.core.arrays import NO_INDEX
from mallee.core.errors import ConfigError
from mallee.site.model import SiteModel
from tests.site.sites import demo_with


def test_the_demo_site_is_what_it_says(demo_site: SiteModel) -> None:
    accelerators = sum(g.count * g.model.accelerators for g in demo_site.groups_of("node"))
    assert accelerators == 144
    assert demo_site.racks.names == ("pod1/r1", "pod1/r2")
    assert [branch.name for branch in demo_site.branches][:2] == ["grid", "tx1"]
    assert all(f.parent < i for i, f in enumerate(demo_site.branches))
    assert demo_site.branches[0].parent == NO_INDEX


def test_paths_and_rows_are_each_others_inverse(demo_site: SiteModel) -> None:
    paths = list(demo_site.point_paths())
    assert len(paths) == len(set(paths)) == demo_site.point_count
    for row, path in enumerate(paths):
        assert demo_site.point_path(row) == path
        assert demo_site.find_point(path) == row
    for group in demo_site.groups:
        for point in group.model.index:
            found = [demo_site.point_path(row) for row in group.rows(point)]
            assert found == [f"{name}/{point}" for name in group.names]
    assert demo_site.find_point("pod1/r3/n01/power_w") is None
    assert demo_site.find_point("meter") is None


def test_rows_of_a_kind_run_over_all_groups(large_site: SiteModel) -> None:
    rows = large_site.rows("node", "cap_w")
    assert len(rows) == 67_104 // 4
    assert len(np.unique(rows)) == len(rows)
    assert len(large_site.rows("node", "no_such_point")) == 0
    with pytest.raises(ConfigError, match="lacks point 'no_such_point'"):
        next(large_site.groups_of("node")).rows("no_such_point")
    with pytest.raises(IndexError):
        large_site.group_of_row(large_site.point_count)


def test_a_large_site_is_built_of_few_groups(large_site: SiteModel) -> None:
    accelerators = sum(g.count * g.model.accelerators for g in large_site.groups_of("node"))
    assert accelerators == 67_104
    assert len(large_site.groups) < 20
    assert len(large_site.racks.names) == 932
    per_branch = np.bincount(large_site.racks.branch, minlength=len(large_site.branches))
    assert per_branch[per_branch > 0].max() - per_branch[per_branch > 0].min() <= 1


def test_racks_spread_over_branches_and_cdus_in_blocks() -> None:
    site = demo_with(
        ('[[breaker]]\nname = "q-pod"', '[[breaker]]\nname = "q-{1..2}"'),
        ('fed_by = "q-pod" }]', 'fed_by = "q-1" }]'),
        ('name = "r{1..2}"\nfed_by = "q-pod"', 'name = "r{1..4}"\nfed_by = "q-{1..2}"'),
    )
    branches = [site.branches[index].name for index in site.racks.branch]
    assert branches == ["q-1", "q-1", "q-2", "q-2"]
    node = next(site.groups_of("node"))
    assert (site.racks.branch[node.rack] == node.branch).all()
    assert (node.cdu == next(site.groups_of("cdu")).first_device).all()


def test_the_digest_follows_the_layout(demo_site: SiteModel) -> None:
    assert demo_with().digest == demo_site.digest
    assert demo_with(("soc_max = 0.9", "soc_max = 0.8")).digest == demo_site.digest
    assert demo_with(("count = 18", "count = 17")).digest != demo_site.digest


def test_addresses_count_up() -> None:
    model = 'model = "nvidia-gb200-nvl72-switch-tray", '
    site = demo_with((model, f'{model}address = "10.{{pod}}.{{rack}}.{{n+50}}:443", '))
    addresses = next(site.groups_of("switch")).addresses["redfish"]
    assert addresses[0] == "10.1.1.51:443"
    assert addresses[-1] == "10.1.2.59:443"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'model = "megapack-2h"',
            'model = "megapak-2h"',
            "no catalogue model 'megapak-2h'; did you",
        ),
        (
            'model = "megapack-2h"',
            'model = "cdu-1300kw"',
            "battery.bess1.model: 'cdu-1300kw' is a cdu, not a battery",
        ),
        ('fed_by = "q-battery"', 'fed_by = "q-batery"', "no branch 'q-batery'; did you mean 'q-ba"),
        ('fed_by = "q-battery"\n', "", "battery.bess1: has no fed_by; name the transformer"),
        ('name = "tx1"', 'name = "tx1"\nfed_by = "q-pod"', "the power tree runs in a circle"),
        (
            'fed_by = "tx1"\nrating_a = 400',
            'fed_by = "tx9"\nrating_a = 400',
            "no branch 'tx9'; did",
        ),
        ('name = "q-pod"', 'name = "q-battery"', "the branch name 'q-battery' is used twice"),
        ('name = "ev{1..2}"', 'name = "bess1"', "the name 'bess1' is used twice"),
        ('cdu = "cdu1"\n', 'cdu = "cdu2"\n', "no cdu 'cdu2' in this pod; did you mean 'cdu1'"),
        ("count = 9", 'count = 9, name = "sw{1..3}"', "makes 3 names for count = 9"),
        ("count = 9", 'count = 9, address = "10.0.0.{slot}:1"', r"{slot} in .* is unknown; known"),
        ("count = 18", 'count = 18, address = "10.0.0.{n}:1"', "give one address each: address = "),
        ("count = 9", 'count = 9, address = { snmp = "x:1" }', "has no protocol 'snmp'; .*redfish"),
        ('name = "r{1..2}"', 'name = "r{2..1}"', r"the range in 'r\{2..1\}' runs backwards"),
    ],
)
def test_what_does_not_fit_is_named(old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        demo_with((old, new))
    assert str(caught.value).startswith("site.toml: ")
