"""NVIDIA's dcgm-exporter: Prometheus text over HTTP; 9400 is its own default port."""

from typing import Final

from mallee.core.protocol import Part, ProtocolFacts

FACTS: Final = ProtocolFacts(
    direction="polled",
    transport="tcp",
    port=9400,
    part=Part(words="a path below which a proxy serves the exporter", pattern=r"[\w.~/-]*[\w.~-]"),
)
