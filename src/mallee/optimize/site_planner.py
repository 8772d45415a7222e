"""The planner of one site as it runs: sees snapshots, keeps its own history, proposes bounds.

Pure: both clocks come with each call, files were read before. The same in operation and in virtual
time. What goes to control is a charging power for the battery, step by step, with the plan's
reasons in words; the month's peak that it reckons with is no bound on import, see `_proposal`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.core.plan import Plan, PlanStep
from mallee.core.snapshot import Snapshot
from mallee.kinds.battery import BATTERY
from mallee.optimize.broken import amount_text
from mallee.optimize.day_planner import DayPlanner
from mallee.optimize.envelope import import_envelope_w
from mallee.optimize.forecaster import FromHistory
from mallee.optimize.horizon import FINE_S, Horizon, horizon_at
from mallee.optimize.inputs import Connection
from mallee.optimize.markets import carried_on, end_notes, read_markets
from mallee.optimize.memory import LEADS_S, Memory
from mallee.optimize.of_site import battery_of
from mallee.optimize.schedule import Schedule
from mallee.optimize.series import Series
from mallee.optimize.tariff.charges import RunningPeaks
from mallee.optimize.tariff.file import TariffFile
from mallee.optimize.tariff.prices import import_prices
from mallee.optimize.tariff.read import load_tariff
from mallee.site.budget import budget_of
from mallee.site.model import SiteModel

SOURCE: Final = "energy"
VALID_S: Final = 900.0
"""A plan is renewed every five minutes and forgotten after fifteen."""
STEPS_SENT: Final = 12
HISTORY_S: Final = 28 * 86400.0
BEGUN_MAX_S: Final = 120.0
"""Five minutes that were seen from later on are not their mean and are left out."""
LOAD_MEAN_S: Final = 60.0
"""The present load is a mean: one second of a training job says little."""
AGE_MAX_S: Final = 30.0
"""Older readings do not count."""
PRICES_AHEAD_S: Final = 5 * 86400.0
NOTES_MAX: Final = 8


@dataclass
class SitePlanner:
    """Makes the energy plans of a site with a battery.

    Attributes:
        markets: prices by the names that the tariff follows; known as far as they go.
        memory: what was read, planned and forecast; hand in an older planner's to go on from it.
        notes: what was strange in the prices; told with every plan.
        schedule: the newest plan in full, good or not; None before the first.
        held_w: import that it reckons with in each step, by the demand charges there.
        import_max_w: of each step, by contracts and schedules.
        made, lost: plans since the start, and those that were no good and not sent.
    """

    site: SiteModel
    tariff: TariffFile
    markets: Mapping[str, Series]
    memory: Memory = field(default_factory=Memory)
    notes: list[str] = field(default_factory=list)
    schedule: Schedule | None = None
    held_w: FloatArray = field(default_factory=lambda: np.full(0, np.inf))
    import_max_w: FloatArray = field(default_factory=lambda: np.full(0, np.inf))
    made: int = 0
    lost: int = 0
    _plans: tuple[Plan, ...] = ()
    _five_utc_s: float = math.nan
    _sums: FloatArray = field(default_factory=lambda: np.zeros(3))
    _samples: int = 0
    _load_w: float = 0.0
    _seen_s: float = -math.inf
    _planner: DayPlanner | None = None
    _planned_five_utc_s: float = math.nan

    def take_markets(self, markets: Mapping[str, Series], notes: list[str]) -> None:
        """Go on with other prices, as when the next day's have come."""
        self.markets, self.notes = markets, notes
        if self._planner is not None:
            self._planner.prices = self._prices(self._planned_five_utc_s)

    @property
    def day_planner(self) -> DayPlanner | None:
        """Targets, running peaks and prices of the newest plan."""
        return self._planner

    @cached_property
    def _meter_rows(self) -> IntArray:
        """The feeds' own meters."""
        rows: IntArray = budget_of(self.site).meter_row[self.site.feed_branches]
        return rows

    @cached_property
    def _batteries(self) -> list[tuple[int, int, float]]:
        """Rows of charging power and state of charge, and the energy, of each battery."""
        return [
            (group.row(device, "charge_w"), group.row(device, "soc"), energy_wh)
            for group in self.site.groups_of(BATTERY)
            for energy_wh in (group.model.parameter("energy_wh"),)
            for device in range(group.count)
        ]

    def step(self, snapshot: Snapshot, utc_s: float, time_s: float) -> tuple[Plan, ...]:
        """Take a snapshot in, plan where that is due, and return what stands.

        Call about once a second. Where meter or battery cannot be read there is no new plan, and
        the one that stands lapses.

        Args:
            utc_s, time_s: the same instant on both clocks.
        """
        seen = self._see(snapshot, utc_s)
        five = utc_s // FINE_S * FINE_S
        if seen is not None and five != self._planned_five_utc_s:
            self._planned_five_utc_s = five
            self._plan(five, time_s - (utc_s - five), time_s, *seen)
        return self._plans

    def _see(self, snapshot: Snapshot, utc_s: float) -> tuple[float, float, float] | None:
        """Import, load and stored share now, where all are known; also grows the memory."""
        five = utc_s // FINE_S * FINE_S
        if five != self._five_utc_s:
            self._close(five)
        rows = [*self._meter_rows.tolist(), *(row for one in self._batteries for row in one[:2])]
        if not all(snapshot.is_fresh(row, AGE_MAX_S) for row in rows):
            return None
        import_w = float(snapshot.values[self._meter_rows].sum())
        charge_w = sum(snapshot.value(row) for row, _, _ in self._batteries)
        energy_wh = sum(each for _, _, each in self._batteries)
        soc = sum(snapshot.value(row) * each for _, row, each in self._batteries) / energy_wh
        if not math.isfinite(import_w + charge_w + soc):
            return None
        if utc_s - five <= BEGUN_MAX_S or self._samples:
            self._sums += (import_w - charge_w, import_w, charge_w)
            self._samples += 1
        age_s = snapshot.time_s - self._seen_s
        share = min(1.0, age_s / LOAD_MEAN_S) if math.isfinite(age_s) else 1.0
        self._load_w += share * (import_w - charge_w - self._load_w)
        self._seen_s = snapshot.time_s
        return import_w, self._load_w, soc

    def _close(self, five: float) -> None:
        """End five minutes: their means join the memory and the month's peaks."""
        if self._samples:
            load_w, import_w, charge_w = (self._sums / self._samples).tolist()
            self.memory.close(self._five_utc_s, load_w, import_w, charge_w)
            if self._planner is not None:
                self._planner.running.read(self._five_utc_s, FINE_S, max(0.0, import_w))
        self._five_utc_s, self._samples = five, 0
        self._sums = np.zeros(3)

    def _plan(
        self, five: float, five_s: float, time_s: float, import_w: float, load_w: float, soc: float
    ) -> None:
        battery = battery_of(self.site, soc=soc)
        if self._planner is None or five + 3 * 86400.0 > self._planner.prices.end_utc_s:
            self._planner = self._day_planner(five)
        self._planner.battery = battery
        horizon = horizon_at(five)
        grid = self.site.grid
        ramps = [w for w in (grid.ramp_up_w_per_s, grid.ramp_down_w_per_s) if w > 0.0]
        self.import_max_w = import_envelope_w(self.site, horizon)
        connection = Connection(
            import_max_w=self.import_max_w,
            ramp_w_per_s=min(ramps, default=math.inf),
            measured_w=import_w,
            reasons="the connection's contract",
        )
        history = self._series(five, load_w)
        forecast = FromHistory(lambda: history)
        schedule, self.held_w = self._planner.plan(
            five,
            soc * battery.energy_wh,
            forecast,
            connection=connection,
            explain=True,
        )
        self.made += 1
        self.schedule = schedule
        self._foretell(five, schedule, forecast)
        if not schedule.good:
            self.lost += 1
            return  # the last one stands until it lapses
        self._plans = (self._proposal(schedule, five_s, time_s),)

    def _foretell(self, five: float, schedule: Schedule, forecast: FromHistory) -> None:
        """Remember what is expected, to be compared with what comes."""
        if schedule.good:
            self.memory.foretell(
                five,
                planned_import_w=float(schedule.import_w[0] - schedule.export_w[0]),
                planned_charge_w=float(schedule.battery_w[0]),
            )
        if len(self.memory) < 288:
            return  # what is repeated is no forecast
        hour, day = LEADS_S
        edges = five + np.array([0.0, hour - FINE_S, hour, day - FINE_S, day])
        load_w = forecast.load_w(edges)
        self.memory.foretell(five + hour - FINE_S, forecast_hour_w=float(load_w[1]))
        self.memory.foretell(five + day - FINE_S, forecast_day_w=float(load_w[3]))

    def _day_planner(self, now: float) -> DayPlanner:
        before = self._planner
        running = RunningPeaks(self.tariff) if before is None else before.running
        if before is None:
            for utc_s, import_w in self.memory.readings():
                running.read(utc_s, FINE_S, max(0.0, import_w))
        return DayPlanner(
            battery=battery_of(self.site, soc=0.5),
            tariff=self.tariff,
            prices=self._prices(now),
            import_max_w=self.site.grid.import_max_w,
            running=running,
        )

    def _prices(self, now: float) -> Series:
        until = now + PRICES_AHEAD_S
        known = carried_on(self.markets, until)
        return import_prices(self.tariff, known, now - 2 * 86400.0, until)

    def _series(self, now: float, newest_w: float) -> Series:
        """Own history up to now; the present load where there is none yet."""
        if not len(self.memory):
            return Series(now - FINE_S, FINE_S, np.array([newest_w]))
        load = self.memory.series("load_w", now - HISTORY_S)
        # a hole that has not ended yet: the newest value holds on
        missed = max(0, round((now - load.end_utc_s) / FINE_S))
        return Series(
            load.start_utc_s, FINE_S, np.append(load.values, np.full(missed, load.values[-1]))
        )

    def _proposal(self, schedule: Schedule, five_s: float, time_s: float) -> Plan:
        """What the batteries should do in the plan's first hour.

        The peak is held by them alone. As an import target it would let control cap nodes and
        chargers for money. Plans that sent one cost a sixth of the work on two example sites; that
        this was the cause has not been shown by a run without it.

        Args:
            five_s: when the first step begins, on control's clock; at most `time_s`.
        """
        edges = schedule.horizon.edges_utc_s - schedule.horizon.start_utc_s + five_s
        return Plan(
            source=SOURCE,
            generation=self.made,
            made_s=time_s,
            valid_until_s=time_s + VALID_S,
            steps=tuple(
                PlanStep(
                    from_s=float(edges[k]),
                    until_s=float(edges[k + 1]),
                    charge_w=min(float(schedule.battery_w[k]), held_w - float(schedule.load_w[k])),
                    reason=_peak_text(held_w),
                )
                for k, held_w in enumerate(self.held_w[:STEPS_SENT].tolist())
            ),
            notes=(
                *self.notes,
                *end_notes(self.markets, schedule.horizon.start_utc_s),
                *_notes(schedule, self._planner, schedule.horizon),
            )[:NOTES_MAX],
        )


def _peak_text(held_w: float) -> str:
    return f"the month's peak of {amount_text(held_w, 'W')}" if math.isfinite(held_w) else ""


def _notes(schedule: Schedule, planner: DayPlanner | None, horizon: Horizon) -> tuple[str, ...]:
    """What a person should know, most important first."""
    notes = [broken.sentence for broken in schedule.broken]
    if planner is not None:
        prices: FloatArray = planner.prices.means(horizon.edges_utc_s)
        nothing = float(np.sum(schedule.load_w * prices * horizon.length_h)) / 1e6
        planned = schedule.cost_usd["energy"] + schedule.cost_usd["wear"]
        span = horizon.step_s.sum() / 3600.0
        notes.append(
            f"energy of the next {span:.0f} h: {planned:,.2f} with wear, {nothing:,.2f} without "
            "the battery"
        )
        notes += [
            f"peak aimed at for {name}: {amount_text(target, 'W')}"
            for name, target in planner.targets.items()
        ]
    notes += [limit.sentence for limit in schedule.binding]
    return tuple(notes)


def planner_of(site: SiteModel, folder: Path) -> SitePlanner | None:
    """The planner that a site file asks for; None without `[energy]` or without a battery.

    Args:
        folder: where the site file stands.

    Raises:
        ConfigError: tariff or prices cannot be read, or do not fit each other.
    """
    energy = site.file.energy
    if energy is None or not any(site.groups_of(BATTERY)):
        return None
    tariff = load_tariff(folder / energy.tariff)
    markets, notes = read_markets(price_path(site, folder), tariff)
    return SitePlanner(site, tariff, markets, notes=notes)


def price_path(site: SiteModel, folder: Path) -> Path | None:
    """Where a site's market prices stand; None where its file names none."""
    energy = site.file.energy
    return folder / energy.prices if energy is not None and energy.prices else None
