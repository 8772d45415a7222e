"""Credit of batteries and feedback of meters: numbers of both rules, worked out by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from mallee.control.trim import Trim, next_trims
from mallee.control.trust import Trust, Verdict, held_w, next_trust, trusted_w
from mallee.control.view import BatteryView
from tests.control.site_view import SiteView

VIEW = SiteView()
LIMITS = VIEW.limits
BESS = LIMITS.batteries[0]
PROBE_W = 6e3
"""Half of the margin of 2 % of 600 kW, by one battery."""


def seen(charge_w: float = 0.0, *, soc: float = 0.6, says_w: float = 1.93e6) -> BatteryView:
    return BatteryView(
        limits=BESS,
        seen=True,
        charge_w=charge_w,
        soc=soc,
        charge_max_w=1.93e6,
        discharge_max_w=says_w,
    )


def judge(
    before: Trust, battery: BatteryView, needed_w: float, time_s: float, *, over: bool = True
) -> tuple[Trust, Verdict]:
    return next_trust(before, battery, needed_w, 1e9, over=over, time_s=time_s)


# Trust


def test_a_word_is_taken_until_it_is_broken() -> None:
    assert Trust().discharge_w(seen(says_w=5e5)) == 5e5
    assert Trust(proven_w=1e5, failures=1).discharge_w(seen()) == 1e5 + PROBE_W
    assert Trust(proven_w=1e5, failures=1).discharge_w(seen(says_w=2e4)) == 2e4


def test_a_battery_has_its_time_to_answer() -> None:
    """0.8 s for one that acts at the meter by itself, 1.8 s for one that waits for a set point."""
    for smooths, patience_s in ((True, 0.8), (False, 1.8)):
        battery = replace(seen(-50e3), limits=replace(BESS, smooths=smooths))
        trust, verdict = judge(Trust(), battery, 2e5, 10.0)
        assert (trust.short_since_s, verdict) == (10.0, Verdict.SAME)
        trust, verdict = judge(trust, battery, 2e5, 10.0 + patience_s - 0.01)
        assert (trust.failures, verdict) == (0, Verdict.SAME)
        trust, verdict = judge(trust, battery, 2e5, 10.0 + patience_s)
        assert (trust.proven_w, trust.failures, verdict) == (50e3, 1, Verdict.FAILED)


def test_nine_tenths_of_what_is_needed_are_enough() -> None:
    assert judge(Trust(), seen(-180.1e3), 2e5, 0.0)[0].short_since_s is None
    assert judge(Trust(), seen(-179.9e3), 2e5, 0.0)[0].short_since_s == 0.0


def test_one_that_answers_in_time_starts_anew() -> None:
    trust, _ = judge(Trust(), seen(), 2e5, 0.0)
    trust, _ = judge(trust, seen(-2e5), 2e5, 0.5)
    assert trust == Trust()
    trust, verdict = judge(trust, seen(), 2e5, 1.0)
    assert (trust.short_since_s, verdict) == (1.0, Verdict.SAME)


def test_nothing_is_held_against_a_battery_that_is_not_needed_or_cannot() -> None:
    """Not over the limit; charging; empty above its floor; not seen: no failure."""
    assert judge(Trust(), seen(), 2e5, 9.0, over=False)[0] == Trust()
    assert judge(Trust(), seen(), 0.0, 9.0)[0] == Trust()
    empty, _ = next_trust(Trust(), seen(), 2e5, 0.0, over=True, time_s=9.0)
    assert empty == Trust()
    assert judge(Trust(), replace(seen(), seen=False), 2e5, 9.0)[0] == Trust()


def test_credit_is_earned_back_by_what_is_delivered() -> None:
    """A quarter more than given is believed; at the whole rating the past is forgotten."""
    doubted = Trust(proven_w=100e3, failures=1)
    trust, verdict = judge(doubted, seen(-105e3), 1e5, 50.0)
    assert trust.proven_w == pytest.approx(131.25e3)
    assert verdict is Verdict.SAME
    trust, _ = judge(trust, seen(-50e3), 5e4, 51.0)
    assert trust.proven_w == pytest.approx(131.25e3), "giving less because less is needed"
    trust, verdict = judge(trust, seen(-1.93e6 / 1.25 + 1.0), 1e5, 52.0)
    assert (trust.failures, verdict) == (1, Verdict.SAME)
    trust, verdict = judge(trust, seen(-1.93e6 / 1.25), 1e5, 53.0)
    assert (trust, verdict) == (Trust(), Verdict.RECOVERED)


def test_a_second_failure_is_no_second_event() -> None:
    doubted = Trust(proven_w=100e3, short_since_s=40.0, failures=1)
    trust, verdict = judge(doubted, seen(-20e3), 2e5, 50.0)
    assert (trust.proven_w, trust.failures, verdict) == (20e3, 2, Verdict.SAME)


def test_energy_above_the_floor_must_last_a_quarter_of_an_hour() -> None:
    """C10: (0.25 - 0.2) of 3.85 MWh over 900 s is 770 kW; at and below the floor nothing."""
    assert held_w(seen(soc=0.25), LIMITS) == pytest.approx(0.05 * 3.85e6 * 4.0)
    assert held_w(seen(soc=0.2), LIMITS) == 0.0
    assert held_w(seen(soc=0.1), LIMITS) == 0.0
    both = trusted_w((seen(soc=0.25), seen()), (Trust(), Trust(proven_w=1e5)), LIMITS)
    assert both == pytest.approx([770e3, 1e5 + PROBE_W])


# Trim


def trim(
    before: Trim, mean_w: float, time_s: float, *, shed_w: float = 1e6, period_s: float = 1.0
) -> Trim:
    (after,) = next_trims(
        (before,),
        np.array([mean_w]),
        np.array([590e3]),
        np.array([shed_w]),
        LIMITS,
        time_s,
        period_s,
    )
    return after


def test_an_excess_is_taken_off_at_once_and_whole() -> None:
    after = trim(Trim(), 620e3, 10.0)
    assert after == Trim(trim_w=30e3, added_s=10.0, mean_w=620e3)


def test_a_rise_counts_until_the_devices_obey() -> None:
    """Over by 30 kW and rising by 4 kW a second: 30 + 4 * 2.5."""
    assert trim(Trim(mean_w=616e3), 620e3, 10.0).trim_w == pytest.approx(40e3)
    assert trim(Trim(mean_w=640e3), 620e3, 10.0).trim_w == pytest.approx(30e3)


def test_no_second_correction_before_devices_had_time_to_obey() -> None:
    first = trim(Trim(), 620e3, 10.0)
    waiting = trim(first, 620e3, 12.4)
    assert (waiting.trim_w, waiting.added_s) == (30e3, 10.0)
    again = trim(waiting, 620e3, 12.5)
    assert (again.trim_w, again.added_s) == (60e3, 12.5)


def test_no_more_is_taken_than_can_be_shed() -> None:
    assert trim(Trim(), 620e3, 10.0, shed_w=12e3).trim_w == 12e3
    assert trim(Trim(), 620e3, 10.0, shed_w=-1e3).trim_w == 0.0


def test_it_is_given_back_slowly_and_never_beyond_nothing() -> None:
    """A twentieth of the distance to the aim each second; the time of a look says how many."""
    given = trim(Trim(trim_w=50e3, added_s=0.0), 550e3, 100.0)
    assert given.trim_w == pytest.approx(50e3 - 0.05 * 40e3)
    assert given.added_s == 0.0
    assert trim(Trim(trim_w=50e3), 550e3, 100.0, period_s=0.0).trim_w == 50e3
    assert trim(Trim(trim_w=1e3), 550e3, 100.0).trim_w == 0.0


def test_close_to_the_aim_nothing_changes() -> None:
    """A deadband of 0.2 % of the limit, 1.2 kW, to both sides."""
    before = Trim(trim_w=50e3, added_s=0.0, mean_w=600e3)
    for mean_w in (588.9e3, 590e3, 591.1e3):
        assert trim(before, mean_w, 100.0) == Trim(trim_w=50e3, added_s=0.0, mean_w=mean_w)
    assert trim(before, 591.3e3, 100.0).trim_w == pytest.approx(51.3e3)


def test_without_a_reading_a_trim_stays() -> None:
    before = Trim(trim_w=50e3, added_s=0.0, mean_w=600e3)
    assert trim(before, math.nan, 100.0) == before
    assert trim(before, math.inf, 100.0) == before
