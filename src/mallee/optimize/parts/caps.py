"""Work that is always there and can be capped: throughput is a concave curve of power.

Power is the least power plus one column a segment of the curve; as the slopes fall, an optimum
fills them in order and needs no binaries. Corners below the curve's upper hull are left out: a mix
of two caps over nodes (or over time) does better than they do.
"""

from dataclasses import dataclass

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.horizon import Horizon
from mallee.optimize.inputs import CapBand
from mallee.optimize.ladder import Ladder
from mallee.optimize.lp import SCALE, Layout, Numbers


@dataclass(frozen=True, slots=True)
class CapColumns:
    """Where it stands: one column a segment and step, and a floor of throughput if there is one."""

    segments: tuple[slice, ...]
    short: slice
    floor_row: slice
    floor_entries: tuple[slice, ...]


def declare(layout: Layout, band: CapBand) -> CapColumns:
    """Columns for the segments, and a row where a mean throughput must be kept."""
    count = len(band.corners[0]) - 1
    segments = tuple(layout.column() for _ in range(count))
    for columns in segments:
        layout.load(columns)
    has_floor = band.throughput_min_frac > 0.0
    short, row = layout.column(int(has_floor)), layout.row(int(has_floor))
    entries: tuple[slice, ...] = ()
    if has_floor:
        here = np.full(layout.steps, row.start)
        entries = tuple(layout.entry(here, columns) for columns in segments)
        layout.entry(row, short)
    return CapColumns(segments, short, row, entries)


def fill(
    at: CapColumns, band: CapBand, numbers: Numbers, horizon: Horizon, ladder: Ladder
) -> FloatArray:
    """Write one band's numbers; returns the power that it draws at least, W.  # (steps,)"""
    power_w, throughput = band.corners
    scale = np.broadcast_to(np.asarray(band.scale, dtype=float), (horizon.count,))
    full_w = float(power_w[-1])
    slopes = np.diff(throughput) / np.diff(power_w) * full_w
    for columns, width_w, slope in zip(at.segments, np.diff(power_w), slopes, strict=True):
        numbers.upper[columns] = width_w * scale * SCALE
        numbers.cost[columns] = -band.value_usd_per_mwh * slope * horizon.length_h
    if at.floor_entries:
        d = horizon.length_h
        total = float(np.sum(d * scale)) * full_w * SCALE
        for entry, slope in zip(at.floor_entries, slopes, strict=True):
            numbers.values[entry] = d * slope
        numbers.cost[at.short] = ladder.firm
        numbers.row_lower[at.floor_row] = (band.throughput_min_frac - throughput[0]) * total
        numbers.row_upper[at.floor_row] = np.inf
    return scale * float(power_w[0])


def throughput(at: CapColumns, band: CapBand, solution: FloatArray) -> FloatArray:
    """Throughput of the class in each step, as a fraction of what is there uncapped."""
    power_w, corners = band.corners
    steps = at.segments[0].stop - at.segments[0].start if at.segments else 1
    scale = np.broadcast_to(np.asarray(band.scale, dtype=float), (steps,))
    done = np.full(steps, float(corners[0])) * scale
    slopes = np.diff(corners) / np.diff(power_w)
    for columns, slope in zip(at.segments, slopes, strict=True):
        done = done + solution[columns] / SCALE * slope
    full: FloatArray = np.divide(done, scale, out=np.ones(steps), where=scale > 0.0)
    return full
