"""Where each key of a TOML file stands: the line numbers that the standard parser does not give.

The text has been parsed before, so that it is known to be valid; this only walks over it again and
counts. A place is the path of keys from the top, with positions in lists counted from 0:
``("breaker", 2, "rating_a")``.
"""

from collections.abc import Iterator

Place = tuple[str | int, ...]
_BARE_ENDS = "=.]#\n \t"
_VALUE_ENDS = ",]}#\n"


def line_numbers(text: str) -> dict[Place, int]:
    """Line, counted from 1, of every table, key and member of a list.

    Args:
        text: valid TOML 1.0.
    """
    return _Walk(text).run()


class _Walk:
    """One pass over the text."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._at = 0
        self._line = 1
        self._found: dict[Place, int] = {}
        self._counts: dict[Place, int] = {}

    def run(self) -> dict[Place, int]:
        table: Place = ()
        while self._skip():
            if self._text.startswith("[[", self._at):
                table = self._header(2)
            elif self._text[self._at] == "[":
                table = self._header(1)
            else:
                self._pair(table)
        return self._found

    def _header(self, brackets: int) -> Place:
        line = self._line
        self._move(brackets)
        keys = list(self._keys("]"))
        self._move(brackets)
        place: Place = ()
        for key in keys[:-1]:
            place = self._last(self._note((*place, key), line))
        place = self._note((*place, keys[-1]), line)
        if brackets == 2:
            count = self._counts.get(place, 0)
            self._counts[place] = count + 1
            place = self._note((*place, count), line)
        return place

    def _last(self, place: Place) -> Place:
        """A list of tables is entered at its last member."""
        return (*place, self._counts[place] - 1) if place in self._counts else place

    def _note(self, place: Place, line: int) -> Place:
        self._found.setdefault(place, line)
        return place

    def _pair(self, table: Place) -> None:
        line, place = self._line, table
        for key in self._keys("="):
            place = self._note((*place, key), line)
        self._move(1)
        self._value(place)

    def _keys(self, end: str) -> Iterator[str]:
        """Keys with dots between them, up to `end`."""
        while True:
            self._skip()
            character = self._text[self._at]
            if character == end:
                return
            if character == ".":
                self._move(1)
            elif character in "\"'":
                yield self._string()
            else:
                start = self._at
                while self._text[self._at] not in _BARE_ENDS:
                    self._at += 1
                yield self._text[start : self._at]

    def _value(self, place: Place) -> None:
        self._skip()
        character = self._text[self._at]
        if character == "[":
            self._list(place)
        elif character == "{":
            self._move(1)
            while self._skip() and self._text[self._at] != "}":
                if self._text[self._at] == ",":
                    self._move(1)
                else:
                    self._pair(place)
            self._move(1)
        elif character in "\"'":
            self._string()
        else:
            while self._at < len(self._text) and self._text[self._at] not in _VALUE_ENDS:
                self._at += 1

    def _list(self, place: Place) -> None:
        self._move(1)
        count = 0
        while self._skip() and self._text[self._at] != "]":
            if self._text[self._at] == ",":
                self._move(1)
            else:
                self._value(self._note((*place, count), self._line))
                count += 1
        self._move(1)

    def _string(self) -> str:
        """Passes over a string of any of the four forms."""
        quote = self._text[self._at]
        mark = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        start = self._at + len(mark)
        end = start
        while not self._text.startswith(mark, end):
            end += 2 if quote == '"' and self._text[end] == "\\" else 1
        while len(mark) == 3 and self._text[end + 3 : end + 4] == quote:
            end += 1  # up to two quotes may stand before the closing three
        self._move(end + len(mark) - self._at)
        return self._text[start:end]

    def _skip(self) -> bool:
        """To the next thing that is no space or comment; False at the end."""
        while self._at < len(self._text):
            character = self._text[self._at]
            if character == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            elif character in " \t\r\n":
                self._move(1)
            else:
                return True
        return False

    def _move(self, count: int) -> None:
        self._line += self._text.count("\n", self._at, self._at + count)
        self._at += count
