"""Exporters of the twin's nodes."""

from mallee.emulators.dcgm.server import serve_dcgm, serve_exporters

SERVE = serve_exporters

__all__ = ["SERVE", "serve_dcgm"]
