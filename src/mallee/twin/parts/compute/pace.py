"""How fast each job runs under its caps: the slowest accelerator of a gang sets its pace."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray
from mallee.twin.kernel import kernel
from mallee.twin.parts.compute.kernels import Slots
from mallee.twin.parts.compute.layout import Float32Array, Layout
from mallee.twin.parts.compute.placement import Placed
from mallee.twin.parts.compute.thermal import Dies
from mallee.twin.parts.compute.throughput import TABLE_AT
from mallee.twin.parts.compute.work import (
    CAPS,
    CAUSES,
    COOLING,
    FAULT,
    NOTHING,
    POWER,
    Work,
    mean_level,
    stands_still,
)

if TYPE_CHECKING:
    from mallee.twin.parts.compute.supply import Supply


class Pace:
    """Speed of all jobs, and the work they did and could have done.

    Attributes:
        slow: speed of each accelerator by its own faults, 1 if healthy.  # (racks, slots)
        broken: accelerators that a fault has taken.  # (racks, slots)
    """

    def __init__(self, layout: Layout, jobs: list[Placed], columns: int) -> None:
        self._layout, self._jobs = layout, jobs
        self.slow = np.ones((layout.racks, layout.slots), np.float32)
        self.broken = np.zeros((layout.racks, layout.slots), np.bool_)
        self._limit_frac, self._slow_frac = np.full(columns, 1e9), np.ones(columns)
        self._hot_frac = np.full(columns, 1e9)
        self._work, self._before = np.zeros(2), np.zeros(2)
        self._lost = np.zeros(len(CAUSES))
        self._levels = [mean_level(job.load) for job in jobs]

    def update(self, slots: Slots, dies: Dies) -> None:
        """Speed of every unit from the tightest limit and the slowest accelerator in it."""
        least_limits(
            slots.cap_w,
            slots.hot_w,
            dies.top_w,
            slots.unit,
            self._layout.gpu_slots,
            self.slow,
            self._limit_frac,
            self._hot_frac,
            self._slow_frac,
        )
        for job in self._jobs:
            columns = slice(job.column, job.column + job.workload.units)
            job.pace[:] = self._slow_frac[columns]
            if job.workload.stretches:
                drawn_frac = job.idle_frac + (1.0 - job.idle_frac) * job.load.compute_level
                cap_frac = self._limit_frac[columns] / drawn_frac
                job.pace *= np.interp(cap_frac, TABLE_AT, job.table)

    def begin_block(self) -> None:
        """`block_throughput` counts from here."""
        self._before[:] = self._work

    def count(
        self, wave: Float32Array, row: int, steps: int, now_ms: int, supply: "Supply"
    ) -> None:
        """Add the work of some sub-steps."""
        for number, job in enumerate(self._jobs):
            if job.workload.stretches:
                cause = stands_still(
                    job,
                    now_ms,
                    is_waiting=supply.is_waiting(number),
                    is_off=self._limit_frac[job.column] == 0.0,
                    is_broken=bool(self.broken.any()) and bool(self.broken[job.racks].any()),
                )
                if cause != NOTHING:
                    missed = float(job.gpus.sum()) * self._levels[number] * steps
                    self._lost[cause] += missed
                    self._work[1] += missed
                    continue
            before = float(self._work[0])
            count_work(
                wave,
                row,
                steps,
                job.column,
                job.gpus,
                self._limit_frac,
                self._hot_frac,
                self._slow_frac,
                job.idle_frac,
                job.table,
                job.pace,
                job.workload.stretches,
                self._work,
                self._lost,
            )
            dark_frac = 0.0 if job.workload.stretches else supply.dark_frac(number)
            if dark_frac > 0.0:
                missed = (float(self._work[0]) - before) * dark_frac
                self._work[0] -= missed
                self._lost[POWER] += missed

    def work(self, step_s: float) -> Work:
        """Work since the start, from steps of `step_s`."""
        lost = (self._lost * step_s).tolist()
        return Work(float(self._work[0]) * step_s, tuple(lost))

    @property
    def block_throughput(self) -> float:
        """Work done since `begin_block` relative to uncapped, 0..1; 1 where nothing ran."""
        return _ratio(self._work - self._before)

    @property
    def mean_throughput(self) -> float:
        """The same since the start."""
        return _ratio(self._work)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that changes, for save and restore."""
        return {
            "slow": self.slow,
            "broken": self.broken,
            "work": self._work,
            "work_before": self._before,
            "work_lost": self._lost,
        }


def _ratio(work: FloatArray) -> float:
    done, possible = work.tolist()
    return float(done / possible) if possible > 0.0 else 1.0


@kernel
def least_limits(
    cap_w: Float32Array,
    hot_w: Float32Array,
    top_w: Float32Array,
    unit: NDArray[np.uint32],
    gpu_slots: IntArray,
    slow: Float32Array,
    limit_frac: FloatArray,
    hot_frac: FloatArray,
    slow_frac: FloatArray,
) -> None:
    """The tightest limit and the slowest accelerator of every unit.

    Args:
        top_w: nameplate of each slot.  # (racks, slots)
        slow: speed of each accelerator by its own faults, 1 if healthy.  # (racks, slots)
        limit_frac: power limit as a fraction of nameplate, written.  # (units,)
        hot_frac: the part of it that heat sets, written.  # (units,)
        slow_frac: least of `slow`, written.  # (units,)
    """
    for own in range(limit_frac.shape[0]):
        limit_frac[own], hot_frac[own], slow_frac[own] = 1e9, 1e9, 1.0
    for rack in range(cap_w.shape[0]):
        for s in range(gpu_slots[rack]):
            own = unit[rack, s]
            frac = min(np.float64(cap_w[rack, s]), np.float64(hot_w[rack, s])) / np.float64(
                top_w[rack, s]
            )
            limit_frac[own] = min(limit_frac[own], frac)
            hot = np.float64(hot_w[rack, s]) / np.float64(top_w[rack, s])
            hot_frac[own] = min(hot_frac[own], hot)
            slow_frac[own] = min(slow_frac[own], np.float64(slow[rack, s]))


@kernel
def look_up(table: FloatArray, at: float) -> float:
    """Linear look-up in a table of equal steps over 0..1."""
    last = table.shape[0] - 1
    place = min(max(at, 0.0), 1.0) * last
    below = min(int(place), last - 1)
    return float(table[below] + (place - below) * (table[below + 1] - table[below]))


@kernel
def count_work(
    wave: Float32Array,
    row: int,
    steps: int,
    column: int,
    gpus: FloatArray,
    limit_frac: FloatArray,
    hot_frac: FloatArray,
    slow_frac: FloatArray,
    idle_frac: float,
    table: FloatArray,
    pace: FloatArray,
    stretches: bool,
    work: FloatArray,
    lost: FloatArray,
) -> None:
    """Add the work done and the work that would have been done without caps.

    Args:
        idle_frac: idle power as a fraction of nameplate.
        pace: speed of each unit.  # (units,)
        stretches: work follows the pace (a gang), else the table at each moment's power (a replay).
        work: done and possible, in accelerator sub-steps at full activity, changed.  # (2,)
        lost: the difference by cause, changed.  # (causes,)
    """
    for unit in range(gpus.shape[0]):
        cause = CAPS
        if hot_frac[column + unit] <= limit_frac[column + unit]:
            cause = COOLING
        elif slow_frac[column + unit] < 1.0:
            cause = FAULT
        for k in range(row, row + steps):
            active = max(np.float64(wave[k, column + unit]), 0.0)
            speed = pace[unit]
            if not stretches:
                wanted_frac = idle_frac + (1.0 - idle_frac) * active
                if wanted_frac > limit_frac[column + unit]:
                    speed *= look_up(table, limit_frac[column + unit] / wanted_frac)
            work[0] += gpus[unit] * active * speed
            work[1] += gpus[unit] * active
            lost[cause] += gpus[unit] * active * (1.0 - speed)
