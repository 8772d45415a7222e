"""What each branch leaves to the loads below it, worked out once.

No meter watches the branches inside a site, so their shares are static: small enough that nothing
is overloaded even if everything below draws the most it may. Two kinds are left out. A branch that
carries the whole site is watched by the grid meter, and the import bound covers it. What flows in
a branch with a battery below depends on the battery.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from mallee.core.arrays import NO_INDEX, FloatArray
from mallee.kinds import KINDS
from mallee.kinds.charger import CHARGER
from mallee.site.model import DeviceGroup, SiteModel

USE_MAX_FRAC = 0.98
"""Share of a branch's continuous rating that is planned with; the rest covers power factor."""


class BranchShares(NamedTuple):
    """Shares by branch, the tightest branch above already counted in.

    Attributes:
        nodes, chargers: fraction of their highest power that they may draw.  # (branches,)
        site_max_w: rating of the smallest branch that carries the whole site; infinite for none.
    """

    nodes: FloatArray
    chargers: FloatArray
    site_max_w: float


def branch_shares(
    site: SiteModel, nodes_max_w: FloatArray, nodes_min_w: FloatArray
) -> BranchShares:
    """Chargers get what is left beside the nodes at their lowest; the nodes the rest.

    Args:
        site: the site model.
        nodes_max_w, nodes_min_w: AC power of the nodes directly on each branch.  # (branches,)
    """
    count = len(site.branches)
    chargers_w = _sum_by_branch(site, site.groups_of(CHARGER))
    fixed_w = _sum_by_branch(site, (g for g in site.groups if KINDS[g.kind].is_fixed))
    batteries_w = _sum_by_branch(site, site.groups_with("storage"))
    devices = np.zeros(count)
    for group in site.groups:
        if KINDS[group.kind].role != "meter":
            devices += np.bincount(group.branch, minlength=count)
    columns = np.stack([nodes_max_w, nodes_min_w, chargers_w, fixed_w, batteries_w, devices])
    for index in range(count - 1, -1, -1):  # children come after their parents
        if site.branches[index].parent != NO_INDEX:
            columns[:, site.branches[index].parent] += columns[:, index]
    most_w, least_w, chargers_w, fixed_w, batteries_w, devices = columns

    rating_w = np.array([branch.rating_w for branch in site.branches]) * USE_MAX_FRAC
    carries_all = (np.arange(count) > 0) & (devices == devices[0])
    is_static = (np.arange(count) > 0) & ~carries_all & (batteries_w == 0.0)
    chargers = _fraction(rating_w - fixed_w - least_w, chargers_w, is_static)
    nodes = _fraction(rating_w - fixed_w - chargers * chargers_w, most_w, is_static)
    for index in range(count):
        parent = site.branches[index].parent
        if parent == NO_INDEX:
            continue
        chargers[index] = min(chargers[index], chargers[parent])
        nodes[index] = min(nodes[index], nodes[parent])
    return BranchShares(
        nodes=nodes,
        chargers=chargers,
        site_max_w=float(rating_w[carries_all].min(initial=np.inf)),
    )


def _sum_by_branch(site: SiteModel, groups: Iterable[DeviceGroup]) -> FloatArray:
    """Highest power of these devices directly on each branch.  # (branches,)"""
    total_w = np.zeros(len(site.branches))
    for group in groups:
        on_each = np.bincount(group.branch, minlength=len(site.branches))
        total_w += on_each * group.model.power_max_w
    return total_w


def _fraction(room_w: FloatArray, wanted_w: FloatArray, where: np.ndarray) -> FloatArray:
    share = np.ones(len(room_w))
    np.divide(np.maximum(room_w, 0.0), wanted_w, out=share, where=where & (wanted_w > 0.0))
    return np.minimum(share, 1.0)
