"""Concave curves: the best that a mix of operating points can do."""

import numpy as np

from mallee.core.arrays import FloatArray


def hull(power: FloatArray, throughput: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Corners of the least concave curve above some points, by rising power.

    >>> hull(np.array([1.0, 2.0, 3.0]), np.array([0.0, 0.1, 1.0]))[0]
    array([1., 3.])
    """
    order = np.lexsort((-throughput, power))
    corners: list[int] = []
    for i in order:
        if corners and power[i] <= power[corners[-1]]:
            continue
        while len(corners) > 1:
            a, b = corners[-2], corners[-1]
            rise_b = (throughput[b] - throughput[a]) * (power[i] - power[a])
            rise_i = (throughput[i] - throughput[a]) * (power[b] - power[a])
            if rise_b > rise_i:
                break
            corners.pop()
        corners.append(int(i))
    return power[corners], throughput[corners]
