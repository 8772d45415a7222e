"""Tells people about devices lost and found: one by one, or as a number when many go at once."""

import time

from mallee.core.command import Event, Severity
from mallee.runtime.board import Board

EVERY_S = 1.0
MANY = 5
"""More than so many within a second share one event: a switch or a twin went, not each device."""


class Notices:
    """Collects what the links notice and posts it to the board as events."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._waiting: dict[str, dict[str, str]] = {"device-lost": {}, "device-back": {}}

    def lost(self, device: str, text: str) -> None:
        """A device does not answer any more."""
        self._waiting["device-lost"].setdefault(device, text)

    def back(self, device: str, text: str) -> None:
        """A device answers again."""
        self._waiting["device-back"].setdefault(device, text)

    def post(self, kind: str, source: str, severity: Severity, text: str, **numbers: float) -> None:
        """Post an event at once."""
        event = Event(
            time_s=time.monotonic(),
            kind=kind,
            source=source,
            text=text,
            severity=severity,
            numbers=numbers,
        )
        self._board.post("collect", event)

    def flush(self) -> None:
        """Post what came together since the last call; to be called every `EVERY_S`."""
        for kind, devices in self._waiting.items():
            severity = Severity.WARNING if kind == "device-lost" else Severity.INFO
            if len(devices) > MANY:
                words = "stopped answering" if kind == "device-lost" else "answer again"
                (name, why), *_ = devices.items()
                text = f"{len(devices)} devices {words}, among them {name}: {why}"
                self.post(kind, "site", severity, text, devices=float(len(devices)))
            else:
                for name, why in devices.items():
                    self.post(kind, name, severity, f"{name}: {why}")
            devices.clear()
