"""SunSpec: devices that describe their own registers."""

from mallee.drivers.sunspec.driver import SunSpecChannel, SunSpecDriver
from mallee.drivers.sunspec.explore import explore_chain

CHANNEL = SunSpecChannel
EXPLORE = explore_chain

__all__ = ["CHANNEL", "EXPLORE", "SunSpecDriver"]
