"""What each steerable load may draw, row by row, and why: concerns can only narrow it."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from mallee.core.arrays import BoolArray, FloatArray, IntArray

NO_REASON = -1
ROUNDING_W = 1e-3


class Reason(NamedTuple):
    """Why a bound is where it is.

    Attributes:
        concern: name of the concern that set it.
        place: the branch, rack, device or request that it comes from.
        actor: who is behind it; empty for control itself.
        text: a person's or scheduler's own words; empty for control's.
    """

    concern: str
    place: str
    actor: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Highest power of every load, at the device.

    There is no way to widen: `at_most` keeps the smaller of two values in every row.

    Attributes:
        low_w: lowest limit that can be set.  # (loads,)
        high_w: what each may draw.  # (loads,)
        by: position in `reasons` of what set each `high_w`, `NO_REASON` for ratings.  # (loads,)
        reasons: of all narrowings so far.
    """

    low_w: FloatArray
    high_w: FloatArray
    by: IntArray
    reasons: tuple[Reason, ...] = ()

    @classmethod
    def of_ratings(cls, least_w: FloatArray, most_w: FloatArray) -> "Bounds":
        """Where every concern starts: what devices can be set to."""
        return cls(least_w, most_w, np.full(len(most_w), NO_REASON))

    def at_most(
        self, high_w: FloatArray, reason: Reason, where: BoolArray | None = None
    ) -> "Bounds":
        """No more than `high_w`, for one reason.

        Args:
            high_w: by row; what is not narrower changes nothing.  # (loads,)
            where: rows that are meant; all without it.  # (loads,)
        """
        return self.at_most_each(high_w, np.zeros(len(self.by), np.int64), (reason,), where)

    def at_most_each(
        self,
        high_w: FloatArray,
        why: IntArray,
        reasons: tuple[Reason, ...],
        where: BoolArray | None = None,
    ) -> "Bounds":
        """As `at_most`, with a reason a row.

        Args:
            why: position in `reasons` for each row.  # (loads,)
        """
        high_w = np.maximum(high_w, self.low_w)
        narrower = high_w < self.high_w - ROUNDING_W
        if where is not None:
            narrower &= where
        if not narrower.any():
            return self
        return replace(
            self,
            high_w=np.where(narrower, high_w, self.high_w),
            by=np.where(narrower, why + len(self.reasons), self.by),
            reasons=self.reasons + reasons,
        )

    def bound_by(self, concern: str) -> BoolArray:
        """Rows whose bound a concern set.  # (loads,)"""
        mine = [reason.concern == concern for reason in self.reasons]
        return np.array([*mine, False])[self.by]  # NO_REASON is the last

    def reason_of(self, load: int) -> Reason | None:
        """Why one load may not draw more; None where only its rating bounds it."""
        position = int(self.by[load])
        return None if position == NO_REASON else self.reasons[position]
