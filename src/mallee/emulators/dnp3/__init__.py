"""Devices of the twin as DNP3 outstations, alone or several on one line."""

from mallee.emulators.dnp3.replay import replay_points
from mallee.emulators.dnp3.server import serve_outstations

SERVE = serve_outstations
REPLAY = replay_points

__all__ = ["REPLAY", "SERVE", "serve_outstations"]
