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


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("r{1..100001}", "makes more than 100000 names"),
        ("r{1}", "hold no range such as"),
        ("r{a..b}", "hold no range such as"),
        ("r{1..2", "hold no range such as"),
        ("r}{", "hold no range such as"),
        ("r{1..2}{", "hold no range such as"),
    ],
)
def test_braces_that_are_no_range(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        expand_range(pattern)


@given(st.text(max_size=30))
def test_any_text_is_names_or_an_error(pattern: str) -> None:
    try:
        names = expand_range(pattern)
    except ValueError as error:
        assert "{" in pattern or "}" in pattern
        assert repr(pattern) in str(error)
    else:
        assert len(set(names)) == len(names) >= 1
        assert names == [pattern] or ".." in pattern


NUMBERS = st.dictionaries(
    st.from_regex(r"[a-z_]{1,6}", fullmatch=True), st.integers(0, 999), min_size=1, max_size=4
)


@given(NUMBERS, st.integers(0, 99), st.data())
def test_a_template_counts_from_each_number(
    numbers: dict[str, int], shift: int, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(numbers)))
    assert fill_template(f"a{{{name}}}b", numbers) == f"a{numbers[name]}b"
    assert fill_template(f"{{{name}+{shift}}}", numbers) == str(numbers[name] + shift)
    assert fill_template(f"{{{name}-{shift}}}", numbers) == str(numbers[name] - shift)


@given(st.text(alphabet="abc.:-[]0123456789", max_size=30), NUMBERS)
def test_text_without_braces_stays_as_it_is(text: str, numbers: dict[str, int]) -> None:
    assert fill_template(text, numbers) == text
