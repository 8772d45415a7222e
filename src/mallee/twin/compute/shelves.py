"""Power shelves: rectifier losses, loss of units, hold-up and the energy storage in the shelf.

Losses follow ``a + b x + c x^2`` of the rating, x the load of a shelf per unit. Storage of the
65 J-per-accelerator class keeps the shelf's input near its average and passes on what it cannot
hold; hold-up carries a rack through a sag of about one supply cycle.
"""

from typing import Final, NamedTuple

from mallee.core.site import FloatArray, IntArray
from mallee.twin.kernel import kernel

STORAGE_AVERAGE_S: Final = 5.0
"""The storage smooths towards a moving average of about this length."""

STORAGE_RECENTRE_S: Final = 10.0
"""It returns to half full in about this time, so that it can give as well as take."""


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
    steps: int,
    dt_s: float,
    smooth: float,
    live: FloatArray,
    shelves: Shelves,
    input_w: FloatArray,
) -> None:
    """AC input of every rack from its DC power.

    Args:
        it_w: DC power.  # (steps, racks)
        smooth: coefficient of the moving average, 1 - exp(-dt / average).
        live: 1 where the supply is there, 0 where the rack lives on hold-up or is dark.  # (racks,)
        input_w: AC power, written.  # (steps, racks)
    """
    for rack in range(it_w.shape[1]):
        count = shelves.alive[rack]
        rating_w = count * shelves.rating_w[rack]
        per_w = 1.0 / rating_w if rating_w > 0.0 else 0.0
        a, b, c = shelves.a[rack] * rating_w, shelves.b[rack], shelves.c[rack] * per_w
        most_j = shelves.storage_max_j[rack]
        on = live[rack]
        for k in range(steps):
            output_w = it_w[k, rack]
            shelves.output_j[rack] += output_w * dt_s
            if on == 0.0:
                shelves.hold_j[rack] -= output_w * dt_s
                input_w[k, rack] = 0.0
                continue
            wanted_w = output_w
            if most_j > 0.0:
                was_j = shelves.storage_j[rack]
                shelves.average_w[rack] += smooth * (output_w - shelves.average_w[rack])
                aim_w = shelves.average_w[rack] + (0.5 * most_j - was_j) / STORAGE_RECENTRE_S
                now_j = min(most_j, max(0.0, was_j + (aim_w - output_w) * dt_s))
                wanted_w = max(0.0, output_w + (now_j - was_j) / dt_s)
                shelves.storage_j[rack] = was_j + (wanted_w - output_w) * dt_s
            refill_w = (shelves.hold_max_j[rack] - shelves.hold_j[rack]) / max(dt_s, 0.1)
            wanted_w += refill_w
            shelves.hold_j[rack] += refill_w * dt_s
            loss_w = a + b * wanted_w + c * wanted_w * wanted_w
            input_w[k, rack] = wanted_w + loss_w
            shelves.loss_j[rack] += loss_w * dt_s
            shelves.input_j[rack] += input_w[k, rack] * dt_s
