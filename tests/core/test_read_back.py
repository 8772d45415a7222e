"""Read back or it did not happen: when readings prove an order, when it is lost."""

import math

import pytest

from mallee.core.read_back import GRACE_MIN_S, GRACE_POLLS, Order, ReadBack, tolerance_of
from mallee.core.snapshot import Progress

ROW = 7


def order(value: float = 500e3, *, point: str = "limit_w", **changes: float) -> Order:
    given = {"lease_s": 30.0, "time_s": 100.0, "number": 1, **changes}
    return Order(row=ROW, point=point, value=value, **given)  # type: ignore[arg-type]


def sent(poll_s: float = 1.0, one: Order | None = None, sent_s: float = 100.0) -> ReadBack:
    watched = ReadBack(poll_s)
    watched.expect(one or order(), sent_s)
    return watched


def progress(watched: ReadBack, value: float, time_s: float) -> list[Progress]:
    return [verdict.progress for verdict in watched.check({ROW: value}, time_s)]


def test_a_reading_within_one_per_cent_proves_it_once() -> None:
    watched = sent()
    assert progress(watched, 494.9e3, 101.0) == []
    (verdict,) = watched.check({ROW: 495.1e3}, 102.0)
    assert (verdict.progress, verdict.reading) == (Progress.DONE, 495.1e3)
    assert progress(watched, 500e3, 103.0) == [], "no news"


def test_a_reading_of_before_proves_nothing() -> None:
    assert progress(sent(), 500e3, 99.9) == []
    assert progress(sent(), 500e3, 100.0) == [Progress.DONE]


@pytest.mark.parametrize("poll_s", [0.1, 1.0, 5.0])
def test_it_is_lost_after_three_polls_and_three_seconds(poll_s: float) -> None:
    grace_s = max(GRACE_POLLS * poll_s, GRACE_MIN_S)
    watched = sent(poll_s)
    assert progress(watched, 0.0, 100.0 + grace_s) == []
    assert progress(watched, 0.0, 100.0 + grace_s + 0.01) == [Progress.LOST]
    assert progress(watched, 0.0, 100.0 + 2 * grace_s) == [], "told once"


def test_what_was_lost_may_be_done_later_and_lost_again() -> None:
    watched = sent()
    assert progress(watched, 0.0, 104.0) == [Progress.LOST]
    assert progress(watched, 500e3, 105.0) == [Progress.DONE]
    assert progress(watched, 0.0, 107.0) == [], "its grace begins when it was last seen"
    assert progress(watched, 0.0, 108.1) == [Progress.LOST]


def test_nothing_read_is_not_the_value() -> None:
    watched = sent()
    assert watched.check({}, 102.0) == []
    (verdict,) = watched.check({}, 104.0)
    assert verdict.progress is Progress.LOST
    assert math.isnan(verdict.reading)


def test_asking_again_in_vain_does_not_start_its_time_anew() -> None:
    watched = sent()
    watched.expect(order(number=2, time_s=102.0), 102.0)
    assert progress(watched, 0.0, 103.1) == [Progress.LOST]
    other = sent()
    other.expect(order(400e3, number=2, time_s=102.0), 102.0)
    assert progress(other, 0.0, 103.1) == [], "another value has its own time"
    done = sent()
    assert progress(done, 500e3, 101.0) == [Progress.DONE]
    done.expect(order(number=2, time_s=102.0), 102.0)
    assert progress(done, 0.0, 103.1) == [], "so has a renewal of one that was followed"


def test_after_its_lease_nothing_is_expected() -> None:
    watched = sent()
    assert watched.rows == [ROW]
    assert progress(watched, 0.0, 130.0) == []
    assert watched.rows == []
    standing = sent(one=order(lease_s=0.0))
    assert progress(standing, 0.0, 1e6) == [Progress.LOST]
    standing.forget(ROW)
    standing.forget(ROW)
    assert standing.rows == []


def test_the_rest_of_a_lease() -> None:
    one = order()
    assert one.left_s(110.0) == 20.0
    assert one.left_s(130.0) < 0.0
    assert one.left_s(500.0) < 0.0
    assert order(lease_s=0.0).left_s(1e9) == 0.0


@pytest.mark.parametrize(
    ("point", "value", "expected"),
    [("limit_w", 500e3, 5e3), ("limit_w", -500e3, 5e3), ("mode", 2.0, 0.01),
     ("heartbeat_count", 5000.0, 0.01)],
)  # fmt: skip
def test_numbers_with_a_unit_have_a_tolerance_and_others_must_agree(
    point: str, value: float, expected: float
) -> None:
    assert tolerance_of(point, value) == pytest.approx(expected)


def test_a_small_value_is_proved_by_what_registers_resolve() -> None:
    assert tolerance_of("limit_w", 0.0) > 0.0
    assert tolerance_of("limit_w", 500e3, 0.2) == pytest.approx(100e3)
