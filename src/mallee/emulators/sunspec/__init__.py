"""Meters and batteries of the twin, alone or behind a gateway."""

from mallee.emulators.modbus.replay import replay_sunspec
from mallee.emulators.sunspec.server import serve_sunspec, serve_units

SERVE = serve_units
REPLAY = replay_sunspec

__all__ = ["REPLAY", "SERVE", "serve_sunspec"]
