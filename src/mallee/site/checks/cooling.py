"""Cooling: coolant loops, room air, and what rejects the heat outside."""

from collections.abc import Iterator

import numpy as np

from mallee.core.arrays import NO_INDEX
from mallee.kinds.cdu import CDU
from mallee.kinds.node import NODE
from mallee.kinds.plant import AIR_HANDLER, CHILLER, DRY_COOLER
from mallee.site.checks.finding import Finding, several, watts
from mallee.site.loads import Range, rack_heat, serves_air
from mallee.site.model import DeviceGroup, SiteModel

HOT_DAY_DEGC = 40.0
"""A site must work on such a day: near the 0.4 % design dry bulb of Texas and Arizona."""

FACILITY_BELOW_K = 4.5
"""Facility water is colder than the supply of a CDU by its approach of 3..5 K (OCP)."""


def loops(site: SiteModel) -> Iterator[Finding]:
    """CDUs and groups of them against the heat of their racks."""
    liquid, _ = rack_heat(site)
    rated_w = {
        group.first_device + n: group.model.parameter_or("rating_w", 0.0)
        for group in site.groups_of(CDU)
        for n in range(group.count)
    }
    for index, loop in enumerate(site.loops):
        racks = site.racks.loop == index
        least_w, most_w = float(liquid.least_w[racks].sum()), float(liquid.most_w[racks].sum())
        each = sorted(rated_w[cdu] for cdu in loop.cdus if cdu in rated_w)
        if len(each) < len(loop.cdus) or not each:
            continue
        carried_w = sum(each[: len(each) - loop.spare])  # the largest are the ones lost
        if most_w <= carried_w:
            continue
        bad = least_w > carried_w or loop.spare > 0
        remain = f"{len(each) - loop.spare} of {len(each)} CDUs carry {watts(carried_w)}"
        yield Finding(
            level="error" if bad else "warning",
            rule="cdu-short",
            where=loop.name,
            key=loop.place,
            text=(remain if loop.spare else f"rated {watts(carried_w)}")
            + ", but the liquid of its racks brings "
            + f"{watts(least_w if least_w > carried_w else most_w)} "
            + ("even at their lowest cap" if least_w > carried_w else "at full power"),
            hint="add CDUs to the group, or fewer spare ones"
            if loop.spare
            else "spread the racks over more CDUs",
        )


def dry_racks(site: SiteModel) -> Iterator[Finding]:
    """Liquid-cooled computers without a loop."""
    for group in site.groups_of(NODE):
        dry = np.flatnonzero(group.cdu == NO_INDEX)
        if group.model.parameter_or("liquid_frac", 0.0) > 0.0 and len(dry):
            yield Finding(
                level="error",
                rule="no-cdu",
                where=several(group, dry.tolist()),
                key=group.place.rpartition(".")[0],
                text=f"{group.model.model} is liquid cooled, but its rack names no cdu",
                hint="name a CDU, or a cdu_group, of its pod",
                suggest=f'cdu = "{_a_loop(site, group)}"',
            )


def _a_loop(site: SiteModel, group: DeviceGroup) -> str:
    pod = group.names[0].partition("/")[0]
    own = [one.name.partition("/")[2] for one in site.loops if one.name.startswith(f"{pod}/")]
    return own[-1] if own else "cdu1"


def plant(site: SiteModel) -> Iterator[Finding]:
    """Whether heat leaves the site: from rooms, and from facility water on a hot day."""
    liquid, air = rack_heat(site)
    if not len(site.racks.names):
        return
    has_liquid = float(liquid.most_w.sum()) > 0.0
    has_plant = any(g.kind in _PLANT for g in site.groups)
    air_w = float(air.most_w.sum())
    if not has_plant:
        yield Finding(
            level="note" if has_liquid else "warning",
            rule="plant-missing",
            where="site",
            text=f"no chiller, dry_cooler or air_handler for {watts(air_w)} of heat to air"
            + (f" and {watts(float(liquid.most_w.sum()))} to water" if has_liquid else "")
            + ": a plant is assumed at the feed, with no breaker and no failure of its own",
            hint="write the plant down as devices with a feeder of their own",
        )
        return
    yield from _rooms(site, air)
    yield from _air_chillers(site, air_w)
    if has_liquid:
        yield from _facility_water(site, liquid)


_PLANT = (CHILLER.name, DRY_COOLER.name, AIR_HANDLER.name)


def _rooms(site: SiteModel, air: Range) -> Iterator[Finding]:
    """Air handlers of each pod, its own and those that it shares."""
    for index, pod in enumerate(site.pods):
        need_w = float(air.most_w[site.racks.pod == index].sum())
        own = [(g, n) for g in site.groups_of(AIR_HANDLER) for n in g.names if _serves(g, n, pod)]
        each = sorted(g.model.parameter_or("rating_w", 0.0) for g, _ in own)
        yield from _enough(
            each, need_w, f"pod.{pod}", "air handlers", _place(own, AIR_HANDLER.table)
        )


def _air_chillers(site: SiteModel, air_w: float) -> Iterator[Finding]:
    found = [(g, n) for g in site.groups_of(CHILLER) if serves_air(g.model) for n in g.names]
    each = sorted(g.model.parameter_or("rating_w", 0.0) for g, _ in found)
    yield from _enough(
        each, air_w, "chillers", "chillers for room air", _place(found, CHILLER.table)
    )


def _facility_water(site: SiteModel, liquid: Range) -> Iterator[Finding]:
    """Dry coolers, and trim chillers for the days on which these do not reach the set point."""
    need_w = float(liquid.most_w.sum())
    coolers = [(g, n) for g in site.groups_of(DRY_COOLER) for n in g.names]
    trim = [(g, n) for g in site.groups_of(CHILLER) if not serves_air(g.model) for n in g.names]
    dry_w = sorted(g.model.parameter_or("rating_w", 0.0) for g, _ in coolers)
    trim_w = sorted(g.model.parameter_or("rating_w", 0.0) for g, _ in trim)
    warmest_degc = max(g.model.parameter_or("supply_max_degc", 45.0) for g in site.groups_of(CDU))
    water_degc = warmest_degc - FACILITY_BELOW_K
    if sum(trim_w) >= need_w:
        yield from _enough(trim_w, need_w, "chillers", "trim chillers", _place(trim, CHILLER.table))
        return
    if not dry_w:
        yield from _enough(
            trim_w, need_w, "site", "dry coolers and trim chillers", DRY_COOLER.table
        )
        return
    # The approach of a dry cooler falls with its load: below rating it reaches colder water.
    approach_k = coolers[0][0].model.parameter_or("approach_k", 10.0)
    carried_w = need_w - sum(trim_w)
    up_to_degc = water_degc - approach_k * carried_w / sum(dry_w)
    if carried_w > sum(dry_w):
        yield from _enough(dry_w, carried_w, "dry coolers", "dry coolers", _place(coolers, ""))
    elif up_to_degc < HOT_DAY_DEGC:
        yield Finding(
            level="warning",
            rule="hot-day",
            where=DRY_COOLER.table,
            key=_place(coolers, DRY_COOLER.table),
            text=f"dry coolers of {watts(sum(dry_w))} bring {watts(carried_w)} to the "
            f"{water_degc:.1f} degC that the CDUs can work with only up to {up_to_degc:.0f} degC "
            f"outside; above it the computers are held or stop",
            hint="add trim chillers or dry coolers, or accept the loss on hot days",
        )
    elif sum(dry_w) - dry_w[-1] < carried_w:
        yield from _enough(dry_w, carried_w, "dry coolers", "dry coolers", _place(coolers, ""))


def _enough(each: list[float], need_w: float, where: str, what: str, key: str) -> Iterator[Finding]:
    """Together, and with the largest one lost."""
    if need_w <= 0.0:
        return
    total_w = sum(each)
    if total_w < need_w:
        yield Finding(
            level="warning",
            rule="cooling-short",
            where=where,
            key=key,
            text=f"{what} carry {watts(total_w)} of {watts(need_w)} at full power"
            if each
            else f"no {what} for {watts(need_w)} at full power",
            hint="add units, or a larger model",
        )
    elif total_w - each[-1] < need_w:
        yield Finding(
            level="note",
            rule="cooling-without-spare",
            where=where,
            key=key,
            text=f"{what} carry {watts(total_w - each[-1])} of {watts(need_w)} with the largest "
            "one out of service",
        )


def _serves(group: DeviceGroup, name: str, pod: str) -> bool:
    standing, slash, _ = name.rpartition("/")
    if slash:
        return standing == pod
    return not group.serves or pod in group.serves


def _place(found: list[tuple[DeviceGroup, str]], otherwise: str) -> str:
    return found[0][0].place if found else otherwise
