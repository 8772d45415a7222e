"""Lengths of time as people write them."""

import pytest

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
