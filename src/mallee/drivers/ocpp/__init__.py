"""OCPP: charging stations, which dial in."""

from mallee.drivers.ocpp.central import OcppCentral
from mallee.drivers.ocpp.charger import OcppDriver

CHANNEL = OcppCentral

__all__ = ["CHANNEL", "OcppCentral", "OcppDriver"]
