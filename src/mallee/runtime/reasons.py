"""Why commands were given and by whom: kept once, referred to by number from any command."""

import msgspec

from mallee.runtime.event_ring import MessageRing

TEXT_MAX = 220
"""Characters of a reason that are kept; with 4 bytes each it still fits a slot."""


class Reason(msgspec.Struct, frozen=True):
    """Why, and by whom; both empty where nobody said, or too long ago."""

    actor: str
    text: str


UNKNOWN = Reason("", "")


class Reasons:
    """The reasons on a board.

    Args:
        ring: where they stand, written by control alone.
        kept: how many the ring holds.
    """

    def __init__(self, ring: MessageRing, kept: int) -> None:
        self._ring, self._kept = ring, kept
        self._numbers: dict[Reason, int] = {}
        self._decoder = msgspec.msgpack.Decoder(Reason)

    def put(self, actor: str, text: str) -> int:
        """Number of a reason; one that was given lately keeps its number."""
        reason = Reason(actor[:40], text[:TEXT_MAX])
        if reason in self._numbers:
            return self._numbers[reason]
        number = self._ring.put(msgspec.msgpack.encode(reason))
        old = number - self._kept // 2
        self._numbers = {one: n for one, n in self._numbers.items() if n > old}
        self._numbers[reason] = number
        return number

    def get(self, number: int) -> Reason:
        """The reason of a number; `UNKNOWN` for 0 and for what was overwritten."""
        message = self._ring.message(number) if number > 0 else None
        return UNKNOWN if message is None else self._decoder.decode(message)
