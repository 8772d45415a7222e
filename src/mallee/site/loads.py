"""What single devices, racks and coolant loops may draw and give off, from nameplates alone."""

from dataclasses import dataclass

import numpy as np

from mallee.core.arrays import NO_INDEX, FloatArray
from mallee.core.device_model import DeviceModel
from mallee.kinds import KINDS
from mallee.kinds.cdu import CDU
from mallee.kinds.plant import AIR_HANDLER, CHILLER, DRY_COOLER, PLANT_KINDS, PUMP
from mallee.kinds.power_shelf import POWER_SHELF
from mallee.site.model import DeviceGroup, SiteModel

ROOM_WATER_MAX_DEGC = 25.0
"""A chiller that supplies colder water serves room air; a warmer one trims facility water."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Lowest and highest power of several things, one row each."""

    least_w: FloatArray
    most_w: FloatArray


def device_range(model: DeviceModel) -> tuple[float, float]:
    """Least that control can hold one device to and the most it can draw, in W, by its kind."""
    return KINDS[model.kind].range_w(model)


def can_be_held(model: DeviceModel) -> bool:
    """Whether control can reduce what a device draws."""
    least_w, most_w = device_range(model)
    return least_w < most_w


def rack_range(site: SiteModel) -> Range:
    """What the computers and switches of each rack draw from its busbar.  # (racks,)"""
    count = len(site.racks.names)
    least_w, most_w = np.zeros(count), np.zeros(count)
    for group in site.groups:
        members = members_of_racks(group, count)
        least, most = device_range(group.model)
        least_w += members * least
        most_w += members * most
    return Range(least_w=least_w, most_w=most_w)


def members_of_racks(group: DeviceGroup, racks: int) -> FloatArray:
    """How many devices of a group stand in each rack.  # (racks,)"""
    inside = group.rack[group.rack != NO_INDEX]
    return np.bincount(inside, minlength=racks).astype(np.float64)


def rack_shelves(site: SiteModel) -> FloatArray:
    """Rating of the power shelves of each rack together, in W; 0 without shelves.  # (racks,)"""
    rating_w = np.zeros(len(site.racks.names))
    for group in site.groups_of(POWER_SHELF):
        members = members_of_racks(group, len(rating_w))
        rating_w += members * group.model.parameter_or("rating_w", group.model.power_max_w)
    return rating_w


def shelf_losses(site: SiteModel, load_w: FloatArray, rating_w: FloatArray) -> FloatArray:
    """Conversion loss of racks: rating x (a + b u + c u^2) at the utilisation u.  # (racks,)

    The curve is that of the site's first model of shelf.
    """
    a, b, c = next((loss_curve(g.model) for g in site.groups_of(POWER_SHELF)), (0.0, 0.0, 0.0))
    used = load_w / np.maximum(rating_w, 1.0)
    losses: FloatArray = np.where(rating_w > 0.0, rating_w * (a + b * used + c * used**2), 0.0)
    return losses


def loss_curve(model: DeviceModel) -> tuple[float, float, float]:
    """Constant, linear and quadratic loss of what passes power on, over its rating."""
    a, b, c = (model.parameter_or(f"loss_{letter}_pu", 0.0) for letter in "abc")
    return a, b, c


def rack_heat(site: SiteModel) -> tuple[Range, Range]:
    """Heat of each rack that its liquid takes, and that the room's air takes.  # (racks,) each"""
    count = len(site.racks.names)
    liquid_least, liquid_most = np.zeros(count), np.zeros(count)
    wet = site.racks.loop != NO_INDEX
    for group in site.groups:
        share = np.where(wet, group.model.parameter_or("liquid_frac", 0.0), 0.0)
        members = members_of_racks(group, count) * share
        least, most = device_range(group.model)
        liquid_least += members * least
        liquid_most += members * most
    total, rating_w = rack_range(site), rack_shelves(site)
    losses = shelf_losses(site, total.most_w, rating_w)
    liquid = Range(least_w=liquid_least, most_w=liquid_most)
    air = Range(least_w=total.least_w - liquid_least, most_w=total.most_w + losses - liquid_most)
    return liquid, air


def plant_shares(site: SiteModel) -> dict[int, float]:
    """By first device of a group of plant: the share of its nameplate that full heat asks for.

    Plant is built with spare units; what all of them could draw together is never asked for.
    """
    liquid, air = rack_heat(site)
    liquid_w, air_w = float(liquid.most_w.sum()), float(air.most_w.sum())
    asked = {
        (DRY_COOLER.name, False): liquid_w,
        (CHILLER.name, False): liquid_w,
        (CHILLER.name, True): air_w,
        (AIR_HANDLER.name, True): air_w,
        (PUMP.name, False): liquid_w + air_w,
    }
    rated: dict[tuple[str, bool], float] = dict.fromkeys(asked, 0.0)
    found = [(group, (group.kind, serves_air(group.model))) for group in site.groups]
    for group, key in found:
        if key in rated:
            rated[key] += group.count * group.model.parameter_or("rating_w", 0.0)
    return {
        group.first_device: min(1.0, asked[key] / rated[key])
        for group, key in found
        if rated.get(key, 0.0) > 0.0
    }


def serves_air(model: DeviceModel) -> bool:
    """Whether a plant device takes the heat of room air, not that of facility water."""
    if model.kind == AIR_HANDLER.name:
        return True
    is_chiller = model.kind == CHILLER.name
    return is_chiller and model.parameter_or("supply_set_degc", 0.0) <= ROOM_WATER_MAX_DEGC


PLANT_MAX_FRAC = {"liquid": 0.25, "air": 0.40}
"""Most that a cooling plant draws for each watt of IT heat on the hottest day, where the site file
names no plant: chilled water in liquid-cooled halls, chillers and air handlers in air-cooled ones
(assumed; the twin reaches 0.17 and 0.30 at 40 degC)."""

LOSS_MAX_FRAC = 0.03
"""Most that transformers and cables between a utility feed and its loads lose, of the feed's limit
(assumed: 1.05 % of a transformer at rating, 0.5 % a cable, three levels)."""


def assumed_plant_w(site: SiteModel) -> FloatArray:
    """Bound of the cooling plant that the file does not name, by the branch it is assumed on.

    It hangs where the CDUs of a pod hang, and at the first utility feed where a pod is cooled by
    air. Pods that a named plant device serves have none.

    Returns:
        W at each branch directly; zeros where every pod's plant is named.  # (branches,)
    """
    bound_w = np.zeros(len(site.branches))
    plants = [group for group in site.groups if KINDS[group.kind].name in PLANT_KINDS]
    if any(not group.serves for group in plants):
        return bound_w
    served = {pod for group in plants for pod in group.serves}
    racks = rack_range(site)
    cdus = {
        group.first_device + position: int(branch)
        for group in site.groups_of(CDU)
        for position, branch in enumerate(group.branch.tolist())
    }
    for rack, pod in enumerate(site.racks.pod.tolist()):
        if site.pods[pod] in served:
            continue
        cdu = int(site.racks.cdu[rack])
        way = "air" if cdu == NO_INDEX else "liquid"
        at = int(site.feed_branches[0]) if cdu == NO_INDEX else cdus[cdu]
        bound_w[at] += PLANT_MAX_FRAC[way] * racks.most_w[rack]
    return bound_w
