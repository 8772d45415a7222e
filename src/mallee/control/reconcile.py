"""Turns bounds into commands: only what differs from the readings is written.

Control keeps no list of what it sent. It compares what it wants with what the devices report and
writes the difference, so a device that restarts and forgets its setting gets it back by itself, and
a restarted controller disturbs nothing. A limit that is lower than it must be is left alone, and so
is one that is higher as long as everything fits: set points wear, and cars dislike them.
"""

from collections.abc import Iterable

import numpy as np

from mallee.control.bounds import Bounds, Reason
from mallee.control.limits import Limits
from mallee.control.scene import Scene
from mallee.core.arrays import BoolArray, FloatArray
from mallee.core.command import Command
from mallee.core.snapshot import Snapshot

CHARGER_LEASE_S = 30.0
CHARGER_RENEW_CYCLES = 100
"""Every 10 s, a third of the lease: two renewals may be lost."""
TOLERANCE_FRAC = 0.01
"""Readings within this share of what is wanted count as equal; registers have a resolution."""
RAISE_FRAC = 0.05
"""A higher charger limit waits for a change that is worth a message, or for the renewal."""


def wanted_w(scene: Scene, bounds: Bounds) -> FloatArray:
    """What every load's limit should be: the bound, or the limit in force where that fits as well.

    Args:
        bounds: what the concerns leave.
    """
    budget, may_w = scene.limits.budget, scene.loads.may_w
    loads = budget.loads
    lowered = loads.is_charger & (bounds.high_w < may_w)
    if not lowered.any():
        return bounds.high_w
    kept_w = np.where(lowered, may_w, bounds.high_w)
    through_w = budget.tree.carried(loads.branch, kept_w * loads.factor)
    chargers_w = float((kept_w * loads.factor)[loads.is_charger].sum())
    fits = (through_w <= scene.capacity_w).all() and chargers_w <= scene.state.charger_room_w
    return kept_w if fits else bounds.high_w


def load_commands(
    scene: Scene, snapshot: Snapshot, wanted: FloatArray, bounds: Bounds, *, renew: bool, text: str
) -> list[Command]:
    """Limits that differ from what the devices report, each with the reason of its bound.

    Args:
        wanted: limits at the device.  # (loads,)
        renew: whether leases are due to be renewed.
        text: what control says in general; the reason of what no request asked for.
    """
    chargers, nodes = _due(scene.limits, snapshot, wanted, renew=renew)
    return [
        *_by_actor(scene.limits, chargers, wanted, bounds, CHARGER_LEASE_S, text),
        *_by_actor(scene.limits, nodes, wanted, bounds, 0.0, text),
    ]


def safe_load_commands(
    snapshot: Snapshot, limits: Limits, safe_w: FloatArray, reason: str
) -> list[Command]:
    """All loads at the values that are safe unseen; leases renewed."""
    chargers, nodes = _due(limits, snapshot, safe_w, renew=True)
    bounds = Bounds.of_ratings(limits.budget.loads.least_w, limits.budget.loads.most_w)
    return [
        *_by_actor(limits, chargers, safe_w, bounds, CHARGER_LEASE_S, reason),
        *_by_actor(limits, nodes, safe_w, bounds, 0.0, reason),
    ]


def _due(
    limits: Limits, snapshot: Snapshot, wanted: FloatArray, *, renew: bool
) -> tuple[BoolArray, BoolArray]:
    """Chargers and nodes that must be written to."""
    loads = limits.budget.loads
    reading_w = snapshot.values[loads.limit_rows]
    change_w = wanted - reading_w
    unknown = ~np.isfinite(reading_w)
    lower, higher = change_w < -TOLERANCE_FRAC * loads.most_w, change_w > RAISE_FRAC * loads.most_w
    chargers = loads.is_charger & (lower | higher | unknown | renew)
    # A BMC has no timer: its cap stands, and one that cannot be read is written when it can.
    nodes = ~loads.is_charger & ~unknown & (np.abs(change_w) > TOLERANCE_FRAC * loads.most_w)
    return chargers, nodes


def _by_actor(
    limits: Limits,
    due: BoolArray,
    values: FloatArray,
    bounds: Bounds,
    lease_s: float,
    text: str,
) -> Iterable[Command]:
    """One command for everything that has the same reason."""
    if not due.any():
        return
    loads = limits.budget.loads
    asked = np.array([bool(reason.actor) for reason in bounds.reasons] + [False])
    by = np.where(asked[bounds.by], bounds.by, -1)
    for position in np.unique(by[due]).tolist():
        mine = due & (by == position)
        rows, own = loads.limit_rows[mine], values[mine]
        if position < 0:
            yield Command(rows=rows, values=own, lease_s=lease_s, reason=text)
        else:
            reason: Reason = bounds.reasons[position]
            yield Command(
                rows=rows, values=own, lease_s=lease_s, reason=reason.text, actor=reason.actor
            )
