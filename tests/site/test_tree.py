# ruff: noqa: E501 - snippets of site files read best in one line
"""The power tree of a site file: what each table becomes, and what feeds what."""

import math

import numpy as np
import pytest

from mallee.core.arrays import NO_INDEX
from mallee.site.model import SiteModel
from mallee.site.tree import TIE_S, TRANSFER_S
from tests.site.sites import HALL, WET, built, changed

GENSET = '[[genset]]\nname = "gen1"\nmodel = "genset-diesel-1mw"\n'
ATS = '[[transfer_switch]]\nname = "ats"\nfed_by = ["tx1", "gen1"]\nrating_a = 1600\n'
BEFORE = "[[chiller]]"


def with_more(*tables: str, changes: tuple[tuple[str, str], ...] = ()) -> SiteModel:
    """The hall with more tables in it."""
    return built(changed(HALL, (BEFORE, "\n".join([*tables, BEFORE])), *changes))


def named(site: SiteModel, name: str) -> str:
    """The branch above one by name; empty for a source."""
    parent = site.branches[site.branch_index(name)].parent
    return "" if parent == NO_INDEX else site.branches[parent].name


def test_ratings_follow_the_voltage() -> None:
    site = built(
        changed(
            HALL,
            ("rating_va = 1000e3", "rating_va = 1000e3\nvoltage_v = 400"),
            ("voltage_v = 400\nfreq", "voltage_v = 20e3\nfreq"),
        )
    )
    feed, tx, breaker = (site.branches[site.branch_index(n)] for n in ("grid", "tx1", "q-a"))
    assert feed.voltage_v == 20e3
    assert math.isclose(feed.rating_a, 800e3 / (20e3 * math.sqrt(3)))
    assert tx.voltage_v == breaker.voltage_v == 400
    assert tx.rating_w == 1000e3
    assert math.isclose(tx.rating_a, 1000e3 / (400 * math.sqrt(3)))
    assert math.isclose(breaker.rating_w, 800 * 400 * math.sqrt(3))


def test_ranges_of_branches_spread_over_their_sources() -> None:
    site = with_more(
        '[[breaker]]\nname = "x{1..4}"\nfed_by = "msb{1..2}"\nrating_a = 10\n',
        '[[breaker]]\nname = "y{01..03}"\nfed_by = "x{1..3}"\nrating_a = 10\n',
    )
    assert [named(site, f"x{n}") for n in range(1, 5)] == ["msb1", "msb1", "msb2", "msb2"]
    assert [named(site, f"y0{n}") for n in range(1, 4)] == ["x1", "x2", "x3"]


@pytest.mark.parametrize(
    ("words", "transfer_s", "return_s"),
    [
        ("", TRANSFER_S["ats"], 300.0),
        ('type = "sts"', TRANSFER_S["sts"], 300.0),
        ("transfer_s = 2.5\nreturn_s = 60", 2.5, 60.0),
    ],
)
def test_a_transfer_switch_has_two_sources(words: str, transfer_s: float, return_s: float) -> None:
    site = with_more(GENSET, ATS + words + "\n")
    switch = site.branches[site.branch_index("ats")]
    assert [site.branches[i].name for i in (switch.parent, switch.standby)] == ["tx1", "gen1"]
    assert (switch.transfer_s, switch.return_s) == (transfer_s, return_s)
    assert switch.kind == "transfer_switch"
    assert switch.device == NO_INDEX  # it has no model


def test_a_transfer_switch_with_a_model_is_a_device() -> None:
    site = with_more(GENSET, f'{ATS}model = "ats-1600a"\n')
    switch = site.branches[site.branch_index("ats")]
    group = next(site.groups_of("transfer_switch"))
    assert group.names == ("ats",)
    assert switch.device == group.first_device
    assert site.model_of(switch.device).model == "ats-1600a"
    assert site.find_point("ats/source_count") is not None


def test_a_genset_is_a_source_with_the_voltage_of_the_loads() -> None:
    site = with_more(
        GENSET,
        ATS,
        changes=(
            ("rating_va = 1000e3", "rating_va = 1000e3\nvoltage_v = 400"),
            ("voltage_v = 400\nfreq", "voltage_v = 20e3\nfreq"),
        ),
    )
    genset = site.branches[site.branch_index("gen1")]
    assert genset.parent == NO_INDEX
    assert genset.voltage_v == 400.0
    assert genset.rating_w == 1e6
    group = next(site.groups_of("genset"))
    assert group.branch.tolist() == [site.branch_index("gen1")]
    assert genset.device == group.first_device
    assert site.feed_branches.tolist() == [site.branch_index("grid")]


def test_a_tie_gives_each_board_the_other_s_source() -> None:
    tie = '[[tie]]\nname = "q-tie"\nbetween = ["msb1", "msb2"]\nrating_a = 1600\n'
    site = with_more(tie)
    one, other = (site.branches[site.branch_index(name)] for name in ("msb1", "msb2"))
    assert site.branches[one.standby].name == "tx2"
    assert site.branches[other.standby].name == "tx1"
    assert one.tie == other.tie == "q-tie"
    assert one.transfer_s == TIE_S


def test_in_line_devices_carry_what_names_them() -> None:
    ups = '[[ups]]\nname = "ups1"\nmodel = "ups-500kw"\nfed_by = ["q-a", "q-b"]\n'
    pdu = '[[pdu]]\nname = "pdu{1..2}"\nmodel = "pdu-floor-450kw"\nfed_by = "ups1"\n'
    site = with_more(
        ups, pdu, changes=(('fed_by = ["q-a", "q-b"]\nnodes', 'fed_by = "pdu{1..2}"\nnodes'),)
    )
    branch = site.branches[site.branch_index("ups1")]
    assert branch.kind == "ups"
    assert branch.rating_w == 500e3
    assert site.branches[branch.standby].name == "q-b"
    assert named(site, "pdu2") == "ups1"
    ups_group = next(site.groups_of("ups"))
    assert ups_group.branch.tolist() == [site.branch_index("q-a")]  # it hangs where its input does
    assert branch.device == ups_group.first_device
    each = np.bincount(site.racks.branch, minlength=len(site.branches))
    assert each[site.branch_index("pdu1")] == each[site.branch_index("pdu2")] == 4


def test_a_pod_s_own_branches_come_before_the_site_s() -> None:
    own = 'pdu = [{ name = "q-a", model = "pdu-floor-450kw", fed_by = "q-b" }]\n'
    site = built(
        changed(
            HALL,
            ('[[pod]]\nname = "pod1"\n', f'[[pod]]\nname = "pod{{1..2}}"\n{own}'),
            ('fed_by = ["q-a", "q-b"]', 'fed_by = "q-a"'),
        )
    )
    names = [site.branches[index].name for index in site.racks.branch]
    assert names == ["pod1/q-a"] * 8 + ["pod2/q-a"] * 8
    assert named(site, "pod1/q-a") == "q-b"
    assert site.find_point("pod2/q-a/input_w") is not None


def test_several_feeds_each_have_their_meter_and_contract() -> None:
    feed = (
        '[[feed]]\nname = "{name}"\ncontracted_w = {w}\nimport_max_w = {w}\nvoltage_v = 400\n'
        'meter = {{ name = "m-{name}", model = "grid-meter-sunspec" }}\n'
    )
    head = HALL[HALL.index("[grid]") : HALL.index("[[transformer]]")]
    text = HALL.replace(head, feed.format(name="a", w="5e5") + feed.format(name="b", w="3e5"))
    text = changed(
        text, ('name = "tx{1..2}"\n', 'name = "tx1"\nfed_by = "a"\nrating_va = 1000e3\n[[transformer]]\nname = "tx2"\nfed_by = "b"\n')
    )  # fmt: skip
    site = built(text)
    assert [site.branches[i].name for i in site.feed_branches] == ["a", "b"]
    assert [feed.import_max_w for feed in site.file.feeds] == [5e5, 3e5]
    meters = list(site.groups_of("meter"))
    assert [group.names for group in meters] == [("m-a",), ("m-b",)]
    assert [site.branches[int(group.branch[0])].name for group in meters] == ["a", "b"]
    assert site.grid.name == "a"


def test_a_meter_reads_what_it_measures() -> None:
    site = with_more('[[meter]]\nname = "m1"\nmodel = "grid-meter-sunspec"\nmeasures = "q-plant"\n')
    group = list(site.groups_of("meter"))[1]
    assert [site.branches[int(i)].name for i in group.branch] == ["q-plant"]


def test_solar_gives_into_its_branch() -> None:
    site = with_more(
        '[[solar]]\nname = "pv{1..3}"\nmodel = "solar-inverter-125kw"\nfed_by = "msb1"\n'
    )
    group = next(site.groups_of("solar"))
    assert {site.branches[int(i)].name for i in group.branch} == {"msb1"}
    assert group.place == "solar.pv{1..3}"


def test_loops_of_a_pod_one_a_cdu_and_one_a_group() -> None:
    site = built(WET)
    assert [loop.name for loop in site.loops] == ["pod1/cdu1", "pod1/cdu2", "pod1/loop"]
    group = next(site.groups_of("cdu"))
    assert site.loops[2].cdus == (group.first_device, group.first_device + 1)
    assert site.loops[2].spare == 1
    assert set(site.racks.loop.tolist()) == {2}
    assert set(site.racks.cdu.tolist()) == {group.first_device}
    spread = built(changed(WET, ('cdu = "loop"', 'cdu = "cdu{1..2}"')))
    assert spread.racks.loop.tolist() == [0] * 4 + [1] * 4


def test_tenants_and_priorities_pass_down_and_may_be_a_rack_s_own() -> None:
    site = built(
        changed(
            HALL,
            ('[[pod]]\nname = "pod1"', '[[pod]]\nname = "pod1"\npriority = 3\ntenant = "x"'),
            ('[[pod.rack]]\nname = "r{1..8}"', '[[pod.rack]]\nname = "r{1..8}"\npriority = 5'),
        )
    )
    assert set(site.racks.priority.tolist()) == {5}
    assert set(site.racks.tenant) == {"x"}
    node = next(site.groups_of("node"))
    assert (node.priority, node.tenant) == (5, "x")
    assert node.place == "pod.pod1.rack.r{1..8}.nodes"
    assert set(site.racks.place) == {"pod.pod1.rack.r{1..8}"}


def test_models_are_found_by_device_number() -> None:
    site = built(HALL)
    for group in site.groups:
        assert site.model_of(group.first_device) is group.model
        assert site.model_of(group.first_device + group.count - 1) is group.model
    with pytest.raises(IndexError):
        site.model_of(site.device_count)
    with pytest.raises(KeyError):
        site.branch_index("nowhere")
