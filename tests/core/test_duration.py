"""Lengths of time as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.core.duration import parse_duration
from mallee.core.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1.5h", 5400), ("7d", 604800), ("1h30m", 5400), ("1w", 604800)],
)
def test_lengths_of_time(text: str, seconds: float) -> None:
    assert parse_duration(text, "--last") == seconds


@pytest.mark.parametrize("text", ["", "10", "10x", "m", "-5m", "5 m", "10m!", "0s", "10min", "nan"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(ConfigError, match="such as 90s, 10m"):
        parse_duration(text, "--last")


PARTS = st.lists(st.tuples(st.integers(0, 999), st.sampled_from("smhdw")), min_size=1, max_size=4)
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@given(PARTS)
def test_parts_add_up(parts: list[tuple[int, str]]) -> None:
    text = "".join(f"{number}{unit}" for number, unit in parts)
    seconds = sum(number * SECONDS[unit] for number, unit in parts)
    if seconds == 0:
        with pytest.raises(ConfigError, match="no time at all"):
            parse_duration(text, "--for")
    else:
        assert parse_duration(text, "--for") == seconds


@given(st.text(max_size=12))
def test_any_text_is_a_length_or_one_clear_error(text: str) -> None:
    try:
        assert parse_duration(text, "--for") > 0.0
    except ConfigError as error:
        assert error.where == "--for"
        assert repr(text) in error.what
        assert error.hint
