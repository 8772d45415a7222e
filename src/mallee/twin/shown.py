"""Puts what a part knows into the rows of the site's points, matched by name.

A part keeps a record array whose fields are called as the points are. Which row each field of each
device goes to is found once; a model without the point gets nothing, a point that no field is
called after stays without a value.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray
from mallee.site.model import DeviceGroup
from mallee.twin.kernel import kernel

ABSENT = -1
"""Marks a field that a device has no point for."""


class Shown:
    """True values of the points of some devices, one record a device.

    Attributes:
        values: what the part writes.  # (devices,)
    """

    def __init__(self, groups: Iterable[DeviceGroup], dtype: np.dtype[Any]) -> None:
        groups = list(groups)
        self.names: Sequence[str] = dtype.names or ()
        self.rows: IntArray = joined(
            [_rows(group, self.names) for group in groups], len(self.names)
        )
        self.values: NDArray[np.void] = np.zeros(len(self.rows), dtype)
        self._flat: FloatArray = self.values.view(np.float64).reshape(self.rows.shape)

    def points_of(self, group: DeviceGroup) -> Collection[str]:
        """Points of a group that are shown."""
        return [name for name in self.names if name in group.model.index]

    def put(self, true_points: FloatArray) -> None:
        """Write all values at their rows.  # (points,)"""
        scatter(self.rows, self._flat, true_points)


class ShownEach:
    """The same for what devices have several of, such as ``evse{n}_power_w``, n from 1.

    Attributes:
        values: one record for each member, device by device.  # (members,)
    """

    def __init__(
        self, groups: Iterable[DeviceGroup], stem: str, counts: Iterable[int], dtype: np.dtype[Any]
    ) -> None:
        self._stem, self._fields = stem, dtype.names or ()
        blocks = []
        for group, count in zip(groups, counts, strict=True):
            names = self._of(count)
            blocks.append(_rows(group, names).reshape(-1, len(self._fields)))
        self.rows: IntArray = joined(blocks, len(self._fields))
        self.values: NDArray[np.void] = np.zeros(len(self.rows), dtype)
        self._flat: FloatArray = self.values.view(np.float64).reshape(self.rows.shape)

    def _of(self, count: int) -> list[str]:
        return [f"{self._stem}{n}_{field}" for n in range(1, count + 1) for field in self._fields]

    def points_of(self, group: DeviceGroup, count: int) -> Collection[str]:
        """Points of a group with `count` members a device that are shown."""
        return [name for name in self._of(count) if name in group.model.index]

    def put(self, true_points: FloatArray) -> None:
        """Write all values at their rows.  # (points,)"""
        scatter(self.rows, self._flat, true_points)


def _rows(group: DeviceGroup, names: Sequence[str]) -> IntArray:
    """Row of each name of each device, or `ABSENT`.  # (devices, names)"""
    index = group.model.index
    place = np.array([index.get(name, ABSENT) for name in names], np.int64)
    first = group.first_row + group.stride * np.arange(group.count)
    return np.where(place >= 0, first[:, None] + place, ABSENT)


def joined(blocks: list[IntArray], width: int) -> IntArray:
    """Blocks of rows of the same width under one another."""
    return np.concatenate(blocks) if blocks else np.empty((0, width), np.int64)


@kernel
def scatter(rows: IntArray, values: FloatArray, true_points: FloatArray) -> None:
    """Write each value at its row.  # (devices, fields) both"""
    for d in range(rows.shape[0]):
        for f in range(rows.shape[1]):
            if rows[d, f] >= 0:
                true_points[rows[d, f]] = values[d, f]
