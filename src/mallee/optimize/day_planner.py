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
    TARGET_SHARE,
    Scenario,
    attainable_wh,
    holdable_peaks_w,
    ride_through_wh,
    scenario_peaks_w,
    targets_w,
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
RESERVE_STEPS: Final = 36 * 12
"""Five-minute steps over which the reserve against peaks looks ahead: past the next night."""
TARGET_EVERY_S: Final = 2 * 3600.0
PATH_MAX_S: Final = 9 * 86400.0
"""Scenarios from history repeat after a week; looking further shows nothing new."""
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
    ) -> tuple[Schedule, float]:
        """The plan, and the import that it reckons with in the first step's charges.

        Args:
            now: UTC, a multiple of five minutes.
            stored_wh: measured.
            connection: envelope over `horizon_at(now)`; the constant limit where None.
        """
        horizon = horizon_at(now)
        edges = horizon.edges_utc_s
        if now >= self._due_utc_s or self._gave_up():
            self._renew(now, stored_wh, forecast)
        demands = demands_of(
            self.tariff,
            horizon,
            peaks_w=self.running.peaks_w,
            elapsed_wh=self.running.elapsed_wh,
            targets_w=self.targets,
            until_utc_s=self.until_utc_s,
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
                        peak_reserve_wh=self._reserve_wh(
                            horizon, demands, load_w, stored_wh, forecast
                        ),
                        end=self._end,
                    ),
                ),
                demands=demands,
                responses=responses,
            ),
            explain=explain,
        )
        now_on = [d.name for d in demands if d.applies is None or d.applies[0] > 0.0]
        return schedule, min((schedule.peak_w[name] for name in now_on), default=np.inf)

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
        self._end = self._value_beyond(now, billed, forecast)

    def _targets(
        self, now: float, billed: float, stored_wh: float, forecast: Forecaster
    ) -> dict[str, float]:
        """The price-aware programme in hours once a day, what energy can hold each time."""
        battery = self.battery
        if now >= self._economic_due_utc_s:
            self._economic = targets_w(self._economic_peaks(now, billed, stored_wh, forecast))
            self._economic_due_utc_s = now + DAY_S
        span_s = billed - now if self.sees_all else min(billed - now, PATH_MAX_S)
        count = max(1, int(span_s // QUARTER_S))
        edges = now + QUARTER_S * np.arange(count + 1, dtype=np.float64)
        paths = np.array(forecast.paths_w(edges))
        above_wh = stored_wh - battery.soc_min * battery.energy_wh
        found = {}
        for rate in self.tariff.demand:
            peaks = holdable_peaks_w(
                battery,
                above_wh,
                paths,
                np.full(count, QUARTER_S / HOUR_S),
                self._hours[rate.name].means(edges),
                self.running.peaks_w[rate.name],
            )
            held_w = float(np.quantile(peaks, TARGET_SHARE))
            found[rate.name] = max(self._economic[rate.name], held_w)
        return found

    def _economic_peaks(
        self, now: float, billed: float, stored_wh: float, forecast: Forecaster
    ) -> dict[str, FloatArray]:
        count = max(1, int((billed - now) // HOUR_S))
        edges = now + HOUR_S * np.arange(count + 1, dtype=np.float64)
        prices = self.prices.means(edges)
        applies = {name: hours.means(edges) for name, hours in self._hours.items()}
        demands = [
            Demand(
                name=rate.name,
                usd_per_w=rate.usd_per_w_month,
                incumbent_w=self.running.peaks_w[rate.name],
            )
            for rate in self.tariff.demand
        ]
        return scenario_peaks_w(
            now,
            [
                Scenario(load_w=path, import_usd_per_mwh=prices, applies=applies)
                for path in forecast.paths_w(edges)
            ],
            (replace(self.battery, soc=stored_wh / self.battery.energy_wh),),
            Connection(import_max_w=np.array([self.import_max_w])),
            demands,
        )

    def _reserve_wh(
        self,
        horizon: Horizon,
        demands: Sequence[Demand],
        load_w: FloatArray,
        stored_wh: float,
        forecast: Forecaster,
    ) -> FloatArray | float:
        """Energy that keeps the peaks along a high path of load, at the end of each step."""
        if not self.targets or not demands:
            return 0.0
        edges = horizon.edges_utc_s
        fine = edges[0] + FINE_S * np.arange(RESERVE_STEPS + 1, dtype=np.float64)
        high_w = forecast.high_w(fine)
        reserve = np.zeros(horizon.count)
        ends = np.minimum((edges[1:] - edges[0]) / FINE_S, RESERVE_STEPS).astype(np.int64) - 1
        for demand in demands:
            hours = self._hours[demand.name].means(fine)
            path = np.where(hours > 0.0, high_w, -np.inf)
            need = ride_through_wh(
                self.battery, np.full(RESERVE_STEPS, FINE_S / HOUR_S), path, demand.incumbent_w
            )
            reserve = np.maximum(reserve, need[ends])
        lowest = min(d.incumbent_w for d in demands)
        above_wh = stored_wh - self.battery.soc_min * self.battery.energy_wh
        reach = attainable_wh(self.battery, above_wh, horizon.length_h, load_w, lowest)
        return np.minimum(reserve, reach)

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
