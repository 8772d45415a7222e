"""The "why" line as people can read it: it holds its sentence until the state changes in kind.

Control says ten times a second what binds at that moment; under a load that swings, that is the
ramp upwards, the ramp downwards and nothing, in turn. What a page shows is what has been the
matter for a while; the figures in its sentence are renewed once a minute.
"""

from typing import Final

import msgspec

from mallee.core.status import ControlStatus, Mode

APPEARS_S: Final = 3.0
"""Another limit must bind this long to be told."""
GOES_S: Final = 30.0
"""A limit that has not bound for so long is over."""
RENEWED_S: Final = 60.0
_DIRECTIONS: Final = (" up", " down")


class WhyLine(msgspec.Struct, frozen=True, kw_only=True):
    """What binds and who acts on it.

    Attributes:
        binding: the limit, such as ``ramp``, ``import limit``, ``none``.
        text: one sentence with the numbers of the moment `told_utc_s`.
        since_utc_s: since when this limit binds.
    """

    mode: Mode
    binding: str
    acting: str
    text: str
    since_utc_s: float
    told_utc_s: float


class HeldWhy:
    """Holds the line; fed once a second."""

    def __init__(self) -> None:
        self.line: WhyLine | None = None
        self._seen_s = 0.0
        self._other = ""
        self._other_since_s = 0.0

    def update(self, status: ControlStatus, time_utc_s: float) -> WhyLine:
        """The line to show now."""
        line, binding = self.line, _kind(status.binding)
        if line is None or status.mode != line.mode:
            return self._tell(status, time_utc_s, time_utc_s)
        if binding == line.binding:
            self._seen_s, self._other = time_utc_s, ""
            if time_utc_s - line.told_utc_s >= RENEWED_S:
                return self._tell(status, time_utc_s, line.since_utc_s)
            return line
        if binding != self._other:
            self._other, self._other_since_s = binding, time_utc_s
        lasts_s = time_utc_s - self._other_since_s
        is_over = time_utc_s - self._seen_s >= GOES_S
        if is_over or (binding != "none" and lasts_s >= APPEARS_S):
            return self._tell(status, time_utc_s, self._other_since_s)
        return line

    def _tell(self, status: ControlStatus, time_utc_s: float, since_utc_s: float) -> WhyLine:
        self.line = WhyLine(
            mode=status.mode,
            binding=_kind(status.binding),
            acting=status.acting,
            text=status.text,
            since_utc_s=since_utc_s,
            told_utc_s=time_utc_s,
        )
        self._seen_s, self._other = time_utc_s, ""
        return self.line


def _kind(binding: str) -> str:
    """The limit without its direction: a swing meets it from both sides."""
    for direction in _DIRECTIONS:
        binding = binding.removesuffix(direction)
    return binding
