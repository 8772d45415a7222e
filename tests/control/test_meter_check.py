"""When a meter is believed: numbers of the rule, worked out by hand."""

import math

import pytest
from msgspec.structs import replace

from mallee.control.meter_check import MeterCheck, next_check

KNOWN_W, OTHER_MAX_W, CONTRACT_W = 400e3, 100e3, 600e3
FLOOR_W = 0.03 * CONTRACT_W
FINE_W = 0.06 * KNOWN_W
GROSS_W = 0.25 * KNOWN_W


def compare(
    before: MeterCheck,
    beside_w: float,
    times: int = 1,
    *,
    known_w: float = KNOWN_W,
    moves: bool = True,
    start_s: float = 0.0,
) -> MeterCheck:
    """Compare every second while so much flows beside the devices."""
    for second in range(times):
        flow_w = known_w + beside_w
        before = next_check(
            before,
            flow_w=flow_w,
            reading_w=flow_w + (second if moves else 0),
            known_w=known_w,
            other_max_w=OTHER_MAX_W,
            contracted_w=CONTRACT_W,
            time_s=start_s + second,
            period_s=1.0,
        )
    return before


def test_what_may_flow_beside_the_devices_is_no_lie_however_long() -> None:
    for beside_w in (0.0, 30e3, OTHER_MAX_W):
        check = compare(MeterCheck(), beside_w, 200)
        assert (check.distrusted, check.unknown_w) == ("", 0.0)


def test_a_gross_lie_shows_in_four_comparisons_of_one_sign() -> None:
    sound = compare(MeterCheck(), 30e3, 60)
    below_w = 0.3 * 30e3 - GROSS_W - 1e3  # as learned: no less than 0.3 of it
    third = compare(sound, below_w, 3)
    assert (third.gross, third.distrusted) == (-3, "")
    fourth = compare(third, below_w)
    assert fourth.gross == -4
    assert fourth.distrusted == "devices draw 101 kW more than it shows"
    spared = compare(compare(third, 30e3), below_w, 3)
    assert spared.gross == -3, "one that agrees starts the count again"
    assert spared.distrusted == ""
    above = compare(sound, 2.0 * CONTRACT_W + OTHER_MAX_W + 1e3, 3)
    assert above.gross == 3
    assert compare(above, below_w).gross == -1, "and so does one of the other sign"


def test_a_difference_just_inside_gross_is_left_to_the_mean() -> None:
    sound = compare(MeterCheck(), 30e3, 60)
    inside_w = 0.3 * 30e3 - GROSS_W + 1e3
    assert compare(sound, inside_w, 4).gross == 0


def test_twice_the_contract_cannot_flow() -> None:
    sound = compare(MeterCheck(), 30e3, 60)
    absurd_w = 2.0 * CONTRACT_W + OTHER_MAX_W
    assert compare(sound, absurd_w - 1e3, 8).distrusted == ""
    told = compare(sound, absurd_w + 1e3, 4).distrusted
    assert told == "1201 kW at it are not explained by any device"


def test_a_small_lie_shows_in_the_mean_over_twenty_seconds() -> None:
    """Mean of the difference after n seconds: goal + (start - goal) (1 - 1/20)^n."""
    sound = compare(MeterCheck(), 30e3, 60)
    assert sound.mean_w == pytest.approx(30e3)
    assert sound.base_w == pytest.approx(30e3)
    lied_w = 30e3 - 60e3
    wanted_w = 0.3 * 30e3 - FINE_W
    seconds = math.ceil(math.log((wanted_w - lied_w) / (30e3 - lied_w)) / math.log(0.95))
    early = compare(sound, lied_w, seconds - 3)
    assert early.distrusted == ""
    late = compare(sound, lied_w, seconds + 3)
    assert "more than it shows" in late.distrusted
    assert late.base_w == pytest.approx(early.base_w, rel=0.1), "a lie is not learned"


def test_trust_comes_back_later_than_it_goes() -> None:
    """Half of the band: a meter on the edge does not make events by the second."""
    sound = compare(MeterCheck(), 30e3, 60)
    edge = replace(sound, distrusted="before", mean_w=9e3 - 0.7 * FINE_W)
    assert compare(edge, 9e3 - 0.7 * FINE_W).distrusted
    assert not compare(replace(edge, distrusted=""), 9e3 - 0.7 * FINE_W).distrusted


def test_young_means_are_not_judged() -> None:
    """Nineteen comparisons say nothing, unless they are gross."""
    low_w = -1.5 * FINE_W
    assert compare(MeterCheck(), low_w, 19).distrusted == ""
    assert compare(MeterCheck(), low_w, 20).distrusted != ""


def test_the_first_comparisons_count_alike() -> None:
    check = compare(compare(MeterCheck(), 10e3), 30e3)
    assert check.mean_w == pytest.approx(20e3)
    assert math.isnan(check.base_w)


def test_a_load_that_nobody_told_of_is_believed_and_told() -> None:
    told = sound = compare(MeterCheck(), 30e3, 60)
    for seconds in range(1, 60):
        told = compare(sound, OTHER_MAX_W + 1.5 * GROSS_W, seconds)
        assert told.distrusted == ""
        mean_w = 250e3 + (30e3 - 250e3) * 0.95**seconds
        beyond_w = mean_w - OTHER_MAX_W
        assert told.unknown_w == pytest.approx(beyond_w if beyond_w > GROSS_W else 0.0, rel=1e-6)
    assert told.unknown_w > 0.0


def test_a_reading_that_stands_while_the_devices_move_is_stuck() -> None:
    sound = compare(MeterCheck(), 30e3, 60)

    def look(before: MeterCheck, known_w: float, time_s: float) -> MeterCheck:
        return next_check(
            before,
            flow_w=430e3,
            reading_w=430e3,
            known_w=known_w,
            other_max_w=OTHER_MAX_W,
            contracted_w=CONTRACT_W,
            time_s=time_s,
            period_s=1.0,
        )

    moved_w = 0.02 * CONTRACT_W
    stood = look(sound, 400e3, 100.0)
    assert look(stood, 400e3 + moved_w + 1.0, 107.9).distrusted == ""
    assert look(stood, 400e3 + moved_w - 1.0, 108.0).distrusted == ""
    assert look(stood, 400e3, 1000.0).distrusted == "", "still devices, still meter"
    found = look(stood, 400e3 - moved_w - 1.0, 108.0)
    assert found.distrusted == "its reading has stood at 430.0 kW for 8 s"


def test_below_a_floor_nothing_is_judged() -> None:
    """At 3 % of the contract small loads are known badly: the fine band is no narrower."""
    almost_w = -FLOOR_W + 500.0
    assert compare(MeterCheck(), almost_w, 100, known_w=20e3).distrusted == ""
    assert compare(MeterCheck(), almost_w - 2e3, 100, known_w=20e3).distrusted != ""


def test_an_absurd_reading_is_forgotten_soon() -> None:
    """One sample of 381 times: the mean keeps at most the upper end of what may be."""
    sound = compare(MeterCheck(), 30e3, 60)
    after = compare(compare(sound, 380 * KNOWN_W), 30e3, 5)
    assert after.distrusted == ""
    assert after.mean_w < 30e3 + (OTHER_MAX_W - 30e3) / 20.0
