"""The hot loop: power of every accelerator, host and switch over the sub-steps of a block.

Racks outside, sub-steps in the middle, slots inside: a rack's state stays in the first-level
cache. Single precision with typed constants, no division and no exponential inside, sums in eight
fixed lanes, so that compiled and reference (``NUMBA_DISABLE_JIT=1``) runs give the same bits.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray
from mallee.twin.kernel import inlined, kernel
from mallee.twin.parts.compute.layout import Float32Array
from mallee.twin.parts.compute.noise import hash32, slot_hash
from mallee.twin.parts.compute.smoothing import Smoother, smooth_slots
from mallee.twin.parts.compute.thermal import Coolant, Dies, step_dies

NOISE_MS: Final = 500
"""The noise of a slot holds this long: kernel mix varies slower than the electrical step."""

ALL_SLOTS: Final = 0x7FFFFFFF
"""Entity under which the tick of all slots is hashed."""

LEAST_W = np.float32(1e-3)
"""Less is nothing: what is off decays for ever, and denormal numbers are slow."""

ZERO = np.float32(0.0)
ONE = np.float32(1.0)
TWO = np.float32(2.0)
TO_UNIT = np.float32(2.0**-24)
SHIFT_8 = np.uint64(8)
RUNS = np.float32(0.5)
RESTS = np.float32(0.35)


class Slots(NamedTuple):
    """Per-slot arrays. # (racks, slots)

    Attributes:
        power_w: power at the end of the last sub-step.
        energy_j: exact integral of power since the start.
        base_w, gain_w, limit_w: resting power, power per activity and limit, of the present noise
            tick; renewed by the kernel.
        idle_w, span_w: power at rest and from there to nameplate, faults included.
        leak: factor of leakage at the die's temperature (1 at 60 degC).
        noise: relative amplitude of the noise of the dynamic power.
        delay: share of a sub-step by which this slot follows its lockstep unit.
        cap_w: power cap in effect.
        hot_w: cap by thermal throttling.
        unit: column of the activity that drives it.
    """

    power_w: Float32Array
    energy_j: FloatArray
    base_w: Float32Array
    gain_w: Float32Array
    limit_w: Float32Array
    idle_w: Float32Array
    span_w: Float32Array
    leak: Float32Array
    noise: Float32Array
    delay: Float32Array
    cap_w: Float32Array
    hot_w: Float32Array
    unit: NDArray[np.uint32]


class RackConstants(NamedTuple):
    """Per-rack numbers. # (racks,)

    Attributes:
        used: slots that are not padding, rounded up to the lanes.
        unit: column that drives all slots, or -1 where they differ.
        lag: whole sub-steps by which the rack follows its unit.
        first_gpu: site-wide number of slot 0, the key of its noise.
        live: sub-steps of this block before the rack goes dark; all of them as a rule.
        gpu_slots: slots that hold accelerators.
        stale: whether gains and limits must be renewed before the next sub-step.
        rise, fall: first-order coefficients 1 - exp(-dt / tau).
    """

    used: IntArray
    unit: IntArray
    lag: IntArray
    first_gpu: IntArray
    live: IntArray
    gpu_slots: IntArray
    stale: NDArray[np.bool_]
    rise: Float32Array
    fall: Float32Array


class Scratch(NamedTuple):
    """Working space of one rack.

    Attributes:
        target: power that work and caps ask of each slot.  # (slots,)
        goal: the same after smoothing.  # (slots,)
        past: power in each sub-step of the block.  # (steps, slots)
        total: sums of it.  # (slots,)
    """

    target: Float32Array
    goal: Float32Array
    past: Float32Array
    total: FloatArray


@inlined
def renew_gains(rack: int, seed: int, tick: int, slots: Slots, first: int, used: int) -> None:
    """Resting power, power per activity and limit of a rack's slots for one noise tick.

    What has decayed to less than `LEAST_W` is set to nothing here, out of the inner loop.
    """
    power_w = slots.power_w[rack]
    for s in range(used):
        power_w[s] = power_w[s] if power_w[s] > LEAST_W else ZERO
    base_w, gain_w, limit_w = slots.base_w[rack], slots.gain_w[rack], slots.limit_w[rack]
    idle_w, span_w, leak = slots.idle_w[rack], slots.span_w[rack], slots.leak[rack]
    noise, cap_w, hot_w = slots.noise[rack], slots.cap_w[rack], slots.hot_w[rack]
    tick_key = hash32(seed, ALL_SLOTS, tick)
    for s in range(used):
        gain_w[s] = np.float32(slot_hash(first + s, tick_key) >> SHIFT_8)
    for s in range(used):
        gain_w[s] = ONE + (gain_w[s] * TO_UNIT * TWO - ONE) * noise[s]
    for s in range(used):
        base_w[s] = idle_w[s] * leak[s]
    for s in range(used):
        gain_w[s] = gain_w[s] * span_w[s] * leak[s]
    for s in range(used):
        limit_w[s] = min(cap_w[s], hot_w[s])


@inlined
def aim_mixed(
    row: int,
    used: int,
    wave: Float32Array,
    boost: Float32Array,
    units: NDArray[np.uint32],
    delay: Float32Array,
    base_w: Float32Array,
    gain_w: Float32Array,
    limit_w: Float32Array,
    target_w: Float32Array,
) -> None:
    """Target of every slot of a rack whose slots follow different units."""
    now_row, before_row, boost_row = wave[row], wave[row - 1], boost[row]
    for s in range(used):
        now = now_row[units[s]]
        target_w[s] = now + delay[s] * (before_row[units[s]] - now)
    for s in range(used):
        target_w[s] = base_w[s] + gain_w[s] * target_w[s]
    if boost_row[0] > ONE:
        for s in range(used):
            target_w[s] = max(min(target_w[s], limit_w[s] * boost_row[units[s]]), ZERO)
    else:
        for s in range(used):
            target_w[s] = max(min(target_w[s], limit_w[s]), ZERO)


@inlined
def sum_slots(
    past_w: Float32Array, steps: int, used: int, total: FloatArray, out_w: FloatArray
) -> None:
    """Rack power in each sub-step, summed in a fixed order: quarters side by side, then across.

    Args:
        out_w: written.  # (steps,)
    """
    part = used // 4
    for k in range(steps):
        row_w = past_w[k]
        for s in range(part):
            low_w = np.float64(row_w[s]) + np.float64(row_w[s + part])
            high_w = np.float64(row_w[s + 2 * part]) + np.float64(row_w[s + 3 * part])
            total[s] = low_w + high_w
        half = part // 2
        for s in range(half):
            total[s] += total[s + half]
        sum_w = 0.0
        for s in range(half):
            sum_w += total[s]
        out_w[k] = sum_w


@inlined
def add_energy(
    used: int, steps: int, dt_s: float, past_w: Float32Array, energy_j: FloatArray
) -> None:
    """Add the energy of some sub-steps one by one, so that how blocks are cut changes no bit.

    Args:
        past_w: power in each.  # (steps, slots)
    """
    for k in range(steps):
        row_w = past_w[k]
        for s in range(used):
            energy_j[s] += np.float64(row_w[s]) * dt_s


@kernel
def advance_racks(  # noqa: C901 - one loop nest, see below
    wave: Float32Array,
    boost: Float32Array,
    still: NDArray[np.bool_],
    lead: int,
    start_ms: int,
    dt_ms: int,
    steps: int,
    seed: int,
    thermal_ms: int,
    slots: Slots,
    racks: RackConstants,
    dies: Dies,
    coolant: Coolant,
    smoother: Smoother,
    scratch: Scratch,
    it_w: FloatArray,
) -> None:
    """Advance all racks by a block of sub-steps.

    The loops over slots stand here and not in functions of their own: passing a dozen arrays costs
    as much as the loop, and few arrays a loop is what lets the compiler vectorise it.

    Args:
        wave: activity; the first `lead` rows are the past.  # (lead + steps, units)
        boost: factor on caps while a kernel has just started.  # (lead + steps, units)
        still: rows that repeat the row before.  # (lead + steps,)
        it_w: DC power of each rack, written.  # (racks, steps)
    """
    past_w, target_w, dt_s = scratch.past, scratch.target, dt_ms / 1000.0
    for rack in range(slots.power_w.shape[0]):
        used, unit, live = racks.used[rack], racks.unit[rack], racks.live[rack]
        rise, fall, lag = racks.rise[rack], racks.fall[rack], racks.lag[rack]
        power_w, energy_j, delay = slots.power_w[rack], slots.energy_j[rack], slots.delay[rack]
        base_w, gain_w, limit_w = slots.base_w[rack], slots.gain_w[rack], slots.limit_w[rack]
        counted, stale = 0, racks.stale[rack]
        for k in range(steps):
            now_ms, row = start_ms + k * dt_ms, lead + k - lag
            fresh = k == 0 or stale
            if stale or now_ms % NOISE_MS == 0:
                renew_gains(rack, seed, now_ms // NOISE_MS, slots, racks.first_gpu[rack], used)
                stale, fresh = False, True
            if unit < 0:
                if fresh or not (still[row] and still[row - 1]):
                    aim_mixed(
                        row, used, wave, boost, slots.unit[rack], delay, base_w, gain_w, limit_w,
                        target_w,
                    )  # fmt: skip
            else:
                now, before, factor = wave[row, unit], wave[row - 1, unit], boost[row, unit]
                older, factor_before = wave[row - 2, unit], boost[row - 1, unit]
                if fresh or now != before or before != older or factor != factor_before:
                    back = before - now
                    for s in range(used):
                        wanted_w = base_w[s] + gain_w[s] * (now + delay[s] * back)
                        target_w[s] = max(min(wanted_w, limit_w[s] * factor), ZERO)
            goal_w = target_w
            if smoother.on[rack] > ZERO:
                goal_w = scratch.goal
                for s in range(used):
                    goal_w[s] = target_w[s]
                smooth_slots(
                    racks.gpu_slots[rack], smoother.numbers[rack], target_w, limit_w,
                    smoother.command_w[rack], smoother.active_w[rack], smoother.target_w[rack],
                    smoother.hold[rack], goal_w,
                )  # fmt: skip
            now_w = past_w[k]
            for s in range(used):
                change_w = goal_w[s] - power_w[s]
                next_w = power_w[s] + change_w * (rise if change_w > ZERO else fall)
                power_w[s] = next_w
                now_w[s] = next_w
            if k >= live:
                for s in range(used):
                    power_w[s] = ZERO
                    now_w[s] = ZERO
            if (now_ms + dt_ms) % thermal_ms == 0:
                add_energy(used, k + 1 - counted, dt_s, past_w[counted:], energy_j)
                counted, stale = k + 1, True
                step_dies(
                    rack, racks.gpu_slots[rack], dies, coolant, energy_j, 1000.0 / thermal_ms,
                    scratch.goal, slots.leak[rack], slots.hot_w[rack],
                )  # fmt: skip
        add_energy(used, steps - counted, dt_s, past_w[counted:], energy_j)
        sum_slots(past_w, steps, used, scratch.total, it_w[rack])
        racks.stale[rack] = stale


@kernel
def mark_starts(
    wave: Float32Array,
    boost: Float32Array,
    still: NDArray[np.bool_],
    lead: int,
    steps: int,
    resting: NDArray[np.bool_],
    left: IntArray,
    hold: int,
    factor: np.float32,
) -> None:
    """Raise caps by `factor` for `hold` sub-steps after each kernel start of a unit.

    A start is activity above 0.5 after it was below 0.35. Column 0, which is idle, gets the
    largest factor of all units, so that a loop can see whether any cap is raised.
    """
    for k in range(lead, lead + steps):
        largest, same = ONE, True
        for unit in range(1, wave.shape[1]):
            active = wave[k, unit]
            if active < RESTS:
                resting[unit] = True
            elif active > RUNS and resting[unit]:
                resting[unit] = False
                left[unit] = hold
            boost[k, unit] = factor if left[unit] > 0 else ONE
            left[unit] = max(left[unit] - 1, 0)
            largest = max(largest, boost[k, unit])
            if active != wave[k - 1, unit] or boost[k, unit] != boost[k - 1, unit]:
                same = False
        boost[k, 0], still[k] = largest, same


@kernel
def roll_rows(
    wave: Float32Array,
    boost: Float32Array,
    still: NDArray[np.bool_],
    lead: int,
    steps: int,
    mean: Float32Array,
) -> None:
    """Take the means of a block, then move its last rows to where the past stands.

    Args:
        mean: activity of each unit over the block, written.  # (units,)
    """
    for unit in range(wave.shape[1]):
        total = 0.0
        for k in range(lead, lead + steps):
            total += np.float64(wave[k, unit])
        mean[unit] = np.float32(total / steps)
    for k in range(lead):
        still[k] = still[k + steps]
        for unit in range(wave.shape[1]):
            wave[k, unit] = wave[k + steps, unit]
            boost[k, unit] = boost[k + steps, unit]
