"""How often somebody may try: a bucket of tries that fills again with time."""

BUCKETS_MAX = 10_000


class Tries:
    """Tries of many callers, each with a bucket of its own.

    Args:
        burst: tries that a full bucket holds.
        per_s: tries that come back in a second.
    """

    def __init__(self, burst: float, per_s: float) -> None:
        self._burst, self._per_s = burst, per_s
        self._left: dict[str, tuple[float, float]] = {}

    def wait_s(self, caller: str, now_s: float) -> float:
        """Take one try; how long to wait where none is left, else 0."""
        left, last_s = self._left.get(caller, (self._burst, now_s))
        left = min(self._burst, left + (now_s - last_s) * self._per_s)
        if left < 1.0:
            return (1.0 - left) / self._per_s
        if len(self._left) >= BUCKETS_MAX:
            self._left.clear()
        self._left[caller] = (left - 1.0, now_s)
        return 0.0
