"""What each point can physically read; anything outside is a fault of the sensor or the scale.

The bounds are wide on purpose: they are to catch a reading scaled by 1000, a register that holds
rubbish or a broken wire, not an unusual day.
"""

import math
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel
from mallee.site.model import SiteModel

WIDE_FRAC = 3.0
"""How far beyond the largest rating a power may read."""

_BY_UNIT: Final[dict[str, tuple[float, float]]] = {
    "frac": (-0.05, 1.1),
    "degc": (-60.0, 200.0),
    "hz": (30.0, 80.0),
    "v": (0.0, 1e6),
    "a": (-1e6, 1e6),
    "kgps": (-1.0, 1e5),
    "pa": (-1e6, 1e8),
    "rpm": (0.0, 1e6),
    "count": (0.0, 1e9),
    "wh": (-1e15, 1e15),
    "s": (0.0, 1e9),
}
_BY_NAME: Final[dict[str, tuple[float, float]]] = {"soc": (-0.05, 1.1), "soh": (-0.05, 1.5)}
_ANY: Final = (-math.inf, math.inf)


def plausible_range(site: SiteModel) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest reading of each row.  # (points,) each"""
    low, high = np.full(site.point_count, -np.inf), np.full(site.point_count, np.inf)
    for group in site.groups:
        largest_w = _largest_w(group.model)
        if group.kind in ("meter", "battery", "ups"):
            largest_w = max(largest_w, site.grid.import_max_w, site.branches[0].rating_w)
        for point in group.model.point:
            rows = group.rows(point.name)
            low[rows], high[rows] = _range_of(point.name, WIDE_FRAC * largest_w)
    return low, high


def _largest_w(model: DeviceModel) -> float:
    parameters = {**model.physics, **model.limits}
    ratings = [p.value for name, p in parameters.items() if name.endswith(("_w", "_va"))]
    return max([model.power_max_w, *ratings])


def _range_of(name: str, most_w: float) -> tuple[float, float]:
    last = name.rpartition("_")[2]
    if last in _BY_NAME:
        return _BY_NAME[last]
    if last in ("w", "va", "var"):
        return -most_w, most_w
    return _BY_UNIT.get(last, _ANY)
