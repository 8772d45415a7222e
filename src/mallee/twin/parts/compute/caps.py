"""Node power caps: limits, delay, and how a node's cap divides over its accelerators and host.

The cap of a node is linear between its two ends: at `cap_min_w` every accelerator stands at its own
least cap, at `cap_max_w` at nameplate; the host takes what is left. Writes take effect after the
delay of their path (0.2-2 s through a BMC); several may be on their way.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray
from mallee.core.errors import Rejected
from mallee.twin.parts.compute.layout import Float32Array, Layout, gpu_slots_of
from mallee.twin.parts.compute.placement import NEVER_MS, Placed


class Caps:
    """Standing and coming caps of all nodes.

    Attributes:
        cap_w: the cap in effect of each node.  # (nodes,)
        min_w, max_w: what each accepts.  # (nodes,)
        delay_ms: from a write to its effect.  # (nodes,)
        next_ms: when the next cap on its way takes effect.
    """

    def __init__(self, layout: Layout, jobs: list[Placed]) -> None:
        """Start with every node uncapped.

        Without a cap a node may draw its nameplate, or what a replayed trace asks beyond it.
        """
        peak = np.ones(len(layout.node_rack))
        for job in jobs:
            peak[job.nodes] = max(job.peak, 1.0)
        self._layout = layout
        self.min_w = layout.node_parameter("cap_min_w")
        self.max_w = layout.node_parameter("cap_max_w")
        self.delay_ms = np.round(layout.node_parameter("cap_delay_s") * 1000.0).astype(np.int64)
        self.cap_w = self.max_w.copy()
        self._gpu_min_w = layout.node_parameter("gpu_cap_min_w")
        self._gpu_max_w = layout.node_parameter("gpu_max_w")
        host_max_w, host_idle_w = (
            layout.node_parameter("host_max_w"),
            layout.node_parameter("host_idle_w"),
        )
        gpu_idle_w = layout.node_parameter("gpu_idle_w")
        self._gpu_open_w = gpu_idle_w + (self._gpu_max_w - gpu_idle_w) * peak
        self._host_open_w = host_idle_w + (host_max_w - host_idle_w) * peak
        self._coming: dict[int, tuple[list[int], list[float]]] = {}
        self.next_ms = NEVER_MS

    def write_one(self, node: int, cap_w: float, now_ms: int) -> None:
        """Send one cap on its way: `write` for a single node, which is what devices get.

        Raises:
            Rejected: outside the node's limits.
        """
        low_w, high_w = float(self.min_w[node]), float(self.max_w[node])
        if not low_w <= cap_w <= high_w:
            raise Rejected(f"node {node}: cap_w {cap_w:g} W is outside {low_w:g} to {high_w:g} W")
        nodes, caps_w = self._due(now_ms + int(self.delay_ms[node]))
        nodes.append(node)
        caps_w.append(cap_w)

    def write(self, nodes: IntArray, cap_w: FloatArray, now_ms: int) -> None:
        """Send caps on their way.

        Raises:
            Rejected: a cap outside the node's limits.
        """
        bad = np.flatnonzero(~((cap_w >= self.min_w[nodes]) & (cap_w <= self.max_w[nodes])))
        if len(bad):
            self.write_one(int(nodes[bad[0]]), float(cap_w[bad[0]]), now_ms)
        due_ms = now_ms + self.delay_ms[nodes]
        for due in np.unique(due_ms).tolist():
            chosen = due_ms == due
            queued, caps_w = self._due(due)
            queued.extend(nodes[chosen].tolist())
            caps_w.extend(cap_w[chosen].tolist())

    def _due(self, due_ms: int) -> tuple[list[int], list[float]]:
        """Nodes and caps that take effect at a time; a later write to a node wins."""
        self.next_ms = min(self.next_ms, due_ms)
        return self._coming.setdefault(due_ms, ([], []))

    def apply_due(self, now_ms: int, slot_cap_w: Float32Array) -> bool:
        """Put caps that are due into effect.

        Args:
            slot_cap_w: cap of each slot, changed.  # (racks, slots)

        Returns:
            Whether anything changed.
        """
        if self.next_ms > now_ms:
            return False
        for due_ms in sorted(due for due in self._coming if due <= now_ms):
            nodes, caps_w = self._coming.pop(due_ms)
            self.cap_w[nodes] = caps_w
            self._spread(np.unique(nodes), slot_cap_w)
        self.next_ms = min(self._coming, default=NEVER_MS)
        return True

    def _spread(self, nodes: IntArray, slot_cap_w: Float32Array) -> None:
        """Divide the caps of some nodes over their slots."""
        layout = self._layout
        if layout.aggregated:
            nodes = np.flatnonzero(np.isin(layout.node_rack, layout.node_rack[nodes]))
        cap_w, gpus = self.cap_w[nodes], layout.node_gpus[nodes]
        frac = (cap_w - self.min_w[nodes]) / np.maximum(self.max_w[nodes] - self.min_w[nodes], 1e-9)
        gpu_w = self._gpu_min_w[nodes] + frac * (self._gpu_max_w[nodes] - self._gpu_min_w[nodes])
        host_w = cap_w - gpus * gpu_w
        uncapped = frac >= 1.0
        gpu_w = np.where(uncapped, self._gpu_open_w[nodes], gpu_w)
        host_w = np.where(uncapped, self._host_open_w[nodes], host_w)
        rack, host_slot = layout.node_rack[nodes], layout.node_host_slot[nodes]
        owner, slot = gpu_slots_of(layout.node_slot[nodes], gpus, aggregated=layout.aggregated)
        for at, share_w in (((rack[owner], slot), gpu_w[owner]), ((rack, host_slot), host_w)):
            slot_cap_w[at] = 0.0
            np.add.at(slot_cap_w, at, share_w.astype(np.float32))

    def spread_all(self, slot_cap_w: Float32Array) -> None:
        """Divide the caps of all nodes over their slots."""
        self._spread(np.arange(len(self.cap_w)), slot_cap_w)

    def save(self) -> dict[str, NDArray[Any]]:
        """Caps in effect and on their way."""
        coming = [
            (due_ms, node, cap_w)
            for due_ms, queued in sorted(self._coming.items())
            for node, cap_w in zip(*queued, strict=True)
        ]
        return {"cap_w": self.cap_w.copy(), "caps_coming": np.array(coming).reshape(-1, 3)}

    def restore(self, saved: dict[str, NDArray[Any]]) -> None:
        """Continue from what `save` returned."""
        self.cap_w[:] = saved["cap_w"]
        self._coming.clear()
        self.next_ms = NEVER_MS
        for due_ms, node, cap_w in saved["caps_coming"].tolist():
            nodes, caps_w = self._due(int(due_ms))
            nodes.append(int(node))
            caps_w.append(cap_w)
