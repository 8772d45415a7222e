"""A snapshot: what counts as fresh, and that better quality never counts less."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.core.snapshot import Progress, Quality, Snapshot

TIMES = st.floats(-1e6, 1e6)
AGES = st.floats(0.0, 1e4)


def snapshot_of(time_s: float, read_s: float, quality: Quality) -> Snapshot:
    return Snapshot(
        time_s=time_s,
        values=np.array([7.0]),
        times_s=np.array([read_s]),
        quality=np.array([quality], np.uint8),
        progress=np.array([Progress.NONE], np.uint8),
    )


@given(TIMES, AGES, AGES, st.sampled_from(Quality))
def test_fresh_is_well_read_and_young(
    time_s: float, age_s: float, age_max_s: float, quality: Quality
) -> None:
    snapshot = snapshot_of(time_s, time_s - age_s, quality)
    is_young = time_s - (time_s - age_s) <= age_max_s  # as floats have it
    expected = is_young and quality in (Quality.GOOD, Quality.STALE)
    assert snapshot.is_fresh(0, age_max_s) is expected


@given(TIMES, AGES, AGES, AGES, st.sampled_from(Quality), st.sampled_from(Quality))
def test_younger_and_better_is_never_less_fresh(
    time_s: float, age_s: float, more_s: float, age_max_s: float, one: Quality, other: Quality
) -> None:
    better, worse = sorted((one, other))
    older = snapshot_of(time_s, time_s - age_s - more_s, worse)
    younger = snapshot_of(time_s, time_s - age_s, better)
    if older.is_fresh(0, age_max_s):
        assert younger.is_fresh(0, age_max_s)
    assert younger.is_fresh(0, age_max_s) <= younger.is_fresh(0, age_max_s + more_s)


@pytest.mark.parametrize("quality", Quality)
def test_what_was_never_read_is_never_fresh(quality: Quality) -> None:
    snapshot = snapshot_of(0.0, -math.inf, quality)
    assert not snapshot.is_fresh(0, 1e12)
    assert type(snapshot.is_fresh(0, 1.0)) is bool
    assert type(snapshot.value(0)) is float


def test_the_words_have_the_order_that_sums_of_quality_rely_on() -> None:
    """`max` over a device's points is its worst: the numbers stand in files and on the board."""
    assert [quality.name for quality in sorted(Quality)] == [
        "GOOD", "STALE", "BAD", "REFUSED", "NEVER",
    ]  # fmt: skip
    assert {progress.name: progress.value for progress in Progress} == {
        "NONE": 0, "SENT": 1, "DONE": 2, "REJECTED": 3, "LOST": 4,
    }  # fmt: skip
