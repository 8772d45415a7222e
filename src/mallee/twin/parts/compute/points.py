"""True values of every point of nodes, switches and power shelves, written into the site's rows."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray
from mallee.core.units import SECONDS_PER_HOUR
from mallee.kinds.power_shelf import POWER_SHELF
from mallee.kinds.switch import SWITCH
from mallee.site.model import DeviceGroup
from mallee.twin.kernel import kernel
from mallee.twin.parts.compute.kernels import Slots
from mallee.twin.parts.compute.layout import Float32Array, Layout
from mallee.twin.parts.compute.shelves import Shelves
from mallee.twin.parts.compute.thermal import Dies
from mallee.twin.shown import ABSENT, Shown

PER_GPU = ("power_w", "energy_wh", "temp_degc", "utilization_frac")
PER_NODE = ("power_w", "cap_w", "supply_degc", "inlet_degc", "leak_count")
PER_SWITCH = ("power_w", "temp_degc")
PER_SHELF = ("input_w", "output_w", "input_energy_wh", "temp_degc")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeColumns:
    """Where a group of equal nodes has its points.

    Attributes:
        first_node: number of the group's first node.
        node: places of `PER_NODE` in a device's points, or `ABSENT`.  # (5,)
        gpu: places of `PER_GPU` of each accelerator.  # (accelerators, 4)
    """

    group: DeviceGroup
    first_node: int
    node: IntArray
    gpu: IntArray


def node_columns(layout: Layout) -> tuple[NodeColumns, ...]:
    """Point places of all node groups."""
    columns, first = [], 0
    for group in layout.groups:
        index, count = group.model.index, group.model.accelerators
        node = np.array([index.get(name, ABSENT) for name in PER_NODE])
        gpu = np.array(
            [[index.get(f"gpu{g}_{name}", ABSENT) for name in PER_GPU] for g in range(count)],
            np.int64,
        ).reshape(count, len(PER_GPU))
        columns.append(NodeColumns(group=group, first_node=first, node=node, gpu=gpu))
        first += group.count
    return tuple(columns)


def shown_points(group: DeviceGroup) -> Collection[str]:
    """Points of nodes, switches and power shelves that there is a quantity for."""
    known: tuple[str, ...] = {SWITCH.name: PER_SWITCH, POWER_SHELF.name: PER_SHELF}.get(
        group.kind, PER_NODE
    )
    gpus = [f"gpu{g}_{name}" for g in range(group.model.accelerators) for name in PER_GPU]
    return [name for name in (*known, *gpus) if name in group.model.index]


@kernel
def put(values: FloatArray, row: int, place: int, value: float) -> None:
    """Write a value at a device's point, if its model has it."""
    if place >= 0:
        values[row + place] = value


@kernel
def fill_nodes(
    values: FloatArray,
    first_row: int,
    stride: int,
    nodes: int,
    first_node: int,
    node_places: IntArray,
    gpu_places: IntArray,
    places: tuple[IntArray, IntArray, IntArray],
    mean_w: FloatArray,
    energy_j: FloatArray,
    die_degc: Float32Array,
    share: FloatArray,
    host_share: FloatArray,
    activity: FloatArray,
    unit: NDArray[np.uint32],
    cap_w: FloatArray,
    supply_degc: FloatArray,
    leaking: NDArray[np.bool_],
) -> None:
    """Write a group's nodes.

    Args:
        places: rack, first accelerator's slot and host's slot of every node.  # (nodes,) each
        share, host_share: one accelerator's (host's) part of what its slot stands for.  # (racks,)
        activity: mean activity of each unit, 0..1.  # (units,)
    """
    racks, first_slots, host_slots = places
    for n in range(nodes):
        node = first_node + n
        row = first_row + n * stride
        rack, slot0, host = racks[node], first_slots[node], host_slots[node]
        part = share[rack]
        step = 1 if part == 1.0 else 0
        total_w = mean_w[rack, host] * host_share[rack]
        for g in range(gpu_places.shape[0]):
            slot = slot0 + g * step
            power_w = mean_w[rack, slot] * part
            total_w += power_w
            put(values, row, gpu_places[g, 0], power_w)
            put(values, row, gpu_places[g, 1], energy_j[rack, slot] * part / SECONDS_PER_HOUR)
            put(values, row, gpu_places[g, 2], np.float64(die_degc[rack, slot]))
            put(values, row, gpu_places[g, 3], activity[unit[rack, slot]])
        put(values, row, node_places[0], total_w)
        put(values, row, node_places[1], cap_w[node])
        put(values, row, node_places[2], supply_degc[rack])
        put(values, row, node_places[3], supply_degc[rack])
        put(values, row, node_places[4], 1.0 if leaking[node] else 0.0)


SWITCH_RISE_K_PER_W = 0.03
"""Case of a switch tray over the coolant: 24 K at 800 W."""

SHELF_RISE_K = 20.0
"""Rectifiers over the rack's coolant at full load."""


class SwitchRows:
    """Where the switch trays of a group have their points."""

    def __init__(self, layout: Layout, group: DeviceGroup) -> None:
        self.rack, self.slot = group.rack, layout.switch_slot[group.rack]
        self.shown = Shown([group], np.dtype([(name, "f8") for name in PER_SWITCH]))
        self.share = 1.0 / layout.weight[self.rack, self.slot]

    def fill(self, values: FloatArray, mean_w: FloatArray, supply_degc: FloatArray) -> None:
        """Each tray draws an equal part of its rack's."""
        share_w = mean_w[self.rack, self.slot] * self.share
        self.shown.values["power_w"] = share_w
        self.shown.values["temp_degc"] = supply_degc[self.rack] + SWITCH_RISE_K_PER_W * share_w
        self.shown.put(values)


class ShelfRows:
    """Where the power shelves of a group have their points, and their energy counters."""

    def __init__(self, group: DeviceGroup) -> None:
        self.rack = group.rack
        starts = np.flatnonzero(np.diff(group.rack, prepend=-1))
        self.order = np.arange(group.count) - np.repeat(starts, np.diff(starts, append=group.count))
        self.shown = Shown([group], np.dtype([(name, "f8") for name in PER_SHELF]))
        self.settled_j, self.mark_j = np.zeros(group.count), np.zeros(group.count)

    def energy_j(self, shelves: Shelves) -> FloatArray:
        """Input energy of each shelf: since its rack last lost or got back one, its equal part."""
        part = (self.order < shelves.alive[self.rack]) / np.maximum(shelves.alive[self.rack], 1)
        return self.settled_j + (shelves.input_j[self.rack] - self.mark_j) * part

    def settle(self, shelves: Shelves) -> None:
        """Bring the counters up to date before the number of working shelves changes."""
        self.settled_j[:] = self.energy_j(shelves)
        self.mark_j[:] = shelves.input_j[self.rack]

    def fill(
        self,
        values: FloatArray,
        input_w: FloatArray,
        output_w: FloatArray,
        shelves: Shelves,
        supply_degc: FloatArray,
    ) -> None:
        """Working shelves share the load equally, lost ones carry nothing.

        Args:
            input_w, output_w: of each rack.  # (racks,)
        """
        alive = shelves.alive
        part = 1.0 / np.maximum(alive, 1)
        working = self.order < alive[self.rack]
        load = output_w * part / shelves.rating_w
        shown = self.shown.values
        shown["input_w"] = np.where(working, (input_w * part)[self.rack], 0.0)
        shown["output_w"] = np.where(working, (output_w * part)[self.rack], 0.0)
        shown["input_energy_wh"] = self.energy_j(shelves) / SECONDS_PER_HOUR
        shown["temp_degc"] = (supply_degc + SHELF_RISE_K * load)[self.rack]
        self.shown.put(values)


class RackPoints:
    """Where everything in the racks has its points, and what their means are counted from.

    Attributes:
        leaking: nodes whose leak sensor is wet.  # (nodes,)
    """

    def __init__(self, layout: Layout, start_w: Float32Array) -> None:
        """Find the rows of all points.

        Args:
            start_w: power of each slot now.  # (racks, slots)
        """
        self._columns = node_columns(layout)
        self._switches = [SwitchRows(layout, group) for group in layout.switches]
        self._shelves = [ShelfRows(group) for group in layout.shelves]
        self.leaking = np.zeros(len(layout.node_rack), np.bool_)
        self._places = (layout.node_rack, layout.node_slot, layout.node_host_slot)
        one = np.ones(layout.racks)
        self._share = one / np.maximum(layout.gpus, 1) if layout.aggregated else one
        self._host_share = one / np.maximum(layout.nodes, 1) if layout.aggregated else one
        self._since_ms = np.zeros(1, np.int64)
        self._slot_w, self._slot_j = start_w.astype(np.float64), np.zeros(start_w.shape)
        self._input_w, self._input_j, self._output_w, self._output_j = np.zeros((4, layout.racks))
        self._output_w[:] = start_w.sum(axis=1)

    def fill(
        self,
        values: FloatArray,
        time_ms: int,
        slots: Slots,
        dies: Dies,
        shelves: Shelves,
        activity: FloatArray,
        cap_w: FloatArray,
        supply_degc: FloatArray,
    ) -> None:
        """Write all points; powers are means since the last call at an earlier time.

        Args:
            activity: mean activity of each unit, 0..1.  # (units,)
            cap_w: cap of each node.  # (nodes,)
            supply_degc: at each rack.  # (racks,)
        """
        self._take_means(time_ms, slots, shelves)
        for columns in self._columns:
            group = columns.group
            fill_nodes(
                values, group.first_row, group.stride, group.count, columns.first_node,
                columns.node, columns.gpu, self._places, self._slot_w, slots.energy_j,
                dies.die_degc, self._share, self._host_share, activity, slots.unit, cap_w,
                supply_degc, self.leaking,
            )  # fmt: skip
        for switch in self._switches:
            switch.fill(values, self._slot_w, supply_degc)
        for shelf in self._shelves:
            shelf.fill(values, self._input_w, self._output_w, shelves, supply_degc)

    def _take_means(self, time_ms: int, slots: Slots, shelves: Shelves) -> None:
        elapsed_s = (time_ms - int(self._since_ms[0])) / 1000.0
        if elapsed_s <= 0.0:
            return
        for mean_w, mark_j, now_j in (
            (self._slot_w, self._slot_j, slots.energy_j),
            (self._input_w, self._input_j, shelves.input_j),
            (self._output_w, self._output_j, shelves.output_j),
        ):
            np.subtract(now_j, mark_j, mean_w)
            mean_w /= elapsed_s
            mark_j[:] = now_j
        self._since_ms[0] = time_ms

    def settle(self, shelves: Shelves) -> None:
        """Bring the shelves' counters up to date before the number of working ones changes."""
        for shelf in self._shelves:
            shelf.settle(shelves)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that changes, for save and restore."""
        arrays: dict[str, NDArray[Any]] = {
            "leaking": self.leaking,
            "since_ms": self._since_ms,
            "slot_mean_w": self._slot_w,
            "slot_mark_j": self._slot_j,
            "input_mean_w": self._input_w,
            "input_mark_j": self._input_j,
            "output_mean_w": self._output_w,
            "output_mark_j": self._output_j,
        }
        for number, shelf in enumerate(self._shelves):
            arrays[f"shelf{number}_settled_j"] = shelf.settled_j
            arrays[f"shelf{number}_mark_j"] = shelf.mark_j
        return arrays
