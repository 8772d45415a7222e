"""Whether an exporter's samples are of the GPU that is meant, and of now. No I/O, no clock."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray

SETTLE_SCRAPES: Final = 5
"""After the answer has come from another GPU or host, so many alike before it counts again."""
FROZEN_S, FROZEN_GAPS = 10.0, 3.0
"""An energy counter that stands still for so long, and for so many of its own longest pauses, while
power flows, is an old one. dcgm-exporter itself renews its values every 30 s unless told otherwise;
how often this one does is learnt from the counter."""
IDLE_W: Final = 1.0

_OF_WHOLE_GPU: Final = ("POWER", "TEMP", "ENERGY", "CLOCK", "XID")
"""What an instance of a partitioned GPU (MIG) repeats of the whole; the rest is its own part."""


def is_part(name: str, labels: Mapping[str, str]) -> bool:
    """Whether a series tells of one MIG instance, where the whole GPU is wanted."""
    return bool(labels.get("GPU_I_ID")) and not any(word in name for word in _OF_WHOLE_GPU)


class Owners:
    """Which GPU and host stands behind each series, scrape after scrape."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, str]] = {}
        self._seen: dict[int, tuple[str, str]] = {}
        self._unsettled = 0

    def see(self, slot: int, labels: Mapping[str, str]) -> None:
        """Labels of a wanted series of this scrape."""
        self._seen[slot] = (labels.get("UUID", ""), labels.get("Hostname", ""))

    def change(self) -> str:
        """To be asked after each scrape: what makes it another node's; empty where nothing does."""
        moved = [slot for slot, who in self._seen.items() if self._known.get(slot, who) != who]
        was = [self._known[slot] for slot in moved[:1]]
        self._known |= self._seen
        self._seen = {}
        if moved:
            self._unsettled = SETTLE_SCRAPES
            now = self._known[moved[0]]
            return f"another node answers: GPU {' on '.join(was[0])} before, {' on '.join(now)} now"
        if self._unsettled:
            self._unsettled -= 1
            return "another node answered a moment ago"
        return ""


class Freshness:
    """Whether energy counters move while power flows.

    Args:
        gpus: how many.
    """

    def __init__(self, gpus: int) -> None:
        self._energy = np.full(gpus, np.nan)
        self._moved_s, self._gap_s = np.full(gpus, np.nan), np.zeros(gpus)

    def frozen(self, energy: FloatArray, power_w: FloatArray, now_s: float) -> NDArray[np.bool_]:
        """Which GPUs' values are old ones.

        Args:
            energy, power_w: of each GPU, NaN where the exporter gives none.  # (gpus,)
        """
        first = np.isfinite(energy) & np.isnan(self._energy)
        moved = np.isfinite(energy) & (energy != self._energy) & ~first
        gap_s = now_s - self._moved_s
        self._gap_s[moved] = np.maximum(self._gap_s, gap_s)[moved]
        self._energy[first | moved], self._moved_s[first | moved] = energy[first | moved], now_s
        limit_s = np.maximum(FROZEN_S, FROZEN_GAPS * self._gap_s)
        with np.errstate(invalid="ignore"):
            return (power_w > IDLE_W) & (now_s - self._moved_s > limit_s)
