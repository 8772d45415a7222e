"""Everything that a file's data has wrong by its schema, in the words of the file's author.

msgspec stops at the first mistake and speaks of types; here every key is looked at by itself, so
that all mistakes are told at once, and what is right beside them can still be used.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from mallee.catalogue.toml_file import place_in_list
from mallee.site.entry import CLOCK_PATTERN, DATE_PATTERN, NAME_PATTERN
from mallee.site.problems import ANY, Problem, nearest

_TYPES = {
    "float": "a number",
    "int": "a whole number",
    "str": "a text in quotes",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
_BOUNDS = {">": "above {}", ">=": "{} or more", "<=": "{} or less", "<": "below {}"}
_PATTERNS = {
    NAME_PATTERN: "letters, digits, '.', '_' and '-', with at most one range such as {1..4}",
    CLOCK_PATTERN: 'a time of the day in quotes, such as "16:00"',
    DATE_PATTERN: 'a date in quotes, such as "2027-06-30"',
}
_LENGTHS = re.compile(r"Expected `(array|str)` of length (>=|<=|==) (\d+)")

LOST: Any = object()
"""Stands for what cannot be used; its table is given up unless it can do without."""


@dataclass(slots=True)
class Examined:
    """What a file says, as far as it can be used.

    Attributes:
        usable: the data without what is wrong; `LOST` where nothing is left.
        problems: all mistakes, in the order of the schema's walk.
        lost: names of the tables that had to be given up, so that nobody misses them besides;
            `ANY` among them where a name itself cannot be read.
    """

    usable: Any = LOST
    problems: list[Problem] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)


def examine(raw: Any, shape: Any) -> Examined:
    """All mistakes of a file's data, and what is left without them.

    A required number that is wrong becomes infinite: whatever is compared with it fits, and no
    second finding comes of it.

    Args:
        raw: what the file holds.
        shape: the msgspec type that it should have.
    """
    found = Examined()
    found.usable = _examine(raw, shape, "", found)
    return found


def _examine(raw: Any, shape: Any, where: str, found: Examined) -> Any:
    table = _table_of(shape)
    if isinstance(raw, dict) and table is not None:
        return _table(raw, table, where, found)
    member = _member_of(shape)
    if isinstance(raw, list) and member is not None:
        return _list(raw, shape, member, where, found)
    values = _values_of(shape)
    if isinstance(raw, dict) and values is not None:
        inner = {k: _examine(v, values, f"{where}.{k}".lstrip("."), found) for k, v in raw.items()}
        return {key: value for key, value in inner.items() if value is not LOST}
    return _leaf(raw, shape, where, found)


def _table(raw: dict[str, Any], table: type[msgspec.Struct], where: str, found: Examined) -> Any:
    hints = get_type_hints(table, include_extras=True)
    required = {one.name: one.required for one in msgspec.structs.fields(table)}
    usable: dict[str, Any] = {}
    for key, value in raw.items():
        at = f"{where}.{key}".lstrip(".")
        if key in required:
            usable[key] = _examine(value, hints[key], at, found)
        else:
            hint = nearest(key, required)
            found.problems.append(Problem(at, "unknown key", hint, rule="unknown-key"))
            found.lost.update(_named(value), get_close_matches(key, required, 1, 0.5))
    for name in (name for name, is_needed in required.items() if is_needed and name not in raw):
        # A key that is nearly there is told as unknown; that it lacks then is no news.
        if not any(nearest(key, [name]).startswith("did") for key in raw.keys() - required.keys()):
            found.problems.append(Problem(where, f"lacks {name!r}", rule="missing-key"))
        usable[name] = LOST
    for key in [key for key, value in usable.items() if value is LOST]:
        found.lost.add(key)
        usable[key] = _stand_in(hints[key]) if required[key] else LOST
    if any(usable[key] is LOST for key in usable if required[key]):
        named = isinstance(usable.get("name", ""), str)  # it can be read, or it has none
        found.lost.add(raw.get("name", where.rpartition(".")[2]) if named else ANY)
        return LOST
    return {key: value for key, value in usable.items() if value is not LOST}


def _named(value: Any) -> list[str]:
    """Names of the tables under a key that is misspelt."""
    tables = value if isinstance(value, list) else [value]
    names = [table.get("name") for table in tables if isinstance(table, dict)]
    return [name for name in names if isinstance(name, str)]


def _stand_in(shape: Any) -> Any:
    """What takes the place of a required value: a number that fits everything."""
    bare = get_args(shape)[0] if get_origin(shape) is Annotated else shape
    return math.inf if bare is float else LOST


def _list(raw: list[Any], shape: Any, member: Any, where: str, found: Examined) -> Any:
    usable = [
        _examine(item, member, where + place_in_list(item, position), found)
        for position, item in enumerate(raw)
    ]
    bounds = [one for one in (shape, *get_args(shape)) if get_origin(one) is Annotated]
    if bounds:  # how many there may be
        check: Any = Annotated[(list[Any], *get_args(bounds[0])[1:])]
        if _leaf(raw, check, where, found) is LOST:
            return LOST
    return [item for item in usable if item is not LOST]


def _leaf(raw: Any, shape: Any, where: str, found: Examined) -> Any:
    if isinstance(raw, float) and not math.isfinite(raw):
        hint = "must be a finite number"
        found.problems.append(Problem(where, f"is {raw}", hint, rule="out-of-range"))
        return LOST
    try:
        msgspec.convert(raw, shape)
    except msgspec.ValidationError as error:
        found.problems.append(_in_words(raw, shape, where, str(error)))
        return LOST
    return raw


def _shapes(shape: Any) -> Iterator[Any]:
    """A type and what it is made of: members of a union, what an annotation is about."""
    yield shape
    if get_origin(shape) not in (list, dict, Literal):
        for part in get_args(shape):
            yield from _shapes(part)


def _table_of(shape: Any) -> type[msgspec.Struct] | None:
    for part in _shapes(shape):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            return part
    return None


def _member_of(shape: Any) -> Any:
    return next((get_args(p)[0] for p in _shapes(shape) if get_origin(p) is list), None)


def _values_of(shape: Any) -> Any:
    return next((get_args(p)[1] for p in _shapes(shape) if get_origin(p) is dict), None)


def _in_words(value: Any, shape: Any, where: str, message: str) -> Problem:
    """What is wrong with one value, and what would be right."""
    what = message.partition(" - at `$")[0]
    if what.startswith("Invalid enum value"):
        choices = [word for part in _shapes(shape) for word in _choices(part)]
        return Problem(where, f"is {value!r}", nearest(str(value), choices), rule="wrong-value")
    for pattern, words in _PATTERNS.items():
        if repr(pattern) in what:
            return Problem(where, f"is {value!r}", f"write {words}", rule="wrong-value")
    bound = re.fullmatch(r"Expected `\w+` ([<>]=?) (\S+)", what)
    if bound:
        text = _BOUNDS[bound[1]].format(f"{float(bound[2]):g}")
        return Problem(where, f"is {value:g}", f"must be {text}", rule="out-of-range")
    length = _LENGTHS.fullmatch(what)
    if length:
        text = {">=": "at least ", "<=": "at most ", "==": ""}[length[2]] + length[3]
        return Problem(where, f"has {len(value)} members", f"give {text}", rule="out-of-range")
    types = re.fullmatch(r"Expected `(.*)`, got `(.*)`", what)
    if types:
        names = [name for name in types[1].split(" | ") if name != "null"]
        wanted = " or ".join(_TYPES.get(name, name) for name in names)
        given = repr(value) if isinstance(value, str) else str(value).lower()
        given = _TYPES[types[2]] if isinstance(value, dict | list) else given
        return Problem(where, f"is {given}", f"must be {wanted}", rule="wrong-type")
    return Problem(where, what, rule="wrong-value")


def _choices(shape: Any) -> list[str]:
    return [str(one) for one in get_args(shape)] if get_origin(shape) is Literal else []
