"""A tariff's prices over time, as the plan needs them."""

from collections.abc import Mapping, Sequence

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.errors import ConfigError
from mallee.optimize.series import Series
from mallee.optimize.tariff.clock import applies, local_times
from mallee.optimize.tariff.file import DemandRate, EnergyRate, TariffFile

STEP_S = 900.0
"""Tariff edges fall on quarters of an hour everywhere."""


def import_prices(
    tariff: TariffFile, markets: Mapping[str, Series], from_utc_s: float, until_utc_s: float
) -> Series:
    """What an imported MWh costs, taxes included, in quarters of an hour.

    Args:
        markets: prices by the names that rows give, USD/MWh.

    Raises:
        ConfigError: a row follows a market that is not given.
    """
    return _prices(tariff, tariff.energy, markets, from_utc_s, until_utc_s, 1.0 + tariff.taxes_frac)


def export_prices(
    tariff: TariffFile, markets: Mapping[str, Series], from_utc_s: float, until_utc_s: float
) -> Series:
    """What an exported MWh earns, in quarters of an hour; nothing without rows."""
    return _prices(tariff, tariff.export, markets, from_utc_s, until_utc_s, 1.0)


def demand_hours(
    tariff: TariffFile, rate: DemandRate, from_utc_s: float, until_utc_s: float
) -> Series:
    """1 where a demand rate applies, else 0."""
    starts = _starts(from_utc_s, until_utc_s)
    inside = applies(rate, local_times(starts, tariff.timezone), tariff.holidays)
    return Series(float(starts[0]), STEP_S, inside.astype(float))


def _starts(from_utc_s: float, until_utc_s: float) -> FloatArray:
    first = np.floor(from_utc_s / STEP_S)
    return STEP_S * np.arange(first, max(first + 1, np.ceil(until_utc_s / STEP_S)))


def _prices(
    tariff: TariffFile,
    rows: Sequence[EnergyRate],
    markets: Mapping[str, Series],
    from_utc_s: float,
    until_utc_s: float,
    factor: float,
) -> Series:
    starts = _starts(from_utc_s, until_utc_s)
    times = local_times(starts, tariff.timezone)
    edges = np.append(starts, starts[-1] + STEP_S)
    total = np.zeros(len(starts))
    for row in rows:
        price = np.full(len(starts), row.usd_per_mwh)
        if row.market:
            if row.market not in markets:
                known = ", ".join(sorted(markets)) or "none"
                raise ConfigError(
                    f"{tariff.name}: energy.{row.name}",
                    f"follows the market {row.market!r}, and there are no prices for it",
                    f"prices are given for: {known}",
                )
            price = price + row.market_frac * markets[row.market].means(edges)
        total += np.where(applies(row, times, tariff.holidays), price, 0.0)
    return Series(float(starts[0]), STEP_S, total * factor)
