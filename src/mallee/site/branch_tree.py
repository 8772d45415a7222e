"""The power tree as arrays: sums towards the sources, minima on the way down."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mallee.core.arrays import NO_INDEX, FloatArray, IntArray
from mallee.site.model import SiteModel


@dataclass(frozen=True)
class BranchTree:
    """Who hangs on whom in normal feed, prepared for many branches.

    Attributes:
        parent: branch above each, `NO_INDEX` for the sources.  # (branches,)
    """

    parent: IntArray

    @classmethod
    def of(cls, site: SiteModel) -> "BranchTree":
        """The tree of a site."""
        return cls(np.array([branch.parent for branch in site.branches], np.int64))

    @cached_property
    def levels(self) -> tuple[IntArray, ...]:
        """Branches that have one above, by depth, those next to the sources first."""
        depth = np.zeros(len(self.parent), np.int64)
        for branch, above in enumerate(self.parent.tolist()):  # sources come first
            depth[branch] = 0 if above == NO_INDEX else depth[above] + 1
        deepest = int(depth.max(initial=0))
        return tuple(np.flatnonzero(depth == level) for level in range(1, deepest + 1))

    def sum_up(self, own: FloatArray) -> FloatArray:
        """What flows through each branch where `own` hangs on each directly.

        Args:
            own: by branch in the last axis.  # (..., branches)
        """
        total: FloatArray = own.T.astype(np.float64)
        for level in reversed(self.levels):
            np.add.at(total, self.parent[level], total[level])
        return total.T

    def carried(self, branch: IntArray, power: FloatArray) -> FloatArray:
        """What loads bring to each branch.  # (branches,)

        Args:
            branch: where each hangs; `power` is what it draws there.  # (loads,) each
        """
        return self.sum_up(np.bincount(branch, power, len(self.parent)).astype(np.float64))

    def path_min(self, values: FloatArray) -> FloatArray:
        """Smallest value of each branch and all above it.  # (branches,)"""
        least = values.astype(np.float64)
        for level in self.levels:
            least[level] = np.minimum(least[level], least[self.parent[level]])
        return least

    def tightest(self, values: FloatArray) -> IntArray:
        """Which branch has the smallest value on the way up from each; the lower one if equal."""
        least, where = values.astype(np.float64), np.arange(len(values))
        for level in self.levels:
            above = self.parent[level]
            tighter = least[above] < least[level]
            least[level] = np.where(tighter, least[above], least[level])
            where[level] = np.where(tighter, where[above], where[level])
        return where
