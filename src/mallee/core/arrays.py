"""The array types that the whole code speaks of: one name for each kind of column."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
"""Quantities, in the base units of `core/units.py`."""

Float32Array = NDArray[np.float32]
"""The same where there are many and seven digits do."""

IntArray = NDArray[np.int64]
"""Rows, indices and counts."""

BoolArray = NDArray[np.bool_]
"""One yes or no a row."""

NO_INDEX: Final = -1
"""Marks "none" in index arrays: no rack, no standby branch, no parent."""
