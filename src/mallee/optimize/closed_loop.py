"""A site in a closed loop over past data: forecasts, the month's planner, the day's plan, a plant.

What happens is not the plan's own opinion: the plant follows the first step of each plan against
the load that really came, within the battery's limits, and holds the peak that the plan reckons
with as control would.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.day_planner import DayPlanner
from mallee.optimize.forecaster import Forecaster, FromHistory, Truth
from mallee.optimize.horizon import FINE_S, HOUR_S
from mallee.optimize.inputs import Battery
from mallee.optimize.series import Series
from mallee.optimize.tariff.bill import Bill, bills
from mallee.optimize.tariff.charges import RunningPeaks
from mallee.optimize.tariff.file import TariffFile
from mallee.optimize.tariff.prices import import_prices

Foresight = Literal["perfect", "persistence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a backtest is about.

    Attributes:
        load_w: what the site drew beside the battery, in steps of five minutes; a week or more
            before `from_utc_s` is history to forecast from.
        markets: prices that the tariff follows; known a day ahead.
        from_utc_s, until_utc_s: what is played.
    """

    battery: Battery
    tariff: TariffFile
    load_w: Series
    markets: Mapping[str, Series]
    import_max_w: float
    from_utc_s: float
    until_utc_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it.

    Attributes:
        meter_w: net import of each five minutes.
        stored_wh: after each five minutes.
        bills: by month.
        wear_usd: throughput of the battery at its price.
        left_usd: worth of what is left in the battery more than at the start, at the mean price.
        plans: how many were made; `lost` of them were not good, `broken` broke a wish.
        over_limit: steps above the import limit.
        ramp_max_w: largest change between two five-minute means.
    """

    meter_w: Series
    stored_wh: FloatArray
    bills: tuple[Bill, ...]
    wear_usd: float
    left_usd: float
    plans: int = 0
    lost: int = 0
    broken: int = 0
    over_limit: int = 0
    ramp_max_w: float = 0.0

    @property
    def cost_usd(self) -> float:
        """Bills and wear less what is left."""
        return sum(bill.total for bill in self.bills) + self.wear_usd - self.left_usd


class Loop:
    """The plant, the running peaks and the plans of one play."""

    def __init__(self, case: Case, foresight: Foresight | None, *, use_targets: bool) -> None:
        self.case = case
        self.count = round((case.until_utc_s - case.from_utc_s) / FINE_S)
        edges = case.from_utc_s + FINE_S * np.arange(self.count + 1, dtype=np.float64)
        self.load_w = case.load_w.means(edges)
        end = case.until_utc_s + 5 * 86400.0
        self.prices = import_prices(case.tariff, case.markets, case.from_utc_s - 86400.0, end)
        self.running = RunningPeaks(case.tariff)
        self.stored_wh = case.battery.soc * case.battery.energy_wh
        self.meter_w = np.zeros(self.count)
        self.path_wh = np.zeros(self.count)
        self.used_wh = 0.0
        self.plans = self.lost = self.broken = 0
        self.now = case.from_utc_s
        self.planner: DayPlanner | None = None
        self.forecast: Forecaster = FromHistory(self._history)
        if foresight is not None:
            self.planner = DayPlanner(
                battery=case.battery,
                tariff=case.tariff,
                prices=self.prices,
                import_max_w=case.import_max_w,
                running=self.running,
                until_utc_s=case.until_utc_s,
                use_targets=use_targets,
                sees_all=foresight == "perfect",
            )
        if foresight == "perfect":
            self.forecast = Truth(case.load_w)

    def step(self, k: int) -> None:
        """Plan, then live through five minutes."""
        self.now = self.case.from_utc_s + FINE_S * k
        if self.planner is None:
            self.follow(k, 0.0, np.inf)
            return
        plan, held_w = self.planner.plan(self.now, self.stored_wh, self.forecast)
        self.plans += 1
        self.lost += int(not plan.good)
        self.broken += int(any(b.wish != "peak reserve" for b in plan.broken))
        self.follow(k, float(plan.battery_w[0]), float(held_w[0]))

    def _history(self) -> Series:
        load = self.case.load_w
        known = round((self.now - load.start_utc_s) / load.step_s)
        first = max(0, known - 28 * 288)
        return Series(load.start_utc_s + first * load.step_s, load.step_s, load.values[first:known])

    def follow(self, k: int, wanted_w: float, held_w: float) -> None:
        """The plant: the battery does what is wanted of it, and what holds the peak and limit."""
        battery, load_w, hours = self.case.battery, float(self.load_w[k]), FINE_S / HOUR_S
        wanted_w = min(wanted_w, max(held_w, 0.0) - load_w, self.case.import_max_w - load_w)
        wanted_w = max(wanted_w, -load_w)  # no export
        room_wh = battery.soc_max * battery.energy_wh - self.stored_wh
        have_wh = self.stored_wh - battery.soc_min * battery.energy_wh
        most_w = min(
            float(np.max(battery.charge_max_w)),
            max(0.0, room_wh) / battery.charge_efficiency / hours,
        )
        least_w = -min(
            float(np.max(battery.discharge_max_w)),
            max(0.0, have_wh) * battery.discharge_efficiency / hours,
        )
        power_w = min(max(wanted_w, least_w), most_w)
        gain = battery.charge_efficiency if power_w > 0.0 else 1.0 / battery.discharge_efficiency
        self.stored_wh += power_w * gain * hours
        self.used_wh += abs(power_w) * hours
        self.meter_w[k] = load_w + power_w
        self.path_wh[k] = self.stored_wh
        self.running.read(
            self.case.from_utc_s + FINE_S * k, FINE_S, max(0.0, float(self.meter_w[k]))
        )

    def outcome(self) -> Outcome:
        """What was billed and what is left."""
        case = self.case
        meter = Series(case.from_utc_s, FINE_S, self.meter_w)
        start_wh = case.battery.soc * case.battery.energy_wh
        edges = np.array([case.from_utc_s, case.until_utc_s])
        price = float(self.prices.means(edges)[0]) * case.battery.discharge_efficiency
        return Outcome(
            meter_w=meter,
            stored_wh=self.path_wh,
            bills=tuple(bills(case.tariff, meter, case.markets)),
            wear_usd=self.used_wh / 1e6 * case.battery.wear_usd_per_mwh,
            left_usd=(self.stored_wh - start_wh) / 1e6 * price,
            plans=self.plans,
            lost=self.lost,
            broken=self.broken,
            over_limit=int(np.count_nonzero(self.meter_w > case.import_max_w + 1.0)),
            ramp_max_w=float(np.abs(np.diff(self.meter_w)).max(initial=0.0)),
        )
