"""Shares out what branches can carry: level by level, fairly within each, unused watts move on.

    capacity |<- least of all ->|<- floor of all ->|<- first class ->|<- second class ->|

Within a level every load gets the same fraction of what it wants, as far as the tightest branch
above it allows; what one branch cannot use goes to loads that another can still carry.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.site.branch_tree import BranchTree

ROUNDS_MAX = 6
"""Rounds of moving unused watts; each leaves at least one more branch full."""
FULL_FRAC = 1e-6
"""A branch counts as full with so little of its capacity left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """What each load may draw.

    Attributes:
        power_w: at the load's branch.  # (loads,)
        room_w: what each branch has left; negative where even the lowest level does not fit.
            (branches,)
        bound_by: the branch that kept each load from its last level, -1 where none did.  # (loads,)
    """

    power_w: FloatArray
    room_w: FloatArray
    bound_by: IntArray


def allocate(
    tree: BranchTree, capacity_w: FloatArray, branch: IntArray, levels: Sequence[FloatArray]
) -> Allocation:
    """Fill levels in order.

    Args:
        tree: who hangs on whom.
        capacity_w: what loads below each branch may draw together.  # (branches,)
        branch: where each load hangs.  # (loads,)
        levels: what each load wants up to that level, at its branch, never less than in the level
            before; the first is given in any case.  # (loads,) each
    """
    room_w = capacity_w - tree.carried(branch, levels[-1])
    if (room_w >= 0.0).all():  # most of the time there is enough for all
        return Allocation(power_w=levels[-1], room_w=room_w, bound_by=np.full(len(branch), -1))
    power_w = levels[0].astype(np.float64)
    bound_by = np.full(len(branch), -1)
    room_w = capacity_w - tree.carried(branch, power_w)
    for level in levels[1:]:
        for _ in range(ROUNDS_MAX):
            lacking_w = np.maximum(level - power_w, 0.0)
            if not lacking_w.any():
                break
            wanted_w = tree.carried(branch, lacking_w)
            share = np.ones(len(capacity_w))
            left_w = np.maximum(room_w, 0.0)
            np.divide(left_w, wanted_w, out=share, where=wanted_w > left_w)
            given_w = lacking_w * tree.path_min(share)[branch]
            short = given_w < lacking_w
            bound_by = np.where(short, tree.tightest(share)[branch], -1)
            if given_w.sum() <= FULL_FRAC * lacking_w.sum():
                break
            power_w += given_w
            room_w -= tree.carried(branch, given_w)
            if not short.any():
                break
    return Allocation(power_w=power_w, room_w=room_w, bound_by=bound_by)
