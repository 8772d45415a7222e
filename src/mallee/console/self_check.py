"""What the console notices of its own computer: the disk, the clock, whether history is written."""

import shutil
from pathlib import Path

from mallee.core.event import Event
from mallee.core.event_kinds import new_event

FREE_MIN_FRAC, FREE_ENOUGH_FRAC = 0.05, 0.08
STEP_MAX_S = 1.0
DISK_EVERY_S = 60.0
SITE = "site"


class SelfCheck:
    """Tells once when something comes and once when it is over.

    Args:
        folder: the disk that is watched is the one on which it lies.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offset_s: float | None = None
        self._disk_due_s = 0.0
        self._is_full = self._is_stopped = False

    def look(self, trouble: str, now_s: float, now_utc_s: float) -> list[Event]:
        """What is new.

        Args:
            trouble: what stops the history, empty if nothing does.
            now_s, now_utc_s: monotonic and wall clock of the same moment.
        """
        return [
            *self._history(trouble, now_s),
            *self._clock(now_s, now_utc_s),
            *self._disk(now_s),
        ]

    def _history(self, trouble: str, now_s: float) -> list[Event]:
        if bool(trouble) == self._is_stopped:
            return []
        self._is_stopped = bool(trouble)
        if trouble:
            return [new_event("history-stopped", now_s, SITE, why=trouble)]
        return [new_event("history-written", now_s, SITE)]

    def _clock(self, now_s: float, now_utc_s: float) -> list[Event]:
        before_s, self._offset_s = self._offset_s, now_utc_s - now_s
        step_s = 0.0 if before_s is None else self._offset_s - before_s
        if abs(step_s) <= STEP_MAX_S:
            return []
        return [new_event("clock-stepped", now_s, SITE, {"step_s": step_s}, step_s=step_s)]

    def _disk(self, now_s: float) -> list[Event]:
        if now_s < self._disk_due_s:
            return []
        self._disk_due_s = now_s + DISK_EVERY_S
        try:
            disk = shutil.disk_usage(self._folder)
        except OSError:
            return []  # the history tells of it
        frac = disk.free / disk.total
        if frac < FREE_MIN_FRAC and not self._is_full:
            self._is_full = True
            words = {"free_gb": disk.free / 1e9, "free_percent": 100.0 * frac}
            return [new_event("disk-filling", now_s, SITE, words, **words)]
        if frac > FREE_ENOUGH_FRAC and self._is_full:
            self._is_full = False
            return [new_event("disk-roomy", now_s, SITE)]
        return []
