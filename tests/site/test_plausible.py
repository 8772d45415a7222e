"""What readings may be: wide enough for every device, narrow enough for a wrong scale."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.catalogue import load_site
from mallee.core.units import unit_of
from mallee.kinds import KINDS
from mallee.kinds.genset import GENSET
from mallee.site.model import SiteModel
from mallee.site.plausible import plausible_range

EXAMPLES = sorted((Path(__file__).parents[2] / "examples/sites").glob("*.toml"))
SITES = {path.stem: load_site(path) for path in EXAMPLES if path.stem != "cortex-67k"}
"""The largest has no kind of device that the others lack."""


@pytest.fixture(params=sorted(SITES))
def example(request: pytest.FixtureRequest) -> SiteModel:
    return SITES[request.param]


def test_every_row_has_a_range_that_is_not_empty(example: SiteModel) -> None:
    low, high = plausible_range(example)
    assert low.shape == high.shape == (example.point_count,)
    assert (low < high).all()


def test_nameplates_and_what_may_be_written_are_plausible(example: SiteModel) -> None:
    """What control may ask for, and full power, may also be read."""
    low, high = plausible_range(example)
    for group in example.groups:
        kind = KINDS[group.kind]
        for point in group.model.point:
            rows = group.rows(point.name)
            bounds = kind.write_range(group.model, point.name)
            if bounds is not None and unit_of(point.name) is not None:
                assert (low[rows] <= bounds[0]).all(), point.name
                assert (high[rows] >= bounds[1]).all(), point.name
            if point.name == kind.power:
                assert (high[rows] >= group.model.power_max_w).all()
                assert (low[rows] <= 0.0).all()


def test_a_reading_in_the_wrong_unit_is_not(example: SiteModel) -> None:
    """The null case: full power taken for milliwatts is far outside, of every consumer."""
    _, high = plausible_range(example)
    for group in example.groups:
        kind = KINDS[group.kind]
        if kind.role == "load" and kind.power in group.model.index:
            assert (high[group.rows(kind.power)] < 1000.0 * group.model.power_max_w).all()


def test_only_what_can_give_reads_below_nothing(example: SiteModel) -> None:
    low, high = plausible_range(example)
    for group in example.groups:
        kind = KINDS[group.kind]
        if kind.power not in group.model.index:
            continue
        rows = group.rows(kind.power)
        if kind.role == "load":
            assert (-low[rows] <= 0.02 * high[rows]).all(), "a meter at rest reads a little below"
        elif kind.role == "storage":
            assert (low[rows] == -high[rows]).all()


def test_a_genset_that_stands_still_is_believed() -> None:
    site = SITES["microgrid"]
    low, high = plausible_range(site)
    rows = site.rows(GENSET, "frequency_hz")
    assert len(rows)
    for hz in (0.0, 12.0, 51.0):  # standing, running up, running
        assert ((low[rows] <= hz) & (hz <= high[rows])).all()
    assert (high[rows] < 500.0).all(), "a wrong scale is not"


@settings(max_examples=30)
@given(st.sampled_from(sorted(SITES)), st.integers(0, 10**6))
def test_a_kind_s_own_range_goes_first_then_the_unit_s(name: str, number: int) -> None:
    site = SITES[name]
    row = number % site.point_count
    low, high = plausible_range(site)
    group = site.group_of_row(row)
    point = group.model.point[(row - group.first_row) % group.stride]
    own, unit = KINDS[group.kind].point(point.name), unit_of(point.name)
    if own is not None and own.plausible is not None:
        assert (low[row], high[row]) == own.plausible
    elif unit is None:
        assert math.isinf(low[row]) and math.isinf(high[row])
    elif not unit.is_rated:
        assert (low[row], high[row]) == (unit.low, unit.high)
    else:
        assert np.isfinite([low[row], high[row]]).all()
