"""Checks a solution against the numbers it was asked for, without trusting who found it.

HiGHS 1.15 has an open report of a wrong optimum after a warm start (its issue 3294), so each
solution is checked: rows and columns within their bounds, and the dual objective equal to the
primal one, which proves optimality (weak duality). About 50 us for 44 steps.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.lp import Numbers, Pattern

FEASIBILITY_MAX: Final = 1e-6
"""MW or MWh: a watt."""
GAP_MAX: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Proof:
    """How good a solution is.

    Attributes:
        infeasibility: largest violation of a row or bound, in the programme's units.
        gap: distance of dual from primal objective, relative; infinite without duals.
        objective: of the solution, computed here.
    """

    infeasibility: float
    gap: float
    objective: float

    @property
    def holds(self) -> bool:
        """Feasible to a watt and optimal to a millionth."""
        return self.infeasibility <= FEASIBILITY_MAX and self.gap <= GAP_MAX


def rows_of(pattern: Pattern, values: FloatArray, solution: FloatArray) -> FloatArray:
    """A x, from the compressed columns.

    Args:
        values: matrix entries in column order.
    """
    return np.bincount(
        pattern.row_of, values * solution[pattern.column_of], minlength=pattern.rows
    ).astype(float, copy=False)


def prove(
    pattern: Pattern,
    numbers: Numbers,
    values: FloatArray,
    solution: FloatArray,
    row_dual: FloatArray | None,
) -> Proof:
    """Check a solution.

    Args:
        values: matrix entries in column order.
        solution: one value a column.
        row_dual: price of each row; None checks feasibility only.
    """
    rows = rows_of(pattern, values, solution)
    infeasibility = max(
        float(np.max(numbers.lower - solution, initial=0.0)),
        float(np.max(solution - numbers.upper, initial=0.0)),
        float(np.max(numbers.row_lower - rows, initial=0.0)),
        float(np.max(rows - numbers.row_upper, initial=0.0)),
    )
    objective = float(numbers.cost @ solution)
    if not np.isfinite(objective):
        return Proof(np.inf, np.inf, objective)
    if row_dual is None:
        return Proof(infeasibility, np.inf, objective)
    # Reduced costs are computed from the row prices, not taken from the solver.
    reduced = numbers.cost - np.bincount(
        pattern.column_of, values * row_dual[pattern.row_of], minlength=len(numbers.cost)
    )
    dual = _best(reduced, numbers.lower, numbers.upper) + _best(
        row_dual, numbers.row_lower, numbers.row_upper
    )
    return Proof(infeasibility, abs(objective - dual) / (1.0 + abs(objective)), objective)


def _best(price: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    """Least of price times a value between bounds; a price of rounding size has no open end."""
    bound = np.where(price > 0.0, lower, upper)
    open_end = ~np.isfinite(bound)
    if np.any(open_end & (np.abs(price) > 1e-6)):
        return -np.inf
    return float(np.dot(price, np.where(open_end, 0.0, bound)))
