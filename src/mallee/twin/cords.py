"""Cords: where a thing hangs on the power tree, its second feed, and the guard of its voltage.

One record for each rack, charging station, battery and steady load, in an array a class.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import IntArray
from mallee.twin.kernel import kernel
from mallee.twin.parts.grid.ride_through import ROWS, guard_step, load_curves

CORD: Final = np.dtype(
    [
        ("branch", "i8"),
        ("standby", "i8"),  # its second feed, or -1
        ("at", "i8"),  # the one that carries it now
        ("curve", "i8"),
        ("tripped", "i8"),
        ("out_s", "f8", (ROWS,)),
        ("healthy_s", "f8"),
        ("trips", "i8"),
    ]
)


def make_cords(branch: IntArray, standby: IntArray, curve: str) -> NDArray[np.void]:
    """Cords of some things that are alike, all on their first feed.  # (things,)

    Args:
        branch, standby: of each; -1 where there is no second feed.  # (things,)
        curve: the ride-through curve that guards them, a table of `curves.toml`.
    """
    names, _ = load_curves()
    cords: NDArray[np.void] = np.zeros(len(branch), CORD)
    cords["branch"] = cords["at"] = branch
    cords["standby"] = standby
    cords["curve"] = names.index(curve)
    return cords


def joined_feeds(columns: Iterable[IntArray]) -> IntArray:
    """Branches of several groups of devices under one another."""
    found = list(columns)
    return np.concatenate(found) if found else np.empty(0, np.int64)


@kernel
def change_over(cords: NDArray[np.void], branch_state: NDArray[np.void]) -> None:
    """Put each on the feed that carries it: its second one while the first is dead."""
    for c in range(cords.shape[0]):
        first, second = cords[c]["branch"], cords[c]["standby"]
        at = first
        if second >= 0 and branch_state[first]["alive"] == 0 and branch_state[second]["alive"] == 1:
            at = second
        cords[c]["at"] = at


@kernel
def guard_cords(
    cords: NDArray[np.void],
    curves: NDArray[np.void],
    branch_state: NDArray[np.void],
    step_s: float,
) -> int:
    """Step the guards of one class of things; returns how many are not at rest."""
    busy = 0
    for c in range(cords.shape[0]):
        cord = cords[c]
        curve = curves[cord["curve"]]
        guard_step(cord, curve, branch_state[cord["at"]]["voltage_pu"], step_s)
        outside = cord["tripped"]
        for row in range(curve["rows"]):
            outside += 1 if cord["out_s"][row] > 0.0 else 0
        busy += 1 if outside > 0 else 0
    return busy
