"""Redfish over HTTPS (DMTF DSP0266)."""

from typing import Final

from mallee.core.protocol import Part, ProtocolFacts

FACTS: Final = ProtocolFacts(
    direction="polled",
    transport="tcp",
    port=443,
    login="required",
    tls=True,
    part=Part(words="a path below which a proxy serves the device", pattern=r"[\w.~/-]*[\w.~-]"),
)
