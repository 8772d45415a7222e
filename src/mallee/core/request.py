"""What a person, a scheduler or the grid asks for: a leased, reasoned bound."""

import math
from collections.abc import Iterable
from typing import Literal

import msgspec

GRID = "grid"
"""Subject of a bound on the site's import: the grid connection."""

Origin = Literal["person", "scheduler", "grid"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A bound that somebody asks control to keep for a while; it can only narrow.

    Attributes:
        id: unique among the requests of a site.
        origin: what kind of somebody asks.
        actor: who: a user, a scheduler's name, a grid operator's.
        reason: why, in their words.
        subject: path of a settable point, in which ``*`` and ``?`` stand for any letters
            (``pod1/r1/*/cap_w``), or a branch, ``grid`` for the connection.
        low, high: the bound, in the point's unit, W at a branch; infinite where there is none.
        from_s, until_s: monotonic times of its lease, the end not included.

    Raises:
        ValueError: the bound or the lease is empty, or it says nothing.
    """

    id: str
    origin: Origin
    actor: str
    reason: str
    subject: str
    low: float = -math.inf
    high: float = math.inf
    from_s: float
    until_s: float

    def __post_init__(self) -> None:
        for name in ("id", "actor", "reason", "subject"):
            if not getattr(self, name).strip():
                raise ValueError(f"a request needs its {name}")
        if not self.low <= self.high:
            raise ValueError(f"request {self.id}: low {self.low} is above high {self.high}")
        if math.isinf(self.low) and math.isinf(self.high):
            raise ValueError(f"request {self.id} bounds nothing: give low or high")
        if not (self.from_s < self.until_s < math.inf):
            raise ValueError(f"request {self.id}: a lease ends after it begins, at a known time")

    def is_in_force(self, time_s: float) -> bool:
        """Whether its lease runs at an instant."""
        return self.from_s <= time_s < self.until_s


class Requests(msgspec.Struct, frozen=True, kw_only=True):
    """All requests of a site; `generation` counts up with every change of them."""

    generation: int = 0
    requests: tuple[Request, ...] = ()


def in_force(requests: Iterable[Request], time_s: float) -> list[Request]:
    """Requests whose lease runs, in the order given."""
    return [request for request in requests if request.is_in_force(time_s)]
