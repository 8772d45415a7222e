"""E5: bills of whole months with a demand charge, in a closed loop, rule and null case beside."""

import datetime as dt
import sys
import time
from pathlib import Path

from dispatching import data
from mallee.optimize.backtest import bound, play, rule
from mallee.optimize.closed_loop import Case
from mallee.optimize.inputs import Battery

YEARS = {"NP": 2017, "PJM": 2017, "DE": 2016}


def case(shared: Path, market: str, month: int, days: int) -> Case:
    """A month of a market: hall, cooling and cars behind a 7.6 MW / 15.6 MWh battery."""
    start = dt.datetime(YEARS[market], month, 1, tzinfo=dt.UTC).timestamp()
    return Case(
        battery=Battery(
            name="bess",
            energy_wh=15.6e6,
            soc=0.5,
            soc_min=0.0,
            soc_max=1.0,
            charge_max_w=7.6e6,
            discharge_max_w=7.6e6,
            charge_efficiency=0.938,
            discharge_efficiency=0.938,
        ),
        tariff=data.tariff(),
        load_w=data.load_w(shared, start - 2 * 86400.0, month, "phoenix"),
        markets={"day-ahead": data.market(shared, market)},
        import_max_w=30e6,
        from_utc_s=start,
        until_utc_s=start + days * 86400.0,
    )


def shares(shared: Path, market: str, month: int, days: int) -> dict[str, float]:
    """Each way's share of the saving that perfect foresight has."""
    here = case(shared, market, month, days)
    key = f"{market}_{month:02d}"
    nothing, best = play(here, None), bound(here)
    possible = nothing.cost_usd - best.cost_usd
    peak_w = float(best.meter_w.values.max())
    began = time.process_time()
    ways = {
        "perfect_frac": play(here, "perfect"),
        "persistence_frac": play(here, "persistence"),
        "no_target_frac": play(here, "persistence", use_targets=False),
        "rule_hindsight_frac": rule(here, peak_w * 1.02, peak_w * 0.98),
    }
    figures = {f"possible_{key}_frac": possible / nothing.cost_usd}
    for name, outcome in ways.items():
        figures[f"{key}_{name}"] = (nothing.cost_usd - outcome.cost_usd) / possible
        figures[f"{key}_lost"] = figures.get(f"{key}_lost", 0) + outcome.lost
        figures[f"{key}_over_limit"] = figures.get(f"{key}_over_limit", 0) + outcome.over_limit
    print(f"{key}: {time.process_time() - began:.0f} s", file=sys.stderr)
    return figures
