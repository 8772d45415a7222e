"""Fewer points for a line, with every peak and dip kept."""

import numpy as np

from mallee.core.arrays import FloatArray


def thin(x: FloatArray, y: FloatArray, points_max: int) -> tuple[FloatArray, FloatArray]:
    """At most about `points_max` points: of each bucket the lowest and the highest, in order.

    A month of seconds drawn this way looks as if all of it had been drawn.
    """
    if len(x) <= points_max:
        return x, y
    buckets = max(points_max // 2, 1)
    edges = np.linspace(0, len(x), buckets + 1).astype(np.int64)
    chosen: list[int] = []
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = y[first:last]
        if np.isnan(part).all():
            chosen.append(first)
            continue
        pair = {first + int(np.nanargmin(part)), first + int(np.nanargmax(part))}
        chosen.extend(sorted(pair))
    at = np.array(chosen)
    return x[at], y[at]
