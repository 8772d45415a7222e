"""The twin's devices, answering the protocols of their models: a folder each.

See docs/add-a-protocol.md.
"""

from collections.abc import Mapping
from typing import Final

from mallee.core.by_folder import ByFolder
from mallee.core.protocols import PROTOCOLS
from mallee.emulators.device import Serve

EMULATORS: Final[Mapping[str, Serve]] = ByFolder(__name__, "SERVE", lambda: PROTOCOLS)
"""By protocol, what serves the devices at one place."""
