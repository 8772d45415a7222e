"""Names by count and addresses by template."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.core.patterns import expand_range, fill_template


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("cdu1", ["cdu1"]),
        ("r{1..3}", ["r1", "r2", "r3"]),
        ("r{08..11}x", ["r08x", "r09x", "r10x", "r11x"]),
        ("{0..0}", ["0"]),
        ("r{9..10}", ["r9", "r10"]),
    ],
)
def test_ranges(pattern: str, names: list[str]) -> None:
    assert expand_range(pattern) == names


@given(first=st.integers(0, 500), count=st.integers(1, 50), zero=st.booleans())
def test_a_range_gives_every_name_once(first: int, count: int, zero: bool) -> None:
    start = f"{first:04d}" if zero else str(first)
    names = expand_range(f"a{{{start}..{first + count - 1}}}b")
    assert len(set(names)) == len(names) == count
    assert [int(name[1:-1]) for name in names] == list(range(first, first + count))
    assert all(len(name) == 6 for name in names) or not (zero and first)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [("r{3..1}", "runs backwards"), ("r{1..2}n{1..2}", "2 ranges, at most one")],
)
def test_wrong_ranges(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        expand_range(pattern)


def test_templates_count() -> None:
    numbers = {"n": 3, "rack": 12}
    assert fill_template("10.1.{rack}.{n+10}:443", numbers) == "10.1.12.13:443"
    assert fill_template("{n-3}", numbers) == "0"
    assert fill_template("[fd00::{rack}:{n}]:502", numbers) == "[fd00::12:3]:502"


def test_a_template_that_names_no_number() -> None:
    with pytest.raises(ValueError, match=r"\{slot\} in 'x\{slot\}' is unknown; known here: \{n\}"):
        fill_template("x{slot}", {"n": 1})
