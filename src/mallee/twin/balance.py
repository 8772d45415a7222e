"""The ledger: energy in equals energy out plus stored plus lost, in every run, always on."""

from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.errors import MalleeError

TOLERANCE_FRAC: Final = 1e-6
"""Largest gap of a balance as a fraction of what flowed through."""

FLOOR_WH: Final = 1e-3
"""Below this throughput rounding rules; gaps are compared with this much energy."""


class PhysicsError(MalleeError):
    """The twin's physics broke: a balance does not close or a state is not a number.

    Args:
        component: where, such as ``battery bess1``.
        time_ms: twin time.
        what: what is wrong, with the state that shows it.
    """

    def __init__(self, component: str, time_ms: int, what: str) -> None:
        self.component, self.time_ms = component, time_ms
        super().__init__(f"twin stopped at {time_ms / 1000:.3f} s: {component}: {what}")


def check_closed(component: str, time_ms: int, in_wh: float, terms_wh: dict[str, float]) -> None:
    """Energy into a component since the start against the sum of where it went.

    Raises:
        PhysicsError: the gap exceeds `TOLERANCE_FRAC` of the throughput, or a term is not finite.
    """
    gap_wh, through_wh = in_wh, abs(in_wh)
    for term_wh in terms_wh.values():
        gap_wh -= term_wh
        through_wh += abs(term_wh)
    if not abs(gap_wh) <= TOLERANCE_FRAC * max(through_wh, FLOOR_WH):  # catches NaN, too
        parts = ", ".join(f"{name} {value:.6g}" for name, value in terms_wh.items())
        raise PhysicsError(
            component,
            time_ms,
            f"energy does not close: in {in_wh:.6g} Wh, {parts} Wh, gap {gap_wh:.3g} Wh",
        )


def check_finite(
    component: str, time_ms: int, values: FloatArray, names: tuple[str, ...] = ()
) -> None:
    """Every value is a number.

    Raises:
        PhysicsError: names the first that is not.
    """
    if not np.isfinite(values).all():
        first = int(np.flatnonzero(~np.isfinite(values.ravel()))[0])
        which = names[first] if first < len(names) else f"row {first}"
        raise PhysicsError(component, time_ms, f"{which} is {values.ravel()[first]}")
