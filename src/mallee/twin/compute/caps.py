"""Node power caps: limits, delay, and how a node's cap divides over its accelerators and host.

The cap of a node is linear between its two ends: at `cap_min_w` every accelerator stands at its own
least cap, at `cap_max_w` at nameplate; the host takes what is left. Writes take effect after the
delay of their path (0.2-2 s through a BMC); several may be on their way.
"""

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mallee.core.errors import Rejected
from mallee.core.site import FloatArray, IntArray
from mallee.twin.compute.layout import Float32Array, Layout, gpu_slots_of
from mallee.twin.compute.placement import Placed


class Caps:
    """Standing and coming caps of all nodes.

    Attributes:
        cap_w: the cap in effect of each node.  # (nodes,)
        min_w, max_w: what each accepts.  # (nodes,)
        delay_ms: from a write to its effect.  # (nodes,)
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
        self._coming: deque[tuple[int, list[IntArray], list[FloatArray]]] = deque()

    @property
    def next_ms(self) -> int:
        """When the next written cap takes effect; far in the future without one."""
        return self._coming[0][0] if self._coming else 1 << 60

    def write(self, nodes: IntArray, cap_w: FloatArray, now_ms: int) -> None:
        """Send caps on their way.

        Raises:
            Rejected: a cap outside the node's limits.
        """
        bad = ~((cap_w >= self.min_w[nodes]) & (cap_w <= self.max_w[nodes]))
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            node = int(nodes[first])
            limits = f"{self.min_w[node]:g} to {self.max_w[node]:g} W"
            raise Rejected(f"node {node}: cap_w {cap_w[first]:g} W is outside {limits}")
        due_ms = now_ms + self.delay_ms[nodes]
        for due in np.unique(due_ms).tolist():
            chosen = due_ms == due
            self._queue(due, nodes[chosen], cap_w[chosen])

    def _queue(self, due_ms: int, nodes: IntArray, cap_w: FloatArray) -> None:
        for when, node_parts, cap_parts in self._coming:
            if when == due_ms:
                node_parts.append(nodes)
                cap_parts.append(cap_w)
                return
        self._coming.append((due_ms, [nodes], [cap_w]))
        self._coming = deque(sorted(self._coming, key=lambda entry: entry[0]))

    def apply_due(self, now_ms: int, slot_cap_w: Float32Array) -> bool:
        """Put caps that are due into effect.

        Args:
            slot_cap_w: cap of each slot, changed.  # (racks, slots)

        Returns:
            Whether anything changed.
        """
        changed = False
        while self._coming and self._coming[0][0] <= now_ms:
            _, node_parts, cap_parts = self._coming.popleft()
            for nodes, cap_w in zip(node_parts, cap_parts, strict=True):
                self.cap_w[nodes] = cap_w
            self._spread(np.unique(np.concatenate(node_parts)), slot_cap_w)
            changed = True
        return changed

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
            for due_ms, node_parts, cap_parts in self._coming
            for nodes, caps_w in zip(node_parts, cap_parts, strict=True)
            for node, cap_w in zip(nodes.tolist(), caps_w.tolist(), strict=True)
        ]
        return {"cap_w": self.cap_w.copy(), "caps_coming": np.array(coming).reshape(-1, 3)}

    def restore(self, saved: dict[str, NDArray[Any]]) -> None:
        """Continue from what `save` returned."""
        self.cap_w[:] = saved["cap_w"]
        self._coming.clear()
        for due_ms, node, cap_w in saved["caps_coming"].tolist():
            self._queue(int(due_ms), np.array([int(node)]), np.array([cap_w]))
