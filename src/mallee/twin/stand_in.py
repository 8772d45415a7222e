"""Simple load, coolant and sensors behind the interfaces of the real ones, until those are there."""

import numpy as np
from numpy.typing import NDArray

from mallee.core.site import FloatArray, SiteModel


class SquareCompute:
    """Every node swings between idle and its maximum with the job's iteration, capped."""

    def __init__(self, site: SiteModel, seed: int, dt_ms: int = 20) -> None:
        groups = list(site.groups_of("node"))
        self.dt_ms, self.seed = dt_ms, seed
        self.node_rack = np.concatenate([g.rack for g in groups])
        self.node_max_w = np.concatenate([np.full(g.count, g.model.power_max_w) for g in groups])
        self.node_idle_w = np.concatenate([np.full(g.count, g.model.power_min_w) for g in groups])
        self.cap_w = self.node_max_w.copy()
        self.racks = len(site.racks.names)
        load = site.file.twin.load if site.file.twin else None
        self.period_ms = round((load.iteration_s if load else 2.5) * 1000)
        self.rows = site.rows("node", "power_w"), site.rows("node", "cap_w")
        self.it_w: FloatArray = np.zeros(self.racks)
        self.heat_liquid_w: FloatArray = np.zeros(self.racks)
        self.heat_air_w: FloatArray = np.zeros(self.racks)
        self.throughput = 1.0

    def advance(
        self,
        start_ms: int,
        steps: int,
        *,
        supply_degc: FloatArray,
        flow_frac: FloatArray,
        voltage_pu: FloatArray,
    ) -> FloatArray:
        del supply_degc, flow_frac, voltage_pu
        top = np.bincount(self.node_rack, np.minimum(self.node_max_w, self.cap_w), self.racks)
        low = np.bincount(self.node_rack, self.node_idle_w, self.racks)
        out = np.empty((steps, self.racks))
        for s in range(steps):
            phase = (start_ms + s * self.dt_ms) % self.period_ms / self.period_ms
            out[s] = (top if phase < 0.8 else low) / 0.965
        self.it_w = out[-1] * 0.965
        self.heat_liquid_w, self.heat_air_w = 0.85 * out[-1], 0.15 * out[-1]
        self.throughput = float(
            np.minimum(self.node_max_w, self.cap_w).sum() / self.node_max_w.sum()
        )
        return out

    def write_cap(self, node: int, cap_w: float) -> None:
        self.cap_w[node] = cap_w

    def fill_points(self, true_points: FloatArray) -> None:
        share = self.it_w[self.node_rack] / np.bincount(self.node_rack)[self.node_rack]
        true_points[self.rows[0]] = share
        true_points[self.rows[1]] = self.cap_w

    def save(self) -> dict[str, NDArray[np.float64]]:
        return {"cap_w": self.cap_w.copy(), "it_w": self.it_w.copy()}

    def restore(self, state: dict[str, NDArray[np.float64]]) -> None:
        self.cap_w[:], self.it_w = state["cap_w"], state["it_w"].copy()
