"""The bench's battery day in PyPSA: JSON on stdin, cost and CPU time as JSON on the last line.

Runs in an environment of its own (`pip install pypsa`). Powers are MW, energies MWh. The peak is a
variable added by hand, as PyPSA has no demand charge.
"""

import json
import logging
import sys
import time
import warnings

import pypsa

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
given = json.load(sys.stdin)


def built() -> pypsa.Network:
    """The network."""
    net = pypsa.Network()
    net.set_snapshots(range(len(given["price"])))
    net.snapshot_weightings = net.snapshot_weightings.astype(float)
    net.snapshot_weightings.loc[:, :] = given["hours"]
    net.add("Bus", "site")
    net.add("Bus", "cell")
    net.add(
        "Generator", "import", bus="site", p_nom=given["import_max"], marginal_cost=given["price"]
    )
    net.add("Load", "load", bus="site", p_set=given["load"])
    eta, most, wear = given["eta"], given["power"], given["wear"]
    net.add(
        "Link", "charge", bus0="site", bus1="cell", p_nom=most, efficiency=eta, marginal_cost=wear
    )
    net.add(
        "Link",
        "discharge",
        bus0="cell",
        bus1="site",
        p_nom=most / eta,
        efficiency=eta,
        marginal_cost=wear * eta,
    )
    net.add("Store", "store", bus="cell", e_nom=given["energy"], e_initial=given["start"])
    return net


def with_peak(net: pypsa.Network, _: object) -> None:
    """End as full as at the start, and pay for the peak."""
    model = net.model
    model.add_constraints(model["Store-e"].isel(snapshot=-1) >= given["start"], name="end")
    peak = model.add_variables(lower=0, name="peak")
    model.add_constraints(model["Generator-p"] - peak <= 0, name="peaks")
    model.objective = model.objective + given["demand"] * peak


best_s, cost = float("inf"), float("nan")
for _ in range(given["repeats"]):
    began_s = time.process_time()
    network = built()
    network.optimize(
        solver_name="highs",
        extra_functionality=with_peak,
        log_to_console=False,
        solver_options={"output_flag": False, "threads": 1},
    )
    best_s = min(best_s, time.process_time() - began_s)
    cost = float(network.objective)
print(json.dumps({"cost": cost, "s": best_s}))
