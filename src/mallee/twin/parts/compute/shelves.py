"""Power shelves: rectifier losses, loss of units, hold-up and the energy storage in the shelf.

Losses follow ``a + b x + c x^2`` of the rating, x the load of a shelf per unit. Storage of the
65 J-per-accelerator class keeps the shelf's input near its average and passes on what it cannot
hold; hold-up carries a rack through a sag of about one supply cycle.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray
from mallee.twin.kernel import kernel

STORAGE_AVERAGE_S: Final = 5.0
"""The storage smooths towards a moving average of about this length."""

STORAGE_RECENTRE_S: Final = 3.0
"""It returns to half full in about this time, so that it can give as well as take."""


REFILL_S: Final = 0.1
"""Hold-up capacitors are full again in about this time."""


class Shelves(NamedTuple):
    """One row a rack. # (racks,)

    Attributes:
        alive: shelves that work.
        rating_w: of one shelf.
        a, b, c: loss coefficients per unit of rating.
        storage_max_j: storage of the rack; 0 for none.
        storage_j: its content.
        average_w: moving average of the rack's DC power.
        hold_j: energy in the hold-up capacitors.
        hold_max_j: full.
        input_j, output_j, loss_j: energy counters.
    """

    alive: IntArray
    rating_w: FloatArray
    a: FloatArray
    b: FloatArray
    c: FloatArray
    storage_max_j: FloatArray
    storage_j: FloatArray
    average_w: FloatArray
    hold_j: FloatArray
    hold_max_j: FloatArray
    input_j: FloatArray
    output_j: FloatArray
    loss_j: FloatArray


@kernel
def convert(
    it_w: FloatArray,
    first: int,
    steps: int,
    dt_s: float,
    smooth: float,
    live: NDArray[np.bool_],
    shelves: Shelves,
    liquid_frac: FloatArray,
    output_w: FloatArray,
    input_w: FloatArray,
    heat_w: FloatArray,
) -> None:
    """AC input and heat of every rack from its DC power.

    Args:
        it_w: DC power.  # (racks, steps)
        first: row of the block that the first sub-step goes to.
        smooth: coefficient of the moving average, 1 - exp(-dt / average).
        live: where the supply is there; elsewhere racks live on hold-up or are dark.  # (racks,)
        liquid_frac: share of the DC power that goes to the coolant.  # (racks,)
        output_w, input_w: DC and AC power of the block, written.  # (block steps, racks)
        heat_w: heat to coolant and to air, means of the block, added to.  # (2, racks)
    """
    share = 1.0 / output_w.shape[0]
    for rack in range(it_w.shape[0]):
        liquid = share * liquid_frac[rack]
        air = share - liquid
        count = shelves.alive[rack]
        rating_w = count * shelves.rating_w[rack]
        per_w = 1.0 / rating_w if rating_w > 0.0 else 0.0
        a, b, c = shelves.a[rack] * rating_w, shelves.b[rack], shelves.c[rack] * per_w
        most_j = shelves.storage_max_j[rack]
        for k in range(steps):
            needed_w = it_w[rack, k]
            output_w[first + k, rack] = needed_w
            shelves.output_j[rack] += needed_w * dt_s
            heat_w[0, rack] += needed_w * liquid
            heat_w[1, rack] += needed_w * air
            if not live[rack]:
                shelves.hold_j[rack] -= needed_w * dt_s
                input_w[first + k, rack] = 0.0
                continue
            wanted_w = needed_w
            if most_j > 0.0:
                wanted_w = buffer_w(shelves, rack, needed_w, dt_s, smooth)
            if shelves.hold_j[rack] < shelves.hold_max_j[rack]:
                refill_j = shelves.hold_max_j[rack] - shelves.hold_j[rack]
                wanted_w += refill_j / max(dt_s, REFILL_S)
                shelves.hold_j[rack] += refill_j * dt_s / max(dt_s, REFILL_S)
            loss_w = a + b * wanted_w + c * wanted_w * wanted_w
            input_w[first + k, rack] = wanted_w + loss_w
            shelves.loss_j[rack] += loss_w * dt_s
            heat_w[1, rack] += loss_w * share
            shelves.input_j[rack] += (wanted_w + loss_w) * dt_s


@kernel
def buffer_w(shelves: Shelves, rack: int, needed_w: float, dt_s: float, smooth: float) -> float:
    """What the rectifiers supply when the rack's storage evens out its power."""
    most_j, was_j = shelves.storage_max_j[rack], shelves.storage_j[rack]
    shelves.average_w[rack] += smooth * (needed_w - shelves.average_w[rack])
    aim_w = shelves.average_w[rack] + (0.5 * most_j - was_j) / STORAGE_RECENTRE_S
    now_j = min(most_j, max(0.0, was_j + (aim_w - needed_w) * dt_s))
    wanted_w = max(0.0, needed_w + (now_j - was_j) / dt_s)
    shelves.storage_j[rack] = was_j + (wanted_w - needed_w) * dt_s
    return float(wanted_w)
