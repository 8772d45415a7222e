"""The exact optimum of a battery against prices, without a solver: slope-trick dynamic programme.

The cost to go as a function of stored energy is convex and piecewise linear, so a list of slopes
and lengths holds it. One step back in time is an infimal convolution with the cost of the step:
its segments are merged in by slope, and what sticks out of the store's ends is cut off. Serves as
oracle for tests, as value of energy beyond the horizon, and as a plan when no solver answers.

A step costs f(b) = price(load + b) d + wear |b| d for battery power b (positive charges), and b
changes the store by eta_c b d or b d / eta_x. Exact as long as f seen from the store is convex;
it is not where energy may be burnt at a profit (negative prices), which is refused.
"""

import itertools
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.inputs import Battery, EndValue

PEAK_TOLERANCE: Final = 0.01
"""W; how exact the search over the peak is."""

_Curve = tuple[float, float, list[float], list[float]]
"""A convex function: where it starts, its value there, slopes rising, length of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exact:
    """The optimum.

    Attributes:
        battery_w: charging less discharging in each step.
        stored_wh: at the end of each step.
        cost_usd: of all steps less the value of what is left.
    """

    battery_w: FloatArray
    stored_wh: FloatArray
    cost_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Prices and limits of each step.

    Attributes:
        length_h: of each step.
        load_w: what is drawn beside the battery; negative is a surplus.
        import_usd_per_mwh, export_usd_per_mwh: of net import and export; import is the dearer.
        import_max_w, export_max_w: limits of the meter.
    """

    length_h: FloatArray
    load_w: FloatArray
    import_usd_per_mwh: FloatArray
    export_usd_per_mwh: FloatArray
    import_max_w: FloatArray
    export_max_w: FloatArray


def solve(battery: Battery, market: Market) -> Exact:
    """The cheapest way through all steps.

    Args:
        battery: its `end` values what is left (nothing without); bands and reserves are not seen.

    Raises:
        ValueError: a limit of the meter cannot be kept, or a step is not convex.
    """
    curves = _curves(battery, market)
    stored_wh = min(max(battery.soc, battery.soc_min), battery.soc_max) * battery.energy_wh
    start_wh, total = stored_wh, len(market.length_h)
    path_wh, power_w = np.zeros(total), np.zeros(total)
    for k in range(total):
        step = _step_curve(battery, market, k)
        used_wh = _best_use(step, curves[k + 1], stored_wh)
        stored_wh -= used_wh
        path_wh[k] = stored_wh
        gain = battery.discharge_efficiency if used_wh > 0.0 else 1.0 / battery.charge_efficiency
        power_w[k] = -used_wh * gain / market.length_h[k]
    return Exact(battery_w=power_w, stored_wh=path_wh, cost_usd=_value(curves[0], start_wh))


def end_value(battery: Battery, market: Market) -> EndValue:
    """What stored energy is worth before these steps: the terminal value of a horizon before them.

    Returns:
        Segments from empty up, values falling. Energy without which the market's import limit
        cannot be kept comes first, with the value of the first that can be chosen.

    Raises:
        ValueError: even a full battery cannot keep the limit.
    """
    start, _, slopes, lengths = _curves(battery, market)[0]
    worth = [-1e6 * slope for slope in slopes]
    return EndValue(energy_wh=np.array([start, *lengths]), usd_per_mwh=np.array([worth[0], *worth]))


def solve_with_peak(battery: Battery, market: Market, usd_per_w: float, floor_w: float) -> Exact:
    """The optimum with a charge on the highest import of a step, by search over that peak.

    Args:
        usd_per_w: charge on the peak.
        floor_w: peak that is paid anyway.
    """
    low = max(floor_w, least_peak_w(battery, market, floor_w))
    high = max(low, float(market.load_w.max()) + float(np.max(battery.charge_max_w)))

    def at(peak_w: float) -> Exact:
        limit_w = np.minimum(market.import_max_w, peak_w)
        found = solve(battery, with_limit(market, limit_w))
        return Exact(
            battery_w=found.battery_w,
            stored_wh=found.stored_wh,
            cost_usd=found.cost_usd + usd_per_w * peak_w,
        )

    golden = (np.sqrt(5.0) - 1.0) / 2.0
    left, right = at(high - golden * (high - low)), at(low + golden * (high - low))
    while high - low > PEAK_TOLERANCE:
        if left.cost_usd <= right.cost_usd:
            high = low + golden * (high - low)
            left, right = at(high - golden * (high - low)), left
        else:
            low = high - golden * (high - low)
            left, right = right, at(low + golden * (high - low))
    return at(high)


def least_peak_w(battery: Battery, market: Market, low: float) -> float:
    """The lowest import limit from `low` up that can be kept, W."""
    high = float(np.max(market.load_w))
    while high - low > PEAK_TOLERANCE:
        middle = (low + high) / 2.0
        try:
            solve(battery, with_limit(market, np.full(len(market.load_w), middle)))
        except ValueError:
            low = middle
        else:
            high = middle
    return high


def with_limit(market: Market, limit_w: FloatArray) -> Market:
    """The same market behind another import limit."""
    return Market(
        length_h=market.length_h,
        load_w=market.load_w,
        import_usd_per_mwh=market.import_usd_per_mwh,
        export_usd_per_mwh=market.export_usd_per_mwh,
        import_max_w=limit_w,
        export_max_w=market.export_max_w,
    )


def _curves(battery: Battery, market: Market) -> list[_Curve]:
    """Cost to go before each step and after the last."""
    low = battery.soc_min * battery.energy_wh
    high = battery.soc_max * battery.energy_wh
    curve: _Curve = (low, 0.0, [0.0], [high - low])
    if battery.end is not None:
        curve = _end_curve(battery.end, low, high)
    curves = [curve]
    for k in range(len(market.length_h) - 1, -1, -1):
        curve = _cut(_merge(curve, _step_curve(battery, market, k)), low, high, k)
        curves.append(curve)
    curves.reverse()
    return curves


def _end_curve(end: EndValue, low: float, high: float) -> _Curve:
    widths = end.energy_wh.tolist()
    widths[-1] = max(widths[-1], high)
    slopes = [-v / 1e6 for v in end.usd_per_mwh.tolist()]
    return _cut((0.0, 0.0, slopes, widths), low, high, -1)


def _step_curve(battery: Battery, market: Market, k: int) -> _Curve:
    """Cost of a step as a function of energy taken from the store, Wh."""
    d, load = float(market.length_h[k]), float(market.load_w[k])
    buy, sell = (
        float(market.import_usd_per_mwh[k]) / 1e6,
        float(market.export_usd_per_mwh[k]) / 1e6,
    )
    wear = battery.wear_usd_per_mwh / 1e6
    most = min(_at(battery.charge_max_w, k), float(market.import_max_w[k]) - load)
    least = max(-_at(battery.discharge_max_w, k), -float(market.export_max_w[k]) - load)
    if most < least:
        raise ValueError(f"step {k + 1}: the meter's limits cannot be kept by the battery")
    corners = sorted({most, least, *(b for b in (0.0, -load) if least < b < most)}, reverse=True)
    gains = (battery.charge_efficiency, 1.0 / battery.discharge_efficiency)

    def taken(b: float) -> float:
        return -b * d * (gains[0] if b > 0.0 else gains[1])

    def cost(b: float) -> float:
        net = load + b
        return ((buy * net if net > 0.0 else sell * net) + wear * abs(b)) * d

    slopes, lengths = [], []
    for one, two in itertools.pairwise(corners):
        length = taken(two) - taken(one)
        slopes.append((cost(two) - cost(one)) / length)
        lengths.append(length)
    if any(b < a - 1e-12 for a, b in itertools.pairwise(slopes)):
        raise ValueError(f"step {k + 1} is not convex: burning energy would pay")
    return taken(most), cost(most), slopes, lengths


def _at(value: FloatArray | float, k: int) -> float:
    return float(value[k]) if isinstance(value, np.ndarray) else float(value)


def _merge(one: _Curve, other: _Curve) -> _Curve:
    """Infimal convolution of two convex functions: all segments, by slope."""
    slopes, lengths = list(one[2]), list(one[3])
    for slope, length in zip(other[2], other[3], strict=True):
        at = bisect_right(slopes, slope)
        slopes.insert(at, slope)
        lengths.insert(at, length)
    return one[0] + other[0], one[1] + other[1], slopes, lengths


def _cut(curve: _Curve, low: float, high: float, k: int) -> _Curve:
    """The part of a function between two ends."""
    start, value, slopes, lengths = curve
    first = 0
    while first < len(lengths) and start + lengths[first] <= low:
        value += slopes[first] * lengths[first]
        start += lengths[first]
        first += 1
    slopes, lengths = slopes[first:], lengths[first:]
    if start > high + 1e-6 or not lengths:
        raise ValueError(f"step {k + 1}: no state of charge can be kept from here on")
    if start < low:
        value += slopes[0] * (low - start)
        lengths[0] -= low - start
        start = low
    end, count = start, 0
    while count < len(lengths) and end < high:
        lengths[count] = min(lengths[count], high - end)
        end += lengths[count]
        count += 1
    return start, value, slopes[: max(count, 1)], lengths[: max(count, 1)]


def _corners(curve: _Curve) -> tuple[FloatArray, FloatArray]:
    x = curve[0] + np.concatenate(([0.0], np.cumsum(curve[3])))
    y = curve[1] + np.concatenate(([0.0], np.cumsum(np.multiply(curve[2], curve[3]))))
    return x, y


def _value(curve: _Curve, x: float) -> float:
    corners, values = _corners(curve)
    if x < corners[0] - 1e-6 or x > corners[-1] + 1e-6:
        raise ValueError("the state of charge cannot lead to where it must end")
    return float(np.interp(x, corners, values))


def _best_use(step: _Curve, after: _Curve, stored_wh: float) -> float:
    """Energy taken from the store that is cheapest now and later; at a corner of either."""
    step_x, step_y = _corners(step)
    after_x, after_y = _corners(after)
    options = np.concatenate((step_x, stored_wh - after_x))
    low = max(step_x[0], stored_wh - after_x[-1])
    high = min(step_x[-1], stored_wh - after_x[0])
    options = np.clip(options, low, max(low, high))
    costs = np.interp(options, step_x, step_y) + np.interp(stored_wh - options, after_x, after_y)
    return float(options[int(np.argmin(costs))])
