"""Transfer switches, ties and all that has a second source: which of the two it takes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.twin.kernel import kernel

GOOD_PU: Final = 0.85
"""A source below this is left, one above it may be taken (transfer switches: 80..90 %)."""


@kernel
def take_source(branch: np.void, state: np.void, states: NDArray[np.void], now_ms: int) -> int:
    """The branch that feeds a branch with two sources now; -1 while it is between them.

    It leaves the normal source when that is bad and the other one good, and goes back when the
    normal one has been good for `return_ms`, or at once when the other one fails. On the way its
    load is without supply for `transfer_ms`; less than a step is no interruption.
    """
    normal_ok = states[branch["parent"]]["voltage_pu"] >= GOOD_PU
    standby_ok = states[branch["standby"]]["voltage_pu"] >= GOOD_PU
    if normal_ok:
        state["good_ms"] = now_ms
    else:
        state["bad_ms"] = now_ms
    position = state["position"]
    if state["stuck"] == 0 and now_ms >= state["moving_until_ms"]:
        wanted = position
        if position == 0 and not normal_ok and standby_ok:
            wanted = 1
        elif position == 1 and normal_ok:
            is_settled = now_ms - state["bad_ms"] >= branch["return_ms"]
            if is_settled or not standby_ok:
                wanted = 0
        if wanted != position:
            state["position"] = wanted
            state["moving_until_ms"] = now_ms + branch["transfer_ms"]
    if now_ms < state["moving_until_ms"]:
        return -1
    source = branch["parent"] if state["position"] == 0 else branch["standby"]
    return int(source)
