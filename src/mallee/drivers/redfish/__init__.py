"""Redfish: BMCs, CDUs, power shelves and PDUs over HTTPS."""

from mallee.drivers.redfish.driver import RedfishChannel, RedfishDriver

CHANNEL = RedfishChannel

__all__ = ["CHANNEL", "RedfishDriver"]
