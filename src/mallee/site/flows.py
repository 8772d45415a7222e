"""How much each branch may be asked to carry, and what its rating leaves to the computers.

Worked from the leaves to the feeds: what a branch cannot carry is taken from the computers below
it first, then from what else control can hold (chargers, charging batteries), so that what a branch
asks of the one above is what can really come. A bottleneck is found once, where it is.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from mallee.core.arrays import NO_INDEX, FloatArray, IntArray
from mallee.kinds import KINDS
from mallee.site.loads import (
    can_be_held,
    device_range,
    loss_curve,
    plant_shares,
    rack_range,
    rack_shelves,
    shelf_losses,
)
from mallee.site.model import SiteModel
from mallee.site.switchgear import Transformer


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """Worst case of every branch, from nameplates.  # (branches,) each

    Attributes:
        alive: whether it has a source.
        source: the branch that feeds it now, `NO_INDEX` for none.
        fixed_w: what control cannot reduce, losses included.
        racks_least_w, racks_most_w: racks with their losses, at their lowest caps and at full power
            as far as the branches below carry it.
        others_w: what else may be drawn and can be held: chargers, charging batteries.
        others_least_w: what they draw when held.
        racks_full_w: racks at full power, whatever the branches below carry.
        share: fraction of the racks' full power that the branch leaves them, 0..1.
        direct_w: what asks of it before its own rating holds it: fixed, racks, and others.
    """

    alive: np.ndarray
    source: IntArray
    fixed_w: FloatArray
    racks_least_w: FloatArray
    racks_most_w: FloatArray
    others_w: FloatArray
    others_least_w: FloatArray
    racks_full_w: FloatArray
    share: FloatArray
    direct_w: FloatArray

    @property
    def least_w(self) -> FloatArray:
        """What remains with every cap at its lowest and everything else held."""
        return self.fixed_w + self.racks_least_w + self.others_least_w


def flows_of(site: SiteModel, dead: Collection[int] = ()) -> Flows:
    """Worst-case flows of a site.

    Args:
        site: the site model.
        dead: branches that are lost; what has a second source hangs on that one.
    """
    alive, source = _sources(site, dead)
    count = len(site.branches)
    fixed, racks_least, racks_most = np.zeros(count), np.zeros(count), np.zeros(count)
    others, others_least = np.zeros(count), np.zeros(count)
    full, share, direct = np.zeros(count), np.ones(count), np.zeros(count)
    _add_devices(site, alive, (fixed, others_least, others))
    rack_fixed, least, most = _racks(site)
    place = _now_on(site.racks.branch, site.racks.standby_branch, alive)
    there = place != NO_INDEX
    for target, value in (
        (fixed, rack_fixed),
        (racks_least, least),
        (racks_most, most),
        (full, most),
    ):
        np.add.at(target, place[there], value[there])
    for index in range(count - 1, -1, -1):  # sources come before what they feed
        asked = fixed[index] + racks_most[index] + others_least[index]
        fixed[index] += _own_loss(site, index, asked)
        direct[index] = fixed[index] + racks_most[index] + others[index]
        rating = site.branches[index].rating_w
        held = rating - fixed[index] - others_least[index]
        if racks_most[index] > held:
            racks_most[index] = max(held, racks_least[index])
            share[index] = racks_most[index] / full[index] if full[index] > 0.0 else 1.0
        room = rating - fixed[index] - racks_least[index]
        others[index] = max(min(others[index], room), others_least[index])
        above = source[index]
        if above != NO_INDEX:
            for column in (fixed, racks_least, racks_most, others, others_least, full):
                column[above] += column[index]
    return Flows(
        alive=alive,
        source=source,
        fixed_w=fixed,
        racks_least_w=racks_least,
        racks_most_w=racks_most,
        others_w=others,
        others_least_w=others_least,
        racks_full_w=full,
        share=share,
        direct_w=direct,
    )


def _sources(site: SiteModel, dead: Collection[int]) -> tuple[np.ndarray, IntArray]:
    """Which branches have voltage, and from where, once some are lost."""
    alive = np.zeros(len(site.branches), bool)
    source = np.full(len(site.branches), NO_INDEX)
    for index, branch in enumerate(site.branches):
        if index in dead:
            continue
        if branch.parent == NO_INDEX:
            alive[index] = True
            continue
        for above in (branch.parent, branch.standby):
            if above != NO_INDEX and alive[above]:
                alive[index], source[index] = True, above
                break
    return alive, source


def _now_on(branch: IntArray, standby: IntArray, alive: np.ndarray) -> IntArray:
    """The branch that each device hangs on now; `NO_INDEX` for one without supply."""
    second = (standby != NO_INDEX) & alive[standby]
    return np.where(alive[branch], branch, np.where(second, standby, NO_INDEX))


def _add_devices(
    site: SiteModel, alive: np.ndarray, columns: tuple[FloatArray, FloatArray, FloatArray]
) -> None:
    """Devices outside racks: what they draw for good, what they draw when held, and at most."""
    fixed, others_least, others = columns
    shares = plant_shares(site)
    for group in site.groups:
        least, most = device_range(group.model)
        outside = group.rack == NO_INDEX
        if most <= 0.0 or not outside.any():
            continue
        place = _now_on(group.branch, group.standby_branch, alive)[outside]
        place = place[place != NO_INDEX]
        if can_be_held(group.model):
            np.add.at(others_least, place, least)
            np.add.at(others, place, most)
        else:
            np.add.at(fixed, place, most * shares.get(group.first_device, 1.0))


def _racks(site: SiteModel) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Of each rack: what cannot be capped, and its computers at least and at most, with losses."""
    total, rating_w = rack_range(site), rack_shelves(site)
    count = len(rating_w)
    fixed = np.zeros(count)
    for group in site.groups:
        if KINDS[group.kind].is_fixed and (group.rack != NO_INDEX).any():
            inside = np.bincount(group.rack[group.rack != NO_INDEX], minlength=count)
            fixed += inside * device_range(group.model)[1]
    least = total.least_w + shelf_losses(site, total.least_w, rating_w) - fixed
    most = total.most_w + shelf_losses(site, total.most_w, rating_w) - fixed
    return fixed, least, most


def _own_loss(site: SiteModel, index: int, load_w: float) -> float:
    """What a branch itself takes: windings, rectifiers, inverters; 0 for breakers and busbars."""
    branch = site.branches[index]
    entry = branch.entry
    if not np.isfinite(branch.rating_w) or branch.rating_w <= 0.0:
        return 0.0
    if isinstance(entry, Transformer):
        used = load_w / entry.rating_va
        return entry.rating_va * (entry.no_load_loss_frac + entry.load_loss_frac * used**2)
    if branch.device == NO_INDEX:
        return 0.0
    a, b, c = loss_curve(site.model_of(branch.device))
    used = load_w / branch.rating_w
    return branch.rating_w * (a + b * used + c * used**2)
