"""How well each device can be talked to. Faults set it, emulators act on it; physics goes on."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray

STATES: Final = ("ok", "silent", "slow", "garbage", "refuse")
"""Names of the states, in the order of their codes."""


class CommsHealth:
    """One row a device of the site.

    Attributes:
        state: position in `STATES`.  # (devices,)
        delay_s: how late a slow device answers.  # (devices,)
    """

    def __init__(self, devices: int) -> None:
        self.state: NDArray[np.uint8] = np.zeros(devices, np.uint8)
        self.delay_s: FloatArray = np.zeros(devices)
