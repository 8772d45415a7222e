"""All protocols: one file each, which holds its `FACTS`. See docs/add-a-protocol.md."""

from collections.abc import Mapping
from typing import Final

from mallee.core.by_folder import ByFolder
from mallee.core.protocol import ProtocolFacts

PROTOCOLS: Final[Mapping[str, ProtocolFacts]] = ByFolder(__name__, "FACTS")
"""Facts by protocol name."""
