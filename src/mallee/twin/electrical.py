"""The site's electrical block: loads, chargers, batteries and the power tree, 20 ms by 20 ms.

Racks come in as power over time from the compute side; everything between them and the meter
happens here, in one kernel over plain arrays.
"""

from typing import Final

from mallee.core.arrays import FloatArray
from mallee.core.units import SECONDS_PER_HOUR
from mallee.twin.battery.batteries_step import carry_island, step_batteries
from mallee.twin.battery.layout import GRID_FORMING
from mallee.twin.charging.evses import book_cars, charge_cars
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.grid.ride_through import HEALTHY_HIGH_PU, guard_step
from mallee.twin.kernel import kernel
from mallee.twin.power.tree import (
    DEAD_PU,
    REACTIVE_FRAC,
    book,
    clear_loads,
    energise,
    put_load,
    sum_up,
    unserved,
)

CONVERT_MIN_PU: Final = 0.5
"""Below this voltage rectifiers draw nothing (ORv3 supplies stop converting; assumed)."""

HEALTHY_PU: Final = HEALTHY_HIGH_PU - 1.0


@kernel
def step_site(
    plant: ElectricalArrays,
    time_ms: int,
    step_ms: int,
    rack_w: FloatArray,
    voltage_pu: FloatArray,
    frequency_hz: FloatArray,
    grid_w: FloatArray,
    load_w: FloatArray,
) -> None:
    """Run one block.

    Args:
        plant: all arrays of the site.
        time_ms: start of the block; `step_ms` its electrical step.
        rack_w: AC power that every rack asks for in every step.  # (steps, racks)
        voltage_pu, frequency_hz: of the grid.  # (steps,)
        grid_w: written: mean power at the meter in every step.  # (steps,)
        load_w: written: the same without the batteries.  # (steps,)
    """
    step_s = step_ms / 1000.0
    for s in range(rack_w.shape[0]):
        now_ms = time_ms + s * step_ms
        _find_supply(plant, voltage_pu[s], frequency_hz[s], step_s, now_ms)
        _put_loads(plant, rack_w[s], step_s, now_ms)
        if plant.site[0]["islanded"] == 1 and not carry_island(plant, step_s):
            plant.site[0]["islanded"], plant.site[0]["collapsed"] = 0, 1
            _find_supply(plant, voltage_pu[s], frequency_hz[s], 0.0, now_ms)
            _put_loads(plant, rack_w[s], 0.0, now_ms)
        if plant.site[0]["islanded"] == 0:
            step_batteries(plant, step_s)
            sum_up(plant.branches, plant.branch_state, plant.ups, plant.ups_state)
        _book_step(plant, step_s, now_ms)
        grid_w[s] = plant.site[0]["grid_w"]
        load_w[s] = plant.site[0]["grid_w"] - plant.site[0]["battery_w"]


@kernel
def _find_supply(
    plant: ElectricalArrays, voltage_pu: float, frequency_hz: float, step_s: float, now_ms: int
) -> None:
    """Grid, island or nothing; then who is alive, and whose ride-through time has run out."""
    site = plant.site[0]
    source_pu = voltage_pu
    site["frequency_hz"] = site["grid_hz"] = frequency_hz
    site["grid_voltage_pu"] = voltage_pu
    if voltage_pu >= DEAD_PU:
        site["islanded"], site["collapsed"] = 0, 0
    else:
        forming = 0
        for b in range(plant.units.shape[0]):
            state = plant.batteries[b]
            if state["mode"] == GRID_FORMING and state["healthy"] == 1 and state["soc"] > 0.0:
                forming += 1
        site["islanded"] = 1 if forming > 0 and site["collapsed"] == 0 else 0
        if site["islanded"] == 1:
            source_pu = 1.0
            # The island's frequency follows the droop of what the batteries gave last.
            site["frequency_hz"] = site["island_hz"]
    site["voltage_pu"] = source_pu
    worst = energise(plant.branches, plant.branch_state, plant.ups_state, source_pu, now_ms)
    if worst > HEALTHY_PU or site["disturbed"] > 0:
        site["disturbed"] = _guard_all(plant, step_s)


@kernel
def _guard_all(plant: ElectricalArrays, step_s: float) -> int:
    """Step every device's guard; returns how many are not at rest."""
    racks, stations = plant.rack_branch.shape[0], plant.stations.shape[0]
    batteries = plant.units.shape[0]
    busy = 0
    for g in range(plant.guards.shape[0]):
        guard = plant.guards[g]
        if g < racks:
            branch = _rack_branch(plant, g)
        elif g < racks + stations:
            branch = plant.stations[g - racks]["branch"]
        elif g < racks + stations + batteries:
            branch = plant.units[g - racks - stations]["branch"]
        else:
            branch = plant.steady_branch[g - racks - stations - batteries]
        curve = plant.curves[guard["curve"]]
        guard_step(guard, curve, plant.branch_state[branch]["voltage_pu"], step_s)
        outside = guard["tripped"]
        for row in range(curve["rows"]):
            outside += 1 if guard["out_s"][row] > 0.0 else 0
        busy += 1 if outside > 0 else 0
    return busy


@kernel
def _rack_branch(plant: ElectricalArrays, rack: int) -> int:
    """Branch that carries a rack now: its second one while the first is dead (two cords each)."""
    first, second = plant.rack_branch[rack], plant.rack_standby[rack]
    if second < 0 or plant.branch_state[first]["alive"] == 1:
        return first
    return second if plant.branch_state[second]["alive"] == 1 else first


@kernel
def _put_loads(plant: ElectricalArrays, rack_w: FloatArray, step_s: float, now_ms: int) -> None:
    """Hang racks, steady loads and chargers on their branches, as far as those supply them."""
    states, site = plant.branch_state, plant.site[0]
    racks, stations = plant.rack_branch.shape[0], plant.stations.shape[0]
    clear_loads(states)
    racks_w, steady_w, shed_w = 0.0, 0.0, 0.0
    for r in range(racks):
        branch = _rack_branch(plant, r)
        if plant.guards[r]["tripped"] == 1 or unserved(states, branch, CONVERT_MIN_PU):
            shed_w += rack_w[r]
            continue
        put_load(states, branch, rack_w[r])
        racks_w += rack_w[r]
    base = racks + stations + plant.units.shape[0]
    for d in range(plant.steady_branch.shape[0]):
        branch = plant.steady_branch[d]
        if plant.guards[base + d]["tripped"] == 0 and not unserved(states, branch, CONVERT_MIN_PU):
            put_load(states, branch, plant.steady_w[d])
            steady_w += plant.steady_w[d]
    for c in range(stations):
        served = plant.guards[racks + c]["tripped"] == 0
        if unserved(states, plant.stations[c]["branch"], CONVERT_MIN_PU):
            served = False
        plant.station_state[c]["served"] = 1 if served else 0
    charge_cars(plant.stations, plant.station_state, plant.evses, plant.sessions, now_ms, step_s)
    chargers_w = 0.0
    for c in range(stations):
        if plant.station_state[c]["served"] == 1:
            put_load(states, plant.stations[c]["branch"], plant.station_state[c]["power_w"])
            chargers_w += plant.station_state[c]["power_w"]
    site["racks_w"], site["pods_w"], site["chargers_w"] = racks_w, racks_w + steady_w, chargers_w
    site["shed_w"] = shed_w


@kernel
def _book_step(plant: ElectricalArrays, step_s: float, now_ms: int) -> None:
    """Sums and energies of the step."""
    site = plant.site[0]
    hours = step_s / SECONDS_PER_HOUR
    book_cars(plant.stations, plant.station_state, plant.evses, plant.sessions, step_s)
    site["trips"] += book(plant.branches, plant.branch_state, plant.ups_state, step_s, now_ms)
    site["open"] = 0
    for f in range(plant.branches.shape[0]):
        site["open"] += 1 - plant.branch_state[f]["closed"]
    grid = plant.branch_state[0]["flow_w"]
    battery_w, reactive = 0.0, 0.0
    for b in range(plant.units.shape[0]):
        battery_w += plant.batteries[b]["mean_w"]
        reactive += plant.batteries[b]["reactive_var"]
    site["battery_w"], site["grid_w"] = battery_w, grid
    site["losses_w"] = grid - site["pods_w"] - site["chargers_w"] - battery_w
    site["reactive_var"] = reactive + REACTIVE_FRAC * (site["pods_w"] + site["chargers_w"])
    site["grid_wh"] += grid * hours
    site["import_wh"] += max(0.0, grid) * hours
    site["export_wh"] += max(0.0, -grid) * hours
    site["pods_wh"] += site["pods_w"] * hours
    site["racks_wh"] += site["racks_w"] * hours
    site["shed_wh"] += site["shed_w"] * hours
