"""What a person, a scheduler or the grid asks for: a leased, reasoned bound."""

import math
from collections.abc import Iterable
from typing import Literal

import msgspec

GRID = "grid"
"""Subject of a bound on the site's import: the grid connection."""

SITE = "*"
"""Subject of what is asked of the whole site."""
TENANT = "tenant:"
"""Before a tenant's name: everything of theirs."""

Origin = Literal["person", "scheduler", "grid"]

Ask = Literal["bound", "sum", "hold", "safe-stop", "island", "maintenance"]
"""What is asked:

    bound        a point or a branch stays within low and high
    sum          all loads of a place together draw no more than high
    hold         nothing there is raised, plans rest; limits still lower what they must
    safe-stop    loads there go down to their lowest, no faster than the contract's ramp
    island       nothing is drawn from the grid
    maintenance  nothing there is written to or counted on
"""
BOUNDS: tuple[Ask, ...] = ("bound", "sum")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A bound that somebody asks control to keep for a while; it can only narrow.

    Attributes:
        id: unique among the requests of a site.
        origin: what kind of somebody asks.
        actor: who: a user, a scheduler's name, a grid operator's.
        reason: why, in their words.
        ask: what is asked.
        subject: of a bound the path of a settable point, in which ``*`` and ``?`` stand for any
            letters (``pod1/r1/*/cap_w``), or a branch, ``grid`` for the connection. Of the rest a
            place: ``pod1``, ``pod1/r1``, a device, ``*`` for the site, ``tenant:NAME``.
        low, high: the bound, in the point's unit, W at a branch and of a sum; infinite where there
            is none.
        from_s, until_s: monotonic times of its lease, the end not included.

    Raises:
        ValueError: the bound or the lease is empty, or it says nothing.
    """

    id: str
    origin: Origin
    actor: str
    reason: str
    ask: Ask = "bound"
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
        if self.ask in BOUNDS and math.isinf(self.low) and math.isinf(self.high):
            raise ValueError(f"request {self.id} bounds nothing: give low or high")
        if not (self.from_s < self.until_s < math.inf):
            raise ValueError(f"request {self.id}: a lease ends after it begins, at a known time")

    @property
    def what(self) -> str:
        """What is asked, as people read it."""
        if self.ask not in BOUNDS:
            where = "the site" if self.subject == SITE else self.subject
            return f"{self.ask} of {where}"
        bounds = [f"at least {self.low:g}"] if math.isfinite(self.low) else []
        bounds += [f"at most {self.high:g}"] if math.isfinite(self.high) else []
        said = f"{self.low:g}" if self.low == self.high else " and ".join(bounds)
        return f"{self.subject} {said}" + (" W together" if self.ask == "sum" else "")

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
