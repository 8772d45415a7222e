"""The site's electrical block: loads, chargers, batteries and the power tree, 20 ms by 20 ms.

Racks come in as power over time from the compute side; everything between them and the roots of
the tree, utility feeds and gensets, happens here, in one kernel over plain arrays.
"""

from typing import Final

from mallee.core.arrays import FloatArray
from mallee.core.units import SECONDS_PER_HOUR
from mallee.twin.cords import change_over, guard_cords
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.kernel import kernel
from mallee.twin.parts.battery.batteries_step import find_available, step_batteries
from mallee.twin.parts.battery.islands import carry_islands, find_islands
from mallee.twin.parts.charging.evses import book_cars, charge_cars
from mallee.twin.parts.generation.engine import step_gensets
from mallee.twin.parts.grid.ride_through import HEALTHY_HIGH_PU
from mallee.twin.parts.power.tree import (
    REACTIVE_FRAC,
    book,
    choose_sources,
    clear_loads,
    energise_islands,
    put_load,
    sum_up,
    unserved,
    watch_supplies,
    worst_departure_pu,
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
        voltage_pu, frequency_hz: of every utility feed.  # (feeds, steps)
        grid_w: written: mean power through all feeds in every step.  # (steps,)
        load_w: written: the same without the batteries.  # (steps,)
    """
    step_s = step_ms / 1000.0
    for s in range(rack_w.shape[0]):
        now_ms = time_ms + s * step_ms
        for feed in range(plant.feeds[0]):
            plant.root_pu[feed] = voltage_pu[feed, s]
            plant.root_hz[feed] = frequency_hz[feed, s]
        _find_supply(plant, step_s, now_ms)
        _put_loads(plant, rack_w[s], step_s, now_ms)
        find_available(plant)
        # An island that cannot carry its load goes dark, and all is looked at again without it.
        while plant.site[0]["islands"] > 0 and not carry_islands(plant, step_s):
            _find_supply(plant, 0.0, now_ms)
            _put_loads(plant, rack_w[s], 0.0, now_ms)
            find_available(plant)
        step_batteries(plant, step_s)
        sum_up(plant.branches, plant.branch_state, plant.ups, plant.ups_state)
        _book_step(plant, step_s, now_ms)
        grid_w[s] = plant.site[0]["grid_w"]
        load_w[s] = plant.site[0]["grid_w"] - plant.site[0]["battery_w"]


@kernel
def _find_supply(plant: ElectricalArrays, step_s: float, now_ms: int) -> None:
    """Feeds, gensets, islands or nothing; who is alive, and whose ride-through has run out."""
    site, states = plant.site[0], plant.branch_state
    site["dead"] = choose_sources(
        plant.branches, states, plant.ups_state, plant.root_pu, plant.root_hz, now_ms
    )
    site["islands"] = 0
    if site["dead"] > 0:
        site["islands"] = find_islands(plant)
        if site["islands"] > 0:
            energise_islands(plant.branches, states, plant.ups_state)
    watch_supplies(plant.ups, plant.ups_state, now_ms)
    change_over(plant.rack_cords, states)
    change_over(plant.station_cords, states)
    change_over(plant.battery_cords, states)
    change_over(plant.load_cords, states)
    if worst_departure_pu(states) > HEALTHY_PU or site["disturbed"] > 0:
        site["disturbed"] = _guard_all(plant, step_s)


@kernel
def _guard_all(plant: ElectricalArrays, step_s: float) -> int:
    """Step every device's guard; returns how many are not at rest."""
    curves, states = plant.curves, plant.branch_state
    busy = guard_cords(plant.rack_cords, curves, states, step_s)
    busy += guard_cords(plant.station_cords, curves, states, step_s)
    busy += guard_cords(plant.battery_cords, curves, states, step_s)
    return busy + guard_cords(plant.load_cords, curves, states, step_s)


@kernel
def _put_loads(plant: ElectricalArrays, rack_w: FloatArray, step_s: float, now_ms: int) -> None:
    """Hang racks, steady loads and chargers on their branches, as far as those supply them."""
    states, site = plant.branch_state, plant.site[0]
    clear_loads(states)
    racks_w, steady_w, shed_w, sources_w = 0.0, 0.0, 0.0, 0.0
    for r in range(plant.rack_cords.shape[0]):
        cord = plant.rack_cords[r]
        if cord["tripped"] == 1 or unserved(states, cord["at"], CONVERT_MIN_PU):
            shed_w += rack_w[r]
            continue
        put_load(states, cord["at"], rack_w[r])
        states[states[cord["at"]]["head"]]["racks_w"] += rack_w[r]
        racks_w += rack_w[r]
    for d in range(plant.load_cords.shape[0]):
        cord = plant.load_cords[d]
        if cord["tripped"] == 0 and not unserved(states, cord["at"], CONVERT_MIN_PU):
            put_load(states, cord["at"], plant.loads_w[d])
            states[states[cord["at"]]["head"]]["loads_w"] += plant.loads_w[d]
            if plant.sources[d] == 1:
                sources_w -= plant.loads_w[d]
            else:
                steady_w += plant.loads_w[d]
    for c in range(plant.stations.shape[0]):
        cord = plant.station_cords[c]
        served = cord["tripped"] == 0 and not unserved(states, cord["at"], CONVERT_MIN_PU)
        plant.station_state[c]["served"] = 1 if served else 0
    charge_cars(plant.stations, plant.station_state, plant.evses, plant.sessions, now_ms, step_s)
    chargers_w = 0.0
    for c in range(plant.stations.shape[0]):
        if plant.station_state[c]["served"] == 1:
            at, power_w = plant.station_cords[c]["at"], plant.station_state[c]["power_w"]
            put_load(states, at, power_w)
            states[states[at]["head"]]["chargers_w"] += power_w
            chargers_w += power_w
    site["racks_w"], site["pods_w"], site["chargers_w"] = racks_w, racks_w + steady_w, chargers_w
    site["shed_w"], site["sources_w"] = shed_w, sources_w


@kernel
def _book_step(plant: ElectricalArrays, step_s: float, now_ms: int) -> None:
    """Sums and energies of the step."""
    site, states = plant.site[0], plant.branch_state
    hours = step_s / SECONDS_PER_HOUR
    book_cars(plant.stations, plant.station_state, plant.evses, plant.sessions, step_s)
    site["trips"] += book(plant.branches, states, plant.ups, plant.ups_state, step_s, now_ms)
    site["open"] = 0
    grid_w, gensets_w, losses_w = 0.0, 0.0, 0.0
    for f in range(states.shape[0]):
        state = states[f]
        site["open"] += 1 - state["closed"]
        state["battery_w"], state["reactive_var"] = 0.0, 0.0
        if f < plant.feeds[0]:
            grid_w += state["flow_w"]
        elif f < plant.root_pu.shape[0]:
            gensets_w += state["flow_w"]
    battery_w = 0.0
    for b in range(plant.units.shape[0]):
        battery = plant.batteries[b]
        battery_w += battery["mean_w"]
        head = states[states[plant.battery_cords[b]["at"]]["head"]]
        head["battery_w"] += battery["mean_w"]
        head["reactive_var"] += battery["reactive_var"]
    for f in range(states.shape[0]):
        state = states[f]
        if state["head"] == f:
            pods_w = state["racks_w"] + state["loads_w"]
            state["losses_w"] = state["flow_w"] - pods_w - state["chargers_w"] - state["battery_w"]
            state["reactive_var"] += REACTIVE_FRAC * (pods_w + state["chargers_w"])
            losses_w += state["losses_w"]
    site["battery_w"], site["grid_w"], site["gensets_w"] = battery_w, grid_w, gensets_w
    site["losses_w"] = losses_w
    site["grid_wh"] += grid_w * hours
    site["gensets_wh"] += gensets_w * hours
    site["sources_wh"] += site["sources_w"] * hours
    site["import_wh"] += max(0.0, grid_w) * hours
    site["export_wh"] += max(0.0, -grid_w) * hours
    site["pods_wh"] += site["pods_w"] * hours
    site["racks_wh"] += site["racks_w"] * hours
    site["shed_wh"] += site["shed_w"] * hours
    step_gensets(plant, step_s, now_ms)
