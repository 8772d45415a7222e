"""Devices of the twin with a plain register map, alone or behind a gateway."""

from mallee.emulators.modbus.server import serve_units

SERVE = serve_units

__all__ = ["SERVE", "serve_units"]
