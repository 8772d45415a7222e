"""What a month costs, from meter readings and the tariff alone; shares no code with the optimiser.

Every line can be checked by hand: quantity, price, amount. Demand is the highest mean of whole
billing intervals on the clock; intervals with a missing reading are left out and told.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mallee.core.arrays import BoolArray, FloatArray
from mallee.core.errors import ConfigError
from mallee.optimize.series import Series
from mallee.optimize.tariff.clock import LocalTimes, applies, local_times
from mallee.optimize.tariff.file import CoincidentRate, DemandRate, EnergyRate, TariffFile


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One line: what for, how much, at what price, and the amount.

    Attributes:
        quantity: in `unit` (MWh or kW).
        price: of one unit.
        amount: money; `quantity * price`.
        at_utc_s: when the billed peak was; NaN for energy.
    """

    name: str
    quantity: float
    unit: str
    price: float
    amount: float
    at_utc_s: float = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """One calendar month.

    Attributes:
        month: such as `2026-07`.
        lines: what it is made of; taxes are a line.
        notes: what could not be billed, and why.
    """

    month: str
    currency: str
    lines: tuple[BillLine, ...]
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """Sum of all lines."""
        return sum(line.amount for line in self.lines)

    def sum_of(self, unit: str) -> float:
        """Sum of the lines of one unit: MWh for energy, kW for demand."""
        return sum(line.amount for line in self.lines if line.unit == unit)


def bills(
    tariff: TariffFile,
    meter: Series,
    markets: Mapping[str, Series],
    *,
    earlier_peaks_w: Mapping[str, Sequence[float]] | None = None,
) -> list[Bill]:
    """The bill of each calendar month that readings touch.

    Args:
        tariff: the contract.
        meter: mean net import of each step, W; negative exports; NaN where nothing was read.
        markets: prices that the tariff's rows follow.
        earlier_peaks_w: highest demand of the months before, newest last, by demand rate: for
            ratchets.

    Raises:
        ConfigError: a meter step does not divide the billing interval, or a market is missing.
    """
    starts = meter.starts_utc_s
    times = local_times(starts, tariff.timezone)
    earlier = {} if earlier_peaks_w is None else earlier_peaks_w
    history = {name: list(peaks) for name, peaks in earlier.items()}
    result = []
    for month in np.unique(times.month).tolist():
        here = times.month == month
        result.append(_month(tariff, meter, starts, times, here, month, markets, history))
    return result


def _month(
    tariff: TariffFile,
    meter: Series,
    starts: FloatArray,
    times: LocalTimes,
    here: BoolArray,
    month: int,
    markets: Mapping[str, Series],
    history: dict[str, list[float]],
) -> Bill:
    read = here & np.isfinite(meter.values)
    hours = meter.step_s / 3600.0
    lines, notes = [], []
    missing = int(np.count_nonzero(here & ~read))
    if missing:
        notes.append(f"{missing * hours:g} h of the month have no reading and are not billed")
    imported = np.where(read, np.maximum(meter.values, 0.0), 0.0) * hours / 1e6
    exported = np.where(read, np.maximum(-meter.values, 0.0), 0.0) * hours / 1e6
    for rows, energy, sign in ((tariff.energy, imported, 1.0), (tariff.export, exported, -1.0)):
        lines += [
            _energy(row, tariff, energy, starts, times, meter.step_s, markets, sign) for row in rows
        ]
    for rate in tariff.demand:
        line, peak_w = _demand(rate, tariff, meter, starts, times, here, history)
        history.setdefault(rate.name, []).append(peak_w)
        lines.append(line)
    for coincident in tariff.coincident:
        lines += _coincident(coincident, meter, starts, here, month, notes)
    if tariff.subscribed_w:
        price = tariff.subscription_usd_per_w_month * 1e3
        lines.append(_line("subscription", tariff.subscribed_w / 1e3, "kW", price))
    if tariff.fixed_usd_per_month:
        lines.append(_line("fixed", 1.0, "month", tariff.fixed_usd_per_month))
    if tariff.taxes_frac:
        taxed = sum(line.amount for line in lines if line.amount > 0.0)
        lines.append(_line("taxes", taxed, tariff.currency, tariff.taxes_frac))
    label = str(np.datetime64(month, "M"))
    return Bill(month=label, currency=tariff.currency, lines=tuple(lines), notes=tuple(notes))


def _line(name: str, quantity: float, unit: str, price: float, at: float = np.nan) -> BillLine:
    return BillLine(
        name=name,
        quantity=quantity,
        unit=unit,
        price=price,
        amount=quantity * price,
        at_utc_s=at,
    )


def _energy(
    row: EnergyRate,
    tariff: TariffFile,
    energy: FloatArray,
    starts: FloatArray,
    times: LocalTimes,
    step_s: float,
    markets: Mapping[str, Series],
    sign: float,
) -> BillLine:
    price = np.full(len(starts), row.usd_per_mwh)
    if row.market:
        if row.market not in markets:
            raise ConfigError(
                f"{tariff.name}: energy.{row.name}",
                f"follows the market {row.market!r}, and there are no prices for it",
            )
        edges = np.append(starts, starts[-1] + step_s)
        price = price + row.market_frac * markets[row.market].means(edges)
    used = np.where(applies(row, times, tariff.holidays), energy, 0.0)
    quantity, amount = float(used.sum()), sign * float(used @ price)
    mean = amount / quantity if quantity > 0.0 else row.usd_per_mwh
    return BillLine(name=row.name, quantity=quantity, unit="MWh", price=mean, amount=amount)


def interval_means(
    meter: Series, interval_s: float, offset_s: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Mean import of each billing interval and when it began; NaN where a reading is missing.

    Args:
        offset_s: local less UTC of each step; intervals stand on the local clock.

    Raises:
        ConfigError: a step of the meter does not fit into the interval.
    """
    if interval_s % meter.step_s:
        raise ConfigError(
            "meter readings",
            f"are {meter.step_s:g} s long and do not divide {interval_s:g} s",
            "readings of 60, 300 or 900 s would be right",
        )
    starts = meter.starts_utc_s
    number = np.floor((starts + offset_s % 3600.0) / interval_s).astype(np.int64)
    place = number - number[0]
    count = np.bincount(place)
    means = np.bincount(place, weights=np.maximum(meter.values, 0.0)) / np.maximum(count, 1)
    whole = count == round(interval_s / meter.step_s)
    first = np.full(len(count), np.nan)
    first[place[::-1]] = starts[::-1]
    return np.where(whole, means, np.nan), first


def _demand(
    rate: DemandRate,
    tariff: TariffFile,
    meter: Series,
    starts: FloatArray,
    times: LocalTimes,
    here: BoolArray,
    history: Mapping[str, Sequence[float]],
) -> tuple[BillLine, float]:
    means, began = interval_means(meter, rate.interval_s, times.offset_s)
    inside = applies(rate, times, tariff.holidays) & here
    index = np.searchsorted(starts, began[np.isfinite(began)])
    counts = np.zeros(len(means), bool)
    counts[np.isfinite(began)] = inside[index]
    counted = np.where(counts & np.isfinite(means), means, -np.inf)
    best = int(np.argmax(counted))
    peak_w = float(counted[best]) if np.isfinite(counted[best]) else 0.0
    billed_w = max(peak_w, rate.minimum_w)
    if rate.ratchet_frac and rate.ratchet_months:
        before = list(history.get(rate.name, []))[-rate.ratchet_months :]
        billed_w = max([billed_w, *(rate.ratchet_frac * peak for peak in before)])
    billed_w = max(0.0, billed_w - rate.contracted_w)
    at = float(began[best]) if peak_w > 0.0 else float("nan")
    return _line(rate.name, billed_w / 1e3, "kW", rate.usd_per_w_month * 1e3, at), peak_w


def _coincident(
    rate: CoincidentRate,
    meter: Series,
    starts: FloatArray,
    here: BoolArray,
    month: int,
    notes: list[str],
) -> list[BillLine]:
    """The month's own coincident interval, if it is known and read."""
    lines = []
    first, last = float(starts[here][0]), float(starts[here][-1])
    for text in rate.intervals:
        at = np.datetime64(_utc(text), "s").astype(np.int64)
        if not first <= float(at) <= last:
            continue
        inside = (starts >= at) & (starts < at + rate.interval_s)
        power_w = float(np.mean(np.maximum(meter.values[inside], 0.0)))
        if np.isfinite(power_w):
            lines.append(
                _line(rate.name, power_w / 1e3, "kW", rate.usd_per_w_month * 1e3, float(at))
            )
        else:
            notes.append(f"{rate.name}: no reading at {text}")
    if month % 12 + 1 in rate.peak_months and not lines:
        notes.append(f"{rate.name}: the coincident interval of this month is not known yet")
    return lines


def _utc(text: str) -> str:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ConfigError(
            "coincident.intervals", f"{text!r} has no offset", "write 2026-07-15T16:45-05:00"
        )
    return moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat()
