"""Imports tariffs of OpenEI's Utility Rate Database (JSON of its API, version 7 and 8).

Field names and meaning: openei.org/services/doc/rest/util_rates. Schedules are 12 x 24 tables of
period numbers; rates are USD/kWh and USD/kW. What a tariff here cannot hold is named in notes.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec

from mallee.core.errors import ConfigError
from mallee.optimize.tariff.file import (
    ALL_MONTHS,
    CoincidentRate,
    DemandRate,
    EnergyRate,
    TariffFile,
)

Schedule = list[list[int]]
INTERVALS_MIN = (5, 15, 30, 60)


def from_urdb(raw: bytes, *, timezone: str) -> tuple[TariffFile, list[str]]:
    """A tariff, and notes about what was simplified.

    Args:
        raw: one rate as JSON, or the API's answer with `items`, of which the first is taken.
        timezone: of the utility; the database does not say.

    Raises:
        ConfigError: it is no such JSON.
    """
    try:
        found = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise ConfigError("URDB file", f"is not JSON: {error}") from None
    rate = found["items"][0] if isinstance(found, dict) and found.get("items") else found
    if not isinstance(rate, dict) or "energyratestructure" not in rate:
        raise ConfigError(
            "URDB file",
            "holds no energyratestructure",
            "export one rate as JSON from openei.org's rate database",
        )
    notes: list[str] = []
    tariff = TariffFile(
        name=str(rate.get("name", "URDB rate")),
        timezone=timezone,
        fixed_usd_per_month=_fixed(rate, notes),
        energy=list(_energy(rate, notes)),
        export=list(_export(rate)),
        demand=list(_demand(rate, notes)),
        coincident=list(_coincident(rate, notes)),
        source=f"OpenEI URDB {rate.get('label', '')} {rate.get('utility', '')}".strip(),
    )
    return tariff, notes


def _fixed(rate: dict[str, Any], notes: list[str]) -> float:
    charge = float(rate.get("fixedchargefirstmeter", rate.get("fixedmonthlycharge", 0.0)) or 0.0)
    units = rate.get("fixedchargeunits", "$/month")
    per_month = {"$/month": 1.0, "$/day": 365.0 / 12.0, "$/year": 1.0 / 12.0}
    if units not in per_month:
        notes.append(f"the fixed charge is in {units}, which is taken as $/month")
    return charge * per_month.get(units, 1.0)


def _last_tier(period: list[dict[str, Any]], what: str, notes: list[str]) -> dict[str, Any]:
    """The tier of large users; the others are named."""
    if len(period) > 1:
        notes.append(f"{what} has {len(period)} tiers; the last is used, that of the largest users")
    return period[-1]


def _energy(rate: dict[str, Any], notes: list[str]) -> Iterator[EnergyRate]:
    prices = []
    for i, period in enumerate(rate["energyratestructure"]):
        tier = _last_tier(period, f"energy period {i}", notes)
        if "unit" in tier and tier["unit"] not in ("kWh", ""):
            notes.append(f"energy period {i} is per {tier['unit']}, which is taken as kWh")
        prices.append((float(tier.get("rate", 0.0)) + float(tier.get("adj", 0.0))) * 1e3)
    for name, period, when in _blocks(rate, "energy"):
        yield EnergyRate(name=name, usd_per_mwh=_of(prices, period, "energy"), **when)


def _export(rate: dict[str, Any]) -> Iterator[EnergyRate]:
    sells = [float(period[-1].get("sell", 0.0)) * 1e3 for period in rate["energyratestructure"]]
    if any(sells):
        for name, period, when in _blocks(rate, "energy"):
            yield EnergyRate(name=name, usd_per_mwh=_of(sells, period, "energy"), **when)


def _demand(rate: dict[str, Any], notes: list[str]) -> Iterator[DemandRate]:
    window = int(rate.get("demandwindow", 15) or 15)
    if window not in INTERVALS_MIN:
        notes.append(f"a demand window of {window} min is taken as 15 min")
        window = 15
    ratchet = max([float(x) for x in rate.get("demandratchetpercentage", [])] or [0.0])
    lookback = float(rate.get("lookbackPercent", 0.0) or 0.0)
    lookback_months = int(rate.get("lookbackRange", 0) or 11)
    common: dict[str, Any] = {
        "interval_s": window * 60,
        "ratchet_frac": min(1.0, max(ratchet, lookback)),
        "ratchet_months": lookback_months,
    }
    flat = rate.get("flatdemandstructure", [])
    months_of = rate.get("flatdemandmonths", [0] * 12)
    for i, period in enumerate(flat):
        tier = _last_tier(period, f"flat demand period {i}", notes)
        price = (float(tier.get("rate", 0.0)) + float(tier.get("adj", 0.0))) / 1e3
        months = tuple(m + 1 for m, number in enumerate(months_of) if number == i)
        if price > 0.0 and months:
            yield DemandRate(name=f"all-hours-{i}", usd_per_w_month=price, months=months, **common)
    structure = rate.get("demandratestructure", [])
    prices = []
    for i, period in enumerate(structure):
        tier = _last_tier(period, f"demand period {i}", notes)
        prices.append((float(tier.get("rate", 0.0)) + float(tier.get("adj", 0.0))) / 1e3)
    if prices:
        for name, number, when in _blocks(rate, "demand"):
            price = _of(prices, number, "demand")
            if price > 0.0:
                yield DemandRate(name=name, usd_per_w_month=price, **when, **common)


def _coincident(rate: dict[str, Any], notes: list[str]) -> Iterator[CoincidentRate]:
    structure = rate.get("coincidentratestructure", [])
    if structure:
        tier = _last_tier(structure[0], "coincident demand", notes)
        price = (float(tier.get("rate", 0.0)) + float(tier.get("adj", 0.0))) / 1e3
        notes.append("coincident demand: set peak_months and intervals as the utility names them")
        yield CoincidentRate(name="coincident", usd_per_w_month=price, peak_months=ALL_MONTHS)


def _of(prices: list[float], period: int, what: str) -> float:
    if not 0 <= period < len(prices):
        raise ConfigError(
            f"URDB file: {what} schedule",
            f"names period {period}, and there are {len(prices)}",
            "the file is damaged; export it again",
        )
    return prices[period]


def _blocks(rate: dict[str, Any], what: str) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Rows for all blocks of hours that share a period: name, period, when."""
    for days, key in (("workdays", "weekday"), ("holidays", "weekend")):
        schedule: Schedule = rate.get(f"{what}{key}schedule", [])
        if len(schedule) != 12 or any(len(day) != 24 for day in schedule):
            raise ConfigError(
                f"URDB file: {what}{key}schedule",
                "is not a table of 12 months of 24 hours",
                "export the rate again",
            )
        for hours in sorted({tuple(day) for day in schedule}):
            months = tuple(m + 1 for m in range(12) if tuple(schedule[m]) == hours)
            edges = [0, *(h for h in range(1, 24) if hours[h] != hours[h - 1]), 24]
            for start, end in pairwise(edges):
                name = f"{what}-{hours[start]}-{days}-m{months[0]}-{start:02d}"
                yield (
                    name,
                    hours[start],
                    {
                        "months": months,
                        "days": days,
                        "from_time": f"{start:02d}:00",
                        "until_time": f"{end % 24:02d}:00",
                    },
                )
