"""Commands about money: `bill` and `backtest`."""

import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from cyclopts import Parameter

from mallee.cli.options import check_writable
from mallee.cli.output import ProgressBar, power, table
from mallee.core.errors import ConfigError

if TYPE_CHECKING:
    from mallee.optimize.closed_loop import Outcome
    from mallee.optimize.series import Series
    from mallee.optimize.tariff.bill import Bill
    from mallee.optimize.tariff.file import TariffFile
    from mallee.reports.backtest import Way

Json = Annotated[bool, Parameter(name="--json", negative="")]


def bill(
    tariff: Path,
    readings: Path,
    /,
    *,
    prices: Path | None = None,
    json_: Json = False,
) -> int:
    """What meter readings cost under a tariff, month by month, line by line.

    ```console
    mallee bill tariff.toml meter.csv --prices day-ahead.csv
    ```

    Parameters
    ----------
    tariff
        Tariff file (TOML), or a rate of OpenEI's database (JSON; UTC).
    readings
        CSV with `time` and `import_w`: mean net import of each step, negative for export.
    prices
        CSV of market prices with `time` and one column a market that the tariff follows.
    json_
        Print one JSON object.
    """
    from mallee.optimize.price_file import read_series
    from mallee.optimize.tariff.bill import bills

    contract = _tariff(tariff)
    markets = _markets(contract, prices)
    meter = read_series(readings, timezone=contract.timezone, allow_gaps=True)
    _tell(meter.notes)
    column = "import_w" if "import_w" in meter.columns else next(iter(meter.columns), "")
    if not column:
        raise ConfigError(readings.name, "has no number column", "import_w in watts is expected")
    found = bills(contract, meter.columns[column], markets)
    if json_:
        print(json.dumps({"bills": [_as_json(b) for b in found]}))
        return 0
    for month in found:
        _print_bill(month)
    return 0


def backtest(
    site: Path,
    /,
    *,
    tariff: Path,
    load: Path,
    prices: Path | None = None,
    from_: Annotated[str, Parameter(name="--from")] = "",
    until: Annotated[str, Parameter(name="--to")] = "",
    soc: float = 0.5,
    report: Path | None = None,
    json_: Json = False,
) -> int:
    """Play past days with plans every five minutes; the bill beside doing nothing and perfection.

    The battery and the import limit come from the site file, the bill from the tariff. Forecasts
    of load are made from the days before, as in operation; prices are known a day ahead.

    ```console
    mallee backtest SITE.toml --tariff tariff.toml --load load.csv --prices da.csv --to 2026-07-08
    ```

    Parameters
    ----------
    site
        Site file.
    tariff
        Tariff file (TOML), or a rate of OpenEI's database (JSON; UTC).
    load
        CSV with `time` and `load_w`: what the site draws beside its battery.
    prices
        CSV of market prices with `time` and one column a market that the tariff follows.
    from_, until
        First and last instant, such as 2026-07-01; all of the load, after its first day, if left
        out.
    soc
        State of charge at the start, 0..1.
    report
        Write an HTML page.
    json_
        Print one JSON object, `{"figures": {...}}`, for programs.
    """
    from mallee.catalogue import load_site
    from mallee.optimize.backtest import bound, play
    from mallee.optimize.closed_loop import Case
    from mallee.optimize.of_site import battery_of
    from mallee.optimize.price_file import read_series

    model = load_site(site)
    check_writable("--report", report)
    contract = _tariff(tariff)
    markets = _markets(contract, prices)
    found = read_series(load, timezone=contract.timezone)
    _tell(found.notes)
    column = "load_w" if "load_w" in found.columns else next(iter(found.columns), "")
    if not column:
        raise ConfigError(load.name, "has no number column", "load_w in watts is expected")
    series = found.columns[column]
    start, end = _span(from_, until, series, contract.timezone)
    case = Case(
        battery=battery_of(model, soc=soc),
        tariff=contract,
        load_w=_in_fives(series),
        markets=markets,
        import_max_w=model.grid.import_max_w,
        from_utc_s=start,
        until_utc_s=end,
    )
    bar = ProgressBar(round((end - start) / 300.0), "planning")
    outcomes = {
        "no battery": play(case, None),
        "planned": play(case, "persistence", progress=bar),
        "planned, perfect forecasts": play(case, "perfect"),
        "perfect foresight": bound(case),
    }
    figures = _figures(outcomes)
    if report is not None:
        from mallee.reports.backtest import write_backtest_report

        note = f"{_clock(start)} to {_clock(end)}, tariff {contract.name}, load {load.name}"
        ways = [_way(name, outcome, case.battery.energy_wh) for name, outcome in outcomes.items()]
        write_backtest_report(report, model.name, note, ways, figures)
    if json_:
        print(json.dumps({"site": model.name, "figures": figures}))
    else:
        _print_outcomes(outcomes)
    return 0


def _way(name: str, outcome: "Outcome", energy_wh: float) -> "Way":
    from mallee.reports.backtest import Way

    total: dict[str, float] = {}
    for month in outcome.bills:
        for line in month.lines:
            total[line.name] = total.get(line.name, 0.0) + line.amount
    return Way(
        name=name,
        meter_w=outcome.meter_w.values,
        soc=outcome.stored_wh / energy_wh,
        cost=outcome.cost_usd,
        lines=tuple(total.items()),
    )


def _tariff(path: Path) -> "TariffFile":
    from mallee.optimize.tariff.read import load_tariff
    from mallee.optimize.tariff.urdb import from_urdb

    if path.suffix != ".json":
        return load_tariff(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from None
    contract, notes = from_urdb(raw, timezone="UTC")
    _tell(notes)
    return contract


def _markets(contract: "TariffFile", prices: Path | None) -> dict[str, "Series"]:
    from mallee.optimize.price_file import read_series

    names = sorted({row.market for row in (*contract.energy, *contract.export) if row.market})
    if prices is None:
        if names:
            raise ConfigError("--prices", f"is missing, and {contract.name} follows {names[0]!r}")
        return {}
    found = read_series(prices, timezone=contract.timezone)
    _tell(found.notes)
    columns = dict(found.columns)
    if len(names) == 1 and len(columns) == 1:
        return {names[0]: next(iter(columns.values()))}
    return columns


def _tell(notes: list[str]) -> None:
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def _in_fives(series: "Series") -> "Series":
    """The load in steps of five minutes, on the clock."""
    import numpy as np

    from mallee.optimize.series import Series

    start = float(np.ceil(series.start_utc_s / 300.0)) * 300.0
    count = int((series.end_utc_s - start) // 300.0)
    edges = start + 300.0 * np.arange(count + 1, dtype=np.float64)
    return Series(start, 300.0, series.means(edges))


def _span(from_: str, until: str, series: "Series", timezone: str) -> tuple[float, float]:
    """The days to play; a day of the load is kept as history."""
    first = -(-series.start_utc_s // 300.0) * 300.0 + 86400.0
    start = _instant("--from", from_, timezone) if from_ else first
    end = _instant("--to", until, timezone) if until else series.end_utc_s
    start, end = -(-start // 300.0) * 300.0, end // 300.0 * 300.0
    if start < first:
        raise ConfigError(
            "--from",
            f"leaves no day of load before it (the file begins {_clock(series.start_utc_s)})",
            f"{_clock(first)} or later would be right",
        )
    if end > series.end_utc_s or end <= start:
        raise ConfigError(
            "--to",
            f"is not within the load, which ends {_clock(series.end_utc_s)}",
            "give a time after --from and before that",
        )
    return start, end


def _instant(option: str, text: str, timezone: str) -> float:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(option, f"{text!r} is no time", "write 2026-07-01 or more") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(timezone))
    return moment.timestamp()


def _clock(utc_s: float) -> str:
    return dt.datetime.fromtimestamp(utc_s, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _figures(outcomes: "dict[str, Outcome]") -> dict[str, float]:
    nothing, best = outcomes["no battery"].cost_usd, outcomes["perfect foresight"].cost_usd
    planned = outcomes["planned"]
    possible = nothing - best
    return {
        "cost_nothing": nothing,
        "cost_planned": planned.cost_usd,
        "cost_perfect": best,
        "saving": nothing - planned.cost_usd,
        "saving_frac": (nothing - planned.cost_usd) / possible if possible > 0.0 else 0.0,
        "plans": planned.plans,
        "plans_lost": planned.lost,
        "over_limit": planned.over_limit,
    }


def _print_outcomes(outcomes: "dict[str, Outcome]") -> None:
    nothing = outcomes["no battery"].cost_usd
    possible = nothing - outcomes["perfect foresight"].cost_usd
    rows = []
    for name, outcome in outcomes.items():
        saved = nothing - outcome.cost_usd
        share = f"{saved / possible:.1%}" if possible > 0.0 else ""
        peak = power(float(outcome.meter_w.values.max()))
        rows.append((name, f"{outcome.cost_usd:,.2f}", f"{saved:,.2f}", share, peak))
    print(table(rows, header=("", "cost", "saved", "of possible", "peak")))
    planned = outcomes["planned"]
    print(f"{planned.plans} plans, {planned.lost} lost; {planned.over_limit} steps over the limit")


def _print_bill(month: "Bill") -> None:
    print(f"{month.month}  {month.total:,.2f} {month.currency}")
    rows = [
        (
            line.name,
            f"{line.quantity:,.3f} {line.unit}",
            f"{line.price:,.4f}",
            f"{line.amount:,.2f}",
        )
        for line in month.lines
    ]
    print(table(rows, header=("", "quantity", "price", "amount")))
    for note in month.notes:
        print(f"note: {note}", file=sys.stderr)


def _as_json(month: "Bill") -> dict[str, object]:
    return {
        "month": month.month,
        "currency": month.currency,
        "total": month.total,
        "lines": [
            {"name": line.name, "quantity": line.quantity, "unit": line.unit, "amount": line.amount}
            for line in month.lines
        ],
        "notes": list(month.notes),
    }
