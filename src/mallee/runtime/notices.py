"""Tells people about devices lost and found: one by one, or as a number when many go at once."""

import time

from mallee.core.event_kinds import new_event
from mallee.runtime.board import Board

EVERY_S = 1.0
MANY = 5
"""More than so many within a second share one event: a switch or a twin went, not each device."""
_OF_MANY = {"device-lost": "devices-lost", "device-back": "devices-back"}


class Notices:
    """Collects what the links notice and posts it to the board as events.

    Args:
        process: name of the collector that posts.
    """

    def __init__(self, board: Board, process: str = "collect") -> None:
        self._board, self._process = board, process
        self._waiting: dict[str, dict[str, str]] = {"device-lost": {}, "device-back": {}}

    def lost(self, device: str, text: str) -> None:
        """A device does not answer any more."""
        self._waiting["device-lost"].setdefault(device, text)

    def back(self, device: str, text: str) -> None:
        """A device answers again."""
        self._waiting["device-back"].setdefault(device, text)

    def post(self, kind: str, source: str, numbers: dict[str, float], **words: object) -> None:
        """Post an event at once."""
        event = new_event(kind, time.monotonic(), source, numbers, **words)
        self._board.post(self._process, event)

    def flush(self) -> None:
        """Post what came together since the last call; to be called every `EVERY_S`."""
        for kind, devices in self._waiting.items():
            if len(devices) > MANY:
                (name, why), *_ = devices.items()
                count = len(devices)
                numbers = {"devices": float(count)}
                self.post(_OF_MANY[kind], "site", numbers, count=count, first=name, why=why)
            else:
                for name, why in devices.items():
                    self.post(kind, name, {}, why=why)
            devices.clear()
