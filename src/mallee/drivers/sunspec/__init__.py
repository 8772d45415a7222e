"""SunSpec: devices that describe their own registers."""

from mallee.drivers.sunspec.driver import SunSpecChannel, SunSpecDriver

CHANNEL = SunSpecChannel

__all__ = ["CHANNEL", "SunSpecDriver"]
