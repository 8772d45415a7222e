"""BMCs and controllers of the twin's devices."""

from mallee.emulators.redfish.server import serve_redfish, serve_services

SERVE = serve_services

__all__ = ["SERVE", "serve_redfish"]
