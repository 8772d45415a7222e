"""What an alarm explains: where power, coolant or a rack's network reaches, from the site model.

"What is hit if this opens" and "caused by" are the same question asked from either end.
"""

from dataclasses import dataclass

import numpy as np

from mallee.alarms.instances import Instances
from mallee.core.arrays import NO_INDEX, BoolArray, IntArray
from mallee.site.model import SiteModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Who hangs on whom.

    Attributes:
        below: whether a branch, or one above it, is each branch.  # (branches, branches)
        standby: second branch of each device, by number; `NO_INDEX` for none.  # (devices,)
        rack_standby: the same of racks.  # (racks,)
    """

    below: BoolArray
    standby: IntArray
    rack_standby: IntArray


def topology_of(site: SiteModel) -> Topology:
    """Work it out once."""
    count = len(site.branches)
    below = np.eye(count, dtype=bool)
    for index, branch in enumerate(site.branches):  # sources come first
        if branch.parent != NO_INDEX:
            below[:, index] |= below[:, branch.parent]
        if branch.standby != NO_INDEX:
            # Only what both sources share can darken it.
            below[:, index] &= below[:, branch.standby] | np.eye(count, dtype=bool)[:, index]
    standby = np.concatenate([group.standby_branch for group in site.groups])
    return Topology(below=below, standby=standby, rack_standby=site.racks.standby_branch)


def hit_by(topology: Topology, instances: Instances, branch: int) -> BoolArray:
    """Alarms about what is dark when a branch opens: nothing else feeds it.  # (alarms,)"""
    dark = np.append(topology.below[branch], False)  # the last one for `NO_INDEX`
    standby = np.full(instances.count, NO_INDEX)
    with_device = instances.device != NO_INDEX
    standby[with_device] = topology.standby[instances.device[with_device]]
    of_rack = (instances.rack != NO_INDEX) & ~with_device
    standby[of_rack] = topology.rack_standby[instances.rack[of_rack]]
    hangs = instances.branch != NO_INDEX
    hit: BoolArray = hangs & dark[instances.branch] & ((standby == NO_INDEX) | dark[standby])
    return hit


def explained_by(topology: Topology, instances: Instances, cause: int) -> BoolArray:
    """Alarms that a standing alarm explains: of the right kinds, within its reach.  # (alarms,)"""
    kind = instances.kinds[int(instances.kind[cause])]
    explains = np.array([kind.name in one.caused_by for one in instances.kinds])
    covered = np.zeros(instances.count, bool)
    if kind.reach == "device":
        covered = instances.device == instances.device[cause]
    elif kind.reach == "rack":
        covered = instances.rack == instances.rack[cause]
    elif kind.reach == "cooling":
        covered = (instances.loop == instances.loop[cause]) & (instances.loop != NO_INDEX)
    elif kind.reach == "power":
        covered = hit_by(topology, instances, int(instances.branch[cause]))
    explained: BoolArray = covered & explains[instances.kind]
    explained[cause] = False
    return explained
