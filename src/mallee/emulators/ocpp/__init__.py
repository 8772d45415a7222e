"""Charging stations of the twin; the library that they speak with takes a second to load."""

from mallee.emulators.ocpp.charger import dial_in, run_charger

SERVE = dial_in

__all__ = ["SERVE", "run_charger"]
