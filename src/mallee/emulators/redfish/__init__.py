"""BMCs and controllers of the twin's devices."""

from mallee.emulators.redfish.replay import replay_service
from mallee.emulators.redfish.server import serve_redfish, serve_services

SERVE = serve_services
REPLAY = replay_service

__all__ = ["REPLAY", "SERVE", "serve_redfish"]
