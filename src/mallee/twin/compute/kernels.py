"""The hot loop: power of every accelerator, host and switch over the sub-steps of a block.

Racks outside, sub-steps in the middle, slots inside: a rack's state stays in the first-level
cache. Single precision with typed constants, no division and no exponential inside, sums in eight
fixed lanes, so that compiled and reference (``NUMBA_DISABLE_JIT=1``) runs give the same bits.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mallee.core.site import FloatArray, IntArray
from mallee.twin.compute.layout import Float32Array
from mallee.twin.compute.noise import hash32
from mallee.twin.compute.thermal import Coolant, Dies, step_dies
from mallee.twin.kernel import kernel

NOISE_MS: Final = 100
"""The noise of a slot holds this long: kernel mix varies slower than the electrical step."""

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
        mean_w: mean over the last block.
        energy_j: exact integral of power since the start.
        idle_w, span_w: power at rest and from there to nameplate, faults included.
        leak: factor of leakage at the die's temperature (1 at 60 degC).
        noise: relative amplitude of the noise of the dynamic power.
        delay: share of a sub-step by which this slot follows its lockstep unit.
        cap_w: power cap in effect.
        hot_w: cap by thermal throttling.
        unit: column of the activity that drives it.
    """

    power_w: Float32Array
    mean_w: Float32Array
    energy_j: FloatArray
    idle_w: Float32Array
    span_w: Float32Array
    leak: Float32Array
    noise: Float32Array
    delay: Float32Array
    cap_w: Float32Array
    hot_w: Float32Array
    unit: NDArray[np.int32]


class Scratch(NamedTuple):
    """Working space of one rack, so that the kernel allocates nothing. # (slots,)"""

    base: Float32Array
    gain: Float32Array
    limit: Float32Array
    target: Float32Array
    total: FloatArray


class RackConstants(NamedTuple):
    """Per-rack constants. # (racks,)

    Attributes:
        used: slots that are not padding, rounded up to the lanes.
        unit: column that drives all slots, or -1 where they differ.
        lag: whole sub-steps by which the rack follows its unit.
        first_gpu: site-wide number of slot 0, the key of its noise.
        live: sub-steps of this block before the rack goes dark; all of them as a rule.
        gpu_slots: slots that hold accelerators.
        rise, fall: first-order coefficients 1 - exp(-dt / tau).
    """

    used: IntArray
    live: IntArray
    gpu_slots: IntArray
    unit: IntArray
    lag: IntArray
    first_gpu: IntArray
    rise: Float32Array
    fall: Float32Array


@kernel
def fill_gains(
    rack: int, seed: int, tick: int, slots: Slots, first: int, used: int, scratch: Scratch
) -> None:
    """Resting power, power per activity and limit of a rack's slots for one noise tick."""
    base, gain, limit = scratch.base, scratch.gain, scratch.limit
    idle_w, span_w, leak = slots.idle_w[rack], slots.span_w[rack], slots.leak[rack]
    noise, cap_w, hot_w = slots.noise[rack], slots.cap_w[rack], slots.hot_w[rack]
    for s in range(used):
        gain[s] = np.float32(hash32(seed, first + s, tick) >> SHIFT_8)
    for s in range(used):
        gain[s] = ONE + (gain[s] * TO_UNIT * TWO - ONE) * noise[s]
    for s in range(used):
        base[s] = idle_w[s] * leak[s]
    for s in range(used):
        gain[s] = gain[s] * span_w[s] * leak[s]
    for s in range(used):
        limit[s] = min(cap_w[s], hot_w[s])


@kernel
def step_alike(
    used: int,
    now: np.float32,
    back: np.float32,
    factor: np.float32,
    rise: np.float32,
    fall: np.float32,
    delay: Float32Array,
    power_w: Float32Array,
    base: Float32Array,
    gain: Float32Array,
    limit: Float32Array,
    total: FloatArray,
) -> None:
    """One sub-step of a rack whose slots all follow one unit: target, caps, lag, energy.

    Args:
        now, back: activity at the sub-step, and how far the one before it was above.
        factor: on caps, above 1 while a kernel has just started.
    """
    for s in range(used):
        wanted_w = base[s] + gain[s] * (now + delay[s] * back)
        target_w = max(min(wanted_w, limit[s] * factor), ZERO)
        change_w = target_w - power_w[s]
        now_w = power_w[s] + change_w * (rise if change_w > ZERO else fall)
        power_w[s] = now_w
        total[s] += np.float64(now_w)


@kernel
def step_mixed(
    used: int,
    row: int,
    wave: Float32Array,
    boost: Float32Array,
    units: NDArray[np.int32],
    rise: np.float32,
    fall: np.float32,
    delay: Float32Array,
    power_w: Float32Array,
    scratch: Scratch,
) -> None:
    """One sub-step of a rack whose slots follow different units."""
    base, gain, limit, target_w = scratch.base, scratch.gain, scratch.limit, scratch.target
    total = scratch.total
    for s in range(used):
        now = wave[row, units[s]]
        target_w[s] = now + delay[s] * (wave[row - 1, units[s]] - now)
    for s in range(used):
        wanted_w = base[s] + gain[s] * target_w[s]
        target_w[s] = max(min(wanted_w, limit[s] * boost[row, units[s]]), ZERO)
    for s in range(used):
        change_w = target_w[s] - power_w[s]
        now_w = power_w[s] + change_w * (rise if change_w > ZERO else fall)
        power_w[s] = now_w
        total[s] += np.float64(now_w)


@kernel
def lane_sum(values: Float32Array, used: int) -> float:
    """Sum of a rack's slots in eight fixed lanes, so the order never depends on the machine."""
    a, b, c, d, e, f, g, h = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for s in range(0, used, 8):
        a += np.float64(values[s])
        b += np.float64(values[s + 1])
        c += np.float64(values[s + 2])
        d += np.float64(values[s + 3])
        e += np.float64(values[s + 4])
        f += np.float64(values[s + 5])
        g += np.float64(values[s + 6])
        h += np.float64(values[s + 7])
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


@kernel
def advance_racks(
    wave: Float32Array,
    boost: Float32Array,
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
    scratch: Scratch,
    it_w: FloatArray,
) -> None:
    """Advance all racks by a block of sub-steps.

    Args:
        wave: activity; the first `lead` rows are the past.  # (lead + steps, units)
        boost: factor on caps while a kernel has just started.  # (lead + steps, units)
        it_w: DC power of each rack, written.  # (steps, racks)
    """
    total, dt_s = scratch.total, dt_ms / 1000.0
    for rack in range(slots.power_w.shape[0]):
        used, first, live = racks.used[rack], racks.first_gpu[rack], racks.live[rack]
        rise, fall, lag = racks.rise[rack], racks.fall[rack], racks.lag[rack]
        power_w = slots.power_w[rack]
        total[:used] = 0.0
        renew = True
        for k in range(steps):
            now_ms = start_ms + k * dt_ms
            if k < live:
                if renew or now_ms % NOISE_MS == 0:
                    fill_gains(rack, seed, now_ms // NOISE_MS, slots, first, used, scratch)
                    renew = False
                row, unit = lead + k - lag, racks.unit[rack]
                if unit >= 0:
                    now, back = wave[row, unit], wave[row - 1, unit] - wave[row, unit]
                    step_alike(
                        used, now, back, boost[row, unit], rise, fall, slots.delay[rack], power_w,
                        scratch.base, scratch.gain, scratch.limit, total,
                    )  # fmt: skip
                else:
                    step_mixed(
                        used, row, wave, boost, slots.unit[rack], rise, fall, slots.delay[rack],
                        power_w, scratch,
                    )  # fmt: skip
                it_w[k, rack] = lane_sum(power_w, used)
            else:
                power_w[:used] = ZERO
                it_w[k, rack] = 0.0
            if (now_ms + dt_ms) % thermal_ms == 0:
                step_dies(
                    rack, racks.gpu_slots[rack], dies, coolant, slots.energy_j[rack], total, dt_s,
                    1000.0 / thermal_ms, slots.leak[rack], slots.hot_w[rack],
                )  # fmt: skip
                renew = True
        for s in range(used):
            slots.energy_j[rack, s] += total[s] * dt_s
        for s in range(used):
            slots.mean_w[rack, s] = np.float32(total[s] / steps)


@kernel
def mark_starts(
    wave: Float32Array,
    boost: Float32Array,
    lead: int,
    steps: int,
    resting: NDArray[np.bool_],
    left: IntArray,
    hold: int,
    factor: np.float32,
) -> None:
    """Raise caps by `factor` for `hold` sub-steps after each kernel start of a unit.

    A start is activity above 0.5 after it was below 0.35.
    """
    for k in range(lead, lead + steps):
        for unit in range(wave.shape[1]):
            active = wave[k, unit]
            if active < RESTS:
                resting[unit] = True
            elif active > RUNS and resting[unit]:
                resting[unit] = False
                left[unit] = hold
            boost[k, unit] = factor if left[unit] > 0 else ONE
            left[unit] = max(left[unit] - 1, 0)
