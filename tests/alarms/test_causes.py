"""Causes: one breaker opens, one alarm sounds, the rest says why and comes forward if it stays."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.alarms import acknowledge, banner, first_out, hidden_by, hit_by, site_alarms
from mallee.alarms.suppress import GRACE_S, root_of
from mallee.alarms.topology import topology_of
from mallee.catalogue import load_site
from mallee.core.arrays import NO_INDEX
from tests.alarms.given import PREPARED, ROOT, SITE, Watched
from tests.site.sites import demo_with

RACK = "pod1/r1/"


def test_a_breaker_that_opens_sounds_once_and_is_first_out() -> None:
    watched = Watched()
    watched.lose("pod1/")
    watched.go_on(60.0, ("breaker-trip", "q-pod"))
    assert watched.annunciated() == [("breaker-open", "q-pod")]
    raised = watched.names(watched.journal, "raised")
    assert len(raised) > 50, "everything is in the journal"
    first = first_out(watched.state)
    assert first == watched.row("breaker-open", "q-pod")
    for kind, source in (("rack-dark", "pod1/r1"), ("node-silent", "pod1/r1/n01")):
        row = watched.row(kind, source)
        assert hidden_by(watched.state, row) == "suppressed"
        assert root_of(watched.state, row) == first
    assert banner(watched.alarms, watched.state) == [first]


def test_a_cause_that_is_told_late_still_explains() -> None:
    """Devices fall silent at once, the word of the breaker comes after them."""
    watched = Watched()
    watched.lose("pod1/")
    watched.go_on(20.0)
    assert watched.annunciated() == [("pod-dark", "pod1")]
    watched.go_on(1.0, ("breaker-trip", "q-pod"))
    assert watched.annunciated() == [("breaker-open", "q-pod")]


def test_a_pod_that_falls_silent_is_one_alarm_though_nobody_told_why() -> None:
    watched = Watched()
    watched.lose("pod1/")
    watched.go_on(120.0, by_s=2.0)
    assert watched.annunciated() == [("pod-dark", "pod1")]


def test_a_dark_rack_is_one_alarm_and_one_silent_node_another() -> None:
    watched = Watched()
    watched.lose(RACK)
    watched.lose("pod1/r2/n03/")
    watched.go_on(60.0)
    assert set(watched.annunciated()) == {
        ("rack-dark", "pod1/r1"),
        ("node-silent", "pod1/r2/n03"),
    }


def test_what_stays_when_its_cause_is_gone_sounds_after_a_while() -> None:
    watched = Watched()
    watched.lose(RACK)
    watched.go_on(60.0)
    watched.find_again(RACK)
    watched.lose("pod1/r1/n02/")
    watched.go_on(11.0)
    rack = watched.row("rack-dark", "pod1/r1")
    watched.state, _ = acknowledge(watched.state, [rack], watched.time_s, "anna")
    watched.go_on(GRACE_S - 1.0)
    assert watched.annunciated() == [], "it may still be booting"
    released = watched.names(watched.go_on(5.0), "released")
    assert ("node-silent", "pod1/r1/n02") in released
    assert ("node-silent", "pod1/r1/n02") in watched.annunciated()


def test_an_old_latched_cause_does_not_hide_what_is_new() -> None:
    watched = Watched()
    watched.go_on(1.0, ("breaker-trip", "q-pod"))
    watched.go_on(1.0, ("breaker-closed", "q-pod"))
    watched.go_on(1200.0, by_s=30.0)
    watched.lose("pod1/r1/n02/")
    watched.go_on(20.0)
    assert ("node-silent", "pod1/r1/n02") in watched.annunciated()


def test_a_cause_that_somebody_has_seen_or_shelved_explains_all_the_same() -> None:
    watched = Watched()
    watched.lose(RACK)
    watched.go_on(8.0)
    rack = watched.row("rack-dark", "pod1/r1")
    watched.state, _ = acknowledge(watched.state, [rack], watched.time_s, "anna")
    watched.go_on(60.0)
    assert watched.annunciated() == []


@given(st.lists(st.sampled_from([*SITE.racks.names, "pod1/cdu1", "pod1/r1/n01"]), max_size=4))
@settings(max_examples=15)
def test_what_is_explained_never_sounds_while_its_cause_stands(lost: list[str]) -> None:
    watched = Watched()
    for place in lost:
        watched.lose(f"{place}/")
        watched.go_on(7.0)
        state = watched.state
        explained = np.flatnonzero(state.cause != NO_INDEX)
        assert not state.annunciated[explained].any()
        causes = state.cause[explained]
        assert (state.stands[causes] | np.isfinite(state.released_s[explained])).all()


# What is hit if this opens


def devices_hit(branch: str) -> set[str]:
    hit = hit_by(PREPARED.topology, PREPARED.instances, SITE.branch_index(branch))
    instances = PREPARED.instances
    rows = np.flatnonzero(hit & (instances.device != NO_INDEX))
    return {instances.source[row] for row in rows.tolist()}


def test_what_hangs_below_is_hit_and_nothing_else() -> None:
    assert devices_hit("q-battery") == {"bess1"}
    assert devices_hit("q-ev1") == {"ev1"}
    pod = devices_hit("q-pod")
    assert all(name.startswith("pod1/") for name in pod)
    assert devices_hit("tx1") >= pod | {"bess1", "ev1", "ev2"}
    assert devices_hit("grid") >= devices_hit("tx1")


def test_what_has_a_second_feed_is_hit_by_what_both_share() -> None:
    racks = 'name = "r{1..2}"\nfed_by = "q-pod"'
    site = demo_with((racks, racks.replace('"q-pod"', '["q-pod", "q-ev1"]')))
    alarms = site_alarms(site)
    nodes = alarms.instances.rack != NO_INDEX

    def hit(branch: str) -> int:
        where = site.branch_index(branch)
        return int((hit_by(alarms.topology, alarms.instances, where) & nodes).sum())

    assert hit("q-pod") == hit("q-ev1") == 0
    assert hit("tx1") == int(nodes.sum())


@pytest.mark.parametrize("name", sorted(p.stem for p in (ROOT / "examples/sites").glob("*.toml")))
def test_a_branch_hits_all_that_the_branches_below_it_hit(name: str) -> None:
    site = load_site(ROOT / f"examples/sites/{name}.toml")
    below = topology_of(site).below
    for index, branch in enumerate(site.branches):
        assert below[index, index]
        if branch.parent != NO_INDEX and branch.standby == NO_INDEX:
            assert below[branch.parent, index]
    for one, other in itertools.islice(zip(*np.nonzero(below), strict=True), 200):
        assert (below[one] >= below[other]).all(), "reach is passed on"
    assert site_alarms(site).instances.count > 0
