"""E3: the same battery day in other programmes, CPU time and cost side by side.

One day of 288 steps with wear and a demand charge, in one shot and cold on both sides. Peers run in
environments of their own, `DIR/NAME/bin/python`; one that is not there is named.
"""

import json
import subprocess
import time
from pathlib import Path

import numpy as np

from mallee.optimize.horizon import even_horizon
from mallee.optimize.inputs import Battery, Connection, Demand, EndValue, Problem
from mallee.optimize.planner import Planner

COUNT = 288
PEERS = ("pypsa",)
NOT_RUN = {
    "emhass": "needs a Home Assistant style configuration; not wired up here",
    "flexmeasures": "its device scheduler asks for a running Flask application; not wired up here",
}


def day() -> dict[str, object]:
    """The day in MW, MWh and USD, seeded."""
    noise = np.random.default_rng(7)
    hour = np.arange(COUNT) / 12.0
    price = 60.0 + 35.0 * np.sin((hour - 9.0) / 24.0 * 2.0 * np.pi) + noise.normal(0.0, 6.0, COUNT)
    load = 10.0 + 2.0 * np.sin((hour - 10.0) / 24.0 * 2.0 * np.pi) + noise.normal(0.0, 0.4, COUNT)
    return {
        "price": price.tolist(),
        "load": load.tolist(),
        "hours": 1.0 / 12.0,
        "import_max": 16.0,
        "power": 7.6,
        "eta": 0.938,
        "wear": 2.0,
        "energy": 15.6,
        "start": 7.8,
        "demand": 15_000.0,
        "repeats": 3,
    }


def ours() -> tuple[float, float]:
    """Cost, and CPU seconds of a cold solve, data preparation and proof included."""
    given, best_s, cost = day(), float("inf"), float("nan")
    full = np.array([7.8e6, 7.8e6])
    for _ in range(3):
        began_s = time.process_time()
        problem = Problem(
            horizon=even_horizon(1_800_000_000.0, 300.0, COUNT),
            connection=Connection(import_max_w=np.full(COUNT, 16e6)),
            load_w=np.array(given["load"]) * 1e6,
            import_usd_per_mwh=np.array(given["price"]),
            batteries=(
                Battery(
                    name="bess",
                    energy_wh=15.6e6,
                    soc=0.5,
                    soc_min=0.0,
                    soc_max=1.0,
                    charge_max_w=7.6e6,
                    discharge_max_w=7.6e6,
                    charge_efficiency=0.938,
                    discharge_efficiency=0.938,
                    wear_usd_per_mwh=2.0,
                    end=EndValue(energy_wh=full, usd_per_mwh=np.array([1e5, 0.0])),
                ),
            ),
            demands=(Demand(name="peak", usd_per_w=15e-3, interval_s=300.0),),
        )
        plan = Planner().plan(problem, explain=False)
        best_s = min(best_s, time.process_time() - began_s)
        cost = plan.cost_usd["energy"] + plan.cost_usd["wear"] + 15e-3 * plan.peak_w["peak"]
    return cost, best_s


def figures(environments: Path) -> tuple[dict[str, float], list[str]]:
    """Ratios and cost gaps of the peers that are there, and why others are not."""
    cost, own_s = ours()
    found, left_out = {"day_cold_s": own_s}, [f"{name}: {why}" for name, why in NOT_RUN.items()]
    for name in PEERS:
        python = environments / name / "bin/python"
        if not python.exists():
            left_out.append(f"{name}: no {python}")
            continue
        script = Path(__file__).parent / "peers" / f"{name}_day.py"
        done = subprocess.run(
            [str(python), str(script)],
            input=json.dumps(day()),
            capture_output=True,
            text=True,
            check=True,
        )
        answer = json.loads(done.stdout.strip().splitlines()[-1])
        found[f"x_{name}"] = answer["s"] / own_s
        found[f"cost_gap_{name}"] = abs(answer["cost"] - cost) / abs(cost)
    return found, left_out
