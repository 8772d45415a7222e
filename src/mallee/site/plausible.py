"""What each point can physically read; anything outside is a fault of the sensor or the scale.

The bounds are wide on purpose: they are to catch a reading scaled by 1000, a register that holds
rubbish or a broken wire, not an unusual day. A kind may give its own for a point, else the unit's
count. The collectors of the field and of virtual time use the same.
"""

import math
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel
from mallee.core.units import unit_of
from mallee.kinds import KINDS, Role
from mallee.site.model import DeviceGroup, SiteModel

REST_FRAC: Final = 0.01
"""How far below zero the power of what only consumes may read, of the most it may read."""
WIDE_FRAC: Final = 3.0
"""How far beyond the largest rating a power may read."""


def plausible_range(site: SiteModel) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest reading of each row.  # (points,) each"""
    low, high = np.full(site.point_count, -np.inf), np.full(site.point_count, np.inf)
    site_w = max([feed.import_max_w for feed in site.file.feeds] + [site.branches[0].rating_w])
    for group in site.groups:
        most_w = WIDE_FRAC * max(_largest_w(group.model), _passing_w(group, site_w))
        for point in group.model.point:
            rows = group.rows(point.name)
            low[rows], high[rows] = _range_of(group.kind, point.name, most_w)
    return low, high


def _passing_w(group: DeviceGroup, site_w: float) -> float:
    """What may flow through a device beside what it draws: the site's power, at most."""
    passing: tuple[Role, ...] = ("measures", "storage", "in_line", "source")
    return site_w if KINDS[group.kind].role in passing else 0.0


def _largest_w(model: DeviceModel) -> float:
    parameters = {**model.physics, **model.limits}
    ratings = [p.value for name, p in parameters.items() if name.endswith(("_w", "_va"))]
    return max([model.power_max_w, *ratings])


def _range_of(kind: str, name: str, most_w: float) -> tuple[float, float]:
    row = KINDS[kind].point(name)
    if row is not None and row.plausible is not None:
        return row.plausible
    unit = unit_of(name)
    if unit is None:
        return -math.inf, math.inf
    if not unit.is_rated:
        return unit.low, unit.high
    # What only consumes gives no power back; a meter at rest may read a little below nothing.
    gives = KINDS[kind].role not in ("load", "passes") or name.endswith("_var")
    return (-most_w if gives else -REST_FRAC * most_w), most_w
