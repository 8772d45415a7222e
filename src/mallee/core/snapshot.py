"""All latest readings at one instant. Built once a cycle and never changed within it."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray


class Quality(IntEnum):
    """How far a reading can be trusted; the order is from best to worst."""

    GOOD = 0
    STALE = 1  # the device did not answer in time; the value is the last one seen
    BAD = 2  # the answer was malformed or out of any physical range
    REFUSED = 3  # the device refused the login
    NEVER = 4  # nothing was read yet


_STALE = int(Quality.STALE)  # looking up an enum's member ten times a cycle would cost more


class Progress(IntEnum):
    """How far the last command to a settable point has come. Read back, or it did not happen."""

    NONE = 0
    SENT = 1  # on its way, not yet seen in a reading
    DONE = 2  # a later reading shows it
    REJECTED = 3  # the device declined it
    LOST = 4  # sent, but readings keep showing something else


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One instant of the site, by point row.

    Attributes:
        time_s: monotonic time of the snapshot.
        values: latest value; NaN where nothing was ever read.  # (points,)
        times_s: when each value was read, monotonic.  # (points,)
        quality: `Quality` of each.  # (points,)
        progress: `Progress` of the last command to each.  # (points,)
    """

    time_s: float
    values: FloatArray
    times_s: FloatArray
    quality: NDArray[np.uint8]
    progress: NDArray[np.uint8]

    def value(self, row: int) -> float:
        """The value at a row as a plain float."""
        return float(self.values[row])

    def is_fresh(self, row: int, age_max_s: float) -> bool:
        """Whether the value was read well and not longer than `age_max_s` ago.

        A device that has just gone stale still counts until its last value is that old.
        """
        if self.quality[row] > _STALE:
            return False
        return bool(self.time_s - self.times_s[row] <= age_max_s)
