"""The table of units: suffixes are unambiguous, and what people see is a symbol."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.core.units import SECONDS_PER_HOUR, UNITS
from tests.suffixes import unit_of


@pytest.mark.parametrize("suffix", UNITS)
def test_every_unit_is_a_suffix_with_a_meaning(suffix: str) -> None:
    unit = UNITS[suffix]
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", suffix)
    assert unit.meaning
    assert unit.symbol or suffix in ("frac", "count"), "only plain numbers have no symbol"
    is_price = suffix.startswith("usd")
    is_base = not re.search(r"\b[kMG](W|Wh|VA|V|A|Pa)\b", unit.symbol)
    assert is_base or is_price, "base units inside; prices as they are quoted"


@given(st.sampled_from(sorted(UNITS)), st.from_regex(r"[a-z]{2,8}", fullmatch=True))
def test_a_name_has_the_longest_unit_that_ends_it(suffix: str, word: str) -> None:
    assert unit_of(f"{word}_x_{suffix}") == suffix


def test_an_hour_has_its_seconds() -> None:
    assert SECONDS_PER_HOUR == 3600.0
