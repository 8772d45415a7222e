"""What devices report instead of what is: averaged, late, rounded, wrong by a gain, missing."""

from mallee.twin.sensors.sensors import Sensors

__all__ = ["Sensors"]
