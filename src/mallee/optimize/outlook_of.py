"""From a site's planner to what people see: the time ahead, the month so far, plan and actual.

Made once a plan, for pages and commands; control does not wait for it.
"""

from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.outlook import (
    Ahead,
    ForecastScore,
    Month,
    MonthLine,
    Outlook,
    Past,
    Peak,
    Said,
    column,
)
from mallee.optimize.day_planner import DayPlanner
from mallee.optimize.forecast import Score, quantile, score
from mallee.optimize.horizon import FINE_S, HOUR_S
from mallee.optimize.memory import LEADS_S, Memory
from mallee.optimize.peak import holdable_peaks_w
from mallee.optimize.schedule import Schedule
from mallee.optimize.series import Series
from mallee.optimize.site_planner import SitePlanner
from mallee.optimize.tariff.bill import Bill, bills
from mallee.optimize.tariff.clock import month_start_utc_s

PAST_S: Final = 86400.0
RISK_S: Final = 86400.0
"""How far ahead the high path of load is followed for the peak at risk."""
SAID_MAX: Final = 20
HIGH_SHARE: Final = 0.95


def outlook_of(planner: SitePlanner) -> Outlook | None:
    """All that the newest plan shows; None before the first."""
    schedule, day = planner.schedule, planner.day_planner
    if schedule is None or day is None:
        return None
    now = schedule.horizon.start_utc_s
    memory = planner.memory
    prices = day.prices.means(schedule.horizon.edges_utc_s)
    hours = schedule.horizon.length_h
    stored_wh = sum(stored[-1] for stored in schedule.stored_wh.values())
    start_wh = day.battery.soc * day.battery.energy_wh
    price = float(np.dot(prices, hours) / hours.sum()) * day.battery.discharge_efficiency
    load_w = np.maximum(schedule.load_w - schedule.solar_w, 0.0)
    return Outlook(
        site=planner.site.name,
        tariff=planner.tariff.name,
        currency=planner.tariff.currency,
        made_utc_s=now,
        generation=planner.made,
        good=schedule.good,
        ahead=_ahead(planner, schedule, day, prices),
        past=_past(memory, now),
        month=_month(planner, day, now),
        said=_said(schedule),
        scores=_scores(memory),
        cost=schedule.cost_usd["energy"] + schedule.cost_usd["wear"] + schedule.cost_usd["export"],
        cost_without=float(np.sum(load_w * prices * hours)) / 1e6,
        worth_after=float(stored_wh - start_wh) / 1e6 * price,
        made=planner.made,
        lost=planner.lost,
    )


def _ahead(planner: SitePlanner, schedule: Schedule, day: DayPlanner, prices: FloatArray) -> Ahead:
    edges = schedule.horizon.edges_utc_s
    energy_wh = sum(np.asarray(stored) for stored in schedule.stored_wh.values())
    high = low = np.full(schedule.horizon.count, np.nan)
    if len(planner.memory) >= 288:
        history = planner.memory.series("load_w")
        high = np.maximum(quantile(history, edges, share=HIGH_SHARE), schedule.load_w)
        low = np.minimum(quantile(history, edges, share=1.0 - HIGH_SHARE), schedule.load_w)
    moved = {**schedule.work_w, **schedule.charging_w, **schedule.cap_w}
    limit_w = planner.import_max_w if len(planner.import_max_w) else np.full(len(prices), np.nan)
    return Ahead(
        from_utc_s=edges[:-1].tolist(),
        until_utc_s=float(edges[-1]),
        price_per_mwh=column(prices),
        marginal_per_mwh=column(schedule.marginal_usd_per_mwh),
        load_w=column(schedule.load_w),
        load_low_w=column(low),
        load_high_w=column(high),
        import_w=column(schedule.import_w - schedule.export_w),
        import_max_w=column(np.minimum(limit_w, planner.held_w)),
        charge_w=column(schedule.battery_w),
        soc=column(energy_wh / day.battery.energy_wh),
        load_by_class_w={name: column(power) for name, power in moved.items()},
    )


def _past(memory: Memory, now: float) -> Past:
    columns = {
        name: memory.series(name, now - PAST_S)
        for name in ("import_w", "planned_import_w", "charge_w", "planned_charge_w", "load_w")
    }
    return Past(
        from_utc_s=columns["load_w"].starts_utc_s.tolist() if len(memory) else [],
        **{name: column(series.values) for name, series in columns.items()},
    )


def _said(schedule: Schedule) -> list[Said]:
    broken = [
        Said(what=b.wish, from_utc_s=b.from_utc_s, worth=0.0, sentence=b.sentence, kept=False)
        for b in schedule.broken
    ]
    binding = [
        Said(what=b.limit, from_utc_s=b.from_utc_s, worth=b.worth_usd, sentence=b.sentence)
        for b in schedule.binding
    ]
    return [*broken, *binding][:SAID_MAX]


def _month(planner: SitePlanner, day: DayPlanner, now: float) -> Month:
    """The bill so far with and without batteries, from the same readings."""
    memory, tariff = planner.memory, planner.tariff
    begun = month_start_utc_s(now, tariff.timezone)
    meter = memory.series("import_w", begun)
    peaks = _peaks(planner, day, now)
    if not len(memory) or not np.isfinite(meter.values).any():
        name = str(np.datetime64(int(now), "s").astype("datetime64[M]"))
        return Month(name=name, from_utc_s=now, lines=[], peaks=peaks)
    first = int(np.argmax(np.isfinite(meter.values)))
    charge = memory.series("charge_w", begun)
    meter = Series(meter.start_utc_s + first * FINE_S, FINE_S, meter.values[first:])
    without = Series(meter.start_utc_s, FINE_S, meter.values - charge.values[first:])
    real = bills(tariff, meter, planner.markets)[-1]
    null = bills(tariff, without, planner.markets)[-1]
    return Month(
        name=real.month,
        from_utc_s=meter.start_utc_s,
        lines=_lines(real, null),
        peaks=peaks,
        notes=list(real.notes),
    )


def _lines(real: Bill, null: Bill) -> list[MonthLine]:
    return [
        MonthLine(
            name=line.name,
            quantity=line.quantity,
            unit=line.unit,
            amount=line.amount,
            amount_without=other.amount,
        )
        for line, other in zip(real.lines, null.lines, strict=True)
    ]


def _peaks(planner: SitePlanner, day: DayPlanner, now: float) -> list[Peak]:
    schedule, memory = planner.schedule, planner.memory
    assert schedule is not None
    found = []
    for rate in planner.tariff.demand:
        so_far_w = day.running.peaks_w[rate.name]
        aimed_w = schedule.peak_w.get(rate.name, so_far_w)
        at_risk_w: float | None = None
        if len(memory) >= 288:
            at_risk_w = max(so_far_w, _at_risk_w(planner, day, now, rate.name, so_far_w))
        found.append(
            Peak(
                name=rate.name,
                so_far_w=float(so_far_w),
                aimed_w=float(aimed_w),
                at_risk_w=at_risk_w,
                price_per_kw=rate.usd_per_w_month * 1e3,
            )
        )
    return found


def _at_risk_w(
    planner: SitePlanner, day: DayPlanner, now: float, rate: str, so_far_w: float
) -> float:
    """The least peak that the batteries can hold if load follows its high path for a day."""
    edges = now + FINE_S * np.arange(RISK_S / FINE_S + 1)
    high_w = quantile(planner.memory.series("load_w"), edges, share=HIGH_SHARE)
    battery = day.battery
    above_wh = max(0.0, battery.soc - battery.soc_min) * battery.energy_wh
    hours = np.full(len(high_w), FINE_S / HOUR_S)
    applies = day.charge_hours(rate).means(edges)
    held = holdable_peaks_w(battery, above_wh, high_w[None, :], hours, applies, so_far_w)
    return float(held[0])


def _scores(memory: Memory) -> list[ForecastScore]:
    actual = np.array(memory.columns["load_w"], dtype=float)
    read = np.where(np.isfinite(memory.columns["import_w"]), actual, np.nan)
    yesterday = memory.yesterday_w()
    rows = zip(("forecast_hour_w", "forecast_day_w"), LEADS_S, strict=True)
    return [
        _scored(lead_s, score(np.array(memory.columns[name], dtype=float), read, yesterday))
        for name, lead_s in rows
    ]


def _scored(lead_s: float, found: Score) -> ForecastScore:
    error, skill = column([found.mean_absolute_error, found.skill])
    base = None
    if error is not None and skill is not None and skill < 1.0:
        base = error / (1.0 - skill)
    return ForecastScore(
        name="load",
        unit="W",
        lead_s=lead_s,
        error=error,
        persistence_error=base,
        skill=skill,
        count=found.count,
    )
