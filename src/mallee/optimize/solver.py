"""HiGHS, kept warm: the last basis of the same shape starts the next solve; every answer is proved.

What fails its proof is solved again cold, with presolve, then by interior point. Deterministic:
one thread, limits in iterations and nodes, never in seconds.
"""

from dataclasses import dataclass, field
from typing import Final

import highspy
import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.optimize.lp import Numbers, Pattern
from mallee.optimize.verify import Proof, prove

ITERATIONS_MAX: Final = 50_000
NODES_MAX: Final = 200

_OPTIONS: Final[dict[str, object]] = {
    "output_flag": False,
    "threads": 1,
    "random_seed": 1,
    "simplex_iteration_limit": ITERATIONS_MAX,
}
# Warm starts live for a few dozen pivots: steepest-edge weights, scaling and perturbation cost more
# to set up and clean away than they save (a third of the time on 308 rows).
_WARM: Final[dict[str, object]] = {
    "solver": "simplex",
    "presolve": "off",
    "simplex_scale_strategy": 0,
    "simplex_dual_edge_weight_strategy": 1,
    "dual_simplex_cost_perturbation_multiplier": 0.0,
}
_COLD: Final[dict[str, object]] = {
    "solver": "simplex",
    "presolve": "on",
    "simplex_scale_strategy": 2,
    "simplex_dual_edge_weight_strategy": -1,
    "dual_simplex_cost_perturbation_multiplier": 1.0,
}
_INTERIOR: Final[dict[str, object]] = {"solver": "ipm", "presolve": "on"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came out.

    Attributes:
        solution: one value a column.
        row_dual: price of each row, USD for one more unit of it.
        proof: how good it is; a caller looks at `proof.holds`.
        how: `warm`, `cold` or `interior`.
        iterations: simplex pivots.
    """

    solution: FloatArray
    row_dual: FloatArray
    proof: Proof
    how: str
    iterations: int


@dataclass(slots=True)
class Solver:
    """One HiGHS and the bases it remembers by size of the problem."""

    _highs: highspy.Highs = field(default_factory=highspy.Highs)
    _bases: dict[tuple[int, int], highspy.HighsBasis] = field(default_factory=dict)
    _ways: tuple[tuple[str, dict[str, object]], ...] = (
        ("warm", _WARM),
        ("cold", _COLD),
        ("interior", _INTERIOR),
    )
    _options: dict[str, object] = field(default_factory=dict)

    def solve(self, pattern: Pattern, numbers: Numbers) -> Answer:
        """The optimum, or the best that three ways could find: look at its proof."""
        values = numbers.values[pattern.order]
        size = (len(numbers.row_lower), len(numbers.cost))
        best: Answer | None = None
        for how, options in self._ways:
            answer = self._try(pattern, numbers, values, size, how, options)
            if answer is not None and answer.proof.holds:
                return answer
            if answer is not None and (best is None or _better(answer, best)):
                best = answer
        if best is None:
            nothing = np.full(size[1], np.nan)
            proof = Proof(np.inf, np.inf, np.nan)
            return Answer(nothing, np.full(size[0], np.nan), proof, "none", 0)
        return best

    def _try(
        self,
        pattern: Pattern,
        numbers: Numbers,
        values: FloatArray,
        size: tuple[int, int],
        how: str,
        options: dict[str, object],
    ) -> Answer | None:
        highs = self._highs
        self._set({**_OPTIONS, **options})
        pass_model(highs, pattern, numbers, values)
        basis = self._bases.get(size)
        if how == "warm" and basis is not None:
            highs.setBasis(basis)
        highs.run()
        if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            self._bases.pop(size, None)
            return None
        found = highs.getSolution()
        solution, dual = np.array(found.col_value), np.array(found.row_dual)
        proof = prove(pattern, numbers, values, solution, dual)
        if proof.holds:
            self._bases[size] = highs.getBasis()
        else:
            self._bases.pop(size, None)
        iterations = int(highs.getInfo().simplex_iteration_count)
        return Answer(solution, dual, proof, how, iterations)

    def _set(self, options: dict[str, object]) -> None:
        if options == self._options:
            return
        for name, value in options.items():
            if self._highs.setOptionValue(name, value) == highspy.HighsStatus.kError:
                raise ValueError(f"HiGHS has no option {name} = {value!r}")
        self._options = options


def _better(one: Answer, other: Answer) -> bool:
    return (one.proof.infeasibility, one.proof.gap) < (
        other.proof.infeasibility,
        other.proof.gap,
    )


def pass_model(
    highs: highspy.Highs,
    pattern: Pattern,
    numbers: Numbers,
    values: FloatArray,
    integers: IntArray | None = None,
) -> None:
    """Hand a programme over.

    Args:
        values: matrix entries in column order.
        integers: columns that are whole numbers.
    """
    integrality = np.zeros(len(numbers.cost), np.int32)
    if integers is not None:
        integrality[integers] = 1
    highs.passModel(
        len(numbers.cost),
        len(numbers.row_lower),
        len(values),
        int(highspy.MatrixFormat.kColwise),
        int(highspy.ObjSense.kMinimize),
        0.0,
        numbers.cost,
        numbers.lower,
        numbers.upper,
        numbers.row_lower,
        numbers.row_upper,
        pattern.starts,
        pattern.row_of.astype(np.int32),
        values,
        integrality,
    )
