"""What a comparison is: what was expected, what the twin gave, how far off, and by whom."""

from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from mallee.core.arrays import FloatArray

Kind = Literal["validation", "verification", "calibration", "null case"]
VALIDATION: Final = "validation"
"""Somebody else's number against product code that was not fitted to it."""
VERIFICATION: Final = "verification"
"""An equation or a setting against another solution of it."""
CALIBRATION: Final = "calibration"
"""A figure that constants were chosen by: says how well they fit, and nothing more."""
NULL_CASE: Final = "null case"
"""What the check beside it would say where it has nothing to find."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One compared number.

    Attributes:
        key: number of the case, such as ``V8``.
        what: the quantity, with its conditions.
        low, high: the band in which the result must lie.
        expected: the published figure, as text.
        got: what the twin gave.
        unit: of both.
        source: whose figure it is.
        kind: what the comparison is worth.
    """

    key: str
    what: str
    expected: str
    got: float
    low: float
    high: float
    unit: str
    source: str
    kind: Kind

    @property
    def is_met(self) -> bool:
        """Whether the result lies in the band."""
        return self.low <= self.got <= self.high

    @property
    def error(self) -> float:
        """Distance from the middle of the band, in the check's unit."""
        if not np.isfinite(self.low) or not np.isfinite(self.high):
            return 0.0 if self.is_met else float("nan")
        return self.got - (self.low + self.high) / 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One line of a picture."""

    name: str
    x: FloatArray
    y: FloatArray
    has_marks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that belongs to a case."""

    name: str
    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    has_log_x: bool = False
    has_log_y: bool = False


@dataclass(slots=True)
class Result:
    """What a group of cases gave.

    Attributes:
        skipped: cases that could not run here, and why.
    """

    checks: list[Check] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def near(
        self,
        key: str,
        what: str,
        got: float,
        expected: float,
        tolerance: float,
        unit: str,
        source: str,
        kind: Kind = VERIFICATION,
    ) -> None:
        """A figure that must be met within a tolerance."""
        self.checks.append(
            Check(
                key=key,
                what=what,
                expected=f"{expected:g} ± {tolerance:g}",
                got=float(got),
                low=expected - tolerance,
                high=expected + tolerance,
                unit=unit,
                source=source,
                kind=kind,
            )
        )

    def within(
        self,
        key: str,
        what: str,
        got: float,
        low: float,
        high: float,
        unit: str,
        source: str,
        kind: Kind = VERIFICATION,
    ) -> None:
        """A figure that must lie in a published band; either end may be infinite."""
        if low == -np.inf:
            expected = f"<= {high:g}"
        elif high == np.inf:
            expected = f">= {low:g}"
        else:
            expected = f"{low:g} to {high:g}"
        self.checks.append(
            Check(
                key=key,
                what=what,
                expected=expected,
                got=float(got),
                low=low,
                high=high,
                unit=unit,
                source=source,
                kind=kind,
            )
        )
