"""Die and cold plate of every accelerator: two heat capacities in a row, solved exactly.

``Cd Td' = P - (Td - Tc) / R1`` and ``Cc Tc' = (Td - Tc) / R1 - (Tc - Tw) / R2`` with
``R2 = R20 (m0 / m)^0.8`` for turbulent flow. Both are linear, so a step of any length has an exact
solution by the matrix exponential; it is computed outside the kernel, once for each rack and flow.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.twin.kernel import inlined, kernel
from mallee.twin.parts.compute.layout import Float32Array

DIE_SHARE: Final = 2.0 / 3.0
"""Share of the die-to-coolant resistance between die and plate: die time constant about 2 s."""

FLOW_MIN_FRAC: Final = 0.005
"""Below this flow counts as standing still: what is left is conduction along the hoses."""

ONE = np.float32(1.0)
LEAK_REFERENCE_DEGC = np.float32(60.0)
HYSTERESIS_K = np.float32(3.0)
SLOPE_PER_K = np.float32(0.05)
LEAST_FRAC = np.float32(0.3)
NO_LIMIT_W = np.float32(1e12)
OFF_W = np.float32(0.0)


class Dies(NamedTuple):
    """State and constants of the accelerators' thermal model. # (racks, slots)

    Attributes:
        die_degc, plate_degc: temperatures.
        mark_j: energy counter at the last thermal step.
        spread: resistance relative to nominal, over the accelerators of the slot.
        leak_per_k: relative rise of power per kelvin of the die; 0 in replays.
        top_w: the power that throttling takes its fractions of.
        state: 0 runs freely, 1 throttles, 2 has shut down.
    """

    die_degc: Float32Array
    plate_degc: Float32Array
    mark_j: FloatArray
    spread: Float32Array
    leak_per_k: Float32Array
    top_w: Float32Array
    state: NDArray[np.int8]


class Coolant(NamedTuple):
    """What changes with the coolant. # (racks,) or (racks, 6)

    Attributes:
        supply_degc: coolant (or air) at the inlet.
        matrix: a11, a12, a21, a22, b1, b2 of one thermal step.
        throttle_degc, shutdown_degc: thresholds.
    """

    supply_degc: Float32Array
    matrix: Float32Array
    throttle_degc: Float32Array
    shutdown_degc: Float32Array


def step_matrix(
    resistance_k_per_w: FloatArray,
    die_j_per_k: FloatArray,
    plate_j_per_k: FloatArray,
    flow_frac: FloatArray,
    step_s: float,
) -> Float32Array:
    """Exact one-step solution about the coolant temperature.

    Returns:
        a11, a12, a21, a22 of exp(A t), and b1, b2 the rise of die and plate per watt.  # (racks, 6)
    """
    first = DIE_SHARE * resistance_k_per_w
    second = (1.0 - DIE_SHARE) * resistance_k_per_w * np.maximum(flow_frac, FLOW_MIN_FRAC) ** -0.8
    m11 = -1.0 / (die_j_per_k * first)
    m12 = -m11
    m21 = 1.0 / (plate_j_per_k * first)
    m22 = -m21 - 1.0 / (plate_j_per_k * second)
    mean = 0.5 * (m11 + m22)
    spread = np.sqrt(0.25 * (m11 - m22) ** 2 + m12 * m21)
    fast, slow = np.exp((mean - spread) * step_s), np.exp((mean + spread) * step_s)
    # exp(A t) = slow-and-fast mean on the diagonal plus (A - mean) scaled by their difference.
    scale = (slow - fast) / (2.0 * spread)
    middle = 0.5 * (slow + fast)
    a11, a12 = middle + scale * (m11 - mean), scale * m12
    a21, a22 = scale * m21, middle + scale * (m22 - mean)
    # In steady state the plate stands second kelvin per watt over the coolant, the die first more.
    die, plate = first + second, second
    b1 = die - (a11 * die + a12 * plate)
    b2 = plate - (a21 * die + a22 * plate)
    return np.stack([a11, a12, a21, a22, b1, b2], axis=1).astype(np.float32)


@inlined
def step_dies(
    rack: int,
    count: int,
    dies: Dies,
    coolant: Coolant,
    energy_j: FloatArray,
    per_step_s: float,
    mean_w: Float32Array,
    leak: Float32Array,
    hot_w: Float32Array,
) -> None:
    """One thermal step of a rack: temperatures, leakage, throttling.

    Args:
        energy_j, leak, hot_w: the rack's rows of the slots.  # (slots,)
        per_step_s: 1 / length of the thermal step.
        mean_w: working space.  # (slots,)
    """
    supply_degc, matrix = coolant.supply_degc[rack], coolant.matrix[rack]
    a11, a12, a21, a22, b1, b2 = matrix[0], matrix[1], matrix[2], matrix[3], matrix[4], matrix[5]
    die_degc, plate_degc, mark_j = dies.die_degc[rack], dies.plate_degc[rack], dies.mark_j[rack]
    spread, leak_per_k, state = dies.spread[rack], dies.leak_per_k[rack], dies.state[rack]
    for s in range(count):
        mean_w[s] = np.float32((energy_j[s] - mark_j[s]) * per_step_s)
    for s in range(count):
        mark_j[s] = energy_j[s]
    for s in range(count):
        mean_w[s] = mean_w[s] * spread[s]
    for s in range(count):
        die_k, plate_k = die_degc[s] - supply_degc, plate_degc[s] - supply_degc
        die_degc[s] = supply_degc + (a11 * die_k + a12 * plate_k + b1 * mean_w[s])
        plate_degc[s] = supply_degc + (a21 * die_k + a22 * plate_k + b2 * mean_w[s])
    for s in range(count):
        leak[s] = ONE + leak_per_k[s] * (die_degc[s] - LEAK_REFERENCE_DEGC)
    throttle_degc, eventful = coolant.throttle_degc[rack], 0
    for s in range(count):
        eventful += 1 if die_degc[s] >= throttle_degc or state[s] != 0 else 0
    if eventful > 0:
        throttle(
            count,
            throttle_degc,
            coolant.shutdown_degc[rack],
            die_degc,
            dies.top_w[rack],
            state,
            hot_w,
        )


@kernel
def throttle(
    count: int,
    throttle_degc: np.float32,
    shutdown_degc: np.float32,
    die_degc: Float32Array,
    top_w: Float32Array,
    state: NDArray[np.int8],
    hot_w: Float32Array,
) -> None:
    """Begin and end throttling with 3 K of hysteresis; at the shutdown limit stay off.

    A throttling accelerator gives up 5 % of its maximum per kelvin over the release temperature,
    down to 30 %.
    """
    release_degc = throttle_degc - HYSTERESIS_K
    for s in range(count):
        now_degc = die_degc[s]
        if now_degc >= shutdown_degc:
            state[s] = 2
        elif state[s] != 2:
            hot = now_degc >= throttle_degc or (state[s] == 1 and now_degc >= release_degc)
            state[s] = 1 if hot else 0
        frac = max(LEAST_FRAC, min(ONE, ONE - SLOPE_PER_K * (now_degc - release_degc)))
        running_w = frac * top_w[s] if state[s] == 1 else NO_LIMIT_W
        hot_w[s] = OFF_W if state[s] == 2 else running_w
