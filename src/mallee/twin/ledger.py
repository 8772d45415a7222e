"""The site's energy ledger, checked every second; names the component that broke it."""

from typing import Final

import numpy as np

from mallee.twin.balance import check_closed, check_finite
from mallee.twin.compute.compute import Compute
from mallee.twin.plant import Plant
from mallee.twin.power.feeders import Feeders

J_PER_WH: Final = 3600.0


def check_energy(plant: Plant, feeders: Feeders, time_ms: int) -> None:
    """Energy through the meter since the start against where it went.

    Raises:
        PhysicsError: the balance does not close, or a state is not a number.
    """
    site = plant.site[0]
    grid_wh = float(site["grid_wh"])
    if not np.isfinite(grid_wh):
        _blame(plant, feeders, time_ms)
    batteries, cabinets, ups = plant.batteries, plant.cabinet_state, plant.ups_state
    terms_wh = {
        "pods": float(site["pods_wh"]),
        "in cells": float(batteries["stored_wh"].sum()),
        "battery losses": float(batteries["loss_wh"].sum()),
        "auxiliaries": float(batteries["auxiliary_wh"].sum()),
        "vehicles": float(cabinets["vehicle_wh"].sum()),
        "charger losses": float(cabinets["loss_wh"].sum()),
        "feeder losses": float(plant.feeder_state["loss_wh"].sum()),
    }
    if len(ups):
        terms_wh["in UPS"] = float((ups["stored_wh"] - ups["start_wh"]).sum())
        terms_wh["UPS losses"] = float(ups["loss_wh"].sum())
    check_closed("site", time_ms, grid_wh, terms_wh)


def check_racks(compute: Compute, plant: Plant, time_ms: int) -> None:
    """Energy of the racks as the feeders drew it, against what their shelves took and gave.

    Raises:
        PhysicsError: the balance does not close.
    """
    site, shelves = plant.site[0], compute.shelves
    taken_wh = float(shelves.input_j.sum()) / J_PER_WH
    served = {"drawn": float(site["racks_wh"]), "not served": float(site["shed_wh"])}
    check_closed("racks' feeders", time_ms, taken_wh, served)
    given = {
        "to nodes and switches": float(shelves.output_j.sum()) / J_PER_WH,
        "rectifier losses": float(shelves.loss_j.sum()) / J_PER_WH,
        "in shelves": float(np.sum(compute.stored_j)) / J_PER_WH,
    }
    check_closed("power shelves", time_ms, taken_wh, given)


def _blame(plant: Plant, feeders: Feeders, time_ms: int) -> None:
    """Find the first component whose state is not a number."""
    check_finite("battery power", time_ms, plant.batteries["mean_w"])
    check_finite("battery state of charge", time_ms, plant.batteries["soc"])
    check_finite("charger power", time_ms, plant.cabinet_state["power_w"])
    check_finite("cooling power", time_ms, plant.steady_w)
    check_finite("feeder flow", time_ms, plant.feeder_state["flow_w"], feeders.names)
