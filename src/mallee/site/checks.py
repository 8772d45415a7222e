"""What is wrong or worth knowing about a site that can be built: the findings of `mallee check`.

`error` is what cannot work or cannot be kept safe, `warning` what is probably not meant, `note`
what control has to do because the hardware alone does not. All figures come from nameplates.
"""

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from itertools import combinations
from typing import Literal

import msgspec
import numpy as np

from mallee.core.arrays import NO_INDEX, FloatArray
from mallee.core.units import SECONDS_PER_HOUR
from mallee.site.contract import DemandWindow
from mallee.site.loads import branch_range, cdu_heat, rack_range, rack_shelves
from mallee.site.model import DeviceGroup, SiteModel

Level = Literal["error", "warning", "note"]
_ORDER = {"error": 0, "warning": 1, "note": 2}
_MINUTES_A_DAY = 24 * 60
_WAYS = ("charge", "discharge")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing found: how bad, where in the site, what, and what would be right."""

    level: Level
    where: str
    text: str
    hint: str = ""


def check_site(site: SiteModel) -> list[Finding]:
    """All findings, worst first."""
    checks = (
        _branches(site),
        _breakers_above(site),
        _shelves(site),
        _cooling(site),
        _swing(site),
        _windows(site),
        _charge_window(site),
        _addresses_missing(site),
        _addresses_twice(site),
    )
    found = [finding for check in checks for finding in check]
    return sorted(found, key=lambda finding: _ORDER[finding.level])


def watts(power_w: float) -> str:
    """A power as people read it, three digits."""
    for size, unit in ((1e6, "MW"), (1e3, "kW")):
        if abs(power_w) >= size:
            return f"{power_w / size:.3g} {unit}" if power_w < 1e9 else f"{power_w / 1e6:.0f} MW"
    return f"{power_w:.0f} W"


def _branches(site: SiteModel) -> Iterator[Finding]:
    """Ratings against the loads below, in normal feed and after a transfer."""
    load, moved = branch_range(site), branch_range(site, transferred=True)
    used = {branch.parent for branch in site.branches}
    used.update(int(index) for g in site.groups for index in (*g.branch, *g.standby_branch))
    for index, branch in enumerate(site.branches):
        where = f"{branch.kind}.{branch.name}" if index else "grid.import_max_w"
        rating = f"rating {watts(branch.rating_w)}" if index else f"limit {watts(branch.rating_w)}"
        least_w, most_w = float(load.least_w[index]), float(load.most_w[index])
        if index and index not in used:
            yield Finding(level="note", where=where, text="feeds nothing")
        if least_w > branch.rating_w:
            yield Finding(
                level="error",
                where=where,
                text=f"carries at least {watts(least_w)} even with every cap at its lowest, "
                f"above its {rating}",
                hint="feed less from it, or raise the rating if the hardware has it",
            )
        elif most_w > branch.rating_w:
            yield Finding(
                level="note",
                where=where,
                text=f"may be asked for {watts(most_w)}, above its {rating}: control holds it, "
                f"and can go down to {watts(least_w)}",
            )
        if least_w <= branch.rating_w < float(moved.least_w[index]):
            yield Finding(
                level="warning",
                where=where,
                text=f"carries at least {watts(float(moved.least_w[index]))} after a transfer, "
                f"above its {rating}",
                hint="the standby feed works only if nodes are switched off",
            )


def _breakers_above(site: SiteModel) -> Iterator[Finding]:
    """Devices that hang on nothing, or on the grid connection itself."""
    for group in site.groups:
        if group.kind == "meter":
            continue
        places: tuple[tuple[Level, int, str], ...] = (
            ("error", NO_INDEX, "on no branch"),
            ("warning", 0, "directly on the grid connection, with no breaker above"),
        )
        for level, index, text in places:
            there = np.flatnonzero(group.branch == index)
            if len(there):
                yield Finding(
                    level=level,
                    where=_several(group, there.tolist()),
                    text=text,
                    hint="set fed_by to the breaker or transformer above it",
                )


def _shelves(site: SiteModel) -> Iterator[Finding]:
    """Power shelves against what their rack draws."""
    load, rating_w = rack_range(site), rack_shelves(site)
    cases: tuple[tuple[Level, FloatArray, str], ...] = (
        ("error", load.least_w, "even at their lowest cap"),
        ("warning", load.most_w, "at full power"),
    )
    for level, power_w, text in cases:
        short = np.flatnonzero((rating_w > 0.0) & (power_w > rating_w))
        if len(short):
            first = int(short[0])
            yield Finding(
                level=level,
                where=_names([site.racks.names[rack] for rack in short]),
                text=f"power shelves of {watts(rating_w[first])} for computers and switches that "
                f"draw {watts(power_w[first])} {text}",
                hint="add power_shelves, or take a larger model",
            )
            return


def _cooling(site: SiteModel) -> Iterator[Finding]:
    """CDUs against the heat of their racks, and liquid-cooled racks without a CDU."""
    for name, (group, least_w, most_w) in cdu_heat(site).items():
        rating_w = group.model.parameter("rating_w")
        if most_w > rating_w:
            bad = least_w > rating_w
            yield Finding(
                level="error" if bad else "warning",
                where=name,
                text=f"rated {watts(rating_w)}, but the liquid of its racks brings "
                f"{watts(least_w if bad else most_w)} "
                + ("even at their lowest cap" if bad else "at full power"),
                hint="spread the racks over more CDUs",
            )
    for group in site.groups_of("node"):
        liquid = group.model.physics.get("liquid_frac")
        dry = np.flatnonzero(group.cdu == NO_INDEX)
        if liquid is not None and liquid.value > 0.0 and len(dry):
            yield Finding(
                level="error",
                where=_several(group, dry.tolist()),
                text=f"{group.model.model} is liquid cooled, but its rack names no cdu",
                hint='give the rack a cdu = "..." of its pod',
            )


def _swing(site: SiteModel) -> Iterator[Finding]:
    """Batteries against the swing that a job's end makes: power, and energy to the ramp limit."""
    grid, control = site.grid, site.file.control
    nodes = list(site.groups_of("node"))
    swing_w = sum(g.count * (g.model.power_max_w - g.model.power_min_w) for g in nodes)
    if swing_w <= 0.0:
        return
    batteries = list(site.groups_of("battery"))
    text = f"nodes can drop or rise by {watts(swing_w)} at once"
    if not batteries:
        limit_w_per_s = min(grid.ramp_up_w_per_s, grid.ramp_down_w_per_s)
        if swing_w > limit_w_per_s * 1.0:  # what one second allows
            yield Finding(
                level="warning",
                where="battery",
                text=f"none, while {text} and import may change by {watts(limit_w_per_s)} a second",
                hint="caps alone are too slow for the ramp limits; add a battery",
            )
        return
    rated = [(d, sum(g.count * g.model.parameter(f"{d}_max_w") for g in batteries)) for d in _WAYS]
    way, power_w = min(rated, key=lambda pair: pair[1])
    if power_w < swing_w:
        yield Finding(
            level="warning",
            where="battery",
            text=f"batteries {way} with at most {watts(power_w)}, but {text}",
            hint="ramp limits hold only if jobs are kept from swinging together",
        )
        return
    energy_wh = sum(g.count * g.model.parameter("energy_wh") for g in batteries)
    ramps = (grid.ramp_down_w_per_s, grid.ramp_up_w_per_s)
    rooms = (control.soc_max - control.soc_target, control.soc_target - control.soc_min)
    for way, ramp_w_per_s, room_frac in zip(_WAYS, ramps, rooms, strict=True):
        # A step that the meter follows at the ramp limit leaves a triangle to the battery.
        step_wh = swing_w**2 / (2.0 * ramp_w_per_s) / SECONDS_PER_HOUR
        room_wh = room_frac * energy_wh
        if step_wh > room_wh:
            yield Finding(
                level="warning",
                where="control.soc_target",
                text=f"leaves {watts(room_wh)}h to {way}, but following such a step at the "
                f"ramp limit takes {watts(step_wh)}h",
                hint="move soc_target, or widen soc_min and soc_max",
            )


def _windows(site: SiteModel) -> Iterator[Finding]:
    """Demand windows: empty, overlapping, or with a target that cannot be met."""
    grid = site.grid
    least_w = float(branch_range(site).least_w[0])
    for window in grid.demand_windows:
        where = f"grid.demand_windows.{window.name}"
        if window.from_time == window.until_time:
            hint = "a whole day is from 00:00 until 23:59"
            yield Finding(level="error", where=where, text="ends when it begins", hint=hint)
        if 0.0 < window.target_w < least_w:
            yield Finding(
                level="warning",
                where=where,
                text=f"target {watts(window.target_w)} is below the {watts(least_w)} that "
                "control can go down to",
            )
        if window.target_w > grid.import_max_w:
            text = f"target {watts(window.target_w)} is above import_max_w and changes nothing"
            yield Finding(level="warning", where=where, text=text)
    for one, other in combinations(grid.demand_windows, 2):
        if _minutes(one) & _minutes(other):
            yield Finding(
                level="warning",
                where=f"grid.demand_windows.{other.name}",
                text=f"overlaps {one.name!r} ({one.from_time} to {one.until_time})",
                hint="in the common hours the lower target holds",
            )


def _minutes(window: DemandWindow) -> set[int]:
    """Minutes of the day that a window covers; it may run over midnight."""
    first, end = (
        int(text[:2]) * 60 + int(text[3:]) for text in (window.from_time, window.until_time)
    )
    length = (end - first) % _MINUTES_A_DAY
    return {(first + minute) % _MINUTES_A_DAY for minute in range(length)}


def _charge_window(site: SiteModel) -> Iterator[Finding]:
    """Order of the state-of-charge settings."""
    control, twin = site.file.control, site.file.twin
    window = f"{control.soc_min:g} to {control.soc_max:g}"
    if control.soc_min >= control.soc_max:
        text = f"soc_min {control.soc_min:g} is not below soc_max {control.soc_max:g}"
        yield Finding(level="error", where="control", text=text)
    elif not control.soc_min <= control.soc_target <= control.soc_max:
        text = f"soc_target {control.soc_target:g} is outside the window {window}"
        yield Finding(level="error", where="control", text=text)
    elif twin is not None and not control.soc_min <= twin.soc_start <= control.soc_max:
        text = f"the simulation starts at {twin.soc_start:g}, outside the window {window}"
        yield Finding(level="warning", where="twin.soc_start", text=text)


def _addresses_missing(site: SiteModel) -> Iterator[Finding]:
    """On a real site every protocol of a device needs an address; a charger dials in by itself."""
    if site.file.twin is not None:
        return
    for group in site.groups:
        wanted = [name for name in group.model.protocol if name != "ocpp"]
        missing = [name for name in wanted if name not in group.addresses]
        if missing:
            yield Finding(
                level="error" if missing == wanted else "warning",
                where=_several(group, range(group.count)),
                text=f"no address for {' and '.join(missing)}",
                hint='give address = "host:port", or add [twin] to simulate the site',
            )
        if "redfish" in group.addresses and not group.credentials:
            yield Finding(
                level="warning",
                where=_several(group, range(group.count)),
                text="names no credentials, and Redfish services want a login",
                hint='give credentials = "name" of a login in the secrets file',
            )


def _addresses_twice(site: SiteModel) -> Iterator[Finding]:
    """Addresses that are none; two devices, or two protocols, behind one."""
    seen: dict[str, str] = {}
    for group in site.groups:
        for protocol, addresses in group.addresses.items():
            if protocol == "ocpp":
                continue
            port = group.model.protocol[protocol].port
            for name, address in zip(group.names, addresses, strict=True):
                # An IPv6 address holds colons of its own; with a port it stands in brackets.
                bare = "]:" not in address and (address.count(":") != 1)
                place = f"{address}:{port}" if bare else address
                if not _is_place(place):
                    yield Finding(
                        level="error",
                        where=name,
                        text=f"{address!r} is no address",
                        hint=f'write "host:port", such as "10.0.0.5:{port}"',
                    )
                elif place in seen:
                    yield Finding(
                        level="error",
                        where=name,
                        text=f"has the address {place} of {seen[place]}",
                        hint="use {n}, {rack} and {pod} to count addresses up",
                    )
                seen.setdefault(place, name)


def _is_place(place: str) -> bool:
    host, _, port = place.rpartition(":")
    if not (host and port.isdigit() and 0 < int(port) < 65536):
        return False
    if ":" not in host:
        return not re.search(r"[\s/]", host)
    try:
        return ip_address(host.strip("[]")).version == 6
    except ValueError:
        return False


def _several(group: DeviceGroup, positions: Iterable[int]) -> str:
    return _names([group.names[position] for position in positions])


def _names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
