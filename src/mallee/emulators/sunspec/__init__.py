"""Meters and batteries of the twin, alone or behind a gateway."""

from mallee.emulators.sunspec.server import serve_sunspec, serve_units

SERVE = serve_units

__all__ = ["SERVE", "serve_sunspec"]
