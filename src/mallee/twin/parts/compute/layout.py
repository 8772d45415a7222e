"""Where every accelerator, host and switch stands in the arrays [rack, slot].

A rack's slots are its accelerators, then one slot a node for its host (processors, network,
drives, fans), then one slot for all its switch trays; padded to a multiple of eight. In the
aggregated form a rack has three slots, each standing for all of its kind.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray
from mallee.core.device_model import DeviceModel
from mallee.core.errors import ConfigError
from mallee.kinds.node import NODE
from mallee.kinds.power_shelf import POWER_SHELF
from mallee.kinds.switch import SWITCH
from mallee.site.model import DeviceGroup, SiteModel

Float32Array = NDArray[np.float32]
LANES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Fixed placement and nameplate of everything in the racks.

    Nodes are numbered through all node groups in site order, accelerators through all nodes.

    Attributes:
        gpus, nodes: how many in each rack.  # (racks,)
        gpu_slots: slots that hold accelerators, from slot 0; 1 if aggregated.  # (racks,)
        switch_slot: the slot of the switch trays.  # (racks,)
        weight: things that a slot stands for; 0 where padded.  # (racks, slots)
        idle_w, span_w: power at rest, and from there to nameplate.  # (racks, slots)
        first_gpu_of_rack: number of the accelerator in slot 0.  # (racks,)
        node_group: position in `groups` of each node.  # (nodes,)
        node_rack, node_slot, node_host_slot: rack, slot of the first accelerator, slot of the
            host.  # (nodes,)
        node_gpus: its accelerators.  # (nodes,)
    """

    groups: tuple[DeviceGroup, ...]
    switches: tuple[DeviceGroup, ...]
    shelves: tuple[DeviceGroup, ...]
    aggregated: bool
    racks: int
    slots: int
    gpus: IntArray
    nodes: IntArray
    gpu_slots: IntArray
    switch_slot: IntArray
    weight: FloatArray
    idle_w: FloatArray
    span_w: FloatArray
    first_gpu_of_rack: IntArray
    node_group: IntArray
    node_rack: IntArray
    node_slot: IntArray
    node_host_slot: IntArray
    node_gpus: IntArray

    def node_parameter(self, name: str, default: float | None = None) -> FloatArray:
        """A catalogue parameter of each node's model.  # (nodes,)"""
        return _by_group(self.groups, self.node_group, name, default)

    def rack_parameter(self, name: str, default: float | None = None) -> FloatArray:
        """A catalogue parameter of the node model in each rack; 1 where none stands.  # (racks,)"""
        values = np.ones(self.racks)
        values[self.node_rack] = self.node_parameter(name, default)
        return values


def parameter(model: DeviceModel, name: str, default: float | None = None) -> float:
    """A model's physics parameter or limit.

    Raises:
        ConfigError: the catalogue model does not give it and there is no default.
    """
    try:
        return model.parameter(name)
    except ConfigError:
        if default is not None:
            return default
        where = f"catalogue model {model.model}: physics.{name}"
        raise ConfigError(where, "is missing", "the twin needs it") from None


def build_layout(site: SiteModel, *, aggregated: bool) -> Layout:
    """Place the nodes, hosts and switches of a site.

    Raises:
        ConfigError: a catalogue model lacks a parameter that the physics needs.
    """
    racks = len(site.racks.names)
    groups = tuple(site.groups_of(NODE))
    switches = tuple(group for group in site.groups_of(SWITCH) if (group.rack >= 0).all())
    node_rack = _joined([group.rack for group in groups])
    node_group = np.repeat(np.arange(len(groups)), [group.count for group in groups])
    accelerators = np.array([group.model.accelerators for group in groups], np.int64)
    node_gpus = accelerators[node_group]
    nodes = np.bincount(node_rack, minlength=racks)
    gpus = np.bincount(node_rack, weights=node_gpus, minlength=racks).astype(np.int64)
    first_gpu = np.cumsum(node_gpus) - node_gpus
    first_of_rack = _first_of(first_gpu, node_rack, racks)
    order = (
        np.arange(len(node_rack))
        - _first_of(np.arange(len(node_rack)), node_rack, racks)[node_rack]
    )
    gpu_slots, host_slots = (
        (np.minimum(gpus, 1), np.minimum(nodes, 1)) if aggregated else (gpus, nodes)
    )
    node_slot = np.zeros_like(first_gpu) if aggregated else first_gpu - first_of_rack[node_rack]
    host_slot = gpu_slots[node_rack] + (0 if aggregated else order)
    switch_slot = gpu_slots + host_slots
    widest = int(switch_slot.max()) + 1 if racks else 1
    slots = -(-widest // LANES) * LANES
    weight, idle_w, span_w = (np.zeros((racks, slots)) for _ in range(3))

    def put(rack: IntArray, slot: IntArray, rest_w: FloatArray, most_w: FloatArray) -> None:
        np.add.at(weight, (rack, slot), 1.0)
        np.add.at(idle_w, (rack, slot), rest_w)
        np.add.at(span_w, (rack, slot), most_w - rest_w)

    def of(name: str) -> FloatArray:
        return _by_group(groups, node_group, name)

    owner, slot = gpu_slots_of(node_slot, node_gpus, aggregated=aggregated)
    put(node_rack[owner], slot, of("gpu_idle_w")[owner], of("gpu_max_w")[owner])
    put(node_rack, host_slot, of("host_idle_w"), of("host_max_w"))
    for group in switches:
        rest_w, most_w = (
            np.full(group.count, parameter(group.model, n)) for n in ("idle_w", "max_w")
        )
        put(group.rack, switch_slot[group.rack], rest_w, most_w)
    return Layout(
        groups=groups,
        switches=switches,
        shelves=tuple(site.groups_of(POWER_SHELF)),
        aggregated=aggregated,
        racks=racks,
        slots=slots,
        gpus=gpus,
        nodes=nodes,
        gpu_slots=gpu_slots,
        switch_slot=switch_slot,
        weight=weight,
        idle_w=idle_w,
        span_w=span_w,
        first_gpu_of_rack=first_of_rack,
        node_group=node_group,
        node_rack=node_rack,
        node_slot=node_slot,
        node_host_slot=host_slot,
        node_gpus=node_gpus,
    )


def gpu_slots_of(
    first: IntArray, count: IntArray, *, aggregated: bool
) -> tuple[IntArray, IntArray]:
    """Accelerators of some nodes, node after node: (position of the node, slot).  # (gpus,) each"""
    owner = np.repeat(np.arange(len(count)), count)
    if aggregated:
        return owner, first[owner]
    within = np.arange(len(owner)) - (np.cumsum(count) - count)[owner]
    return owner, first[owner] + within


def _by_group(
    groups: tuple[DeviceGroup, ...], node_group: IntArray, name: str, default: float | None = None
) -> FloatArray:
    values = np.array([parameter(group.model, name, default) for group in groups], np.float64)
    return values[node_group]


def _joined(parts: list[IntArray]) -> IntArray:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _first_of(values: IntArray, rack: IntArray, racks: int) -> IntArray:
    """The smallest value in each rack; 0 in a rack without any."""
    least = np.full(racks, np.iinfo(np.int64).max)
    np.minimum.at(least, rack, values)
    return np.where(np.bincount(rack, minlength=racks) > 0, least, 0)
