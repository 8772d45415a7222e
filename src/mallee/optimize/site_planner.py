"""The planner of one site as it runs: sees snapshots, keeps its own history, proposes bounds.

Pure: both clocks come with each call, files were read before. The same in operation and in virtual
time. What goes to control is a bound on import (the month's peak that the plan reckons with) and a
charging power for the battery, step by step, with the plan's reasons in words.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError
from mallee.core.plan import Plan, PlanStep
from mallee.core.snapshot import Snapshot
from mallee.kinds.battery import BATTERY
from mallee.kinds.meter import METER
from mallee.optimize.broken import amount_text
from mallee.optimize.day_planner import DayPlanner
from mallee.optimize.envelope import import_envelope_w
from mallee.optimize.forecaster import FromHistory
from mallee.optimize.horizon import FINE_S, Horizon, horizon_at
from mallee.optimize.inputs import Connection
from mallee.optimize.of_site import battery_of
from mallee.optimize.price_file import read_series
from mallee.optimize.schedule import Schedule
from mallee.optimize.series import Series
from mallee.optimize.tariff.charges import RunningPeaks
from mallee.optimize.tariff.file import TariffFile
from mallee.optimize.tariff.prices import import_prices
from mallee.optimize.tariff.read import load_tariff
from mallee.site.model import SiteModel

SOURCE: Final = "energy"
VALID_S: Final = 900.0
"""A plan is renewed every five minutes and forgotten after fifteen."""
STEPS_SENT: Final = 12
HISTORY_MAX: Final = 28 * 288
PRICES_AHEAD_S: Final = 5 * 86400.0
NOTES_MAX: Final = 6


@dataclass(slots=True)
class SitePlanner:
    """Makes the energy plans of a site with a battery.

    Attributes:
        markets: prices by the names that the tariff follows; known as far as they go.
        schedule: the newest plan in full; None before the first.
        lost: plans that were no good and not sent.
    """

    site: SiteModel
    tariff: TariffFile
    markets: Mapping[str, Series]
    schedule: Schedule | None = None
    made: int = 0
    lost: int = 0
    _plans: tuple[Plan, ...] = ()
    _history: list[float] = field(default_factory=list)
    _five_utc_s: float = math.nan
    _sum_load_w: float = 0.0
    _sum_import_w: float = 0.0
    _samples: int = 0
    _planner: DayPlanner | None = None
    _planned_five_utc_s: float = math.nan

    def step(self, snapshot: Snapshot, utc_s: float, time_s: float) -> tuple[Plan, ...]:
        """Take a snapshot in, plan where that is due, and return what stands.

        Call about once a second.

        Args:
            utc_s, time_s: the same instant on both clocks.
        """
        seen = self._see(snapshot, utc_s)
        five = utc_s // FINE_S * FINE_S
        if seen is not None and five != self._planned_five_utc_s:
            self._planned_five_utc_s = five
            self._plan(five, time_s, *seen)
        return self._plans

    def _see(self, snapshot: Snapshot, utc_s: float) -> tuple[float, float] | None:
        """Import and stored share now, where both are known; also grows the history."""
        meter = next(iter(self.site.groups_of(METER)))
        import_w = float(snapshot.values[meter.row(0, "import_w")])
        charge_w, stored_wh, energy_wh = 0.0, 0.0, 0.0
        for group in self.site.groups_of(BATTERY):
            each_wh = group.model.parameter("energy_wh")
            for device in range(group.count):
                charge_w += float(snapshot.values[group.row(device, "charge_w")])
                stored_wh += float(snapshot.values[group.row(device, "soc")]) * each_wh
                energy_wh += each_wh
        if not (math.isfinite(import_w - charge_w) and math.isfinite(stored_wh)):
            return None
        five = utc_s // FINE_S * FINE_S
        if five != self._five_utc_s:
            self._close(five)
        self._sum_load_w += import_w - charge_w
        self._sum_import_w += import_w
        self._samples += 1
        return import_w, stored_wh / energy_wh

    def _close(self, five: float) -> None:
        """End five minutes: their mean joins the history, a hole repeats the value before."""
        if self._samples:
            mean_w = self._sum_load_w / self._samples
            missed = round((five - self._five_utc_s) / FINE_S) - 1
            self._history += [mean_w] * (1 + min(missed, 288))
            del self._history[:-HISTORY_MAX]
            if self._planner is not None:
                import_w = max(0.0, self._sum_import_w / self._samples)
                self._planner.running.read(self._five_utc_s, FINE_S, import_w)
        self._five_utc_s, self._samples = five, 0
        self._sum_load_w = self._sum_import_w = 0.0

    def _plan(self, five: float, time_s: float, import_w: float, soc: float) -> None:
        battery = battery_of(self.site, soc=soc)
        if self._planner is None or five + 3 * 86400.0 > self._planner.prices.end_utc_s:
            self._planner = self._day_planner(five)
        self._planner.battery = battery
        horizon = horizon_at(five)
        grid = self.site.grid
        ramps = [w for w in (grid.ramp_up_w_per_s, grid.ramp_down_w_per_s) if w > 0.0]
        connection = Connection(
            import_max_w=import_envelope_w(self.site, horizon),
            ramp_w_per_s=min(ramps, default=math.inf),
            measured_w=import_w,
            reasons="the connection's contract",
        )
        schedule, held_w = self._planner.plan(
            five,
            soc * battery.energy_wh,
            FromHistory(lambda: self._series(five, import_w)),
            connection=connection,
            explain=True,
        )
        self.made += 1
        if not schedule.good:
            self.lost += 1
            return  # the last one stands until it lapses
        self.schedule = schedule
        self._plans = (self._proposal(schedule, held_w, five, time_s),)

    def _day_planner(self, now: float) -> DayPlanner:
        before = self._planner
        return DayPlanner(
            battery=battery_of(self.site, soc=0.5),
            tariff=self.tariff,
            prices=import_prices(
                self.tariff, self.markets, now - 2 * 86400.0, now + PRICES_AHEAD_S
            ),
            import_max_w=self.site.grid.import_max_w,
            running=RunningPeaks(self.tariff) if before is None else before.running,
        )

    def _series(self, now: float, newest_w: float) -> Series:
        """Own history up to now; the present load where there is none yet."""
        values = self._history or [newest_w]
        return Series(now - FINE_S * len(values), FINE_S, np.array(values))

    def _proposal(self, schedule: Schedule, held_w: float, five: float, time_s: float) -> Plan:
        """Bounds for control from the plan's first hour."""
        edges = schedule.horizon.edges_utc_s - five + time_s
        reason = f"the month's peak of {amount_text(held_w, 'W')}" if math.isfinite(held_w) else ""
        steps = tuple(
            PlanStep(
                from_s=float(edges[k]),
                until_s=float(edges[k + 1]),
                import_target_w=held_w,
                charge_w=float(schedule.battery_w[k]),
                reason=reason,
            )
            for k in range(STEPS_SENT)
        )
        return Plan(
            source=SOURCE,
            generation=self.made,
            made_s=time_s,
            valid_until_s=time_s + VALID_S,
            steps=steps,
            notes=_notes(schedule, self._planner, schedule.horizon),
        )


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
    return tuple(notes[:NOTES_MAX])


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
    markets: dict[str, Series] = {}
    if energy.prices:
        found = read_series(folder / energy.prices, timezone=tariff.timezone, allow_gaps=True)
        markets = dict(found.columns)
    names = {row.market for row in (*tariff.energy, *tariff.export) if row.market}
    missing = sorted(names - set(markets))
    if missing:
        raise ConfigError(
            "energy.prices",
            f"holds no column {missing[0]!r}, which the tariff {tariff.name} follows",
            f"it holds {', '.join(sorted(markets)) or 'nothing'}",
        )
    return SitePlanner(site, tariff, markets)
