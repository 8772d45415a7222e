"""Whether the readings show that a request is obeyed: read back, or it did not happen."""

from typing import NamedTuple

import numpy as np

from mallee.control.limits import Limits
from mallee.control.refusal import CHARGE, MODE, battery_of, of_branch
from mallee.core.arrays import BoolArray, FloatArray
from mallee.core.request import Request
from mallee.core.snapshot import Quality, Snapshot

TOLERANCE_FRAC = 0.01
"""Readings within this share of a range count as equal; registers have a resolution."""


class Proof(NamedTuple):
    """What readings show.

    Attributes:
        holds: whether everything that was asked is seen.
        text: what is seen, with its number.
    """

    holds: bool
    text: str


def proof_of(limits: Limits, snapshot: Snapshot, request: Request) -> Proof:
    """What the latest readings say of a request that control follows."""
    match request.ask:
        case "hold" | "maintenance":
            return Proof(holds=True, text="control keeps to it; nothing is written for it")
        case "island":
            return _flow(limits, snapshot, 0, 0.0)
        case "sum":
            return _limits_read(limits, snapshot, limits.places.loads_in(request.subject), request)
        case "safe-stop":
            mine = limits.places.loads_in(request.subject)
            return _each(limits, snapshot, mine, limits.budget.loads.least_w)
        case "bound":
            return _bound(limits, snapshot, request)


def _bound(limits: Limits, snapshot: Snapshot, request: Request) -> Proof:
    position = of_branch(limits, request.subject)
    if position is not None:
        return _flow(limits, snapshot, position, request.high)
    battery = battery_of(limits, request.subject, CHARGE)
    if battery is not None:
        rows = limits.batteries[battery].rows
        points = [name for name in (CHARGE, "filter_charge_bias_w") if name in rows]
        span_w = limits.batteries[battery].charge_max_w
        seen = [float(snapshot.values[rows[name]]) for name in points]
        near = any(_inside(value, request, span_w) for value in seen)
        said = ", ".join(f"{name} reads {v:g}" for name, v in zip(points, seen, strict=True))
        return Proof(near, said)
    battery = battery_of(limits, request.subject, MODE)
    if battery is not None:
        reading = float(snapshot.values[limits.batteries[battery].rows[MODE]])
        return Proof(reading == request.low, f"mode reads {reading:g}")
    named = limits.places.loads_named(request.subject)
    if named.any():
        return _each(limits, snapshot, named, np.full(len(named), request.high))
    settings = limits.places.settings_named(request.subject)
    seen = [float(snapshot.values[one.row]) for one in settings]
    spans = [one.high - one.low for one in settings]
    good = sum(_inside(v, request, span) for v, span in zip(seen, spans, strict=True))
    text = f"reads {seen[0]:g}" if len(seen) == 1 else f"{good} of {len(seen)} read so"
    return Proof(good == len(seen), text)


def _inside(value: float, request: Request, span: float) -> bool:
    slack = TOLERANCE_FRAC * span
    return request.low - slack <= value <= request.high + slack


def _flow(limits: Limits, snapshot: Snapshot, position: int, high_w: float) -> Proof:
    """A metered branch by its meter."""
    row = int(limits.budget.meter_row[limits.metered[position]])
    flow_w = float(snapshot.values[row])
    is_seen = snapshot.quality[row] == int(Quality.GOOD)
    slack_w = TOLERANCE_FRAC * float(limits.contract_w[position])
    return Proof(bool(is_seen and flow_w <= high_w + slack_w), f"the meter reads {flow_w:g} W")


def _each(limits: Limits, snapshot: Snapshot, mine: BoolArray, high_w: FloatArray) -> Proof:
    """Limits of loads, each by what its device says is in force."""
    loads = limits.budget.loads
    reading_w, slack_w = snapshot.values[loads.limit_rows], TOLERANCE_FRAC * loads.most_w
    good = mine & (reading_w <= np.maximum(high_w, loads.least_w) + slack_w)
    count, total = int(good.sum()), int(mine.sum())
    return Proof(count == total, f"{count} of {total} devices show it")


def _limits_read(limits: Limits, snapshot: Snapshot, mine: BoolArray, request: Request) -> Proof:
    """The limits in force of a place, together."""
    loads = limits.budget.loads
    reading_w = snapshot.values[loads.limit_rows][mine]
    known_w = np.where(np.isfinite(reading_w), reading_w, loads.most_w[mine])
    total_w, slack_w = float(known_w.sum()), TOLERANCE_FRAC * float(loads.most_w[mine].sum())
    return Proof(
        total_w <= request.high + slack_w, f"limits in force there allow {total_w:g} W together"
    )
