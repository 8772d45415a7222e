"""Tariffs, their prices and bills, checked by hand-made sums."""

import json
from pathlib import Path

import numpy as np
import pytest

from mallee.core.errors import ConfigError
from mallee.optimize.horizon import horizon_at
from mallee.optimize.series import Series
from mallee.optimize.tariff.bill import bills
from mallee.optimize.tariff.charges import RunningPeaks, demands_of
from mallee.optimize.tariff.clock import local_times, month_start_utc_s
from mallee.optimize.tariff.file import TariffFile
from mallee.optimize.tariff.prices import export_prices, import_prices
from mallee.optimize.tariff.read import load_tariff
from mallee.optimize.tariff.urdb import from_urdb

TARIFF = """
name = "Large general service"
timezone = "America/Chicago"
fixed_usd_per_month = 500
taxes_frac = 0.1

[[energy]]
name = "off-peak"
usd_per_mwh = 40
from_time = "21:00"
until_time = "13:00"

[[energy]]
name = "on-peak"
usd_per_mwh = 90
from_time = "13:00"
until_time = "21:00"
days = "workdays"

[[energy]]
name = "weekend afternoons"
usd_per_mwh = 40
from_time = "13:00"
until_time = "21:00"
days = "holidays"

[[export]]
name = "feed-in"
market = "day-ahead"
market_frac = 0.9

[[demand]]
name = "all hours"
usd_per_w_month = 8e-3
ratchet_frac = 0.8

[[demand]]
name = "on-peak"
usd_per_w_month = 12e-3
interval_s = 1800
from_time = "13:00"
until_time = "21:00"
days = "workdays"
"""


@pytest.fixture
def tariff(tmp_path: Path) -> TariffFile:
    path = tmp_path / "tariff.toml"
    path.write_text(TARIFF, encoding="utf-8")
    return load_tariff(path)


def july(tariff: TariffFile) -> tuple[float, int]:
    """Start of July 2026 in local time, and its length in 5-minute steps."""
    start = month_start_utc_s(1_784_000_000.0, tariff.timezone)
    return start, round((month_start_utc_s(start, tariff.timezone, 1) - start) / 300.0)


def test_a_month_by_hand(tariff: TariffFile) -> None:
    start, count = july(tariff)
    load_w = np.full(count, 1e6)
    load_w[12 * 14 + 1 : 12 * 14 + 4] = 4e6  # Wednesday 1 July, 14:05 to 14:20
    [bill] = bills(
        tariff,
        Series(start, 300.0, load_w),
        {"day-ahead": Series(start, 3600.0, np.full(999, 30.0))},
    )
    lines = {line.name + line.unit: line for line in bill.lines}
    assert bill.month == "2026-07"
    on_peak_h, all_h = 23 * 8, 31 * 24  # 23 workdays in July 2026
    assert lines["on-peakMWh"].quantity == pytest.approx(on_peak_h + 3 * 0.25)
    assert lines["on-peakMWh"].amount == pytest.approx(90 * (on_peak_h + 3 * 0.25))
    assert lines["off-peakMWh"].quantity + lines["weekend afternoonsMWh"].quantity == pytest.approx(
        all_h - on_peak_h
    )
    # Clock quarters: 14:00 has two of its three fives at 4 MW; the half hour has three of six.
    assert lines["all hourskW"].quantity == pytest.approx(3000.0)
    assert lines["on-peakkW"].quantity == pytest.approx(2500.0)
    untaxed = sum(line.amount for line in bill.lines if line.name != "taxes")
    assert bill.total == pytest.approx(1.1 * untaxed)


def test_ratchet_and_export(tariff: TariffFile) -> None:
    start, count = july(tariff)
    meter = Series(start, 300.0, np.full(count, -1e6))
    market = {"day-ahead": Series(start, 3600.0, np.full(999, 50.0))}
    [bill] = bills(tariff, meter, market, earlier_peaks_w={"all hours": [2e6, 5e6]})
    lines = {line.name + line.unit: line for line in bill.lines}
    assert lines["all hourskW"].quantity == pytest.approx(0.8 * 5000.0)
    assert lines["feed-inMWh"].amount == pytest.approx(-0.9 * 50.0 * 31 * 24)


def test_clock_changes_have_23_and_25_hours(tariff: TariffFile) -> None:
    for first, hours in ((1_772_000_000.0, 31 * 24 - 1), (1_793_600_000.0, 30 * 24 + 1)):
        start = month_start_utc_s(first, tariff.timezone, 1 if hours < 744 and hours > 730 else 0)
        end = month_start_utc_s(start, tariff.timezone, 1)
        if end - start == hours * 3600.0:
            times = local_times(
                start + 3600.0 * np.arange(hours, dtype=np.float64), tariff.timezone
            )
            assert np.unique(times.month).size == 1
            return
    pytest.fail("no month with a clock change was looked at")


def test_plan_prices_and_bill_agree(tariff: TariffFile) -> None:
    """The two ways to price energy share the tariff, not the code that sums."""
    start, count = july(tariff)
    rng = np.random.default_rng(0)
    load_w = rng.uniform(0.0, 5e6, count)
    prices = import_prices(tariff, {}, start, start + 300.0 * count)
    edges = start + 300.0 * np.arange(count + 1, dtype=np.float64)
    planned = float(np.sum(prices.means(edges) * load_w) * 300.0 / 3600.0 / 1e6)
    [bill] = bills(
        tariff, Series(start, 300.0, load_w), {"day-ahead": Series(start, 3600.0, np.ones(999))}
    )
    assert planned == pytest.approx(1.1 * bill.sum_of("MWh"))
    with pytest.raises(ConfigError, match="follows the market 'day-ahead'"):
        export_prices(tariff, {}, start, start + 900.0)


def test_running_peaks_equal_the_bill(tariff: TariffFile) -> None:
    start, count = july(tariff)
    load_w = np.random.default_rng(1).uniform(0.0, 5e6, count)
    running = RunningPeaks(tariff)
    for k in range(count):
        running.read(start + 300.0 * k, 300.0, float(load_w[k]))
    [bill] = bills(
        tariff, Series(start, 300.0, load_w), {"day-ahead": Series(start, 3600.0, np.ones(999))}
    )
    billed = {line.name: line.quantity * 1e3 for line in bill.lines if line.unit == "kW"}
    assert running.peaks_w == pytest.approx(billed)
    charges = demands_of(
        tariff, horizon_at(start + 86400.0), peaks_w=running.peaks_w, elapsed_wh={}
    )
    assert [c.name for c in charges] == ["all hours", "on-peak"]
    assert charges[1].applies is not None
    assert charges[1].applies.sum() < charges[0].applies.sum()  # type: ignore[union-attr]


def test_readings_missing_or_off_the_interval_are_told(tariff: TariffFile) -> None:
    start, count = july(tariff)
    load_w = np.full(count, 1e6)
    load_w[100:112] = np.nan
    market = {"day-ahead": Series(start, 3600.0, np.ones(999))}
    [bill] = bills(tariff, Series(start, 300.0, load_w), market)
    assert "1 h of the month have no reading" in bill.notes[0]
    with pytest.raises(ConfigError, match="do not divide"):
        bills(tariff, Series(start, 700.0, load_w), market)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("usd_per_mwh = 40", "usd_per_kwh = 0.04", "usd_per_kwh"),
        ('days = "workdays"', 'days = "weekdays"', "workdays"),
        ('name = "on-peak"\nusd_per_mwh', 'name = "off-peak"\nusd_per_mwh', "two rows named"),
        ("America/Chicago", "America/Chicgo", "America/Chicago"),
    ],
)
def test_mistakes_in_the_file(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "t.toml"
    path.write_text(TARIFF.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        load_tariff(path)


def test_urdb_import() -> None:
    day = [0] * 13 + [1] * 8 + [0] * 3
    rate = {
        "name": "Rate 19",
        "label": "539f",
        "utility": "City",
        "fixedchargefirstmeter": 10.0,
        "fixedchargeunits": "$/day",
        "energyratestructure": [[{"rate": 0.04, "adj": 0.01, "sell": 0.03}], [{"rate": 0.12}]],
        "energyweekdayschedule": [day] * 12,
        "energyweekendschedule": [[0] * 24] * 12,
        "flatdemandstructure": [[{"rate": 8.0}]],
        "flatdemandmonths": [0] * 12,
        "demandratestructure": [[{"rate": 0.0}], [{"max": 100, "rate": 5.0}, {"rate": 12.0}]],
        "demandweekdayschedule": [day] * 12,
        "demandweekendschedule": [[0] * 24] * 12,
        "demandwindow": 30,
        "demandratchetpercentage": [0.5] * 12,
    }
    tariff, notes = from_urdb(json.dumps({"items": [rate]}).encode(), timezone="UTC")
    prices = import_prices(tariff, {}, 1_784_073_600.0, 1_784_073_600.0 + 86400.0)  # a Wednesday
    assert prices.values[::4].tolist() == [50.0] * 13 + [120.0] * 8 + [50.0] * 3
    assert tariff.fixed_usd_per_month == pytest.approx(304.17, abs=0.01)
    assert [round(d.usd_per_w_month * 1e3, 3) for d in tariff.demand] == [8.0, 12.0]
    assert tariff.demand[1].interval_s == 1800
    assert tariff.demand[1].ratchet_frac == 0.5
    assert "demand period 1 has 2 tiers" in notes[0]
    with pytest.raises(ConfigError, match="no energyratestructure"):
        from_urdb(b"{}", timezone="UTC")
    with pytest.raises(ConfigError, match="not JSON"):
        from_urdb(b"<html>", timezone="UTC")
