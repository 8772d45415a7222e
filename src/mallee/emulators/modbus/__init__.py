"""Devices of the twin with a plain register map, alone or behind a gateway."""

from mallee.emulators.modbus.replay import replay_registers
from mallee.emulators.modbus.server import serve_units

SERVE = serve_units
REPLAY = replay_registers

__all__ = ["REPLAY", "SERVE", "serve_units"]
