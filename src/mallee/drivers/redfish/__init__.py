"""Redfish: BMCs, CDUs, power shelves and PDUs over HTTPS."""

from mallee.drivers.redfish.driver import RedfishChannel, RedfishDriver
from mallee.drivers.redfish.explore import explore_service

CHANNEL = RedfishChannel
EXPLORE = explore_service

__all__ = ["CHANNEL", "EXPLORE", "RedfishDriver"]
