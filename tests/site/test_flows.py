"""Worst-case flows of branches that are too small: who gives way, and down to where."""

import pytest

from mallee.site.flows import Flows, flows_of
from tests.site.sites import DEMO, built, changed


def flows(old: str, new: str) -> tuple[Flows, float, int]:
    """Flows of the demo with another rating, that rating in W, and its branch."""
    site = built(changed(DEMO.read_text(encoding="utf-8"), (old, new)))
    name = "tx1" if "va" in old else "q-pod"
    index = site.branch_index(name)
    return flows_of(site), site.branches[index].rating_w, index


def test_racks_get_what_fixed_loads_and_held_chargers_leave() -> None:
    found, rating_w, tx = flows("rating_va = 750e3", "rating_va = 250e3")
    assert found.others_least_w[tx] > 0.0, "two chargers at rest"
    left_w = rating_w - found.fixed_w[tx] - found.others_least_w[tx]
    assert found.racks_least_w[tx] < left_w < found.racks_full_w[tx]
    assert found.racks_most_w[tx] == pytest.approx(left_w)
    assert found.share[tx] == pytest.approx(left_w / found.racks_full_w[tx])


def test_racks_are_never_held_below_their_lowest_caps() -> None:
    found, rating_w, pod = flows("rating_a = 400", "rating_a = 100")
    assert rating_w - found.fixed_w[pod] < found.racks_least_w[pod]
    assert found.racks_most_w[pod] == found.racks_least_w[pod]
    assert found.least_w[pod] > rating_w, "which check tells"
