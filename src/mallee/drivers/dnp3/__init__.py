"""DNP3: a master that polls outstations and operates their outputs directly."""

from mallee.drivers.dnp3.driver import Dnp3Channel, Dnp3Driver

CHANNEL = Dnp3Channel

__all__ = ["CHANNEL", "Dnp3Driver"]
