"""Starting state of the racks' arrays, from the placement, catalogue and twin settings."""

from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.site.simulated import Twin
from mallee.twin.parts.compute.kernels import RackConstants, Slots
from mallee.twin.parts.compute.layout import LANES, Layout, gpu_slots_of, parameter
from mallee.twin.parts.compute.noise import fill_uniform
from mallee.twin.parts.compute.placement import Placed
from mallee.twin.parts.compute.shelves import Shelves
from mallee.twin.parts.compute.thermal import NO_LIMIT_W, Dies

LEAK_PER_K: Final = 0.003
"""Rise of board power per kelvin of the die about 60 degC."""

SPREAD_FRAC: Final = 0.1
"""Accelerators of one kind differ by this much in thermal resistance, either way."""

LATE_STRIDE: Final = 7
"""Neighbouring racks differ in how many sub-steps they follow their gang."""

PSU_A, PSU_B, PSU_C = 0.0065, -0.0044, 0.0342
"""Loss curve of nodes that bring their own power supplies: as the ORv3 rectifiers'."""

OWN_PSU_HEADROOM: Final = 1.5
"""Nodes with their own supplies have this much more rating than the node's maximum (N+N)."""


def build_slots(layout: Layout, jobs: list[Placed], units: IntArray, seed: int) -> Slots:
    """Everything at idle."""
    shape = (layout.racks, layout.slots)
    noise, delay = np.zeros(shape), np.zeros(shape)
    for job in jobs:
        at = _gpus_of(layout, job)
        if job.workload.stretches:
            delay[at] = draw(seed, layout.first_gpu_of_rack[at[0]] + at[1], 3)
        noise[at] = job.load.noise_frac if job.load.kind != "trace" else 0.0
    return Slots(
        power_w=layout.idle_w.astype(np.float32),
        energy_j=np.zeros(shape),
        base_w=np.zeros(shape, np.float32),
        gain_w=np.zeros(shape, np.float32),
        limit_w=np.zeros(shape, np.float32),
        idle_w=layout.idle_w.astype(np.float32),
        span_w=layout.span_w.astype(np.float32),
        leak=np.ones(shape, np.float32),
        noise=noise.astype(np.float32),
        delay=delay.astype(np.float32),
        cap_w=np.full(shape, NO_LIMIT_W, np.float32),
        hot_w=np.full(shape, NO_LIMIT_W, np.float32),
        unit=units.astype(np.uint32),
    )


def build_dies(layout: Layout, jobs: list[Placed], seed: int, ambient_degc: float) -> Dies:
    """All dies at ambient temperature."""
    shape = (layout.racks, layout.slots)
    keys = layout.first_gpu_of_rack[:, None] + np.arange(layout.slots)
    spread = 1.0 + SPREAD_FRAC * (2.0 * draw(seed, keys, 5) - 1.0)
    if layout.aggregated:
        spread = np.ones(shape) / np.maximum(layout.gpus, 1)[:, None]
    leak = np.zeros(shape)
    for job in jobs:
        if job.load.kind != "trace":
            leak[_gpus_of(layout, job)] = LEAK_PER_K
    start = np.full(shape, ambient_degc, np.float32)
    return Dies(
        die_degc=start.copy(),
        plate_degc=start.copy(),
        mark_j=np.zeros(shape),
        spread=spread.astype(np.float32),
        leak_per_k=leak.astype(np.float32),
        top_w=(layout.idle_w + layout.span_w).astype(np.float32),
        state=np.zeros(shape, np.int8),
    )


def build_shelves(layout: Layout, twin: Twin) -> Shelves:
    """Shelves of every rack; nodes without a shelf bring their own supplies."""
    racks = layout.racks
    alive = np.zeros(racks, np.int64)
    rating_w, a, b, c, hold_s = (np.zeros(racks) for _ in range(5))
    for group in layout.shelves:
        alive += np.bincount(group.rack, minlength=racks)
        for values, name in (
            (rating_w, "rating_w"),
            (a, "loss_a_pu"),
            (b, "loss_b_pu"),
            (c, "loss_c_pu"),
        ):
            values[group.rack] = parameter(group.model, name)
        hold_s[group.rack] = parameter(group.model, "hold_up_s")
    own = alive == 0
    for group in layout.groups:
        node_w = group.model.power_max_w * OWN_PSU_HEADROOM
        total_w = np.bincount(group.rack, minlength=racks) * parameter(
            group.model, "psu_rating_w", node_w
        )
        mine = own & (total_w > 0.0)
        alive[mine], rating_w[mine] = 1, total_w[mine]
        a[mine] = parameter(group.model, "psu_loss_a_pu", PSU_A)
        b[mine] = parameter(group.model, "psu_loss_b_pu", PSU_B)
        c[mine] = parameter(group.model, "psu_loss_c_pu", PSU_C)
        hold_s[mine] = parameter(group.model, "psu_hold_up_s", 0.02)
    storage_j = twin.shelf_storage_j * layout.gpus.astype(np.float64)
    hold_j = hold_s * alive * rating_w
    return Shelves(
        alive=alive,
        rating_w=rating_w,
        a=a,
        b=b,
        c=c,
        storage_max_j=storage_j,
        storage_j=0.5 * storage_j,
        average_w=layout.idle_w.sum(axis=1),
        hold_j=hold_j.copy(),
        hold_max_j=hold_j,
        input_j=np.zeros(racks),
        output_j=np.zeros(racks),
        loss_j=np.zeros(racks),
    )


def build_constants(
    layout: Layout, slots: Slots, jobs: list[Placed], dt_ms: int, lead: int
) -> RackConstants:
    """What the kernel needs to know about each rack."""
    dt_s = dt_ms / 1000.0
    first_unit = slots.unit[:, 0].astype(np.int64)
    alike = ((slots.unit == first_unit[:, None]) | (layout.weight == 0)).all(axis=1)
    late = np.zeros(layout.racks, np.int64)
    for job in jobs:
        if job.workload.stretches:
            racks = layout.node_rack[job.nodes]
            late[racks] = racks * LATE_STRIDE % (lead - 2)
    rise = -np.expm1(-dt_s / layout.rack_parameter("gpu_tau_up_s"))
    fall = -np.expm1(-dt_s / layout.rack_parameter("gpu_tau_down_s"))
    return RackConstants(
        used=-(-(layout.switch_slot + 1) // LANES) * LANES,
        live=np.full(layout.racks, 1 << 40),
        gpu_slots=layout.gpu_slots,
        stale=np.ones(layout.racks, np.bool_),
        unit=np.where(alike, first_unit, -1),
        lag=late,
        first_gpu=layout.first_gpu_of_rack,
        rise=rise.astype(np.float32),
        fall=fall.astype(np.float32),
    )


def draw(seed: int, keys: IntArray, purpose: int) -> FloatArray:
    """Uniform numbers in [0, 1), one a key, the same whatever else is drawn."""
    flat = np.ascontiguousarray(keys).ravel()
    out = np.empty(len(flat))
    fill_uniform(seed, flat, purpose, out)
    return out.reshape(keys.shape)


def _gpus_of(layout: Layout, job: Placed) -> tuple[IntArray, IntArray]:
    """Rack and slot of a job's accelerators."""
    nodes = job.nodes
    owner, slot = gpu_slots_of(
        layout.node_slot[nodes], layout.node_gpus[nodes], aggregated=layout.aggregated
    )
    return layout.node_rack[nodes][owner], slot
