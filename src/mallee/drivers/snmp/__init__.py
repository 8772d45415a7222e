"""SNMP: managed PDUs, UPS, switches."""

from mallee.drivers.snmp.driver import SnmpChannel, SnmpDriver

CHANNEL = SnmpChannel

__all__ = ["CHANNEL", "SnmpDriver"]
