"""How much each part of the power tree may be asked to carry, from nameplates alone.

Two figures a branch: the most that what hangs on it can draw, and the least that control can hold
it to with caps, charger limits and an idle battery. What control cannot reduce counts in full.
"""

from dataclasses import dataclass

import numpy as np

from mallee.core.arrays import NO_INDEX, FloatArray, IntArray
from mallee.core.device_model import DeviceModel
from mallee.kinds import KINDS
from mallee.kinds.cdu import CDU
from mallee.kinds.plant import PLANT_KINDS
from mallee.kinds.power_shelf import POWER_SHELF
from mallee.site.model import DeviceGroup, SiteModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Lowest and highest power of several things, one row each."""

    least_w: FloatArray
    most_w: FloatArray


def device_range(model: DeviceModel) -> tuple[float, float]:
    """Least that control can hold one device to and the most it can draw, in W, by its kind."""
    return KINDS[model.kind].range_w(model)


def rack_range(site: SiteModel) -> Range:
    """What the computers and switches of each rack draw from its busbar.  # (racks,)"""
    count = len(site.racks.names)
    least_w, most_w = np.zeros(count), np.zeros(count)
    for group in site.groups:
        inside = group.rack[group.rack != NO_INDEX]
        members = np.bincount(inside, minlength=count)
        least, most = device_range(group.model)
        least_w += members * least
        most_w += members * most
    return Range(least_w=least_w, most_w=most_w)


def rack_shelves(site: SiteModel) -> FloatArray:
    """Rating of the power shelves of each rack together, in W; 0 without shelves.  # (racks,)"""
    rating_w = np.zeros(len(site.racks.names))
    for group in site.groups_of(POWER_SHELF):
        inside = group.rack[group.rack != NO_INDEX]
        members = np.bincount(inside, minlength=len(rating_w))
        rating_w += members * group.model.parameter_or("rating_w", group.model.power_max_w)
    return rating_w


def branch_range(site: SiteModel, transferred: bool = False) -> Range:
    """What each branch may be asked to carry, losses of power shelves included.  # (branches,)

    Args:
        site: the site model.
        transferred: every device with a standby branch hangs on that one as well, so that a
            branch shows its load after the other one was lost.
    """
    least_w, most_w = np.zeros(len(site.branches)), np.zeros(len(site.branches))

    def add(branch: IntArray, standby: IntArray, least: FloatArray, most: FloatArray) -> None:
        for place in (branch, standby) if transferred else (branch,):
            there = place != NO_INDEX
            np.add.at(least_w, place[there], least[there])
            np.add.at(most_w, place[there], most[there])

    for group in site.groups:
        outside = np.where(group.rack == NO_INDEX, 1.0, 0.0)  # racks are added as a whole
        least, most = device_range(group.model)
        add(group.branch, group.standby_branch, outside * least, outside * most)
    racks, rating_w = rack_range(site), rack_shelves(site)
    loss = _shelf_loss(site)
    add(
        site.racks.branch,
        site.racks.standby_branch,
        racks.least_w + _losses(loss, racks.least_w, rating_w),
        racks.most_w + _losses(loss, racks.most_w, rating_w),
    )
    for index in range(len(site.branches) - 1, -1, -1):  # sources come before what they feed
        branch = site.branches[index]
        sources = (branch.parent, branch.standby) if transferred else (branch.parent,)
        for above in sources:
            if above != NO_INDEX:
                least_w[above] += least_w[index]
                most_w[above] += most_w[index]
    return Range(least_w=least_w, most_w=most_w)


def cdu_heat(site: SiteModel) -> dict[str, tuple[DeviceGroup, float, float]]:
    """By CDU name: its group, and the least and most heat in W that its racks' liquid carries."""
    names, groups = {}, {}
    for group in site.groups_of(CDU):
        for position, name in enumerate(group.names):
            names[group.first_device + position] = name
            groups[name] = group
    least_w = dict.fromkeys(groups, 0.0)
    most_w = dict.fromkeys(groups, 0.0)
    for group in site.groups:
        liquid_frac = group.model.parameter_or("liquid_frac", 0.0)
        least, most = device_range(group.model)
        numbers, members = np.unique(group.cdu[group.cdu != NO_INDEX], return_counts=True)
        for number, count in zip(numbers.tolist(), members.tolist(), strict=True):
            least_w[names[number]] += count * least * liquid_frac
            most_w[names[number]] += count * most * liquid_frac
    return {name: (groups[name], least_w[name], most_w[name]) for name in groups}


def _shelf_loss(site: SiteModel) -> tuple[float, float, float]:
    """Loss curve of the site's first kind of power shelf, as fractions of its rating."""
    for group in site.groups_of(POWER_SHELF):
        names = ("loss_a_pu", "loss_b_pu", "loss_c_pu")
        a, b, c = (group.model.parameter_or(name, 0.0) for name in names)
        return a, b, c
    return 0.0, 0.0, 0.0


def _losses(
    loss: tuple[float, float, float], load_w: FloatArray, rating_w: FloatArray
) -> FloatArray:
    """Conversion loss of racks: rating x (a + b u + c u^2) at the utilisation u."""
    used = load_w / np.maximum(rating_w, 1.0)
    a, b, c = loss
    losses: FloatArray = np.where(rating_w > 0.0, rating_w * (a + b * used + c * used**2), 0.0)
    return losses


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
