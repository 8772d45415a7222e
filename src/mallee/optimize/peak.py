"""The month's peak: which demand to aim for, and how much energy to keep for what nobody foresees.

A plan of a day cannot weigh a charge that is paid once a month. So once an hour the rest of the
month is planned in hours, once for each scenario; each scenario's own best peak is a number, and
the target is a quantile of them. The day's plan then reckons peaks below the target as paid.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.exact import Market, end_value, with_limit
from mallee.optimize.horizon import HOUR_S, Horizon
from mallee.optimize.inputs import Battery, Connection, Demand, EndValue, Problem
from mallee.optimize.planner import Planner

LIMIT_STEPS: Final = (1.0, 1.01, 1.02, 1.04, 1.08, 1.16, 1.32)
"""Peaks above the target that are tried for the worth of energy after the horizon."""
LACK_DIVISOR: Final = 3.0
"""Where even the highest of them needs energy: a missing MWh raises a peak by 1/3 MW."""
CANDIDATES: Final = 17
REFINEMENTS: Final = 3
ECONOMIC_SHARE: Final = 0.5
"""Quantile of what the price-aware programme would pay above the holdable peaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One way the rest of the month may go, in steps of an hour.

    Attributes:
        load_w: mean load beside what the plan decides.
        import_usd_per_mwh: price.
        applies: by demand charge, where it counts.
    """

    load_w: FloatArray
    import_usd_per_mwh: FloatArray
    applies: dict[str, FloatArray]


def scenario_peaks_w(
    start_utc_s: float,
    scenarios: Sequence[Scenario],
    batteries: tuple[Battery, ...],
    connection: Connection,
    demands: Sequence[Demand],
) -> dict[str, FloatArray]:
    """Each scenario's best peaks with perfect foresight, by demand charge, W.

    Args:
        connection: its limits as one value for all hours are taken (the first of each array).
        demands: charges with what is paid already as incumbent.
    """
    planner = Planner()
    found: dict[str, list[float]] = {demand.name: [] for demand in demands}
    for scenario in scenarios:
        count = len(scenario.load_w)
        horizon = Horizon(start_utc_s, np.full(count, HOUR_S))
        here = tuple(
            replace(d, applies=scenario.applies.get(d.name), elapsed_wh=0.0, interval_s=HOUR_S)
            for d in demands
        )
        plan = planner.plan(
            Problem(
                horizon=horizon,
                connection=Connection(
                    import_max_w=np.full(count, float(np.max(connection.import_max_w)))
                ),
                load_w=scenario.load_w,
                import_usd_per_mwh=scenario.import_usd_per_mwh,
                batteries=tuple(_even(b) for b in batteries),
                demands=here,
            ),
            explain=False,
        )
        for name, peak_w in plan.peak_w.items():
            found[name].append(peak_w)
    return {name: np.array(peaks) for name, peaks in found.items()}


def _even(battery: Battery) -> Battery:
    """The battery without what holds for one horizon only."""
    return replace(
        battery,
        charge_max_w=float(np.max(battery.charge_max_w)),
        discharge_max_w=float(np.max(battery.discharge_max_w)),
        reserve_wh=float(np.max(battery.reserve_wh)),
        headroom_wh=float(np.max(battery.headroom_wh)),
        reserve_w=float(np.max(battery.reserve_w)),
        peak_reserve_wh=0.0,
        end=None,
    )


def value_beyond(battery: Battery, market: Market, target_w: float, usd_per_w: float) -> EndValue:
    """Worth of energy at the end of a horizon, from the days after it, under the peak target.

    Energy that is needed to keep the target is worth what the next higher peak would cost: the
    days are solved under a few limits, and each gives the least energy that keeps it.

    Args:
        market: the days after the horizon.
        target_w: month's peak that is aimed for; infinite for none.
        usd_per_w: charge on it.
    """
    kept: list[tuple[float, EndValue]] = []
    for step in LIMIT_STEPS if np.isfinite(target_w) else (np.inf,):
        limit_w = max(target_w, 1.0) * step
        limits = np.minimum(market.import_max_w, limit_w)
        try:
            kept.append((limit_w, end_value(battery, with_limit(market, limits))))
        except ValueError:
            continue
        if kept[-1][1].energy_wh[0] <= battery.soc_min * battery.energy_wh + 1.0:
            break
    if not kept:
        mean = float(np.mean(market.import_usd_per_mwh))
        return EndValue(energy_wh=np.array([battery.energy_wh]), usd_per_mwh=np.array([mean]))
    first = kept[0][1]
    widths, values = list(first.energy_wh[1:]), list(first.usd_per_mwh[1:])
    for (limit_w, end), (next_w, after) in pairwise(kept):
        width = float(end.energy_wh[0] - after.energy_wh[0])
        if width > 1.0:
            widths.insert(0, width)
            values.insert(0, values[0] + usd_per_w * (next_w - limit_w) / width * 1e6)
    widths.insert(0, float(kept[-1][1].energy_wh[0]))
    values.insert(0, values[0] + usd_per_w * 1e6 / LACK_DIVISOR)
    rising = np.maximum.accumulate(np.array(values)[::-1])[::-1]
    return EndValue(energy_wh=np.array(widths), usd_per_mwh=rising)


def holdable_peaks_w(
    battery: Battery,
    stored_wh: float,
    paths_w: FloatArray,
    length_h: FloatArray,
    applies: FloatArray,
    low_w: float,
) -> FloatArray:
    """The least import that the battery can hold along each path, by energy alone, W.

    Backwards in time for many candidates at once: what is missing above the peak must be in the
    store before, what is free below it can be charged. Finer than the hours of the price-aware
    planner, whose means hide what happens within them.

    Args:
        stored_wh: energy above the window's floor now.
        paths_w: load of each scenario.  # (scenarios, steps)
        applies: where the charge counts; elsewhere the battery may charge freely.  # (steps,)
        low_w: peak that is paid anyway.
    """
    charge = float(np.max(battery.charge_max_w))
    discharge = float(np.max(battery.discharge_max_w))
    most = (battery.soc_max - battery.soc_min) * battery.energy_wh
    counted = np.where(applies > 0.0, paths_w, -np.inf)
    high = np.maximum(counted.max(axis=1), low_w)
    low = np.full(len(paths_w), low_w)
    for _ in range(REFINEMENTS):
        peaks = np.linspace(low, high, CANDIDATES, axis=1)
        gap = counted.T[:, :, None] - peaks
        use = np.where(gap > 0.0, gap / battery.discharge_efficiency, np.maximum(gap, -charge))
        use = np.where(gap > 0.0, use, use * battery.charge_efficiency) * length_h[:, None, None]
        fits = np.all(gap <= discharge, axis=0)
        need = np.zeros(peaks.shape)
        for k in range(len(length_h) - 1, -1, -1):
            np.maximum(need + use[k], 0.0, out=need)
            fits &= need <= most
        fits &= need <= stored_wh
        fits[:, -1] = True
        best = np.argmax(fits, axis=1)
        rows = np.arange(len(best))
        low, high = peaks[rows, np.maximum(best - 1, 0)], peaks[rows, best]
    held: FloatArray = high
    return held


def ride_through_wh(
    battery: Battery, length_h: FloatArray, paths_w: FloatArray, target_w: float
) -> FloatArray:
    """Energy above the floor that keeps a target along paths of load, Wh.

    Backwards in time: what is missing above the target must be in the store before, what is free
    below it can be charged meanwhile. At most what the battery holds.

    Args:
        paths_w: loads; minus infinity where the target does not count.  # (paths, steps)
        target_w: import not to exceed.

    Returns:
        At the beginning of each step and the end of the last.  # (paths, steps + 1)
    """
    most_wh = (battery.soc_max - battery.soc_min) * battery.energy_wh
    charge, discharge = (
        float(np.max(battery.charge_max_w)),
        float(np.max(battery.discharge_max_w)),
    )
    gap_w = np.clip(paths_w - target_w, -charge, discharge)
    use_wh = np.where(
        gap_w > 0.0, gap_w / battery.discharge_efficiency, gap_w * battery.charge_efficiency
    )
    use_wh = use_wh * length_h
    need = np.zeros((paths_w.shape[0], paths_w.shape[1] + 1))
    for k in range(paths_w.shape[1] - 1, -1, -1):
        need[:, k] = np.clip(need[:, k + 1] + use_wh[:, k], 0.0, most_wh)
    return need


def attainable_wh(
    battery: Battery,
    stored_wh: float,
    length_h: FloatArray,
    load_w: FloatArray,
    target_w: FloatArray | float,
) -> FloatArray:
    """Most energy above the floor at the end of each step, without import above a target, Wh.

    A reserve against peaks that asks for more would raise the very peak that it is to prevent.

    Args:
        stored_wh: energy above the window's floor now.
    """
    most_wh = (battery.soc_max - battery.soc_min) * battery.energy_wh
    spare_w = np.clip(
        target_w - load_w, -np.asarray(battery.discharge_max_w), np.asarray(battery.charge_max_w)
    )
    gain_wh = np.where(
        spare_w > 0.0, spare_w * battery.charge_efficiency, spare_w / battery.discharge_efficiency
    )
    reached, path = stored_wh, []
    for gain in (gain_wh * length_h).tolist():
        reached = min(max(reached + gain, 0.0), most_wh)
        path.append(reached)
    return np.array(path)
