"""The power tree of real one-line diagrams: two sources, ties, voltage levels, pods."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.catalogue import load_models
from mallee.core.arrays import NO_INDEX
from mallee.core.device_model import ControllerLoss, DeviceModel
from mallee.site.build import build_site
from mallee.site.file import SiteFile
from mallee.site.model import Branch, SiteModel
from mallee.site.problems import SiteProblems
from mallee.site.tree import TIE_S, TRANSFER_S

METER = {"name": "meter", "model": "grid-meter-sunspec"}
GRID = {"contracted_w": 1e6, "import_max_w": 8e5, "voltage_v": 13.2e3, "meter": METER}


def small(name: str, kind: str, most_w: float) -> DeviceModel:
    """A device that is a branch, with nothing but a nameplate."""
    return DeviceModel(
        model=name,
        kind=kind,
        vendor="nobody",
        product="nothing",
        power_max_w=most_w,
        protocol={},
        point=[],
        on_controller_loss=ControllerLoss(behaviour="hold"),
    )


MODELS = {
    **load_models(),
    "test-ups": small("test-ups", "ups", 500e3),
    "test-pdu": small("test-pdu", "pdu", 100e3),
    "test-genset": small("test-genset", "genset", 900e3),
}


def built(**tables: Any) -> SiteModel:
    file = {"name": "any", "grid": GRID, **tables}
    if "feed" in tables:
        del file["grid"]
    return build_site(msgspec.convert(file, SiteFile), MODELS, "any.toml")


def branch(site: SiteModel, name: str) -> Branch:
    return site.branches[site.branch_index(name)]


def above(site: SiteModel, name: str) -> tuple[str, str]:
    """Names of the normal and the second source."""
    one = branch(site, name)
    sources = (one.parent, one.standby)
    first, second = ("" if s == NO_INDEX else site.branches[s].name for s in sources)
    return first, second


def told(**tables: Any) -> str:
    """What is wrong with a site."""
    with pytest.raises(SiteProblems) as caught:
        built(**tables)
    return str(caught.value)


def test_voltage_is_that_of_the_nearest_transformer_above() -> None:
    site = built(
        transformer=[
            {"name": "mv", "rating_va": 2e6, "voltage_v": 4160.0},
            {"name": "lv", "fed_by": "q", "rating_va": 1e6, "voltage_v": 480.0},
        ],
        breaker=[{"name": "q", "fed_by": "mv", "rating_a": 100.0}],
        switchboard=[{"name": "board", "fed_by": "lv", "rating_a": 1200.0}],
    )
    volts = {one.name: one.voltage_v for one in site.branches}
    assert volts == {"grid": 13.2e3, "mv": 4160.0, "q": 4160.0, "lv": 480.0, "board": 480.0}
    assert branch(site, "q").rating_w == pytest.approx(100.0 * 4160.0 * 3**0.5)
    assert branch(site, "lv").rating_w == 1e6
    assert branch(site, "lv").rating_a == pytest.approx(1e6 / 480.0 / 3**0.5)


@pytest.mark.parametrize("kind", ["ats", "sts"])
def test_a_transfer_switch_has_two_sources_and_its_own_speed(kind: str) -> None:
    site = built(
        breaker=[{"name": "q{1..2}", "fed_by": "grid", "rating_a": 400.0}],
        transfer_switch=[
            {"name": "ts", "type": kind, "fed_by": ["q1", "q2"], "rating_a": 400.0},
            {
                "name": "slow",
                "type": kind,
                "fed_by": ["q2", "q1"],
                "rating_a": 400.0,
                "transfer_s": 3.0,
            },
        ],
    )
    assert above(site, "ts") == ("q1", "q2")
    assert above(site, "slow") == ("q2", "q1")
    assert branch(site, "ts").transfer_s == TRANSFER_S[kind]
    assert branch(site, "slow").transfer_s == 3.0


def test_a_tie_gives_each_switchboard_the_others_source() -> None:
    boards = {
        "breaker": [{"name": "q{1..2}", "fed_by": "grid", "rating_a": 800.0}],
        "switchboard": [
            {"name": "a", "fed_by": "q1", "rating_a": 800.0},
            {"name": "b", "fed_by": "q2", "rating_a": 800.0},
        ],
    }
    site = built(**boards, tie=[{"name": "q-tie", "between": ["a", "b"], "rating_a": 800.0}])
    assert above(site, "a") == ("q1", "q2")
    assert above(site, "b") == ("q2", "q1")
    assert branch(site, "a").tie == branch(site, "b").tie == "q-tie"
    assert branch(site, "a").transfer_s == TIE_S
    alone = built(**boards)
    assert above(alone, "a") == ("q1", "")
    assert "no switchboard 'q1'" in told(
        **boards, tie=[{"name": "t", "between": ["a", "q1"], "rating_a": 800.0}]
    )


def test_two_utility_feeds_are_two_roots_with_a_meter_each() -> None:
    feeds = [
        {**GRID, "name": f"feed-{side}", "meter": {**METER, "name": f"meter-{side}"}}
        for side in "ab"
    ]
    site = built(
        feed=feeds,
        transfer_switch=[
            {"name": "ts", "type": "ats", "fed_by": ["feed-a", "feed-b"], "rating_a": 90.0}
        ],
    )
    assert [one.name for one in site.branches] == ["feed-a", "feed-b", "ts"]
    assert [site.branches[row].name for row in site.feed_branches] == ["feed-a", "feed-b"]
    (first, second) = site.groups_of("meter")
    assert (first.names, second.names) == (("meter-a",), ("meter-b",))
    assert [site.branches[g.branch[0]].name for g in (first, second)] == ["feed-a", "feed-b"]
    assert "stands beside [grid]" in told_with_both()


def told_with_both() -> str:
    file = {"name": "any", "grid": GRID, "feed": [{**GRID, "name": "other"}]}
    with pytest.raises(SiteProblems) as caught:
        build_site(msgspec.convert(file, SiteFile), MODELS, "any.toml")
    return str(caught.value)


def test_a_genset_is_a_root_of_its_own_until_somebody_feeds_it() -> None:
    site = built(
        genset=[{"name": "gen1", "model": "test-genset"}],
        transfer_switch=[
            {"name": "ts", "type": "ats", "fed_by": ["grid", "gen1"], "rating_a": 60.0}
        ],
    )
    gen = branch(site, "gen1")
    assert (gen.parent, gen.kind, gen.rating_w) == (NO_INDEX, "genset", 900e3)
    assert above(site, "ts") == ("grid", "gen1")
    (group,) = site.groups_of("genset")
    assert site.branches[group.branch[0]].name == "gen1", "it hangs on itself"
    assert gen.device == group.first_device


def test_a_ups_is_a_branch_and_a_device() -> None:
    site = built(
        breaker=[{"name": "q", "fed_by": "grid", "rating_a": 60.0}],
        ups=[{"name": "u{1..2}", "model": "test-ups", "fed_by": "q"}],
        battery=[{"name": "b", "model": "megapack-2h", "fed_by": "u2"}],
    )
    (group,) = site.groups_of("ups")
    for number, name in enumerate(("u1", "u2")):
        one = branch(site, name)
        assert (one.kind, above(site, name)) == ("ups", ("q", ""))
        assert one.device == group.first_device + number
        assert one.rating_w == 500e3
    (battery,) = site.groups_of("battery")
    assert site.branches[battery.branch[0]].name == "u2"


def test_each_pod_finds_its_own_branches_first() -> None:
    """Pods alike by a range have PDUs of the same name; a rack hangs on the one of its pod."""
    site = built(
        breaker=[{"name": "q", "fed_by": "grid", "rating_a": 60.0}],
        pod=[
            {
                "name": "pod{1..2}",
                "pdu": [{"name": "p{1..2}", "model": "test-pdu", "fed_by": "q"}],
                "rack": [
                    {
                        "name": "r{1..2}",
                        "fed_by": "p{1..2}",
                        "nodes": {"model": "nvidia-hgx-h100-node", "count": 1},
                    }
                ],
            }
        ],
    )
    hangs = {
        name: site.branches[row].name
        for name, row in zip(site.racks.names, site.racks.branch.tolist(), strict=True)
    }
    assert hangs == {f"pod{pod}/r{rack}": f"pod{pod}/p{rack}" for pod in (1, 2) for rack in (1, 2)}


@settings(max_examples=25)
@given(st.permutations(["a", "b", "c", "d", "e"]), st.data())
def test_a_chain_is_placed_in_order_however_it_is_written(
    names: list[str], data: st.DataObject
) -> None:
    entries = [
        {"name": name, "fed_by": above_, "rating_a": 10.0}
        for above_, name in zip(["grid", *names], names, strict=False)
    ]
    site = built(breaker=data.draw(st.permutations(entries)))
    assert [one.name for one in site.branches] == ["grid", *names]


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            {"breaker": [{"name": "q", "fed_by": "", "rating_a": 1.0}]},
            "breaker.q: has no fed_by; name the branch above it",
        ),
        (
            {"breaker": [{"name": "q", "fed_by": "gird", "rating_a": 1.0}]},
            "breaker.q.fed_by: no branch 'gird'; did you mean 'grid'?",
        ),
        (
            {"breaker": [{"name": "q", "fed_by": "q", "rating_a": 1.0}]},
            "the power tree runs in a circle here",
        ),
        (
            {"breaker": [{"name": "grid", "fed_by": "grid", "rating_a": 1.0}]},
            "the branch name 'grid' is used twice",
        ),
        (
            {"battery": [{"name": "b", "model": "megapack-2h", "fed_by": ["grid"] * 3}]},
            "names 3 branches; list the normal branch, then the standby one",
        ),
        (
            {"meter": [{"name": "m", "model": "grid-meter-sunspec"}]},
            "measures nothing; name the branch that it reads",
        ),
    ],
)
def test_what_is_no_tree_is_said_in_one_sentence(tables: dict[str, Any], message: str) -> None:
    assert message in told(**tables)
