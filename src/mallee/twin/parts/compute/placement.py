"""Puts jobs on nodes: which column of activity drives each slot."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zlib import crc32

import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.core.errors import ConfigError
from mallee.core.patterns import expand_range
from mallee.site.model import SiteModel
from mallee.site.simulated import Job, Load, Twin
from mallee.twin.parts.compute.layout import Layout, gpu_slots_of
from mallee.twin.parts.compute.throughput import lookup_table
from mallee.twin.parts.compute.workload.constant import Constant
from mallee.twin.parts.compute.workload.deaverage import deaverage
from mallee.twin.parts.compute.workload.hpl import Hpl
from mallee.twin.parts.compute.workload.inference import Inference
from mallee.twin.parts.compute.workload.replay import Replay
from mallee.twin.parts.compute.workload.requests import read_requests
from mallee.twin.parts.compute.workload.trace_file import Trace, read_trace
from mallee.twin.parts.compute.workload.training import Training
from mallee.twin.parts.compute.workload.workload import Workload

IDLE_COLUMN: Final = 0
NEVER_MS: Final = 1 << 60

CLASS_OF_KIND: Final = {
    "training": "training",
    "inference": "inference",
    "hpl": "training",
    "idle": "training",
    "constant": "training",
    "trace": "training",
}


@dataclass(slots=True)
class Placed:
    """One job on its nodes.

    Attributes:
        nodes: node numbers.  # (nodes,)
        racks: racks that they stand in.  # (racks,)
        column: its first column of activity.
        gpus: accelerators behind each of its columns.  # (units,)
        peak: highest activity it may ask for; above 1 only for replays beyond nameplate.
        table: throughput versus cap, for kernels.
        pace: speed of each unit relative to uncapped.  # (units,)
        idle_frac: idle power of its accelerators as a fraction of nameplate.
        running_from_ms: start of the present run; `NEVER_MS` while it is aborted.
    """

    name: str
    load: Load
    workload: Workload
    nodes: IntArray
    racks: IntArray
    column: int
    start_ms: int
    stop_ms: int
    peak: float
    idle_frac: float
    table: FloatArray
    gpus: FloatArray = field(default_factory=lambda: np.zeros(1))
    pace: FloatArray = field(default_factory=lambda: np.ones(1))
    running_from_ms: int = 0


def place_jobs(
    site: SiteModel, layout: Layout, seed: int, dt_ms: int
) -> tuple[list[Placed], IntArray, tuple[str, ...]]:
    """All jobs of a site's twin.

    Returns:
        The jobs; the column of every slot; notes on traces.  # (racks, slots)

    Raises:
        ConfigError: a job names no node, or two jobs name the same one; a trace is unusable.
    """
    twin = site.file.twin if site.file.twin is not None else Twin()
    owner = np.full(len(layout.node_rack), -1)
    placed: list[Placed] = []
    notes: list[str] = []
    column = IDLE_COLUMN + 1
    units = np.zeros((layout.racks, layout.slots), np.int64)
    jobs = [*twin.jobs, Job(name="load", on=[], load=twin.load)]
    for number, job in enumerate(jobs):
        nodes = np.flatnonzero(owner < 0) if not job.on else _nodes_of(layout, job)
        if (owner[nodes] >= 0).any():
            other = jobs[int(owner[nodes].max())].name
            raise ConfigError(
                f"twin.jobs.{job.name}.on", f"shares nodes with {other!r}", "one job a node"
            )
        owner[nodes] = number
        if not len(nodes):
            continue
        workload, peak = _workload(
            job.load, layout, nodes, crc32(job.name.encode()) ^ seed, dt_ms, notes
        )
        one = Placed(
            name=job.name,
            load=job.load,
            workload=workload,
            nodes=nodes,
            racks=np.unique(layout.node_rack[nodes]),
            column=column,
            start_ms=round(job.start_s * 1000),
            stop_ms=round(job.stop_s * 1000) if job.stop_s > 0 else NEVER_MS,
            peak=peak,
            idle_frac=_idle_frac(layout, nodes),
            table=lookup_table(job.load.throughput_class or CLASS_OF_KIND[job.load.kind]),
            running_from_ms=round(job.start_s * 1000),
        )
        _assign(one, layout, units)
        one.pace = np.ones(workload.units)
        placed.append(one)
        column += workload.units
    return placed, units, tuple(notes)


def _idle_frac(layout: Layout, nodes: IntArray) -> float:
    first = int(nodes[0])
    idle_w, most_w = (layout.node_parameter(name)[first] for name in ("gpu_idle_w", "gpu_max_w"))
    return float(idle_w / most_w) if most_w > 0.0 else 0.0  # a node without accelerators


def _nodes_of(layout: Layout, job: Job) -> IntArray:
    """Numbers of the nodes that a job names, by pod, rack or node."""
    where = f"twin.jobs.{job.name}.on"
    names = [name for group in layout.groups for name in group.names]
    chosen = np.zeros(len(names), np.bool_)
    for pattern in job.on:
        try:
            wanted = expand_range(pattern)
        except ValueError as error:
            raise ConfigError(where, str(error)) from None
        for want in wanted:
            hits = [
                n for n, name in enumerate(names) if name == want or name.startswith(f"{want}/")
            ]
            if not hits:
                raise ConfigError(where, f"no node, rack or pod {want!r}", f"such as {names[0]!r}")
            chosen[hits] = True
    return np.flatnonzero(chosen)


def _workload(
    load: Load, layout: Layout, nodes: IntArray, seed: int, dt_ms: int, notes: list[str]
) -> tuple[Workload, float]:
    """The generator of a load's activity and the highest activity it may ask for."""
    if load.kind == "training":
        return Training(load=load, seed=seed & 0x7FFFFFFF, dt_ms=dt_ms), 1.0
    if load.kind == "trace":
        if not load.trace:
            raise ConfigError("twin.load.trace", "is empty", "name a CSV with t_s,power_w")
        trace = read_trace(Path(load.trace))
        if load.trace_form == "deaveraged":
            trace = deaverage(trace)
        notes.extend(trace.notes)
        activity = trace_activity(trace, load, layout, nodes)
        return Replay(time_s=trace.time_s, activity=activity, dt_ms=dt_ms), float(activity.max())
    if load.kind == "inference":
        gpus = int(layout.node_gpus[nodes].sum())
        units = (
            len(np.unique(layout.node_rack[nodes]))
            if layout.aggregated
            else -(-gpus // load.replica_gpus)
        )
        none = np.empty(0)
        requests = read_requests(Path(load.requests)) if load.requests else (none, none, none)
        return Inference(load, seed & 0x7FFFFFFF, dt_ms, units, *requests), 1.0
    if load.kind == "hpl":
        return Hpl(load=load, dt_ms=dt_ms), 1.0
    level = 0.0 if load.kind == "idle" else load.level
    return Constant(level=level, dt_ms=dt_ms, units=len(np.unique(layout.node_rack[nodes]))), 1.0


def trace_activity(trace: Trace, load: Load, layout: Layout, nodes: IntArray) -> FloatArray:
    """Activity that makes the job's IT power (accelerators, hosts, switches) follow a trace.

    Returns:
        One column for each accelerator column of the trace, then their mean.  # (samples, units)
    """
    slots = np.zeros((layout.racks, layout.slots), np.bool_)
    owner, slot = gpu_slots_of(
        layout.node_slot[nodes], layout.node_gpus[nodes], aggregated=layout.aggregated
    )
    gpu_at = (layout.node_rack[nodes][owner], slot)
    slots[gpu_at] = True
    idle_gpu_w, span_gpu_w = layout.idle_w[slots].sum(), layout.span_w[slots].sum()
    slots[layout.node_rack[nodes], layout.node_host_slot[nodes]] = True
    racks = np.unique(layout.node_rack[nodes])
    slots[racks, layout.switch_slot[racks]] = True
    idle_w, span_w = layout.idle_w[slots].sum(), layout.span_w[slots].sum()
    columns = (
        trace.gpu_w if trace.gpu_w.shape[1] and not layout.aggregated else trace.total_w[:, None]
    )
    share = columns * columns.shape[1]
    if load.scale_to_w > 0.0 or not trace.gpu_w.shape[1]:
        peak_w = float(trace.total_w.max())
        if load.scale_to_w > 0.0 and peak_w <= 0.0:
            raise ConfigError(trace.source, "has no power above 0 to scale")
        factor = load.scale_to_w / peak_w if load.scale_to_w > 0.0 else 1.0
        activity = (share * factor - idle_w) / span_w
    else:
        frac = columns / columns.max()
        activity = (frac * (idle_gpu_w + span_gpu_w) - idle_gpu_w) / span_gpu_w
    return np.column_stack([activity, activity.mean(axis=1)])


def _assign(job: Placed, layout: Layout, units: IntArray) -> None:
    """Write the columns of the job's slots, and count the accelerators behind each."""
    workload, nodes = job.workload, job.nodes
    gpus = layout.node_gpus[nodes]
    owner, slot = gpu_slots_of(layout.node_slot[nodes], gpus, aggregated=layout.aggregated)
    order = np.arange(len(owner))
    rack = layout.node_rack[nodes]
    by_rack = np.searchsorted(job.racks, rack)
    if isinstance(workload, Replay):
        shared = workload.units - 1
        own, common = order % shared, shared
        host = np.full(len(nodes), common)
    elif isinstance(workload, Inference):
        own = by_rack[owner] if layout.aggregated else order // job.load.replica_gpus
        host = own[np.minimum(np.cumsum(gpus) - gpus, len(own) - 1)]
    elif isinstance(workload, Constant):
        own, host = by_rack[owner], by_rack
    else:
        own, host = np.zeros_like(order), np.zeros_like(nodes)
    units[rack[owner], slot] = job.column + own
    units[rack, layout.node_host_slot[nodes]] = job.column + host
    units[rack, layout.switch_slot[rack]] = job.column + host
    job.gpus = np.bincount(own, minlength=workload.units).astype(np.float64)
