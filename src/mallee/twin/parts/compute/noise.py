"""Counter-based noise: a pure function of (seed, entity, tick), so order never matters.

The mixer is the "lowbias32" integer hash family (two multiply-xorshift rounds). Everything is
`uint64` and masked to 32 bits after each multiply: numba widens 32-bit products and numpy wraps
them, so unmasked code would differ between compiled and reference runs.
"""

import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.twin.kernel import inlined, kernel

MASK = np.uint64(0xFFFFFFFF)
_SEED_KEY = np.uint64(0x9E3779B1)
_ENTITY_KEY = np.uint64(0x85EBCA77)
_TICK_KEY = np.uint64(0xC2B2AE3D)
_MIX_1 = np.uint64(0x7FEB352D)
_MIX_2 = np.uint64(0x846CA68B)
_S8 = np.uint64(8)
_S15 = np.uint64(15)
_S16 = np.uint64(16)
_TO_UNIT = 2.0**-24


@inlined
def hash32(seed: int, entity: int, tick: int) -> np.uint64:
    """32 random bits of three counters."""
    bits = (np.uint64(seed) & MASK) * _SEED_KEY & MASK
    bits = bits ^ ((np.uint64(entity) & MASK) * _ENTITY_KEY & MASK)
    bits = (bits ^ (bits >> _S16)) * _MIX_1 & MASK
    bits = bits ^ ((np.uint64(tick) & MASK) * _TICK_KEY & MASK)
    bits = (bits ^ (bits >> _S16)) * _MIX_1 & MASK
    bits = (bits ^ (bits >> _S15)) * _MIX_2 & MASK
    return bits ^ (bits >> _S16)


@inlined
def slot_hash(entity: int, tick_key: np.uint64) -> np.uint64:
    """32 random bits of an entity and a `hash32` of all else: the cheap half, for hot loops."""
    bits = (np.uint64(entity) * _ENTITY_KEY & MASK) ^ tick_key
    bits = (bits ^ (bits >> _S16)) * _MIX_1 & MASK
    bits = (bits ^ (bits >> _S15)) * _MIX_2 & MASK
    return bits ^ (bits >> _S16)


@kernel
def uniform(seed: int, entity: int, tick: int) -> float:
    """Uniform in [0, 1) as float64."""
    return float(hash32(seed, entity, tick) >> _S8) * _TO_UNIT


@kernel
def normal(seed: int, entity: int, tick: int) -> float:
    """Roughly normal with mean 0 and variance 1: four uniforms summed, so it stays within 3.5."""
    total = 0.0
    for draw in range(4):
        total += uniform(seed + 7919 * draw, entity, tick)
    return (total - 2.0) * 1.7320508075688772


@kernel
def fill_uniform(seed: int, keys: IntArray, purpose: int, out: FloatArray) -> None:
    """Uniform numbers in [0, 1), one a key.  # (keys,)"""
    for row in range(keys.shape[0]):
        out[row] = uniform(seed, keys[row], purpose)
