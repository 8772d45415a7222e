"""What an alarm explains: where power, coolant or a rack's network reaches, from the site model.

"What is hit if this opens" and "caused by" are the same question asked from either end.
"""

from dataclasses import dataclass

import numpy as np

from mallee.alarms.instances import Instances
from mallee.alarms.kind import Reach
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
    standby = _standby(topology, instances)
    hangs = instances.branch != NO_INDEX
    hit: BoolArray = hangs & dark[instances.branch] & ((standby == NO_INDEX) | dark[standby])
    return hit


def _standby(topology: Topology, instances: Instances) -> IntArray:
    """Second branch of what each alarm is about, `NO_INDEX` for none.  # (alarms,)"""
    standby = np.full(instances.count, NO_INDEX)
    with_device = instances.device != NO_INDEX
    standby[with_device] = topology.standby[instances.device[with_device]]
    of_rack = (instances.rack != NO_INDEX) & ~with_device
    standby[of_rack] = topology.rack_standby[instances.rack[of_rack]]
    return standby


def reached_by(
    topology: Topology, instances: Instances, reach: Reach, causes: IntArray
) -> IntArray:
    """Which of some causes of one reach covers each alarm, `NO_INDEX` for none.  # (alarms,)

    Args:
        causes: rows of alarms; of several that cover a place the first does.
    """
    if reach == "power":
        return _dark_by(topology, instances, causes)
    places = {
        "device": instances.device,
        "rack": instances.rack,
        "pod": instances.pod,
        "cooling": instances.loop,
    }[reach]
    first = np.full(int(places.max(initial=0)) + 2, NO_INDEX)  # the last one for `NO_INDEX`
    first[places[causes[::-1]]] = causes[::-1]
    first[-1] = NO_INDEX
    return np.asarray(first[places])


def _dark_by(topology: Topology, instances: Instances, causes: IntArray) -> IntArray:
    """Which open branch darkens each alarm's device; one with two feeds needs both dark."""
    first = np.full(len(topology.below) + 1, NO_INDEX)
    for cause in causes[::-1].tolist():  # as many as there are open branches
        first[:-1][topology.below[instances.branch[cause]]] = cause
    by = first[instances.branch]
    second = _standby(topology, instances)
    return np.where((second == NO_INDEX) | (first[second] != NO_INDEX), by, NO_INDEX)
