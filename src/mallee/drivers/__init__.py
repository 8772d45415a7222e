"""Clients of all protocols: a folder each. They depend on core and catalogue only.

See docs/add-a-protocol.md.
"""

from collections.abc import Mapping
from typing import Final

from mallee.core.by_folder import ByFolder
from mallee.core.protocols import PROTOCOLS
from mallee.drivers.driver import OpenChannel

DRIVERS: Final[Mapping[str, OpenChannel]] = ByFolder(__name__, "CHANNEL", lambda: PROTOCOLS)
"""By protocol, what opens a channel to a host and port."""
