"""A TOML file as data, and where in it each thing stands."""

import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any

from mallee.catalogue.toml_lines import Place, line_numbers
from mallee.core.errors import ConfigError

_RANGE = re.compile(r"\\\{\d+\\\.\\\.\d+\\\}")


class TomlFile:
    """A file that could be read.

    Attributes:
        path: where it is.
        raw: what it holds.

    Raises:
        ConfigError: it cannot be read, is not UTF-8, or is not TOML; says the line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = _read_text(path)
        try:
            self.raw: dict[str, Any] = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(str(path), f"is not valid TOML: {error}") from None

    def line(self, where: str) -> int:
        """Line of a key, counted from 1; that of its table where it is not there; 0 for none.

        Args:
            where: such as ``breaker.q-pod.rating_a``. Members of lists are called by their name or
                as ``[0]``; of a name with a range any member will do.
        """
        while where:
            found = self._lines.get(where) or self._line_of_member(where)
            if found:
                return found
            where = where[: max(where.rfind("."), where.rfind("["), 0)]
        return 0

    def _line_of_member(self, where: str) -> int:
        return next((line for pattern, line in self._ranges if pattern.fullmatch(where)), 0)

    @cached_property
    def _lines(self) -> dict[str, int]:
        numbers = line_numbers(self._text)
        found: dict[str, int] = {}

        def walk(value: Any, place: Place, where: str) -> None:
            if where:
                found.setdefault(where, numbers.get(place, 0))
            if isinstance(value, dict):
                for key, inner in value.items():
                    walk(inner, (*place, key), f"{where}.{key}".lstrip("."))
            elif isinstance(value, list):
                for position, inner in enumerate(value):
                    walk(inner, (*place, position), where + place_in_list(inner, position))

        walk(self.raw, (), "")
        return found

    @cached_property
    def _ranges(self) -> list[tuple[re.Pattern[str], int]]:
        """Places whose names hold a range, as patterns of what the range makes."""
        return [
            (re.compile(_RANGE.sub(r"\\d+", re.escape(where))), line)
            for where, line in self._lines.items()
            if "{" in where
        ]


def place_in_list(item: Any, position: int) -> str:
    """How a member of a list is called: by its name, or by its place counted from 0."""
    name = item.get("name") if isinstance(item, dict) else None
    return f".{name}" if name else f"[{position}]"


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from None
    try:
        return content.decode("utf-8-sig")  # some editors put a mark at the start
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        hint = "save the file as UTF-8"
        raise ConfigError(f"{path}: line {line}", "is not UTF-8 text", hint) from None
