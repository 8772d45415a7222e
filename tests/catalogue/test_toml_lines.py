"""Line numbers of TOML files: every key that the parser finds has its line."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.catalogue.toml_file import TomlFile
from mallee.catalogue.toml_lines import Place, line_numbers

TRICKY = '''# a comment with [brackets] and = signs
a = 1 # and one behind
"quoted.key" = "a # that is none"
b.c.d = [1, 2, # in a list
  3,
  { x = "]", y = [
    "}", \'\'\'
lines = 1
\'\'\', 5 ] },
]
e = """
f = 1 \\"""
[not.a.table]
"""
g = 'C:\\'
h = "\\\\"
[table]
i = 2026-01-01T00:00:00Z
[table.inner]
j = inf
[[list]]
k = 1
[[list]]
k = 2
[list.sub]
l = true
[[list.deep]]
m = { n = { o = 1 } }
[[list.deep]]
m = 0x1F
'''


def places(raw: Any, place: Place = ()) -> list[Place]:
    """Every key and member of a document."""
    found = [place] if place else []
    items = (
        raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    )
    for key, value in items:
        found += places(value, (*place, key))
    return found


def test_a_file_full_of_traps() -> None:
    numbers = line_numbers(TRICKY)
    assert set(places(tomllib.loads(TRICKY))) <= set(numbers)
    assert numbers["a",] == 2
    assert numbers["quoted.key",] == 3
    assert numbers["b", "c", "d", 2] == 5
    assert numbers["b", "c", "d", 3, "y", 2] == 9
    assert numbers["g",] == 15
    assert numbers["h",] == 16
    assert numbers["table", "inner", "j"] == 20
    assert numbers["list", 1, "k"] == 24
    assert numbers["list", 1, "sub", "l"] == 26
    assert numbers["list", 1, "deep", 1, "m"] == 30
    assert ("not",) not in numbers


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_line_ends_do_not_matter(ending: str) -> None:
    text = TRICKY.replace("\n", ending)
    assert line_numbers(text)["list", 1, "deep", 1, "m"] == 30


@pytest.mark.parametrize(
    "path",
    [*sorted(Path("examples").rglob("*.toml")), *sorted(Path("src/mallee").rglob("*.toml"))],
    ids=lambda path: path.stem,
)
def test_files_of_the_house(path: Path, root: Path) -> None:
    text = (root / path).read_text(encoding="utf-8")
    numbers = line_numbers(text)
    rows = text.splitlines()
    for place in places(tomllib.loads(text)):
        key = next(part for part in reversed(place) if isinstance(part, str))
        assert 1 <= numbers[place] <= len(rows)
        if isinstance(place[-1], str):
            assert key in rows[numbers[place] - 1]


VALUES = st.recursive(
    st.integers(-9, 9) | st.booleans() | st.text("ab #=]}'", max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("xyz", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


def written(value: Any) -> str:
    """A value as TOML, lists over several lines."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value + '"'
    if isinstance(value, list):
        return "[\n" + "".join(f"{written(one)}, # next\n" for one in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {written(one)}" for key, one in value.items()) + " }"
    return str(value)


@given(st.lists(st.tuples(st.text("abc", min_size=1, max_size=3), VALUES), max_size=5))
@settings(deadline=None, max_examples=60)
def test_any_document(pairs: list[tuple[str, Any]]) -> None:
    rows: list[str] = []
    expected: dict[Place, int] = {}
    for key, value in dict(pairs).items():
        expected[key,] = sum(row.count("\n") + 1 for row in rows) + 1
        rows.append(f"{key} = {written(value)}")
    text = "\n".join(rows)
    raw = tomllib.loads(text)
    assert raw == dict(pairs)
    numbers = line_numbers(text)
    assert set(places(raw)) <= set(numbers)
    assert {place: numbers[place] for place in expected} == expected


def test_places_are_found_by_name_range_and_prefix(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('a = 1\n[[q]]\nname = "r{1..9}"\nw = 2\n[[q]]\nname = "s.t"\nw = 3\n')
    file = TomlFile(path)
    assert file.line("a") == 1
    assert file.line("q.r{1..9}.w") == 4
    assert file.line("q.r7.w") == 4  # a member of the range
    assert file.line("q.s.t.w") == 7  # a name with a dot
    assert file.line("q.s.t.missing") == 5  # the table, where the key is not there
    assert file.line("q[0]") == 2  # the list
    assert file.line("nothing.at.all") == 0
    assert file.line("") == 0
