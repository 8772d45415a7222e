"""Sharing out what branches carry: never more than fits, nothing left that somebody could use."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mallee.core.arrays import NO_INDEX, FloatArray, IntArray
from mallee.site.allocation import Allocation, allocate
from mallee.site.branch_tree import BranchTree
from mallee.site.budget import budget_of
from mallee.site.flows import flows_of
from tests.site.random_sites import RandomSite, random_sites
from tests.site.sites import HALL, WET, built, changed

Case = tuple[BranchTree, FloatArray, IntArray, list[FloatArray]]

HARDLY_ANY: Case = (
    BranchTree(np.array([NO_INDEX, 0], np.int64)),
    np.array([0.0, 4.0]),
    np.array([0, 1], np.int64),
    [np.zeros(2), np.array([0.0, 2.2e-308])],
)
"""Room over a wish would be more than a double can hold."""


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A random tree with capacities, loads on it, and three levels of wishes."""
    count = draw(st.integers(1, 8))
    parent = [NO_INDEX] + [draw(st.integers(0, n - 1)) for n in range(1, count)]
    capacity = [draw(st.floats(0.0, 100.0)) for _ in range(count)]
    loads = draw(st.integers(1, 8))
    branch = [draw(st.integers(0, count - 1)) for _ in range(loads)]
    steps = [[draw(st.floats(0.0, 20.0)) for _ in range(loads)] for _ in range(3)]
    levels = list(np.cumsum(np.array(steps), axis=0))
    tree = BranchTree(np.array(parent, np.int64))
    return tree, np.array(capacity), np.array(branch, np.int64), levels


def carried(tree: BranchTree, branch: IntArray, power_w: FloatArray) -> FloatArray:
    """What each branch carries, summed the slow way."""
    total = np.zeros(len(tree.parent))
    for load, where in enumerate(branch.tolist()):
        at = where
        while at != NO_INDEX:
            total[at] += power_w[load]
            at = int(tree.parent[at])
    return total


def allotted(case: Case) -> Allocation:
    tree, capacity_w, branch, levels = case
    return allocate(tree, capacity_w, branch, levels)


@given(cases())
@settings(deadline=None, max_examples=150)
def test_sums_agree_with_the_slow_way(case: Case) -> None:
    tree, _, branch, levels = case
    assert np.allclose(tree.carried(branch, levels[-1]), carried(tree, branch, levels[-1]))
    own = np.bincount(branch, levels[-1], len(tree.parent)).astype(np.float64)
    assert np.allclose(tree.sum_up(own), carried(tree, branch, levels[-1]))


@given(cases())
@settings(deadline=None, max_examples=150)
def test_everybody_gets_between_the_first_and_the_last_level(case: Case) -> None:
    power_w, levels = allotted(case).power_w, case[3]
    assert (power_w >= levels[0] - 1e-9).all()
    assert (power_w <= levels[-1] + 1e-9).all()


@given(cases())
@example(HARDLY_ANY)
@settings(deadline=None, max_examples=150)
def test_no_branch_carries_more_than_it_can_unless_the_first_level_does(case: Case) -> None:
    tree, capacity_w, branch, levels = case
    least_w = carried(tree, branch, levels[0])
    carried_w = carried(tree, branch, allotted(case).power_w)
    assert (carried_w <= np.maximum(capacity_w, least_w) + 1e-6).all()


@given(cases())
@settings(deadline=None, max_examples=150)
def test_room_is_what_is_left(case: Case) -> None:
    tree, capacity_w, branch, _ = case
    found = allotted(case)
    left_w = capacity_w - carried(tree, branch, found.power_w)
    assert np.allclose(found.room_w, left_w, atol=1e-6)


@given(cases())
@settings(deadline=None, max_examples=150)
def test_where_all_fits_all_is_given(case: Case) -> None:
    tree, _, branch, levels = case
    enough = carried(tree, branch, levels[-1]) + 1.0
    found = allocate(tree, enough, branch, levels)
    assert np.allclose(found.power_w, levels[-1])
    assert (found.bound_by == -1).all()


@given(cases())
@settings(deadline=None, max_examples=100)
def test_more_capacity_never_gives_less_in_all(case: Case) -> None:
    tree, capacity_w, branch, levels = case
    before = allocate(tree, capacity_w, branch, levels).power_w.sum()
    after = allocate(tree, capacity_w + 1000.0, branch, levels).power_w.sum()
    assert after >= before - 1e-6


def test_a_tight_branch_leaves_its_share_to_others() -> None:
    """One side is short, the other is not: the feed's watts go where they can be used."""
    tree = BranchTree(np.array([NO_INDEX, 0, 0], np.int64))
    found = allocate(
        tree,
        np.array([10.0, 2.0, 100.0]),
        np.array([1, 2], np.int64),
        [np.zeros(2), np.array([8.0, 8.0])],
    )
    assert np.isclose(found.power_w[0], 2.0)
    assert 7.0 <= found.power_w[1] <= 8.0  # in rounds that each move a part of what is left
    assert found.bound_by[0] == 1


def test_paths_and_the_tightest_branch() -> None:
    tree = BranchTree(np.array([NO_INDEX, 0, 1, 1], np.int64))
    values = np.array([3.0, 2.0, 2.0, 1.0])
    assert tree.path_min(values).tolist() == [3.0, 2.0, 2.0, 1.0]
    assert tree.tightest(values).tolist() == [0, 1, 2, 3]  # the lower one where equal
    assert [level.tolist() for level in tree.levels] == [[1], [2, 3]]


@given(random_sites())
@settings(max_examples=20, deadline=None)
def test_the_budget_counts_every_rack_once(case: RandomSite) -> None:
    """Control's budget and the worst-case flows of `check` know the same computers."""
    site = built(case.text)
    budget, flows = budget_of(site), flows_of(site)
    loads = budget.loads
    below = budget.tree.sum_up(
        np.bincount(loads.branch, loads.most_w * loads.factor, len(site.branches)).astype(
            np.float64
        )
    )
    assert np.allclose(below, flows.racks_full_w)
    least = budget.tree.sum_up(
        np.bincount(loads.branch, loads.least_w * loads.factor, len(site.branches)).astype(
            np.float64
        )
    )
    assert np.allclose(least, flows.racks_least_w)
    assert loads.count == 2 * sum(case.racks.values())


def test_control_is_never_more_generous_than_check_says() -> None:
    """What control may give a pod behind a small breaker is no more than check leaves it."""
    small = (
        'name = "q-a"\nfed_by = "msb1"\nrating_a = 800',
        'name = "q-a"\nfed_by = "msb1"\nrating_a = 400',
    )
    site = built(changed(HALL, small))  # fmt: skip
    budget, flows = budget_of(site), flows_of(site)
    loads, index = budget.loads, site.branch_index("q-a")
    capacity_w = budget.limit_w - budget.other_max_w
    levels = [loads.least_w * loads.factor, loads.most_w * loads.factor]
    found = allocate(budget.tree, capacity_w, loads.branch, levels)
    given_w = found.power_w[loads.branch == index].sum()
    assert given_w <= flows.racks_most_w[index] + 1e-6
    assert given_w >= 0.95 * flows.racks_most_w[index]
    assert set(found.bound_by.tolist()) == {index}


def test_a_site_in_order_is_not_held_by_its_budget() -> None:
    """The null case: where check finds nothing, control has room for full power but for margins."""
    for text in (HALL, WET):
        site = built(text)
        budget = budget_of(site)
        loads = budget.loads
        capacity_w = budget.limit_w - budget.other_max_w
        levels = [loads.least_w * loads.factor, loads.most_w * loads.factor]
        found = allocate(budget.tree, capacity_w, loads.branch, levels)
        assert found.power_w.sum() >= 0.9 * levels[-1].sum()
