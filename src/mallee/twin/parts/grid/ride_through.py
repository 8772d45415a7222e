"""Ride-through: which devices drop out in a voltage event, and which are allowed to."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError
from mallee.twin.kernel import kernel

ROWS: Final = 6
"""Rows of a curve, below and above together."""

CURVES_FILE: Final = Path(__file__).parent / "curves.toml"

CURVE: Final = np.dtype(
    [
        ("rows", "i8"),
        ("side", "f8", (ROWS,)),  # -1 below, +1 above
        ("voltage_pu", "f8", (ROWS,)),
        ("time_s", "f8", (ROWS,)),
        ("return_s", "f8"),
    ]
)

HEALTHY_LOW_PU: Final = 0.9
HEALTHY_HIGH_PU: Final = 1.1


GUARD: Final = np.dtype(
    [("tripped", "i8"), ("out_s", "f8", (ROWS,)), ("healthy_s", "f8"), ("trips", "i8")]
)
"""What a guard remembers: part of every cord."""


@kernel
def guard_step(guard: np.void, curve: np.void, voltage_pu: float, step_s: float) -> None:
    """Count the time that a device's voltage is outside each row of its curve; trip or return."""
    for row in range(curve["rows"]):
        outside = curve["side"][row] * (voltage_pu - curve["voltage_pu"][row]) > 0.0
        guard["out_s"][row] = guard["out_s"][row] + step_s if outside else 0.0
        # A row of 20 ms is one whole step: it may be outside that long, not longer.
        if guard["out_s"][row] > curve["time_s"][row] + 1e-9 and guard["tripped"] == 0:
            guard["tripped"] = 1
            guard["trips"] += 1
    if HEALTHY_LOW_PU <= voltage_pu <= HEALTHY_HIGH_PU:
        guard["healthy_s"] += step_s
        if guard["tripped"] == 1 and guard["healthy_s"] >= curve["return_s"]:
            guard["tripped"] = 0
    else:
        guard["healthy_s"] = 0.0


@cache
def load_curves(path: Path = CURVES_FILE) -> tuple[tuple[str, ...], NDArray[np.void]]:
    """Curves by name, from a TOML file: a utility's rule is one more table there.

    Raises:
        ConfigError: not readable, or a table that is no curve.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(str(path), f"cannot be read: {error}") from None
    curves = np.zeros(len(tables), CURVE)
    for curve, (name, table) in zip(curves, tables.items(), strict=True):
        _fill(curve, table, f"{path}: {name}")
    return tuple(tables), curves


def _fill(curve: np.void, table: dict[str, Any], where: str) -> None:
    try:
        rows = [(-1.0, *row) for row in table["below"]] + [(1.0, *row) for row in table["above"]]
        curve["return_s"] = table["return_s"]
        curve["rows"] = len(rows)
        for at, (side, voltage_pu, time_s) in enumerate(rows):
            curve["side"][at] = side
            curve["voltage_pu"][at] = voltage_pu
            curve["time_s"][at] = time_s
    except (KeyError, TypeError, ValueError, IndexError) as error:
        hint = f"below = [[pu, s], ...], above = [[pu, s], ...], return_s; at most {ROWS} rows"
        raise ConfigError(where, f"is no ride-through curve: {error}", hint) from None


def trips_in(curve: np.void, voltage_pu: FloatArray, step_s: float) -> int:
    """How often a device with this curve drops out over a voltage record."""
    guard = np.zeros(1, GUARD)[0]
    for value in voltage_pu:
        guard_step(guard, curve, float(value), step_s)
    return int(guard["trips"])
