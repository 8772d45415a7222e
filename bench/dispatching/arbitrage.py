"""E4: a battery against day-ahead prices, planned daily from published forecasts.

1 MW / 2 MWh, 88 % round trip, no wear price, planned at midnight from the forecast of the day,
empty at its end; worth against perfect foresight. The rule of `benchmarks.md` section 3.1.
"""

from pathlib import Path

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.optimize.exact import Market, solve
from mallee.optimize.horizon import even_horizon
from mallee.optimize.inputs import Battery, Connection, EndValue, Problem
from mallee.optimize.planner import Planner
from mallee.optimize.price_file import read_series

MARKETS = ("NP", "PJM", "DE")


def _battery() -> Battery:
    return Battery(
        name="bess",
        energy_wh=2e6,
        soc=0.0,
        soc_min=0.0,
        soc_max=1.0,
        charge_max_w=1e6,
        discharge_max_w=1e6,
        charge_efficiency=0.88**0.5,
        discharge_efficiency=0.88**0.5,
        wear_usd_per_mwh=0.0,
        end=EndValue(energy_wh=np.array([2e6]), usd_per_mwh=np.array([0.0])),
    )


def _day(planner: Planner, prices: FloatArray, day: int) -> FloatArray:
    """Battery power of each hour that the forecast asks for."""
    horizon = even_horizon(86400.0 * day, 3600.0, 24)
    plan = planner.plan(
        Problem(
            horizon=horizon,
            connection=Connection(import_max_w=np.full(24, 5e6), export_max_w=np.full(24, 5e6)),
            load_w=np.zeros(24),
            import_usd_per_mwh=prices,
            export_usd_per_mwh=prices,
            batteries=(_battery(),),
        ),
        explain=False,
    )
    return plan.battery_w


def captured(shared: Path, name: str) -> dict[str, float]:
    """Share of the perfect-foresight value by forecast, and the gap to the exact solution."""
    found = read_series(shared / f"data/prices/epf_{name}_year1.csv.gz", timezone="UTC").columns
    actual = found["price"].values.reshape(-1, 24)
    sources = {
        "lear": found["lear_forecast"].values.reshape(-1, 24),
        "dnn": found["dnn_forecast"].values.reshape(-1, 24),
        "yesterday": np.vstack((actual[:1], actual[:-1])),
    }
    sources["published_mean"] = 0.5 * (sources["lear"] + sources["dnn"])
    planner = Planner()
    perfect = sum(-float(_day(planner, row, d) @ row) / 1e6 for d, row in enumerate(actual))
    result = {f"arbitrage_{name}_perfect": perfect}
    for source, table in sources.items():
        value = sum(
            -float(_day(planner, table[d], d) @ actual[d]) / 1e6 for d in range(len(actual))
        )
        result[f"arbitrage_{name}_{source}"] = value / perfect
    result[f"arbitrage_{name}_exact_gap"] = _exact_gap(actual, planner)
    return result


def _exact_gap(actual: FloatArray, planner: Planner) -> float:
    """Largest relative distance from the dynamic programme over days where it applies."""
    worst = 0.0
    for day, row in enumerate(actual[:60]):
        if np.any(row < 0.0):
            continue
        market = Market(
            length_h=np.ones(24),
            load_w=np.zeros(24),
            import_usd_per_mwh=row,
            export_usd_per_mwh=row,
            import_max_w=np.full(24, 5e6),
            export_max_w=np.full(24, 5e6),
        )
        exact = solve(_battery(), market).cost_usd
        planned = float(_day(planner, row, day) @ row) / 1e6
        worst = max(worst, abs(planned - exact) / max(1.0, abs(exact)))
    return worst
