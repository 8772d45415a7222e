"""Schedules, read-backs and plausible ranges: pure parts of the shell."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.catalogue.read import load_site
from mallee.core.read_back import Order, ReadBack, tolerance_of
from mallee.core.snapshot import Progress
from mallee.runtime.pace import Pace
from mallee.site.model import SiteModel
from mallee.site.plausible import plausible_range

PERIODS = st.sampled_from([0.1, 0.25, 1.0, 5.0])


@given(
    PERIODS, st.floats(0.0, 1.0), st.floats(0.0, 1e6), st.lists(st.floats(0.0, 3.0), max_size=30)
)
def test_a_pace_keeps_its_step_whatever_the_turns_take(
    period_s: float, phase_frac: float, start_s: float, turns: list[float]
) -> None:
    pace, now_s, last_s = Pace(period_s, phase_frac * period_s), start_s, -math.inf
    for turn_s in turns:
        due_s = pace.next_s(now_s)
        assert due_s >= now_s - 1e-6
        steps = (due_s - phase_frac * period_s) / period_s
        assert steps == pytest.approx(round(steps), abs=1e-5)
        if last_s > -math.inf:
            between = round((due_s - last_s) / period_s)
            assert between >= 1
            assert pace.missed == between - 1
        last_s, now_s = due_s, due_s + turn_s


def order(value: float, *, number: int = 1, lease_s: float = 0.0) -> Order:
    return Order(5, "charge_set_w", value, lease_s, time_s=0.0, number=number)


def test_only_readings_from_after_the_write_prove_it() -> None:
    proof = ReadBack(poll_s=0.1)
    proof.expect(order(1e5), sent_s=10.0)
    assert proof.check({5: 1e5}, 9.9) == []
    (verdict,) = proof.check({5: 1.005e5}, 10.1)
    assert (verdict.progress, verdict.reading) == (Progress.DONE, 1.005e5)
    assert proof.check({5: 1e5}, 10.2) == []
    assert proof.check({5: 0.0}, 10.3) == []
    (verdict,) = proof.check({5: 0.0}, 13.5)
    assert verdict.progress == Progress.LOST


def test_asking_again_does_not_start_the_grace_anew() -> None:
    proof = ReadBack(poll_s=0.1)
    for second in range(3):
        proof.expect(order(1e5, number=second + 1), sent_s=float(second))
        assert proof.check({5: 0.0}, second + 0.5) == []
    proof.expect(order(1e5, number=9), sent_s=4.0)
    (verdict,) = proof.check({5: 0.0}, 4.1)
    assert (verdict.progress, verdict.order.number) == (Progress.LOST, 9)
    proof.expect(order(2e5, number=10), sent_s=5.0)
    assert proof.check({5: 0.0}, 5.1) == []


def test_an_ended_lease_says_nothing_and_a_missing_reading_proves_nothing() -> None:
    proof = ReadBack(poll_s=0.1)
    proof.expect(order(1e5, lease_s=20.0), sent_s=1.0)
    assert proof.check({5: math.nan}, 2.0) == []
    (verdict,) = proof.check({5: math.nan}, 19.0)
    assert verdict.progress is Progress.LOST
    assert proof.rows == [5]
    assert proof.check({5: 0.0}, 20.5) == []
    assert proof.rows == []
    proof.expect(order(1e5), sent_s=1.0)
    proof.forget(5)
    assert proof.rows == []


@pytest.mark.parametrize(
    ("point", "value", "tolerance"),
    [
        ("cap_w", 6000.0, 60.0),
        ("cap_w", 0.0, 50.0),
        ("filter_ramp_up_w_per_s", 950.0, 9.5),
        ("supply_set_degc", 10.0, 0.2),
        ("mode", 2.0, 0.01),
        ("heartbeat_count", 4000.0, 0.01),
    ],
)
def test_tolerance_is_a_percent_or_a_registers_step(
    point: str, value: float, tolerance: float
) -> None:
    assert tolerance_of(point, value) == pytest.approx(tolerance)


def test_every_rating_is_plausible_and_a_thousand_times_it_is_not(site: SiteModel) -> None:
    low, high = plausible_range(site)
    assert (low < high).all()
    for kind, point, rating in (
        ("node", "power_w", 6667.0),
        ("cdu", "heat_w", 1.3e6),
        ("meter", "import_w", 600e3),
        ("battery", "charge_w", -1.93e6),
        ("power_shelf", "input_w", 33e3),
        ("battery", "soc", 0.5),
        ("node", "supply_degc", 40.0),
    ):
        rows = site.rows(kind, point)
        assert ((low[rows] < rating) & (rating < high[rows])).all(), point
        wrong = 1000.0 * rating
        assert ((wrong < low[rows]) | (wrong > high[rows])).all(), point


def test_plausible_ranges_cover_the_large_example() -> None:
    site = load_site(Path(__file__).parents[2] / "examples" / "sites" / "cortex-67k.toml")
    low, high = plausible_range(site)
    assert np.isfinite(high[site.rows("meter", "import_w")]).all()
    assert low.shape == high.shape == (site.point_count,)
