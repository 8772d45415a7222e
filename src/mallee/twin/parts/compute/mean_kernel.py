"""The loop of the aggregated form: three slots a rack, without noise, for steps up to minutes.

The same physics as the full kernel, written for a few slots: there is nothing to vectorise, so
every slot is carried through all sub-steps in plain scalars.
"""

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.twin.kernel import inlined, kernel
from mallee.twin.parts.compute.kernels import RackConstants, Scratch, Slots
from mallee.twin.parts.compute.layout import Float32Array
from mallee.twin.parts.compute.smoothing import Smoother, smooth_slots
from mallee.twin.parts.compute.thermal import LEAK_REFERENCE_DEGC, ONE, Coolant, Dies, throttle

ZERO = np.float32(0.0)


@inlined
def step_mean_die(
    rack: int, gpus: int, slots: Slots, dies: Dies, coolant: Coolant, per_step_s: float
) -> None:
    """One thermal step of a rack's mean accelerator: `step_dies` for a single slot."""
    if gpus == 0:
        return
    matrix, supply_degc = coolant.matrix, coolant.supply_degc[rack]
    now_j = slots.energy_j[rack, 0]
    mean_w = np.float32((now_j - dies.mark_j[rack, 0]) * per_step_s) * dies.spread[rack, 0]
    dies.mark_j[rack, 0] = now_j
    die_k = dies.die_degc[rack, 0] - supply_degc
    plate_k = dies.plate_degc[rack, 0] - supply_degc
    die_rise = matrix[rack, 0] * die_k + matrix[rack, 1] * plate_k + matrix[rack, 4] * mean_w
    plate_rise = matrix[rack, 2] * die_k + matrix[rack, 3] * plate_k + matrix[rack, 5] * mean_w
    dies.die_degc[rack, 0] = supply_degc + die_rise
    dies.plate_degc[rack, 0] = supply_degc + plate_rise
    over_k = dies.die_degc[rack, 0] - LEAK_REFERENCE_DEGC
    slots.leak[rack, 0] = ONE + dies.leak_per_k[rack, 0] * over_k
    if dies.state[rack, 0] != 0 or dies.die_degc[rack, 0] >= coolant.throttle_degc[rack]:
        throttle(
            1, coolant.throttle_degc[rack], coolant.shutdown_degc[rack], dies.die_degc[rack],
            dies.top_w[rack], dies.state[rack], slots.hot_w[rack],
        )  # fmt: skip


@kernel
def advance_means(
    wave: Float32Array,
    boost: Float32Array,
    lead: int,
    start_ms: int,
    dt_ms: int,
    steps: int,
    thermal_ms: int,
    slots: Slots,
    racks: RackConstants,
    dies: Dies,
    coolant: Coolant,
    smoother: Smoother,
    scratch: Scratch,
    it_w: FloatArray,
) -> None:
    """Advance all racks by a block of sub-steps; arguments as `advance_racks`."""
    dt_s, target_w = dt_ms / 1000.0, scratch.target
    power, energy, leak, hot = slots.power_w, slots.energy_j, slots.leak, slots.hot_w
    idle, span, cap, unit = slots.idle_w, slots.span_w, slots.cap_w, slots.unit
    for rack in range(power.shape[0]):
        rise, fall, gpus = racks.rise[rack], racks.fall[rack], racks.gpu_slots[rack]
        for k in range(steps):
            for s in range(gpus + 2):
                active, factor = wave[lead + k, unit[rack, s]], boost[lead + k, unit[rack, s]]
                wanted_w = (idle[rack, s] + span[rack, s] * active) * leak[rack, s]
                limit_w = min(cap[rack, s], hot[rack, s]) * factor
                target_w[s] = max(min(wanted_w, limit_w), ZERO)
            if smoother.on[rack] > ZERO:
                smooth_slots(
                    gpus, smoother.numbers[rack], target_w, cap[rack], smoother.command_w[rack],
                    smoother.active_w[rack], smoother.target_w[rack], smoother.hold[rack], target_w,
                )  # fmt: skip
            sum_w = 0.0
            for s in range(gpus + 2):
                change_w = target_w[s] - power[rack, s]
                now_w = power[rack, s] + change_w * (rise if change_w > ZERO else fall)
                now_w = now_w if k < racks.live[rack] else ZERO
                power[rack, s] = now_w
                energy[rack, s] += np.float64(now_w) * dt_s
                sum_w += np.float64(now_w)
            it_w[rack, k] = sum_w
            if (start_ms + (k + 1) * dt_ms) % thermal_ms == 0:
                step_mean_die(rack, gpus, slots, dies, coolant, 1000.0 / thermal_ms)
