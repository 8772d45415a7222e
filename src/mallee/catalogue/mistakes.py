"""Says in the words of a file's author what the decoder found wrong with a value."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from mallee.core.errors import ConfigError
from mallee.site.entry import CLOCK_PATTERN, NAME_PATTERN
from mallee.site.problems import nearest

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
}


def explain(source: str, raw: Any, shape: Any, message: str) -> ConfigError:
    """The error for a message of msgspec.

    Args:
        source: name of the file.
        raw: what the file holds.
        shape: the type that it should have had.
        message: what msgspec said, such as "Expected `float` > 0.0 - at `$.grid.voltage_v`".
    """
    what, _, path = message.partition(" - at `$")
    where, value, hint = "", raw, shape
    for key in _keys(path.rstrip("`")):
        where, value, hint = _step(where, value, hint, key)
    return ConfigError(f"{source}: {where}" if where else source, *_in_words(what, value, hint))


def place_in_list(item: Any, position: int) -> str:
    """How a member of a list is called: by its name, or by its place counted from 0."""
    name = item.get("name") if isinstance(item, dict) else None
    return f".{name}" if name else f"[{position}]"


def _keys(path: str) -> Iterator[str | int]:
    for name, position in re.findall(r"\.([^.\[]+)|\[([^\]]*)\]", path):
        yield int(position) if position.isdigit() else name or position


def _step(where: str, value: Any, shape: Any, key: str | int) -> tuple[str, Any, Any]:
    """One level deeper: the place in words, the value there, and the type that it should have."""
    shapes = [shape, *get_args(shape)]
    if isinstance(key, int):
        item = value[key]
        inner = next((get_args(s)[0] for s in shapes if get_origin(s) is list), None)
        return f"{where}{place_in_list(item, key)}", item, inner
    tables = (s for s in shapes if isinstance(s, type) and issubclass(s, msgspec.Struct))
    hints = get_type_hints(next(tables, msgspec.Struct), include_extras=True)
    inner = value.get(key) if isinstance(value, dict) else value
    return f"{where}.{key}".lstrip("."), inner, hints.get(key)


def _in_words(what: str, value: Any, shape: Any) -> tuple[str, str]:
    """What is wrong, and what would be right."""
    missing = re.fullmatch(r"Object missing required field `(.*)`", what)
    if missing:
        return f"lacks {missing[1]!r}", ""
    if what.startswith("Invalid enum value"):
        return f"is {value!r}", nearest(str(value), _choices(shape))
    for pattern, words in _PATTERNS.items():
        if repr(pattern) in what:
            return f"is {value!r}", f"write {words}"
    bound = re.fullmatch(r"Expected `\w+` ([<>]=?) (\S+)", what)
    if bound:
        text = _BOUNDS[bound[1]].format(f"{float(bound[2]):g}")
        return f"is {value:g}", f"must be {text}"
    types = re.fullmatch(r"Expected `(.*)`, got `(.*)`", what)
    if types:
        wanted = " or ".join(_TYPES.get(name, name) for name in types[1].split(" | "))
        given = repr(value) if isinstance(value, str) else str(value).lower()
        given = _TYPES[types[2]] if isinstance(value, dict | list) else given
        return f"is {given}", f"must be {wanted}"
    return what, ""


def _choices(shape: Any) -> list[str]:
    if get_origin(shape) is Annotated:
        shape = get_args(shape)[0]
    return list(get_args(shape)) if get_origin(shape) is Literal else []
