"""A running site in a few numbers: its processes, the devices that answer, power by kind.

Apart from the commands, because it needs numpy, which `mallee --help` should not wait for.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.core.snapshot import Quality
from mallee.kinds import KINDS
from mallee.runtime.board import Board
from mallee.runtime.roles import PROCESSES
from mallee.site.model import SiteModel

BEAT_AGE_MAX_S = 3.0


def processes_of(board: Board, now_s: float) -> dict[str, dict[str, Any]]:
    """Process id of each process, and whether it beat lately."""
    found: dict[str, dict[str, Any]] = {}
    for process in PROCESSES:
        pid, beat_s = board.heartbeat(process)
        if pid:
            found[process] = {"pid": pid, "working": now_s - beat_s < BEAT_AGE_MAX_S}
    return found


def devices_of(site: SiteModel, quality: NDArray[np.uint8]) -> dict[str, dict[str, int]]:
    """By kind of device: how many there are, and how they answer.

    A device is as its worst point; points that it never gave do not count while others came (the
    state of charge at an empty post, say).
    """
    found: dict[str, dict[str, int]] = {}
    for group in site.groups:
        block = quality[group.first_row : group.first_row + group.count * group.stride]
        block = block.reshape(group.count, group.stride)
        came = np.where(block == Quality.NEVER, Quality.GOOD, block)
        silent = (block == Quality.NEVER).all(axis=1)
        worst = np.where(silent, Quality.NEVER, came.max(axis=1))
        counts = found.setdefault(
            group.kind, {"count": 0, "good": 0, "stale": 0, "bad": 0, "refused": 0, "never": 0}
        )
        counts["count"] += group.count
        for state in Quality:
            counts[state.name.lower()] += int((worst == state).sum())
    return found


def powers_of(site: SiteModel, values: FloatArray) -> dict[str, float]:
    """Power by what the kinds call their totals, in W; NaN where nobody reported any.

    Of what measures, only the meters of the utility feeds count: others see parts of the same.
    """
    powers: dict[str, float] = {}
    for group in site.groups:
        kind = KINDS[group.kind]
        at_feed = np.isin(group.branch, site.feed_branches)
        counts = at_feed if kind.role == "measures" else np.ones(group.count, np.bool_)
        for point in group.model.point:
            row = kind.point(point.name)
            if row is None or not row.total or not counts.any():
                continue
            read = values[group.rows(point.name)[counts]]
            known = read[~np.isnan(read)]
            so_far = powers.get(row.total, math.nan)
            if known.size:
                so_far = float(known.sum()) + (0.0 if math.isnan(so_far) else so_far)
            powers[row.total] = so_far
    return powers
