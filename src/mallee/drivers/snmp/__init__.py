"""SNMP: managed PDUs, UPS, switches."""

from mallee.drivers.snmp.driver import SnmpChannel, SnmpDriver
from mallee.drivers.snmp.explore import explore_agent

CHANNEL = SnmpChannel
EXPLORE = explore_agent

__all__ = ["CHANNEL", "EXPLORE", "SnmpDriver"]
