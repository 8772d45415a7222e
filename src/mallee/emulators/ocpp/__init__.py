"""Charging stations of the twin; the library that they speak with takes a second to load."""

from mallee.emulators.ocpp.charger import dial_in, run_charger
from mallee.emulators.ocpp.replay import replay_station

SERVE = dial_in
REPLAY = replay_station

__all__ = ["REPLAY", "SERVE", "run_charger"]
