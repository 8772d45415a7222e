"""All racks of a site: jobs, accelerators, hosts, switches, power shelves, advanced in blocks."""

import math
from collections.abc import Collection, Mapping
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray
from mallee.kinds.node import NODE
from mallee.kinds.power_shelf import POWER_SHELF
from mallee.kinds.switch import SWITCH
from mallee.site.model import DeviceGroup, SiteModel
from mallee.site.simulated import Twin
from mallee.twin.part import Part, Saved
from mallee.twin.parts.compute.activity import Activity
from mallee.twin.parts.compute.caps import Caps
from mallee.twin.parts.compute.kernels import Scratch, Slots, advance_racks
from mallee.twin.parts.compute.layout import Layout, build_layout
from mallee.twin.parts.compute.mean_kernel import advance_means
from mallee.twin.parts.compute.pace import Pace
from mallee.twin.parts.compute.placement import NEVER_MS, place_jobs
from mallee.twin.parts.compute.points import RackPoints, shown_points
from mallee.twin.parts.compute.rack_coolant import RackCoolant
from mallee.twin.parts.compute.racks import build_constants, build_dies, build_shelves, build_slots
from mallee.twin.parts.compute.shelves import STORAGE_AVERAGE_S, Shelves, convert
from mallee.twin.parts.compute.smoothing import Smoother, build_smoother
from mallee.twin.parts.compute.supply import Supply
from mallee.twin.parts.compute.thermal import NO_LIMIT_W, Dies
from mallee.twin.parts.compute.work import Work
from mallee.twin.parts.compute.workload.inference import Inference

CHUNK_STEPS: Final = 50
LONG_CHUNK: Final = 10
"""Steps of a chunk where a step is a second or more."""

PACE_MS: Final = 1000
"""The pace of the jobs follows caps and temperatures this often."""


class Compute(Part):
    """The racks of one site.

    Attributes:
        it_w: DC power of every rack at the end of the last block.  # (racks,)
        block_it_w, block_input_w: DC and AC power of every rack in each sub-step of the last
            block.  # (steps, racks)
        heat_liquid_w, heat_air_w: heat of every rack, means of the last block.  # (racks,)
        throughput: work done relative to uncapped in the last block, 0..1 over all active work.
        notes: what the traces' reader wants a person to know.
        slots: power, energy and caps by slot; `dies` temperatures by slot.  # (racks, slots)
    """

    kinds = (NODE.name, SWITCH.name, POWER_SHELF.name)

    def __init__(
        self,
        site: SiteModel,
        seed: int = 1,
        dt_ms: int = 20,
        *,
        mode: Literal["gpu", "rack"] = "gpu",
        day_s: float = 0.0,
    ) -> None:
        """Build from the site's twin settings and the catalogue.

        Args:
            dt_ms: electrical sub-step.
            mode: `rack` keeps one mean state a rack, for runs of a year.
            day_s: second of the local day that the run starts at, for the daily wave of requests.

        Raises:
            ConfigError: a missing parameter, a job or trace that does not fit.
        """
        self.seed, self.dt_ms, self.time_ms = seed, dt_ms, 0
        twin = site.file.twin if site.file.twin is not None else Twin()
        self.layout: Final[Layout] = build_layout(site, aggregated=mode == "rack")
        layout = self.layout
        self.jobs, units, self.notes = place_jobs(site, layout, seed, dt_ms)
        for job in self.jobs:
            if isinstance(job.workload, Inference):
                job.workload.begin_day_at(day_s)
        self.slots: Final[Slots] = build_slots(layout, self.jobs, units, seed)
        self.dies: Final[Dies] = build_dies(layout, self.jobs, seed, twin.ambient_degc)
        self.shelves: Final[Shelves] = build_shelves(layout, twin)
        self.smoother: Final[Smoother] = build_smoother(layout, twin.smoothing, dt_ms)
        self.coolant: Final = RackCoolant(layout, max(PACE_MS, dt_ms))
        self.supply: Final = Supply(layout.racks, self.jobs)
        self.activity: Final = Activity(self.jobs, dt_ms, CHUNK_STEPS)
        self.racks: Final = build_constants(
            layout, self.slots, self.jobs, dt_ms, self.activity.lead
        )
        self.caps: Final = Caps(layout, self.jobs)
        self.caps.spread_all(self.slots.cap_w)
        self.pace: Final = Pace(layout, self.jobs, self.activity.wave.shape[1])
        self.slow = self.pace.slow
        self.points: Final = RackPoints(layout, self.slots.power_w)
        self._scratch = Scratch(
            target=np.zeros(layout.slots, np.float32),
            goal=np.zeros(layout.slots, np.float32),
            past=np.zeros((CHUNK_STEPS, layout.slots), np.float32),
            total=np.zeros(layout.slots),
        )
        self._smooth = -math.expm1(-dt_ms / 1000.0 / STORAGE_AVERAGE_S)
        self._it_w = np.zeros((layout.racks, CHUNK_STEPS))
        self._stored_start_j = self.shelves.storage_j + self.shelves.hold_j
        self._liquid_frac = layout.rack_parameter("liquid_frac")
        self.it_w: FloatArray = layout.idle_w.sum(axis=1)
        self.input_w = self.it_w
        self.block_it_w = self.block_input_w = self.it_w[None]
        self.heat_liquid_w, self.heat_air_w = np.zeros((2, layout.racks))
        self.pace.update(self.slots, self.dies)

    def advance(
        self,
        start_ms: int,
        steps: int,
        *,
        supply_degc: FloatArray,
        flow_frac: FloatArray,
        voltage_pu: float | FloatArray = 1.0,
    ) -> FloatArray:
        """Advance by `steps` sub-steps.

        Args:
            start_ms: twin time of the first sub-step; continues the last call.
            supply_degc: coolant (or air) temperature at each rack.  # (racks,)
            flow_frac: coolant flow relative to nominal, 0..1.  # (racks,)
            voltage_pu: supply voltage of all racks or of each; below 0.5 none is drawn.

        Returns:
            AC input power of every rack in each sub-step.  # (steps, racks)
        """
        self.coolant.set(supply_degc, flow_frac)
        shelves, dt_s = self.shelves, self.dt_ms / 1000.0
        input_w, output_w = np.empty((2, steps, self.layout.racks))
        heat_w = np.zeros((2, self.layout.racks))
        self.pace.begin_block()
        done = 0
        while done < steps:
            now_ms = start_ms + done * self.dt_ms
            if self.caps.apply_due(now_ms, self.slots.cap_w) or now_ms % PACE_MS == 0:
                self.racks.stale[:] = True
                self.pace.update(self.slots, self.dies)
            count = min(steps - done, self._steps_until_change(now_ms))
            self.supply.watch(
                now_ms, count, dt_s, voltage_pu, self.it_w, shelves, self.racks, self.smoother
            )
            self._advance_chunk(now_ms, count)
            convert(
                self._it_w, done, count, dt_s, self._smooth, self.supply.live, shelves,
                self._liquid_frac, output_w, input_w, heat_w,
            )  # fmt: skip
            done += count
            self.it_w, self.input_w = output_w[done - 1], input_w[done - 1]
        self.time_ms = start_ms + steps * self.dt_ms
        self.block_it_w, self.block_input_w = output_w, input_w
        self.heat_liquid_w, self.heat_air_w = heat_w
        return input_w

    def save(self) -> Saved:
        """Everything that changes, as arrays."""
        saved = super().save()
        runs = [(job.running_from_ms, job.stop_ms) for job in self.jobs]
        saved["runs_ms"] = np.array(runs, np.int64).reshape(-1, 2)
        saved["clock_ms"] = np.array([self.time_ms])
        saved["it_w"], saved["input_w"] = self.it_w.copy(), self.input_w.copy()
        return saved | self.caps.save()

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Continue from what `save` returned, of the same site, seed and step."""
        super().restore(saved)
        for job, (from_ms, stop_ms) in zip(self.jobs, saved["runs_ms"].tolist(), strict=True):
            job.running_from_ms, job.stop_ms = from_ms, stop_ms
        self.time_ms = int(saved["clock_ms"][0])
        self.it_w, self.input_w = saved["it_w"].copy(), saved["input_w"].copy()
        self.coolant.forget()
        self.caps.restore(dict(saved))
        self.pace.update(self.slots, self.dies)

    def arrays(self) -> Saved:
        """See `Part.arrays`."""
        arrays: dict[str, NDArray[Any]] = {"stale": self.racks.stale, "rack_live": self.racks.live}
        for part in (self.slots, self.dies, self.shelves, self.smoother):
            kind = type(part).__name__.lower()
            arrays |= {f"{kind}_{name}": array for name, array in part._asdict().items()}
        for keeper in (self.activity, self.supply, self.pace, self.points):
            arrays |= keeper.arrays()
        for number, job in enumerate(self.jobs):
            arrays[f"job{number}_state"], arrays[f"job{number}_pace"] = job.workload.state, job.pace
        return arrays

    def _steps_until_change(self, now_ms: int) -> int:
        """Sub-steps until a cap takes effect or the pace is due, at most a chunk."""
        until_ms = min(self.caps.next_ms, (now_ms // PACE_MS + 1) * PACE_MS)
        if self.dt_ms >= PACE_MS:
            until_ms = min(self.caps.next_ms, now_ms + LONG_CHUNK * self.dt_ms)
        return min(CHUNK_STEPS, max(1, -(-(until_ms - now_ms) // self.dt_ms)))

    def _advance_chunk(self, now_ms: int, steps: int) -> None:
        activity = self.activity
        activity.fill(now_ms, steps)
        self.pace.count(activity.wave, activity.lead, steps, now_ms, self.supply)
        if self.layout.aggregated:
            advance_means(
                activity.wave, activity.boost, activity.lead, now_ms, self.dt_ms, steps,
                self.coolant.step_ms, self.slots, self.racks, self.dies, self.coolant.kernel,
                self.smoother, self._scratch, self._it_w,
            )  # fmt: skip
            activity.roll(steps)
            return
        advance_racks(
            activity.wave, activity.boost, activity.still, activity.lead, now_ms, self.dt_ms, steps,
            self.seed, self.coolant.step_ms, self.slots, self.racks, self.dies, self.coolant.kernel,
            self.smoother, self._scratch, self._it_w,
        )  # fmt: skip
        activity.roll(steps)

    @property
    def stored_j(self) -> FloatArray:
        """Energy that each rack's shelves hold more than at the start.  # (racks,)"""
        return self.shelves.storage_j + self.shelves.hold_j - self._stored_start_j

    @property
    def throughput(self) -> float:
        """Work done in the last block relative to what it would have been without caps, 0..1."""
        return self.pace.block_throughput

    @property
    def work(self) -> Work:
        """Work done and lost since the start, by cause."""
        return self.pace.work(self.dt_ms / 1000.0)

    @property
    def throughput_mean(self) -> float:
        """The same over all the time so far."""
        return self.pace.mean_throughput

    def write(
        self, kind: str, number: int, point: str, value: float, lease_s: float, time_ms: int
    ) -> None:
        """See `Part.write`."""
        if kind != NODE.name or point != "cap_w":
            super().write(kind, number, point, value, lease_s, time_ms)
        self.write_cap(number, value)

    def forget(self, kind: str, number: int) -> None:
        """Back to the highest cap; a switch has nothing to forget."""
        if kind == NODE.name:
            self.write_cap(number, float(self.caps.max_w[number]))

    def write_cap(self, node: int, cap_w: float) -> None:
        """Write the power cap of a node; it takes effect after the path's delay.

        Raises:
            Rejected: outside the node's limits.
        """
        self.caps.write_one(node, cap_w, self.time_ms)

    def write_caps(self, nodes: IntArray, cap_w: FloatArray) -> None:
        """Write power caps of nodes, numbered through the node groups in site order.

        Raises:
            Rejected: one is outside its node's limits; none is written then.
        """
        self.caps.write(nodes, cap_w, self.time_ms)

    def points_of(self, group: DeviceGroup) -> Collection[str]:
        """See `Part.points_of`."""
        return shown_points(group)

    def show(self, true_points: FloatArray) -> None:
        """Write the true value of every point of nodes, switches and power shelves.

        Powers are means since the last call, energies exact integrals since the start.

        Args:
            true_points: one value a row of the site.  # (points,)
        """
        activity = np.clip(self.activity.mean.astype(np.float64), 0.0, 1.0)
        self.points.fill(
            true_points,
            self.time_ms,
            self.slots,
            self.dies,
            self.shelves,
            activity,
            self.caps.cap_w,
            self.coolant.supply_degc,
        )

    def set_shelf_lost(self, rack: int, count: int) -> None:
        """Take the last `count` power shelves of a rack out of service; 0 brings all back."""
        self.points.settle(self.shelves)
        have = sum(int((group.rack == rack).sum()) for group in self.layout.shelves)
        self.shelves.alive[rack] = max(0, have - count)

    def reset_gpus(self, node: int) -> None:
        """Start a node's accelerators again that shut themselves down, as a reboot does."""
        layout = self.layout
        first, rack = int(layout.node_slot[node]), int(layout.node_rack[node])
        count = 1 if layout.aggregated else int(layout.node_gpus[node])
        self.dies.state[rack, first : first + count] = 0
        self.slots.hot_w[rack, first : first + count] = NO_LIMIT_W
        self.racks.stale[rack] = True

    def abort_job(self, index: int) -> None:
        """Stop a job in one step, as when one of its processes dies."""
        self.jobs[index].running_from_ms = NEVER_MS
