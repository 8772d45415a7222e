"""The site's energy ledger, checked every second; names the component that broke it."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from mallee.twin.balance import check_closed, check_finite
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.part import Part
from mallee.twin.parts.compute.compute import Compute

J_PER_WH: Final = 3600.0


def check_energy(
    plant: ElectricalArrays, parts: Iterable[Part], names: tuple[str, ...], time_ms: int
) -> None:
    """Energy from feeds, gensets and solar since the start against where the parts say it went.

    Args:
        names: of the branches, for messages.

    Raises:
        PhysicsError: the balance does not close, or a state is not a number.
    """
    site = plant.site[0]
    grid_wh = float(site["grid_wh"] + site["gensets_wh"] + site["sources_wh"])
    if not np.isfinite(grid_wh):
        _blame(plant, names, time_ms)
    terms_wh = {"pods": float(site["pods_wh"])}
    for part in parts:
        terms_wh |= part.terms_wh()
    check_closed("site", time_ms, grid_wh, terms_wh)


def check_racks(compute: Compute, plant: ElectricalArrays, time_ms: int) -> None:
    """Energy of the racks as the branches drew it, against what their shelves took and gave.

    Raises:
        PhysicsError: the balance does not close.
    """
    site, shelves = plant.site[0], compute.shelves
    taken_wh = float(shelves.input_j.sum()) / J_PER_WH
    served = {"drawn": float(site["racks_wh"]), "not served": float(site["shed_wh"])}
    check_closed("racks' branches", time_ms, taken_wh, served)
    given = {
        "to nodes and switches": float(shelves.output_j.sum()) / J_PER_WH,
        "rectifier losses": float(shelves.loss_j.sum()) / J_PER_WH,
        "in shelves": float(np.sum(compute.stored_j)) / J_PER_WH,
    }
    check_closed("power shelves", time_ms, taken_wh, given)


def _blame(plant: ElectricalArrays, names: tuple[str, ...], time_ms: int) -> None:
    """Find the first component whose state is not a number."""
    check_finite("battery power", time_ms, plant.batteries["mean_w"])
    check_finite("battery state of charge", time_ms, plant.batteries["soc"])
    check_finite("charger power", time_ms, plant.station_state["power_w"])
    check_finite("cooling and other steady power", time_ms, plant.loads_w)
    check_finite("branch flow", time_ms, plant.branch_state["flow_w"], names)
