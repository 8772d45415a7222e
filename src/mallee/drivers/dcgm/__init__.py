"""DCGM: accelerators as NVIDIA's exporter shows them, in Prometheus text."""

from mallee.drivers.dcgm.driver import DcgmChannel, DcgmCodec, DcgmDriver
from mallee.drivers.dcgm.explore import explore_exporter

CHANNEL = DcgmChannel
EXPLORE = explore_exporter

__all__ = ["CHANNEL", "EXPLORE", "DcgmCodec", "DcgmDriver"]
