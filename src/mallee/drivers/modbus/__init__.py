"""Modbus: frames, a gateway that serves several units, and plain register maps."""

from mallee.drivers.modbus.driver import ModbusChannel, ModbusDriver

CHANNEL = ModbusChannel

__all__ = ["CHANNEL", "ModbusDriver"]
