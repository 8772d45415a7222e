"""Limits of feeds, transformers and breakers: shared by all loads below them, fairly.

    limit - what flows beside the steerable loads - trim + what batteries have proved
    |<- all at their lowest ->|<- all at their floor ->|<- by priority and policy ->|

Chargers that want more come first, or nodes do, or both alike; what neither wants is left standing
with empty chargers, so that the first car of the day finds power.
"""

from collections.abc import Iterator

import numpy as np

from mallee.control.bounds import Bounds, Reason
from mallee.control.scene import Scene
from mallee.control.why import Why, batteries_named, kilowatts, work_lost
from mallee.core.arrays import BoolArray, FloatArray
from mallee.site.allocation import allocate

NAME = "capacity"


def narrow(scene: Scene, bounds: Bounds) -> Bounds:
    """What every load may draw inside the limits of all branches above it."""
    budget = scene.limits.budget
    loads = budget.loads
    levels = [level * loads.factor for level in _levels(scene, bounds)]
    found = allocate(budget.tree, scene.capacity_w, loads.branch, levels)
    branches = tuple(Reason(NAME, name) for name in scene.limits.branches)
    return bounds.at_most_each(
        found.power_w / loads.factor, np.maximum(found.bound_by, 0), branches
    )


def _levels(scene: Scene, bounds: Bounds) -> Iterator[FloatArray]:
    """What each load wants, level by level, at the device."""
    loads, view = scene.limits.budget.loads, scene.loads
    level = np.minimum(np.where(scene.pinned, view.may_w, loads.least_w), bounds.high_w)
    yield level
    level = np.clip(loads.floor_w, level, bounds.high_w)
    yield level
    wants_w = np.clip(view.wants_w, level, bounds.high_w)
    for priority in sorted(set(loads.priority.tolist()), reverse=True):
        same = loads.priority == priority
        for who in _classes(scene, loads.is_charger):
            level = np.where(same & who, np.maximum(level, wants_w), level)
            yield level
    yield np.maximum(level, bounds.high_w)


def _classes(scene: Scene, is_charger: BoolArray) -> tuple[BoolArray, ...]:
    policy = scene.limits.policy
    if policy == "shared":
        return (np.ones(len(is_charger), bool),)
    return (is_charger, ~is_charger) if policy == "chargers-first" else (~is_charger, is_charger)


def explain(scene: Scene, bounds: Bounds) -> Why | None:
    """Which limit holds nodes back, where, and what it costs."""
    loads = scene.limits.budget.loads
    mine = bounds.bound_by(NAME) & ~loads.is_charger
    if not mine.any():
        return None
    places = [bounds.reasons[position].place for position in bounds.by[mine].tolist()]
    place = max(set(places), key=places.count)
    capped_w = float((bounds.high_w * loads.factor)[~loads.is_charger].sum())
    chargers_w = float((scene.loads.power_w * loads.factor)[loads.is_charger].sum())
    given = sum(scene.support_w)
    feeds = [scene.limits.branches[b] for b in scene.limits.metered[: scene.limits.feeds]]
    if place in feeds:
        aim = scene.aims[feeds.index(place)]
        beside = [f"chargers draw {kilowatts(chargers_w)}"] if loads.is_charger.any() else []
        named = batteries_named(scene.view)
        if named:
            beside.append(f"{named} can add {kilowatts(given)}")
        because = " and ".join(beside) + ", so" if beside else "so"
        binding = "battery energy" if named else aim.name
        text = (
            f"Import {kilowatts(scene.import_w)} of {kilowatts(aim.shown_w)}; {because} the pods "
            f"are held to {kilowatts(capped_w)}, {work_lost(scene, bounds)} of the work lost."
        )
        return Why(binding, "node caps", text)
    branch = scene.limits.branches.index(place)
    rating_w = float(scene.limits.budget.limit_w[branch])
    text = (
        f"{place} carries at most {kilowatts(rating_w)}, {kilowatts(float(scene.other_w[branch]))} "
        f"of it beside the nodes; its nodes are held back, {work_lost(scene, bounds)} of the "
        "work lost."
    )
    return Why(f"rating of {place}", "node caps", text)
