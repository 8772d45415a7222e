"""A linear programme with a fixed pattern: declared once, filled with numbers again and again.

    minimise cost . x   subject to   row_lower <= A x <= row_upper,  lower <= x <= upper

Parts of a site declare their columns, rows and matrix entries by slices; from then on a solve only
writes numbers into arrays. No modelling layer: on this size building costs more than solving
(docs/energy.md). Inside, powers are MW and energies MWh, so that numbers lie near one.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray

SCALE: Final = 1e-6
"""W to MW and Wh to MWh, the programme's own units."""

Index = slice | IntArray


@dataclass(slots=True)
class Layout:
    """Collects columns, rows and the pattern of the matrix while parts declare themselves.

    The first rows are the balance of the site's bus, one a step: sources less loads.
    """

    steps: int
    columns: int = 0
    rows: int = 0
    entries: int = 0
    constants: list[tuple[slice, float]] = field(default_factory=list)
    _row_of: list[IntArray] = field(default_factory=list)
    _column_of: list[IntArray] = field(default_factory=list)

    def column(self, count: int | None = None) -> slice:
        """New columns, one a step unless told otherwise."""
        start, self.columns = self.columns, self.columns + (self.steps if count is None else count)
        return slice(start, self.columns)

    def row(self, count: int | None = None) -> slice:
        """New rows, one a step unless told otherwise."""
        start, self.rows = self.rows, self.rows + (self.steps if count is None else count)
        return slice(start, self.rows)

    @property
    def balance(self) -> slice:
        """Rows of the balance; the one who starts a layout declares them first."""
        return slice(0, self.steps)

    def source(self, columns: slice) -> None:
        """Power of these columns, one a step, flows into the site's bus."""
        self.entry(self.balance, columns, 1.0)

    def load(self, columns: slice) -> None:
        """Power of these columns, one a step, is drawn from the site's bus."""
        self.entry(self.balance, columns, -1.0)

    def entry(self, rows: Index, columns: Index, value: float = 1.0) -> slice:
        """New matrix entries, pairwise; returns where their values go.

        Args:
            value: what they hold until a fill writes something else.
        """
        row_of, column_of = np.broadcast_arrays(_indices(rows), _indices(columns))
        self._row_of.append(row_of.astype(np.int64))
        self._column_of.append(column_of.astype(np.int64))
        place = slice(self.entries, self.entries + row_of.size)
        self.entries = place.stop
        self.constants.append((place, value))
        return place

    def chain(self, rows: slice, columns: slice, value: float = -1.0) -> slice:
        """Entries that tie each row but the first to the column of the step before."""
        return self.entry(
            np.arange(rows.start + 1, rows.stop),
            np.arange(columns.start, columns.stop - 1),
            value,
        )

    def pattern(self) -> "Pattern":
        """The compressed columns of the declared entries.

        Raises:
            ValueError: an entry was declared twice.
        """
        row_of = np.concatenate(self._row_of)
        column_of = np.concatenate(self._column_of)
        order = np.lexsort((row_of, column_of))
        flat = column_of[order] * self.rows + row_of[order]
        if np.any(np.diff(flat) == 0):
            raise ValueError("an entry of the matrix was declared twice")
        starts = np.concatenate(([0], np.cumsum(np.bincount(column_of, minlength=self.columns))))
        return Pattern(order, row_of[order], column_of[order], starts.astype(np.int32), self.rows)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Where entries stand: `order` brings declared values into column order."""

    order: IntArray
    row_of: IntArray
    column_of: IntArray
    starts: NDArray[np.int32]
    rows: int


def _indices(index: Index) -> IntArray:
    return np.arange(index.start, index.stop) if isinstance(index, slice) else index


@dataclass(slots=True)
class Numbers:
    """What a solve fills in, in the layout's own order."""

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray
    values: FloatArray

    @classmethod
    def of(cls, layout: Layout) -> "Numbers":
        """Zero cost, columns from zero up without end, rows equal to zero, constant entries."""
        values = np.ones(layout.entries)
        for place, value in layout.constants:
            values[place] = value
        return cls(
            np.zeros(layout.columns),
            np.zeros(layout.columns),
            np.full(layout.columns, np.inf),
            np.zeros(layout.rows),
            np.zeros(layout.rows),
            values,
        )

    def copy(self) -> "Numbers":
        """An independent copy."""
        return Numbers(
            self.cost.copy(),
            self.lower.copy(),
            self.upper.copy(),
            self.row_lower.copy(),
            self.row_upper.copy(),
            self.values.copy(),
        )
