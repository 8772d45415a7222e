"""What a linear programme cannot say: charge or discharge, import or export, off or above a least.

Almost always the optimum does neither both; then nothing more is done. Where it does (negative
prices, a generator's least power), only the steps concerned get a binary, the small mixed-integer
programme decides them, and the linear one is solved again with that decision, which also gives
prices and proof. As all other steps are relaxed and found to obey, the result is the optimum.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import highspy
import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.optimize.inputs import Problem
from mallee.optimize.lp import SCALE, Layout, Numbers, Pattern
from mallee.optimize.programme import Programme
from mallee.optimize.solver import NODES_MAX, pass_model

TOLERANCE: Final = 1e-6
"""MW; less than a watt of both at once is rounding."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """One step in which two things that exclude each other both happen.

    Attributes:
        one, other: columns of this step; without `other` the first is off or at least `least`.
        least: MW.
    """

    one: tuple[int, ...]
    other: tuple[int, ...] = ()
    least: float = 0.0


def conflicts(programme: Programme, problem: Problem, solution: FloatArray) -> list[Conflict]:
    """All steps of a solution that a real site could not follow, in order."""
    found: list[Conflict] = []
    pairs: list[tuple[tuple[slice, ...], tuple[slice, ...]]] = [
        ((at.charge,), (at.discharge,)) for at in programme.batteries
    ]
    pairs.append((programme.meter.imports, (programme.meter.export,)))
    for one, other in pairs:
        both = np.minimum(
            np.sum([solution[c] for c in one], axis=0), np.sum([solution[c] for c in other], axis=0)
        )
        found += [
            Conflict(tuple(c.start + k for c in one), tuple(c.start + k for c in other))
            for k in np.flatnonzero(both > TOLERANCE).tolist()
        ]
    for at, genset in zip(programme.gensets, problem.gensets, strict=True):
        power, least = solution[at.power], genset.power_min_w * SCALE
        low = (power > TOLERANCE) & (power < least - TOLERANCE)
        found += [
            Conflict((at.power.start + k,), least=least) for k in np.flatnonzero(low).tolist()
        ]
    return found


def decide(
    programme: Programme, numbers: Numbers, open_steps: Sequence[Conflict], solution: FloatArray
) -> list[bool]:
    """Which side each conflict takes: True for `one` (or running).

    The mixed-integer programme decides; without an answer within its nodes, the side that the
    linear solution leans to.
    """
    lean = [
        float(solution[list(c.one)].sum()) > float(solution[list(c.other)].sum())
        if c.other
        else float(solution[c.one[0]]) > c.least / 2.0
        for c in open_steps
    ]
    pattern, extended, binaries = _with_binaries(
        programme.layout, programme.pattern, numbers, open_steps
    )
    highs = highspy.Highs()
    for name, value in (
        ("output_flag", False),
        ("threads", 1),
        ("mip_rel_gap", 1e-9),
        ("mip_abs_gap", 1e-9),
        ("mip_max_nodes", NODES_MAX),
    ):
        highs.setOptionValue(name, value)
    pass_model(highs, pattern, extended, extended.values[pattern.order], binaries)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return lean
    chosen = np.array(highs.getSolution().col_value)[binaries]
    return [bool(z > 0.5) for z in chosen]


def settle(numbers: Numbers, open_steps: Sequence[Conflict], sides: Sequence[bool]) -> None:
    """Close the side not taken by its bounds."""
    for conflict, takes_one in zip(open_steps, sides, strict=True):
        if conflict.other:
            for column in conflict.other if takes_one else conflict.one:
                numbers.lower[column] = 0.0
                numbers.upper[column] = 0.0
        elif takes_one:
            column = conflict.one[0]
            numbers.lower[column] = min(conflict.least, float(numbers.upper[column]))
        else:
            numbers.upper[conflict.one[0]] = 0.0


def _with_binaries(
    layout: Layout, pattern: Pattern, numbers: Numbers, open_steps: Sequence[Conflict]
) -> tuple[Pattern, Numbers, IntArray]:
    """The same programme with a binary and two rows for each open step.

    one <= M z and other <= M (1 - z), or least z <= one <= M z.
    """
    count = len(open_steps)
    rows, columns, entries = [pattern.row_of], [pattern.column_of], [numbers.values[pattern.order]]
    upper = np.zeros(2 * count)
    for j, conflict in enumerate(open_steps):
        z, first, second = layout.columns + j, layout.rows + 2 * j, layout.rows + 2 * j + 1
        most_one = _most(numbers, conflict.one)
        triples = [(first, c, 1.0) for c in conflict.one] + [(first, z, -most_one)]
        if conflict.other:
            most = _most(numbers, conflict.other)
            triples += [(second, c, 1.0) for c in conflict.other] + [(second, z, most)]
            upper[2 * j + 1] = most
        else:
            triples += [(second, conflict.one[0], -1.0), (second, z, conflict.least)]
        rows.append(np.array([t[0] for t in triples]))
        columns.append(np.array([t[1] for t in triples]))
        entries.append(np.array([t[2] for t in triples]))
    row_of, column_of = np.concatenate(rows), np.concatenate(columns)
    order = np.lexsort((row_of, column_of))
    width = layout.columns + count
    starts = np.concatenate(([0], np.cumsum(np.bincount(column_of, minlength=width))))
    extended = Numbers(
        np.concatenate((numbers.cost, np.zeros(count))),
        np.concatenate((numbers.lower, np.zeros(count))),
        np.concatenate((numbers.upper, np.ones(count))),
        np.concatenate((numbers.row_lower, np.full(2 * count, -np.inf))),
        np.concatenate((numbers.row_upper, upper)),
        np.concatenate(entries),
    )
    bigger = Pattern(
        order, row_of[order], column_of[order], starts.astype(np.int32), layout.rows + 2 * count
    )
    return bigger, extended, np.arange(layout.columns, width)


def _most(numbers: Numbers, columns: Sequence[int]) -> float:
    """The most that columns can be together; open ends by what the site could ever take."""
    upper = numbers.upper[list(columns)]
    finite = numbers.upper[np.isfinite(numbers.upper)]
    site = float(np.abs(numbers.row_upper[np.isfinite(numbers.row_upper)]).max() + finite.max())
    return float(np.where(np.isfinite(upper), upper, 4.0 * site).sum())
