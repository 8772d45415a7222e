"""Applies a fault plan to a running twin, at the starts of blocks."""

from mallee.site.model import SiteModel
from mallee.twin.faults.kind import FaultKind, Occurrence, Parts
from mallee.twin.faults.plan import FaultPlan


class FaultInjector:
    """Starts and ends faults as time passes.

    Where two faults of a family hold the same target, the end of one leaves the other in force.

    Args:
        plan: what goes wrong.
        site: whose targets it names.

    Attributes:
        events: what has started or ended so far: time in ms, target, what.

    Raises:
        ConfigError: the plan does not fit the site; nothing was run then.
    """

    def __init__(self, plan: FaultPlan, site: SiteModel) -> None:
        pairs = plan.resolve(site)
        self._ahead = [pair for pair in pairs if pair[0].ahead]
        self._coming = [pair for pair in pairs if not pair[0].ahead]
        self._active: list[tuple[FaultKind, Occurrence]] = []
        self._next = 0
        self._prepared = False
        self.events: list[tuple[int, str, str]] = []

    def apply(self, parts: Parts, time_ms: int) -> None:
        """Bring the parts up to what the plan says of `time_ms`; to be called as time goes on."""
        if not self._prepared:
            for kind, one in self._ahead:
                kind.start(parts, one)
                self._tell(one.start_ms, one, kind, "starts")
            self._prepared = True
        if self._active:
            self._end(parts, time_ms)
        while self._next < len(self._coming) and self._coming[self._next][1].start_ms <= time_ms:
            kind, one = self._coming[self._next]
            self._next += 1
            kind.start(parts, one)
            self._tell(time_ms, one, kind, "starts")
            if kind.end is not None:
                self._active.append((kind, one))

    def rewind(self, parts: Parts, time_ms: int) -> None:
        """Make in force what the plan says of `time_ms`, before the parts' state is restored.

        Parameters that faults have changed are no part of a saved state; this sets them.
        """
        for kind, one in self._active:
            if kind.end is not None:
                kind.end(parts, one)
        self._next = sum(one.start_ms < time_ms for _, one in self._coming)
        self._active = []
        for kind, one in self._coming[: self._next]:
            if kind.end is not None and one.until_ms >= time_ms:
                kind.start(parts, one)
                self._active.append((kind, one))

    def _end(self, parts: Parts, time_ms: int) -> None:
        over = [(kind, one) for kind, one in self._active if one.until_ms <= time_ms]
        if not over:
            return
        self._active = [(kind, one) for kind, one in self._active if one.until_ms > time_ms]
        for kind, one in over:
            if kind.end is not None:
                kind.end(parts, one)
            self._tell(time_ms, one, kind, "is over")
            for other, still in self._active:
                if other.family == kind.family and still.target.name == one.target.name:
                    other.start(parts, still)

    def _tell(self, time_ms: int, one: Occurrence, kind: FaultKind, what: str) -> None:
        """Once for each line of the plan, however many targets its pattern hits."""
        event = (time_ms, one.asked, f"{kind.name} at {one.asked} {what}")
        if event not in self.events[-1:]:
            self.events.append(event)
