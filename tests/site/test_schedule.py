"""Limits by hours and dates: what holds when, and how early a lower one has to be prepared."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mallee.catalogue import load_site
from mallee.site.clock import SiteClock, parse_start
from mallee.site.contract import LimitChange, UtilityFeed
from mallee.site.schedule import import_max_ahead_w, limits_at, limits_over, lowest_limits

GRID = load_site(Path(__file__).parents[2] / "examples/sites/charging-site.toml").grid
ZONE = "America/Chicago"


def clock(start: str) -> SiteClock:
    return SiteClock(ZONE, parse_start(start, ZONE, "start"))


def feed(*limits: LimitChange, ramp_w_per_s: float | None = None) -> UtilityFeed:
    return replace(
        GRID, import_max_w=600e3, limits=list(limits), ramp_down_max_w_per_s=ramp_w_per_s, ramps=[]
    )


EVENING = LimitChange(name="evening", from_time="17:00", until_time="21:00", import_max_w=400e3)


@pytest.mark.parametrize(
    ("change", "local", "holds"),
    [
        (EVENING, "2026-07-15T16:59", False),
        (EVENING, "2026-07-15T17:00", True),
        (EVENING, "2026-07-15T20:59", True),
        (EVENING, "2026-07-15T21:00", False),
        (replace(EVENING, days=["thu"]), "2026-07-15T18:00", False),  # a Wednesday
        (replace(EVENING, days=["wed"]), "2026-07-15T18:00", True),
        (replace(EVENING, from_date="2026-07-16"), "2026-07-15T18:00", False),
        (replace(EVENING, until_date="2026-07-15"), "2026-07-15T18:00", True),
        (replace(EVENING, until_date="2026-07-14"), "2026-07-15T18:00", False),
        (replace(EVENING, from_time="22:00", until_time="06:00"), "2026-07-15T05:59", True),
        (replace(EVENING, from_time="22:00", until_time="06:00"), "2026-07-15T06:00", False),
        (replace(EVENING, from_time="00:00", until_time="00:00"), "2026-07-15T03:00", True),
    ],
)
def test_hours_days_and_dates(change: LimitChange, local: str, holds: bool) -> None:
    found = limits_at(feed(change), clock(local).local(0.0))
    assert found.import_max_w == (400e3 if holds else 600e3)


def test_the_lowest_counts_and_a_higher_one_changes_nothing() -> None:
    higher = replace(EVENING, name="higher", import_max_w=900e3)
    lower = replace(EVENING, name="lower", import_max_w=300e3, export_max_w=0.0)
    evening = clock("2026-07-15T18:00").local(0.0)
    assert limits_at(feed(higher), evening).import_max_w == 600e3
    assert limits_at(feed(higher, lower, EVENING), evening).import_max_w == 300e3
    assert lowest_limits(feed(EVENING, lower)) == (300e3, 0.0)


def test_every_second_of_a_run_has_its_limit() -> None:
    start = clock("2026-07-15T16:58:30")
    imports, exports = limits_over(feed(EVENING), start, 300)
    assert imports.tolist() == [600e3] * 90 + [400e3] * 210
    assert (exports == GRID.export_max_w).all()
    assert (limits_over(feed(), start, 5)[0] == 600e3).all()


@given(
    from_minute=st.integers(0, 1439),
    length=st.integers(1, 600),
    now_s=st.integers(0, 86_400),
    ramp=st.sampled_from([None, 50.0, 1000.0]),
)
def test_a_lower_limit_is_prepared_as_early_as_its_ramp_needs(
    from_minute: int, length: int, now_s: int, ramp: float | None
) -> None:
    """What is to be kept now never lies above what can come down in time, and never above now."""
    ends = (from_minute + length) % 1440
    change = LimitChange(
        name="low",
        from_time=f"{from_minute // 60:02d}:{from_minute % 60:02d}",
        until_time=f"{ends // 60:02d}:{ends % 60:02d}",
        import_max_w=400e3,
    )
    own, day = feed(change, ramp_w_per_s=ramp), clock("2026-07-15")
    kept_w = import_max_ahead_w(own, day, now_s)
    assert kept_w <= limits_at(own, day.local(now_s)).import_max_w
    slope = math.inf if ramp is None else ramp
    for ahead_s in range(0, 1200, 60):
        then_w = limits_at(own, day.local(now_s + ahead_s)).import_max_w
        assert ahead_s == 0 or kept_w <= then_w + slope * ahead_s
    if np.isinf(slope) and kept_w < limits_at(own, day.local(now_s)).import_max_w:
        assert any(
            limits_at(own, day.local(now_s + s)).import_max_w == 400e3 for s in range(0, 61)
        ), "it is not prepared earlier than a minute ahead"
