"""What a month's meter readings so far mean for the demand charges of a plan."""

from collections.abc import Mapping, Sequence

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.horizon import Horizon
from mallee.optimize.inputs import Demand
from mallee.optimize.series import Series
from mallee.optimize.tariff.clock import applies, local_times, month_start_utc_s
from mallee.optimize.tariff.file import DemandRate, TariffFile
from mallee.optimize.tariff.prices import demand_hours


def demands_of(
    tariff: TariffFile,
    horizon: Horizon,
    *,
    peaks_w: Mapping[str, float],
    elapsed_wh: Mapping[str, float],
    targets_w: Mapping[str, float] | None = None,
    earlier_peaks_w: Mapping[str, Sequence[float]] | None = None,
    until_utc_s: float = np.inf,
) -> tuple[Demand, ...]:
    """The demand charges that a plan from now on can still change.

    Args:
        peaks_w: highest interval of this month so far, by rate.
        elapsed_wh: imported in the running interval, by rate.
        targets_w: peak that the month's planner reckons with, by rate; at least this is free.
        earlier_peaks_w: of the months before, for ratchets.
        until_utc_s: nothing is billed from then on, as at the end of a study.
    """
    targets = {} if targets_w is None else targets_w
    earlier = {} if earlier_peaks_w is None else earlier_peaks_w
    times = local_times(horizon.edges_utc_s[:-1], tariff.timezone)
    month_end = month_start_utc_s(horizon.start_utc_s, tariff.timezone, 1)
    this_month = horizon.edges_utc_s[:-1] < min(month_end, until_utc_s)
    found = []
    for rate in tariff.demand:
        inside = applies(rate, times, tariff.holidays) & this_month
        if rate.usd_per_w_month <= 0.0:
            continue
        incumbent = max(
            peaks_w.get(rate.name, 0.0),
            targets.get(rate.name, 0.0),
            floor_w(rate, earlier.get(rate.name, ())),
        )
        applies_now: FloatArray = inside.astype(float)
        found.append(
            Demand(
                name=rate.name,
                usd_per_w=rate.usd_per_w_month * (1.0 + tariff.taxes_frac),
                interval_s=float(rate.interval_s),
                incumbent_w=incumbent,
                applies=applies_now,
                elapsed_wh=elapsed_wh.get(rate.name, 0.0) if inside[0] else 0.0,
            )
        )
    return tuple(found)


def floor_w(rate: DemandRate, earlier_peaks_w: Sequence[float]) -> float:
    """Demand that is billed whatever happens: minimum, subscription or ratchet."""
    before = list(earlier_peaks_w)[-rate.ratchet_months :] if rate.ratchet_months else []
    ratchet_w = max([rate.ratchet_frac * peak for peak in before], default=0.0)
    return max(rate.minimum_w, rate.contracted_w, ratchet_w)


class RunningPeaks:
    """Follows the highest interval of the month and the running interval, reading by reading."""

    def __init__(self, tariff: TariffFile) -> None:
        self._tariff = tariff
        self._rates = tuple(tariff.demand)
        self.peaks_w = {rate.name: 0.0 for rate in self._rates}
        self.elapsed_wh = {rate.name: 0.0 for rate in self._rates}
        self._hours: dict[str, Series] = {}
        self._month_end_utc_s = -np.inf

    def read(self, start_utc_s: float, step_s: float, import_w: float) -> None:
        """Take in one reading: mean import of the step that began then."""
        if start_utc_s >= self._month_end_utc_s:
            self._turn_month(start_utc_s)
        for rate in self._rates:
            self.elapsed_wh[rate.name] += import_w * step_s / 3600.0
            if (start_utc_s + step_s) % rate.interval_s == 0.0:
                mean_w = self.elapsed_wh[rate.name] * 3600.0 / rate.interval_s
                began = start_utc_s + step_s - rate.interval_s
                if self._hours[rate.name].at(began) > 0.0:
                    self.peaks_w[rate.name] = max(self.peaks_w[rate.name], mean_w)
                self.elapsed_wh[rate.name] = 0.0

    def _turn_month(self, utc_s: float) -> None:
        start = month_start_utc_s(utc_s, self._tariff.timezone)
        self._month_end_utc_s = month_start_utc_s(utc_s, self._tariff.timezone, 1)
        self.peaks_w = dict.fromkeys(self.peaks_w, 0.0)
        self._hours = {
            rate.name: demand_hours(self._tariff, rate, start, self._month_end_utc_s)
            for rate in self._rates
        }
