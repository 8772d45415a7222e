"""Modbus TCP, the transport of SunSpec: frames, and a gateway that serves several units."""
