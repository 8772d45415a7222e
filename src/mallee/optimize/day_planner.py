"""The day's plan under the month's peak: what a site's planner does every five minutes.

Every few hours, and when a peak was given up, the month's targets and the worth of energy after
the day are renewed; each plan keeps the energy that holds the targets along a high path of load.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.exact import Market
from mallee.optimize.forecaster import Forecaster
from mallee.optimize.horizon import FINE_S, HOUR_S, Horizon, horizon_at
from mallee.optimize.inputs import Battery, Connection, Demand, EndValue, Problem, Response
from mallee.optimize.peak import (
    ECONOMIC_SHARE,
    LACK_DIVISOR,
    Scenario,
    attainable_wh,
    holdable_peaks_w,
    ride_through_wh,
    scenario_peaks_w,
    value_beyond,
)
from mallee.optimize.planner import Planner
from mallee.optimize.schedule import Schedule
from mallee.optimize.series import Series
from mallee.optimize.tariff.charges import RunningPeaks, demands_of
from mallee.optimize.tariff.clock import month_start_utc_s
from mallee.optimize.tariff.file import TariffFile
from mallee.optimize.tariff.prices import demand_hours

BEYOND_COUNT: Final = 48
"""Hours after the day's plan that give stored energy its worth."""
TARGET_EVERY_S: Final = 3600.0
PATH_MAX_S: Final = 3 * 86400.0
"""A target can be raised later at no loss as long as the battery is not empty for it, so it is
enough to look past the next nights."""
AIM_SHARE: Final = 0.1
"""The target is what the battery can hold along this share of the scenarios. Aiming low and giving
way is cheaper than paying for a peak that may not come: a target can only rise, and it rises in
time as long as the reserve keeps the battery full (docs/energy.md: the trial of other shares)."""
RESERVE_S: Final = 36 * 3600.0
"""The reserve against peaks looks past the next night."""
RESERVE_SHARE: Final = 0.95
"""The reserve holds the target along this share of the scenarios."""
UNFORESEEN: Final = 0.01
"""Chance of a peak that no scenario holds. While it costs more than prices can earn, the battery is
kept full, as far as the target leaves room to charge it."""
REACH_FRAC: Final = 1.15
"""A target this far above every scenario needs nothing kept for it."""
ECONOMIC_S: Final = 9 * 86400.0
ECONOMIC_PATHS: Final = 6
DAY_S: Final = 86400.0
QUARTER_S: Final = 900.0


@dataclass(slots=True)
class DayPlanner:
    """Plans of one site, one after the other.

    Attributes:
        battery: as rated; its state comes with each plan.
        prices: what imported energy costs, at least as far as plans look.
        import_max_w: of the connection; a schedule may come with each plan.
        until_utc_s: nothing is billed from then on, as at the end of a study.
        running: highest intervals so far; its owner feeds it readings.
        sees_all: whether forecasts are the truth, so that all of the month is worth looking at.
    """

    battery: Battery
    tariff: TariffFile
    prices: Series
    import_max_w: float
    running: RunningPeaks
    until_utc_s: float = np.inf
    use_targets: bool = True
    sees_all: bool = False
    targets: dict[str, float] = field(default_factory=dict)
    _economic: dict[str, float] = field(default_factory=dict)
    _economic_due_utc_s: float = -np.inf
    _due_utc_s: float = -np.inf
    _end: EndValue | None = None
    _hours: dict[str, Series] = field(default_factory=dict)
    _reserve: Series | None = None
    _planner: Planner = field(default_factory=Planner)

    def plan(
        self,
        now: float,
        stored_wh: float,
        forecast: Forecaster,
        *,
        connection: Connection | None = None,
        responses: tuple[Response, ...] = (),
        explain: bool = False,
    ) -> tuple[Schedule, FloatArray]:
        """The plan, and the import that it reckons with in each step, by the charges there.

        Args:
            now: UTC, a multiple of five minutes.
            stored_wh: measured.
            connection: envelope over `horizon_at(now)`; the constant limit where None.
        """
        horizon = horizon_at(now)
        edges = horizon.edges_utc_s
        if now >= self._due_utc_s or self._gave_up():
            self._renew(now, stored_wh, forecast)
        # Control holds a peak at every instant, so a plan holds it in every step: free to exceed it
        # within a billing interval it would switch the battery on and off between steps.
        demands = tuple(
            replace(demand, interval_s=FINE_S, elapsed_wh=0.0)
            for demand in demands_of(
                self.tariff,
                horizon,
                peaks_w=self.running.peaks_w,
                elapsed_wh={},
                targets_w=self.targets,
                until_utc_s=self.until_utc_s,
            )
        )
        load_w = forecast.load_w(edges)
        limit = Connection(import_max_w=np.full(horizon.count, self.import_max_w))
        schedule = self._planner.plan(
            Problem(
                horizon=horizon,
                connection=limit if connection is None else connection,
                load_w=load_w,
                import_usd_per_mwh=self.prices.means(edges),
                batteries=(
                    replace(
                        self.battery,
                        soc=stored_wh / self.battery.energy_wh,
                        peak_reserve_wh=self._reserve_wh(horizon, demands, load_w, stored_wh),
                        end=self._end,
                    ),
                ),
                demands=demands,
                responses=responses,
            ),
            explain=explain,
        )
        return schedule, self._held_w(schedule, demands, load_w, stored_wh)

    def _held_w(
        self,
        schedule: Schedule,
        demands: Sequence[Demand],
        load_w: FloatArray,
        stored_wh: float,
    ) -> FloatArray:
        """Import to hold in each step, by the charges there.

        Where the expected load cannot be held to the target to its end the programme gives way at
        once. What is expected may not come, so the target is held as long as there is energy for
        the next hour; giving way later costs no more.
        """
        horizon = schedule.horizon
        planned_w, aimed_w = np.full((2, horizon.count), np.inf)
        for demand in demands:
            counts = np.ones(horizon.count) if demand.applies is None else demand.applies
            peak_w = schedule.peak_w[demand.name]
            planned_w = np.where(counts > 0.0, np.minimum(planned_w, peak_w), planned_w)
            aimed_w = np.where(counts > 0.0, np.minimum(aimed_w, demand.incumbent_w), aimed_w)
        near = horizon.edges_utc_s[1:] <= horizon.start_utc_s + HOUR_S
        battery = self.battery
        short_w = np.maximum(load_w - aimed_w, 0.0)[near]
        need_wh = float(short_w @ horizon.length_h[near]) / battery.discharge_efficiency
        above_wh = stored_wh - battery.soc_min * battery.energy_wh
        fits = float(short_w.max(initial=0.0)) <= float(np.max(battery.discharge_max_w))
        if fits and need_wh <= above_wh and not self.sees_all:
            planned_w = np.where(near, np.minimum(planned_w, aimed_w), planned_w)
        held: FloatArray = planned_w
        return held

    def _gave_up(self) -> bool:
        """Whether a target has been passed by the meter."""
        return any(self.running.peaks_w[name] > w for name, w in self.targets.items())

    def _renew(self, now: float, stored_wh: float, forecast: Forecaster) -> None:
        self._due_utc_s = now + TARGET_EVERY_S
        month_end = month_start_utc_s(now, self.tariff.timezone, 1)
        self._hours = {
            rate.name: demand_hours(self.tariff, rate, now, month_end + 3 * DAY_S)
            for rate in self.tariff.demand
        }
        billed = min(month_end, self.until_utc_s)
        if self.use_targets and self.tariff.demand and billed > now:
            self.targets = self._targets(now, billed, stored_wh, forecast)
            self._reserve = self._reserve_series(now, forecast)
        self._end = self._value_beyond(now, billed, forecast)

    def _targets(
        self, now: float, billed: float, stored_wh: float, forecast: Forecaster
    ) -> dict[str, float]:
        """What energy can hold each time, and once a day what prices would rather pay above it."""
        battery = self.battery
        above_wh = max(0.0, stored_wh - battery.soc_min * battery.energy_wh)
        if now >= self._economic_due_utc_s:
            self._economic = self._economic_extra_w(now, billed, stored_wh, forecast)
            self._economic_due_utc_s = now + DAY_S
        span_s = billed - now if self.sees_all else min(billed - now, PATH_MAX_S)
        count = max(1, int(span_s // QUARTER_S))
        edges = now + QUARTER_S * np.arange(count + 1, dtype=np.float64)
        hours = np.full(count, QUARTER_S / HOUR_S)
        paths = forecast.paths_w(edges)
        found = {}
        for rate in self.tariff.demand:
            applies = self._hours[rate.name].means(edges)
            paid_w = self.running.peaks_w[rate.name]
            peaks = holdable_peaks_w(battery, above_wh, paths, hours, applies, paid_w)
            found[rate.name] = float(np.quantile(peaks, AIM_SHARE)) + self._economic[rate.name]
        return found

    def _reserve_series(self, now: float, forecast: Forecaster) -> Series:
        """Energy to keep above the floor at each instant from now on, so that targets are held."""
        battery, count = self.battery, round(RESERVE_S / FINE_S)
        edges = now + FINE_S * np.arange(count + 1, dtype=np.float64)
        paths = forecast.paths_w(edges)
        prices = self.prices.means(edges)
        spread = float(np.quantile(prices, 0.9) - np.quantile(prices, 0.1))
        reserve = np.zeros(count + 1)
        for rate in self.tariff.demand:
            applies = self._hours[rate.name].means(edges)
            target_w = max(self.targets.get(rate.name, 0.0), self.running.peaks_w[rate.name])
            counted = np.where(applies > 0.0, paths, -np.inf)
            need = ride_through_wh(battery, np.full(count, FINE_S / HOUR_S), counted, target_w)
            kept = np.quantile(need, RESERVE_SHARE, axis=0)
            worth = UNFORESEEN * rate.usd_per_w_month * 1e6 / LACK_DIVISOR
            near = float(counted.max(initial=0.0)) * REACH_FRAC > target_w
            if worth > spread and near and not self.sees_all:
                kept[:] = (battery.soc_max - battery.soc_min) * battery.energy_wh
            reserve = np.maximum(reserve, kept)
        return Series(now - FINE_S / 2.0, FINE_S, reserve)

    def _economic_extra_w(
        self, now: float, billed: float, stored_wh: float, forecast: Forecaster
    ) -> dict[str, float]:
        """How far above the holdable peak prices would rather go, by charge; mostly nothing."""
        span_s = billed - now if self.sees_all else min(billed - now, ECONOMIC_S)
        count = max(1, int(span_s // HOUR_S))
        edges = now + HOUR_S * np.arange(count + 1, dtype=np.float64)
        prices = self.prices.means(edges)
        applies = {name: hours.means(edges) for name, hours in self._hours.items()}
        paths = forecast.paths_w(edges)[:ECONOMIC_PATHS]
        battery = replace(self.battery, soc=stored_wh / self.battery.energy_wh)
        rates = self.tariff.demand
        peaks = scenario_peaks_w(
            now,
            [Scenario(load_w=path, import_usd_per_mwh=prices, applies=applies) for path in paths],
            (battery,),
            Connection(import_max_w=np.array([self.import_max_w])),
            [
                Demand(
                    name=rate.name,
                    usd_per_w=rate.usd_per_w_month,
                    incumbent_w=self.running.peaks_w[rate.name],
                )
                for rate in rates
            ],
        )
        above_wh = max(0.0, stored_wh - battery.soc_min * battery.energy_wh)
        extra = {}
        for rate in rates:
            paid_w = self.running.peaks_w[rate.name]
            held = holdable_peaks_w(
                battery, above_wh, paths, np.ones(count), applies[rate.name], paid_w
            )
            more = np.maximum(peaks[rate.name] - held, 0.0)
            extra[rate.name] = float(np.quantile(more, ECONOMIC_SHARE))
        return extra

    def _reserve_wh(
        self, horizon: Horizon, demands: Sequence[Demand], load_w: FloatArray, stored_wh: float
    ) -> FloatArray | float:
        """Energy that keeps the peaks along most scenarios, at the end of each step."""
        if self._reserve is None or not self.targets or not demands:
            return 0.0
        ends = horizon.edges_utc_s[1:]
        reserve = np.array([self._reserve.at(end) for end in ends.tolist()])
        lowest = min(d.incumbent_w for d in demands)
        above_wh = stored_wh - self.battery.soc_min * self.battery.energy_wh
        reach = attainable_wh(self.battery, above_wh, horizon.length_h, load_w, lowest)
        kept: FloatArray = np.minimum(reserve, reach)
        return kept

    def charge_hours(self, rate: str) -> Series:
        """1 where a demand rate applies, from the last renewal to after the month's end."""
        return self._hours[rate]

    def _value_beyond(self, now: float, billed: float, forecast: Forecaster) -> EndValue:
        """Worth of energy at the end of the day's plan, from the two days after it."""
        end = float(horizon_at(now).edges_utc_s[-1])
        edges = end + HOUR_S * np.arange(BEYOND_COUNT + 1, dtype=np.float64)
        prices = self.prices.means(edges)
        if not self.sees_all:  # prices are known a day ahead; then as on that day
            last_day = self.prices.means(edges[:25] - DAY_S)
            prices = np.tile(last_day, BEYOND_COUNT // 24)
        target_w = np.inf  # what comes after the billed time has no peak to keep yet
        if self.targets and end < billed:
            target_w = max(*self.targets.values(), *self.running.peaks_w.values())
        market = Market(
            length_h=np.ones(BEYOND_COUNT),
            load_w=forecast.load_w(edges) if self.sees_all else forecast.paths_w(edges)[0],
            import_usd_per_mwh=np.maximum(prices, 0.0),
            export_usd_per_mwh=np.zeros(BEYOND_COUNT),
            import_max_w=np.full(BEYOND_COUNT, self.import_max_w),
            export_max_w=np.zeros(BEYOND_COUNT),
        )
        usd_per_w = sum(rate.usd_per_w_month for rate in self.tariff.demand)
        return value_beyond(self.battery, market, target_w, usd_per_w)
