"""Parser for the Prometheus text format (0.0.4) and OpenMetrics 1.0, fast on repeated scrapes.

An exporter sends the same series every second with new values. The text before a value, the
*series key*, is parsed once and remembered with the slot its value goes to; after that a line
costs one dictionary look-up. Lines that cannot be remembered safely are parsed in full each time.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import nan
from typing import Final

from mallee.core.arrays import FloatArray
from mallee.core.errors import Malformed

NOT_WANTED: Final = -1
_NO_SAMPLE: Final = -2
_UNKNOWN: Final = (b"\n", NOT_WANTED)  # no line begins with a line feed
SERIES_MAX: Final = 100_000
"""Remembered keys; an exporter whose labels change all the time starts over beyond this."""

_BLANKS = " \t\r"
_ESCAPES = {"n": "\n", "\\": "\\", '"': '"'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One sample.

    Attributes:
        timestamp: as written: milliseconds in Prometheus text, seconds in OpenMetrics; NaN if none.
    """

    name: str
    labels: Mapping[str, str]
    value: float
    timestamp: float = nan


def parse_samples(body: bytes) -> Iterator[Sample]:
    """All samples of an exposition; comments and exemplars are left out.

    Raises:
        Malformed: not text, or a line that is no sample.
    """
    for line in body.split(b"\n"):
        text = "" if line.startswith(b"#") else _text_of(line)
        if text and not text.startswith("#"):
            name, labels, end = _parse_series(text)
            value, timestamp = _parse_value(text[end:], text)
            yield Sample(name=name, labels=labels, value=value, timestamp=timestamp)


class SeriesReader:
    """Reads the wanted series of one exporter into an array, again and again.

    Args:
        slot_of: from metric name and labels to the slot of its value, or `NOT_WANTED`.
    """

    def __init__(self, slot_of: Callable[[str, Mapping[str, str]], int]) -> None:
        self._slot_of = slot_of
        self._slots: dict[bytes, int] = {}
        # What each line of the last scrape began with, and its slot: most are the same again.
        self._lines: list[tuple[bytes, int]] = []

    def read(self, body: bytes, values: FloatArray) -> int:
        """Fill `values` from an exposition; slots that it does not mention keep what they hold.

        Returns:
            How many samples the exposition has, wanted or not.

        A line that is no sample is left out: one bad series must not cost the others.

        Raises:
            Malformed: not text.
        """
        lines = body.split(b"\n")
        if len(self._lines) != len(lines):
            self._lines = [_UNKNOWN] * len(lines)
        known, count = self._lines, 0
        for index, line in enumerate(lines):
            start, slot = known[index]
            if not start or not line.startswith(start):  # an empty start fits every line
                start, slot = known[index] = self._look_up(line)
            if slot == _NO_SAMPLE:
                continue
            count += 1
            if slot != NOT_WANTED:
                try:
                    values[slot] = float(line[len(start) :])
                except ValueError:  # a timestamp or an exemplar follows, or it is no number
                    _, slot = known[index] = self._look_up(line)
                    if slot >= 0:
                        values[slot] = self._value_of(line)
                    else:
                        count -= 1
        return count

    def _look_up(self, line: bytes) -> tuple[bytes, int]:
        """What a line begins with up to its value, and the slot of that series."""
        if line.startswith(b"#"):
            return b"#", _NO_SAMPLE
        key, found, rest = line.partition(b"} ")
        start = key + found
        slot = self._slots.get(start) if found else None
        if slot is not None:
            return start, slot
        text = _text_of(line)
        if not text or text.startswith("#"):
            return line, _NO_SAMPLE
        try:
            name, labels, end = _parse_series(text)
            _parse_value(text[end:], text)
        except Malformed:
            return _UNKNOWN[0], _NO_SAMPLE
        slot = self._slot_of(name, labels)
        if not found or text[end:].strip().encode() != rest.strip():
            # No labels, or the quick cut fell into one or into an exemplar: cut by the grammar.
            indent = len(line) - len(line.lstrip(_BLANKS.encode()))
            return line[: indent + len(text[:end].encode())], slot
        if len(self._slots) >= SERIES_MAX:
            self._slots.clear()
        self._slots[start] = slot
        return start, slot

    def _value_of(self, line: bytes) -> float:
        """The value of a line by the full grammar."""
        text = _text_of(line)
        return _parse_value(text[_parse_series(text)[2] :], text)[0]


def _text_of(line: bytes) -> str:
    try:
        return line.decode().strip(_BLANKS)
    except UnicodeDecodeError:
        raise Malformed("the exporter's answer is not text", line) from None


def _parse_series(text: str) -> tuple[str, dict[str, str], int]:
    """Name, labels and where the value begins."""
    end = 0
    while end < len(text) and (text[end].isalnum() or text[end] in "_:"):
        end += 1
    name = text[:end]
    if not name or name[0].isdigit():
        raise Malformed(f"no metric name in {text[:80]!r}", text.encode())
    while end < len(text) and text[end] in " \t":
        end += 1
    if end == len(text) or text[end] != "{":
        return name, {}, end
    labels, end = _parse_labels(text, end + 1)
    return name, labels, end


def _parse_labels(text: str, at: int) -> tuple[dict[str, str], int]:
    """Labels from behind the opening brace, and the position behind the closing one."""
    labels: dict[str, str] = {}
    while True:
        while at < len(text) and text[at] in " \t,":
            at += 1
        if at < len(text) and text[at] == "}":
            return labels, at + 1
        equals = text.find("=", at)
        name = text[at:equals].strip()
        quote = text.find('"', equals)
        if equals < 0 or quote < 0 or not name or text[equals + 1 : quote].strip():
            raise Malformed(f"labels do not end in {text[:80]!r}", text.encode())
        labels[name], at = _parse_quoted(text, quote + 1)


def _parse_quoted(text: str, at: int) -> tuple[str, int]:
    """A label value from behind its opening quote, and the position behind the closing one."""
    parts: list[str] = []
    while at < len(text):
        character = text[at]
        if character == '"':
            return "".join(parts), at + 1
        if character == "\\" and at + 1 < len(text):
            follower = text[at + 1]
            # An unknown escape stands for itself, backslash included.
            parts.append(_ESCAPES.get(follower, "\\" + follower))
            at += 2
        else:
            parts.append(character)
            at += 1
    raise Malformed(f"a label value does not end in {text[:80]!r}", text.encode())


def _parse_value(rest: str, text: str) -> tuple[float, float]:
    """Value and timestamp from what follows the series; an exemplar behind ``#`` is left out."""
    words = rest.partition("#")[0].split()
    if not 1 <= len(words) <= 2:
        raise Malformed(f"no value in {text[:80]!r}", text.encode())
    line = text.encode()
    timestamp = _number(words[1].encode(), line) if len(words) == 2 else nan
    return _number(words[0].encode(), line), timestamp


def _number(word: bytes, line: bytes) -> float:
    try:
        if b"_" not in word:  # Python allows 1_000, exporters do not
            return float(word)
    except ValueError:
        pass
    raise Malformed(f"{word[:40]!r} is no number in {line[:80]!r}", line)
