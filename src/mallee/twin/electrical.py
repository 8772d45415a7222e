"""The site's electrical block: loads, chargers, batteries and the power tree, 20 ms by 20 ms.

One kernel over plain arrays. Racks come in as power over time from the compute side; everything
between them and the meter happens here.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.site import FloatArray, IntArray
from mallee.core.units import SECONDS_PER_HOUR
from mallee.twin.battery.cells import cell_voltage_v, store
from mallee.twin.battery.inverter import charge_available_w, discharge_available_w, respond
from mallee.twin.battery.layout import LOCAL, RAMP_FILTER, REMOTE, SET_POINT
from mallee.twin.battery.ramp_filter import filter_set_points
from mallee.twin.charging.posts import charge_cars
from mallee.twin.kernel import kernel
from mallee.twin.power.tree import energise, sum_up

SITE: Final = np.dtype(
    [
        ("losses_w", "f8"),
        ("grid_w", "f8"),
        ("racks_w", "f8"),
        ("pods_w", "f8"),
        ("battery_w", "f8"),
        ("chargers_w", "f8"),
        ("grid_wh", "f8"),
        ("import_wh", "f8"),
        ("export_wh", "f8"),
        ("pods_wh", "f8"),
    ]
)


@kernel
def step_site(
    time_ms: int,
    step_ms: int,
    rack_w: FloatArray,
    rack_feeder: IntArray,
    steady_w: FloatArray,
    feeders: NDArray[np.void],
    feeder_state: NDArray[np.void],
    units: NDArray[np.void],
    batteries: NDArray[np.void],
    cabinets: NDArray[np.void],
    cabinet_state: NDArray[np.void],
    posts: NDArray[np.void],
    sessions: NDArray[np.void],
    site: NDArray[np.void],
    set_points_w: FloatArray,
    grid_w: FloatArray,
) -> None:
    """Run one block.

    Args:
        time_ms: start of the block; `step_ms` its electrical step.
        rack_w: AC power of every rack in every step.  # (steps, racks)
        rack_feeder: feeder each rack hangs on.  # (racks,)
        steady_w: everything that is constant over the block, by feeder.  # (feeders,)
        feeders, feeder_state: the power tree.  # (feeders,)
        units, batteries: the batteries.  # (batteries,)
        cabinets, cabinet_state, posts, sessions: the chargers.
        site: sums of the site, one record.  # (1,)
        set_points_w: scratch.  # (batteries,)
        grid_w: written: mean power at the meter in every step.  # (steps,)
    """
    step_s = step_ms / 1000.0
    hours = step_s / SECONDS_PER_HOUR
    total = site[0]
    for s in range(rack_w.shape[0]):
        now_ms = time_ms + s * step_ms
        energise(feeders, feeder_state, 1)
        load_w = total["losses_w"]
        pods_w = 0.0
        racks_w = 0.0
        for f in range(feeders.shape[0]):
            feeder_state[f]["demand_w"] = steady_w[f]
            pods_w += steady_w[f]
        for r in range(rack_w.shape[1]):
            feeder_state[rack_feeder[r]]["demand_w"] += rack_w[s, r]
            racks_w += rack_w[s, r]
        pods_w += racks_w
        charge_cars(cabinets, cabinet_state, posts, sessions, now_ms, step_s)
        chargers_w = 0.0
        for c in range(cabinets.shape[0]):
            feeder_state[cabinets[c]["feeder"]]["demand_w"] += cabinet_state[c]["power_w"]
            chargers_w += cabinet_state[c]["power_w"]
        load_w += pods_w + chargers_w
        battery_w, auxiliary_w = _step_batteries(
            units, batteries, load_w, step_s, set_points_w, feeder_state
        )
        grid = sum_up(feeders, feeder_state, step_s)
        grid_w[s] = grid
        total["losses_w"] = grid - pods_w - chargers_w - battery_w
        total["grid_w"], total["racks_w"], total["pods_w"] = grid, racks_w, pods_w
        total["battery_w"], total["chargers_w"] = battery_w, chargers_w
        total["grid_wh"] += grid * hours
        total["import_wh"] += max(0.0, grid) * hours
        total["export_wh"] += max(0.0, -grid) * hours
        total["pods_wh"] += pods_w * hours


@kernel
def _step_batteries(
    units: NDArray[np.void],
    batteries: NDArray[np.void],
    load_w: float,
    step_s: float,
    set_points_w: FloatArray,
    feeder_state: NDArray[np.void],
) -> tuple[float, float]:
    """All batteries for one step; returns their charging power and their auxiliaries."""
    for b in range(units.shape[0]):
        unit, state = units[b], batteries[b]
        set_points_w[b] = 0.0
        if state["mode"] == SET_POINT:
            set_w = min(state["set_w"], charge_available_w(unit, state))
            set_points_w[b] = max(set_w, -discharge_available_w(unit, state))
        if state["mode"] != RAMP_FILTER:
            # What a remote set point will make of it is not the filters' to correct: it is load.
            load_w += state["power_w"]
    filter_set_points(units, batteries, load_w, step_s, set_points_w)
    battery_w, auxiliary_w = 0.0, 0.0
    for b in range(units.shape[0]):
        unit, state = units[b], batteries[b]
        path = REMOTE if state["mode"] == SET_POINT else LOCAL
        mean_w = respond(state, unit["path"][path], set_points_w[b], step_s)
        aux_w = store(unit, state, mean_w, step_s)
        feeder_state[unit["feeder"]]["demand_w"] += mean_w + aux_w
        battery_w += mean_w
        auxiliary_w += aux_w
    return battery_w, auxiliary_w


@kernel
def fill_site_points(
    true_points: FloatArray,
    battery_rows: IntArray,
    units: NDArray[np.void],
    batteries: NDArray[np.void],
    charger_rows: IntArray,
    cabinets: NDArray[np.void],
    cabinet_state: NDArray[np.void],
    posts: NDArray[np.void],
    meter_rows: IntArray,
    site: NDArray[np.void],
    voltage_v: float,
    frequency_hz: float,
) -> None:
    """Write what batteries, chargers and meters hold and measure into the site's points."""
    for b in range(units.shape[0]):
        u, s, row = units[b], batteries[b], battery_rows[b]
        rule = s["filter"]
        true_points[row[0]] = s["mean_w"]
        true_points[row[1]] = s["reactive_var"]
        true_points[row[2]] = voltage_v
        true_points[row[3]] = frequency_hz
        true_points[row[4]] = s["discharge_wh"]
        true_points[row[5]] = s["charge_wh"]
        true_points[row[6]] = 4.0 if s["available"] == 1 else 1.0
        true_points[row[7]] = s["cell_degc"] - 3.0
        true_points[row[8]] = u["charge_max_w"]
        true_points[row[9]] = u["discharge_max_w"]
        true_points[row[10]] = s["soc_estimate"]
        true_points[row[11]] = s["soh"]
        true_points[row[12]] = u["energy_wh"]
        true_points[row[13]] = cell_voltage_v(s["soc"], s["mean_w"] / u["charge_max_w"])
        true_points[row[14]] = charge_available_w(u, s)
        true_points[row[15]] = discharge_available_w(u, s)
        true_points[row[16]] = s["cell_degc"]
        true_points[row[17]] = s["set_w"]
        true_points[row[18]] = s["heartbeat_count"]
        true_points[row[19]] = s["mode"]
        true_points[row[20]] = rule["import_max_w"]
        true_points[row[21]] = rule["import_min_w"]
        true_points[row[22]] = rule["ramp_up_w_per_s"]
        true_points[row[23]] = rule["ramp_down_w_per_s"]
        true_points[row[24]] = rule["time_s"]
        true_points[row[25]] = rule["charge_bias_w"]
    for c in range(cabinets.shape[0]):
        state, row = cabinet_state[c], charger_rows[c]
        true_points[row[0]] = state["power_w"]
        true_points[row[1]] = state["energy_wh"]
        true_points[row[2]] = state["occupied"]
        true_points[row[3]] = state["offered_w"]
        true_points[row[4]] = state["limit_w"]
        count = cabinets[c]["posts"]
        for p in range(count):
            post = posts[cabinets[c]["first_post"] + p]
            true_points[row[5 + p]] = post["power_w"]
            true_points[row[5 + count + p]] = post["soc"] if post["occupied"] == 1 else np.nan
    total = site[0]
    for m in range(meter_rows.shape[0]):
        row = meter_rows[m]
        true_points[row[0]] = total["grid_w"]
        true_points[row[1]] = 0.0
        true_points[row[2]] = abs(total["grid_w"])
        true_points[row[3]] = voltage_v
        true_points[row[4]] = abs(total["grid_w"]) / (voltage_v * 1.7320508075688772)
        true_points[row[5]] = frequency_hz
        true_points[row[6]] = total["import_wh"]
        true_points[row[7]] = total["export_wh"]
