"""Requests: a bound with a lease, an actor and a reason, or an error that says what is missing."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.core.request import Request, Requests, in_force

GOOD: dict[str, Any] = {
    "id": "r1",
    "origin": "person",
    "actor": "anna",
    "reason": "works at the transformer",
    "subject": "grid",
    "high": 300e3,
    "from_s": 10.0,
    "until_s": 20.0,
}


@given(st.floats(-1e6, 1e6), st.floats(0.01, 1e6), st.floats(-2e6, 2e6))
def test_a_request_holds_from_its_begin_until_before_its_end(
    from_s: float, long_s: float, time_s: float
) -> None:
    request = Request(**{**GOOD, "from_s": from_s, "until_s": from_s + long_s})
    assert request.is_in_force(time_s) == (from_s <= time_s < from_s + long_s)
    assert in_force([request], time_s) == [request] * request.is_in_force(time_s)
    assert request.is_in_force(from_s)
    assert not request.is_in_force(from_s + long_s)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"actor": " "}, "needs its actor"),
        ({"reason": ""}, "needs its reason"),
        ({"id": ""}, "needs its id"),
        ({"subject": ""}, "needs its subject"),
        ({"low": 4e5}, "low 400000.0 is above high 300000.0"),
        ({"high": math.nan}, "is above high"),
        ({"high": math.inf}, "bounds nothing"),
        ({"until_s": 10.0}, "ends after it begins"),
        ({"until_s": math.inf}, "at a known time"),
        ({"from_s": math.nan}, "ends after it begins"),
    ],
)
def test_an_empty_or_endless_request_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Request(**{**GOOD, **change})


def test_what_comes_from_outside_is_checked_the_same() -> None:
    requests = Requests(generation=3, requests=(Request(**GOOD),))
    message = msgspec.msgpack.encode(requests)
    assert msgspec.msgpack.decode(message, type=Requests) == requests
    with pytest.raises(msgspec.ValidationError, match="bounds nothing"):
        msgspec.json.decode(
            msgspec.json.encode({k: v for k, v in GOOD.items() if k != "high"}), type=Request
        )
    with pytest.raises(msgspec.ValidationError, match="origin"):
        msgspec.json.decode(msgspec.json.encode({**GOOD, "origin": "god"}), type=Request)
