"""Devices of the twin as SNMP agents."""

from mallee.emulators.snmp.replay import replay_agent
from mallee.emulators.snmp.server import serve_agents

SERVE = serve_agents
REPLAY = replay_agent

__all__ = ["REPLAY", "SERVE", "serve_agents"]
