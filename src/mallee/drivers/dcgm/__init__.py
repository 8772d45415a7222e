"""DCGM: accelerators as NVIDIA's exporter shows them, in Prometheus text."""

from mallee.drivers.dcgm.driver import DcgmChannel, DcgmCodec, DcgmDriver

CHANNEL = DcgmChannel

__all__ = ["CHANNEL", "DcgmCodec", "DcgmDriver"]
