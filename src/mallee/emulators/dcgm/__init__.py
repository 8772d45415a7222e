"""Exporters of the twin's nodes."""

from mallee.emulators.dcgm.replay import replay_exporter
from mallee.emulators.dcgm.server import serve_dcgm, serve_exporters

SERVE = serve_exporters
REPLAY = replay_exporter

__all__ = ["REPLAY", "SERVE", "serve_dcgm"]
