"""All racks of a site: jobs, accelerators, hosts, switches, power shelves, advanced in blocks."""

import math
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from mallee.core.site import FloatArray, IntArray, SiteModel
from mallee.core.site_file import Twin
from mallee.twin.compute.caps import Caps
from mallee.twin.compute.kernels import Scratch, Slots, advance_racks, mark_starts
from mallee.twin.compute.layout import Layout, build_layout
from mallee.twin.compute.pace import count_work, least_limits
from mallee.twin.compute.placement import NEVER_MS, Placed, place_jobs
from mallee.twin.compute.points import RackPoints
from mallee.twin.compute.racks import (
    build_constants,
    build_coolant,
    build_dies,
    build_shelves,
    build_slots,
)
from mallee.twin.compute.shelves import STORAGE_AVERAGE_S, convert
from mallee.twin.compute.thermal import step_matrix

OFFSET_MAX_MS: Final = 30
"""Racks of a gang follow its start by up to this long."""

OVERSHOOT_MS: Final = 80
"""For this long after a kernel start a cap does not bind (measured on V100: 66-84 ms)."""

OVERSHOOT: Final = np.float32(1.6)
"""Power over the cap in that time: 240 W seen under a 150 W cap."""

CHUNK_STEPS: Final = 50
PACE_MS: Final = 1000

VOLTAGE_MIN_PU: Final = 0.5
"""Below this a power supply draws nothing and lives on its hold-up."""


class Compute:
    """The racks of one site.

    Attributes:
        it_w: DC power of every rack at the end of the last block.  # (racks,)
        block_it_w: DC power of every rack in each sub-step of the last block.  # (steps, racks)
        heat_liquid_w, heat_air_w: heat of every rack, means of the last block.  # (racks,)
        throughput: work done relative to uncapped in the last block, 0..1 over all active work.
        notes: what the traces' reader wants a person to know.
        slots: power, energy and caps by slot; `dies` temperatures by slot.  # (racks, slots)
    """

    def __init__(
        self,
        site: SiteModel,
        seed: int = 1,
        dt_ms: int = 20,
        *,
        mode: Literal["gpu", "rack"] = "gpu",
    ) -> None:
        """Build from the site's twin settings and the catalogue.

        Args:
            dt_ms: electrical sub-step.
            mode: `rack` keeps one mean state a rack, for runs of a year.

        Raises:
            ConfigError: a missing parameter, a job or trace that does not fit.
        """
        self.seed, self.dt_ms = seed, dt_ms
        self.layout: Final[Layout] = build_layout(site, aggregated=mode == "rack")
        layout = self.layout
        self.jobs, units, self.notes = place_jobs(site, layout, seed, dt_ms)
        self.slots: Final[Slots] = build_slots(layout, self.jobs, units, seed)
        twin = site.file.twin if site.file.twin is not None else Twin()
        self.dies = build_dies(layout, self.jobs, seed, twin.ambient_degc)
        self.coolant = build_coolant(layout)
        self.shelves = build_shelves(layout, twin)
        self._lead = 3 + OFFSET_MAX_MS // dt_ms
        self.racks = build_constants(layout, self.slots, self.jobs, dt_ms, self._lead)
        peak = np.ones(len(layout.node_rack))
        for job in self.jobs:
            peak[job.nodes] = job.peak
        self.caps = Caps(layout, peak)
        self.caps.spread_all(self.slots.cap_w)
        columns = 1 + sum(job.workload.units for job in self.jobs)
        self._wave = np.zeros((self._lead + CHUNK_STEPS, columns), np.float32)
        self._boost = np.ones_like(self._wave)
        self._resting = np.ones(columns, np.bool_)
        self._boost_left = np.zeros(columns, np.int64)
        self._limit_frac, self._slow_frac = np.full(columns, 1e9), np.ones(columns)
        self.slow = np.ones((layout.racks, layout.slots), np.float32)
        self._work, self._work_before = np.zeros(2), np.zeros(2)
        self._points = RackPoints(layout, self.slots.power_w)
        self._resistance_k_per_w = layout.rack_parameter("die_to_coolant_k_per_w")
        self._die_j_per_k = layout.rack_parameter("die_j_per_k")
        self._plate_j_per_k = layout.rack_parameter("plate_j_per_k")
        self._it_w = np.zeros((layout.racks, CHUNK_STEPS))
        self._live = np.ones(layout.racks, np.bool_)
        self._scratch = Scratch(
            target=np.zeros(layout.slots, np.float32),
            past=np.zeros((CHUNK_STEPS, layout.slots), np.float32),
            total=np.zeros(layout.slots),
        )
        self._activity = np.zeros(columns, np.float32)
        self._thermal_ms = max(PACE_MS, dt_ms)
        self._flow_frac = np.full(layout.racks, np.nan)
        self._supply_degc = np.zeros(layout.racks)
        self._smooth = -math.expm1(-dt_ms / 1000.0 / STORAGE_AVERAGE_S)
        self._stored_start_j = self.shelves.storage_j + self.shelves.hold_j
        self.block_it_w: FloatArray = np.zeros((1, layout.racks))
        self.it_w: FloatArray = np.zeros(layout.racks)
        self.input_w: FloatArray = np.zeros(layout.racks)
        self.heat_liquid_w: FloatArray = np.zeros(layout.racks)
        self.heat_air_w: FloatArray = np.zeros(layout.racks)
        self._liquid_frac = (
            layout.rack_parameter("liquid_frac") if len(layout.groups) else np.zeros(layout.racks)
        )
        self.time_ms = 0
        self._update_pace()

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
        self._set_coolant(supply_degc, flow_frac)
        shelves, dt_s = self.shelves, self.dt_ms / 1000.0
        self._live[:] = np.asarray(voltage_pu) >= VOLTAGE_MIN_PU
        input_w, output_w = np.empty((2, steps, self.layout.racks))
        self._work_before[:] = self._work
        output_before_j, loss_before_j = shelves.output_j.copy(), shelves.loss_j.copy()
        done = 0
        while done < steps:
            now_ms = start_ms + done * self.dt_ms
            if self.caps.apply_due(now_ms, self.slots.cap_w) or now_ms % PACE_MS == 0:
                self.racks.stale[:] = True
                self._update_pace()
            count = min(steps - done, self._steps_until_change(now_ms))
            self._advance_chunk(now_ms, count)
            convert(
                self._it_w, done, count, dt_s, self._smooth, self._live, shelves, output_w, input_w
            )
            done += count
        self.time_ms = start_ms + steps * self.dt_ms
        self.block_it_w, self.it_w, self.input_w = output_w, output_w[-1], input_w[-1]
        mean_w = (shelves.output_j - output_before_j) / (steps * dt_s)
        loss_w = (shelves.loss_j - loss_before_j) / (steps * dt_s)
        self.heat_liquid_w = self._liquid_frac * mean_w
        self.heat_air_w = mean_w - self.heat_liquid_w + loss_w
        return input_w

    def save(self) -> dict[str, NDArray[Any]]:
        """Everything that changes, as arrays."""
        saved = {name: array.copy() for name, array in self._arrays().items()}
        runs = [(job.running_from_ms, job.stop_ms) for job in self.jobs]
        saved["runs_ms"] = np.array(runs, np.int64).reshape(-1, 2)
        saved["clock_ms"] = np.array([self.time_ms])
        return saved | self.caps.save()

    def restore(self, saved: dict[str, NDArray[Any]]) -> None:
        """Continue from what `save` returned, of the same site, seed and step."""
        for name, array in self._arrays().items():
            array[...] = saved[name]
        for job, (from_ms, stop_ms) in zip(self.jobs, saved["runs_ms"].tolist(), strict=True):
            job.running_from_ms, job.stop_ms = from_ms, stop_ms
        self.time_ms = int(saved["clock_ms"][0])
        self._flow_frac[:] = np.nan
        self.caps.restore(saved)
        self._update_pace()

    def _arrays(self) -> dict[str, NDArray[Any]]:
        arrays: dict[str, NDArray[Any]] = {
            "wave": self._wave[: self._lead],
            "boost": self._boost[: self._lead],
            "resting": self._resting,
            "stale": self.racks.stale,
            "boost_left": self._boost_left,
            "slow": self.slow,
            "work": self._work,
            "activity": self._activity,
            "supply_degc": self._supply_degc,
        }
        for part in (self.slots, self.dies, self.shelves):
            kind = type(part).__name__.lower()
            arrays |= {f"{kind}_{name}": array for name, array in part._asdict().items()}
        for number, job in enumerate(self.jobs):
            arrays[f"job{number}_state"], arrays[f"job{number}_pace"] = job.workload.state, job.pace
        arrays |= self._points.arrays()
        return arrays

    def _steps_until_change(self, now_ms: int) -> int:
        """Sub-steps until a cap takes effect or the pace is due, at most a chunk."""
        until_ms = min(self.caps.next_ms, (now_ms // PACE_MS + 1) * PACE_MS)
        return min(CHUNK_STEPS, max(1, -(-(until_ms - now_ms) // self.dt_ms)))

    def _advance_chunk(self, now_ms: int, steps: int) -> None:
        lead, wave, boost = self._lead, self._wave, self._boost
        for job in self.jobs:
            job_ms = now_ms - job.running_from_ms
            job.workload.fill(wave, job.column, lead, steps, job_ms, job.pace)
            if now_ms + steps * self.dt_ms > job.stop_ms:
                self._stop(job, now_ms, steps)
            count_work(
                wave, lead, steps, job.column, job.gpus, self._limit_frac, job.idle_frac, job.table,
                job.pace, job.workload.stretches, self._work,
            )  # fmt: skip
        hold = max(1, OVERSHOOT_MS // self.dt_ms) if self.dt_ms <= OVERSHOOT_MS else 0
        mark_starts(wave, boost, lead, steps, self._resting, self._boost_left, hold, OVERSHOOT)
        advance_racks(
            wave, boost, lead, now_ms, self.dt_ms, steps, self.seed, self._thermal_ms, self.slots,
            self.racks, self.dies, self.coolant, self._scratch, self._it_w,
        )  # fmt: skip
        self._activity[:] = wave[lead : lead + steps].mean(axis=0)
        wave[:lead] = wave[steps : steps + lead].copy()
        boost[:lead] = boost[steps : steps + lead].copy()

    def _stop(self, job: Placed, now_ms: int, steps: int) -> None:
        """Take a job's activity away after its end, at once or over its ramp."""
        after_s = (now_ms - job.stop_ms + self.dt_ms * np.arange(steps)) / 1000.0
        ramp_s = job.load.stop_ramp_s
        left = 1.0 - after_s / ramp_s if ramp_s > 0.0 else np.zeros(steps)
        factor = np.where(after_s < 0.0, 1.0, np.clip(left, 0.0, 1.0)).astype(np.float32)
        rows = slice(self._lead, self._lead + steps)
        self._wave[rows, job.column : job.column + job.workload.units] *= factor[:, None]

    def _set_coolant(self, supply_degc: FloatArray, flow_frac: FloatArray) -> None:
        self._supply_degc[:] = supply_degc
        self.coolant.supply_degc[:] = supply_degc
        if not np.array_equal(flow_frac, self._flow_frac):
            self._flow_frac = np.array(flow_frac, np.float64)
            self.coolant.matrix[:] = step_matrix(
                self._resistance_k_per_w,
                self._die_j_per_k,
                self._plate_j_per_k,
                self._flow_frac,
                self._thermal_ms / 1000.0,
            )

    def _update_pace(self) -> None:
        """Speed of every unit from the tightest cap and the slowest accelerator in it."""
        slots = self.slots
        least_limits(
            slots.cap_w, slots.hot_w, self.dies.top_w, slots.unit, self.layout.gpu_slots, self.slow,
            self._limit_frac, self._slow_frac,
        )  # fmt: skip
        for job in self.jobs:
            columns = slice(job.column, job.column + job.workload.units)
            job.pace[:] = self._slow_frac[columns]
            if job.workload.stretches:
                drawn_frac = job.idle_frac + (1.0 - job.idle_frac) * job.load.compute_level
                cap_frac = self._limit_frac[columns] / drawn_frac
                job.pace *= np.interp(cap_frac, np.linspace(0.0, 1.0, len(job.table)), job.table)

    @property
    def stored_j(self) -> FloatArray:
        """Energy that each rack's shelves hold more than at the start.  # (racks,)"""
        return self.shelves.storage_j + self.shelves.hold_j - self._stored_start_j

    @property
    def throughput(self) -> float:
        """Work done in the last block relative to what it would have been without caps, 0..1."""
        done, possible = (self._work - self._work_before).tolist()
        return done / possible if possible > 0.0 else 1.0

    @property
    def leaking(self) -> NDArray[np.bool_]:
        """Nodes that report a leak; faults write here.  # (nodes,)"""
        return self._points.leaking

    @property
    def throughput_mean(self) -> float:
        """The same over all the time so far."""
        done, possible = self._work.tolist()
        return done / possible if possible > 0.0 else 1.0

    def write_cap(self, node: int, cap_w: float) -> None:
        """Write the power cap of a node; it takes effect after the path's delay.

        Raises:
            Rejected: outside the node's limits.
        """
        self.write_caps(np.array([node]), np.array([cap_w]))

    def write_caps(self, nodes: IntArray, cap_w: FloatArray) -> None:
        """Write power caps of nodes, numbered through the node groups in site order.

        Raises:
            Rejected: one is outside its node's limits; none is written then.
        """
        self.caps.write(nodes, cap_w, self.time_ms)

    def fill_points(self, true_points: FloatArray) -> None:
        """Write the true value of every point of nodes, switches and power shelves.

        Powers are means since the last call, energies exact integrals since the start.

        Args:
            true_points: one value a row of the site.  # (points,)
        """
        activity = np.clip(self._activity.astype(np.float64), 0.0, 1.0)
        self._points.fill(
            true_points,
            self.time_ms,
            self.slots,
            self.dies,
            self.shelves,
            activity,
            self.caps.cap_w,
            self._supply_degc,
        )

    def set_shelf_lost(self, rack: int, count: int) -> None:
        """Take the last `count` power shelves of a rack out of service; 0 brings all back."""
        self._points.settle(self.shelves)
        have = sum(int((group.rack == rack).sum()) for group in self.layout.shelves)
        self.shelves.alive[rack] = max(0, have - count)

    def abort_job(self, index: int) -> None:
        """Stop a job in one step, as when one of its processes dies."""
        self.jobs[index].running_from_ms = NEVER_MS
