"""Why a request cannot be followed, with the limit that stands against it; else nothing.

A pure question: the console asks it before it files a request, control before it follows one.
"""

import math

import numpy as np

from mallee.control.limits import Limits
from mallee.core.arrays import BoolArray
from mallee.core.request import GRID, Request

CHARGE = "charge_set_w"
MODE = "mode"


def why_not(limits: Limits, request: Request) -> str:
    """Why control cannot follow a request; empty where it does."""
    match request.ask:
        case "bound":
            return _bound(limits, request)
        case "sum":
            return _sum(limits, request)
        case "island":
            return _island(limits)
        case "hold" | "safe-stop":
            loads = limits.places.loads_in(request.subject)
            return "" if loads.any() else f"no node or charger is in {request.subject}"
        case "maintenance":
            devices = limits.places.devices_in(request.subject)
            return "" if devices.any() else f"no device is in {request.subject}"


def of_branch(limits: Limits, subject: str) -> int | None:
    """Position among the metered branches of the one that is meant."""
    if subject == GRID:
        return 0
    names = [limits.branches[branch] for branch in limits.metered]
    return names.index(subject) if subject in names else None


def battery_of(limits: Limits, subject: str, point: str) -> int | None:
    """Position of the battery whose point is meant."""
    paths = [f"{battery.name}/{point}" for battery in limits.batteries]
    return paths.index(subject) if subject in paths else None


def _bound(limits: Limits, request: Request) -> str:
    position = of_branch(limits, request.subject)
    if position is not None:
        return _branch(limits, request, position)
    for point, check in ((CHARGE, _charge), (MODE, _mode)):
        battery = battery_of(limits, request.subject, point)
        if battery is not None:
            return check(limits, request, battery)
    named = limits.places.loads_named(request.subject)
    if named.any():
        return _loads(limits, request, named)
    settings = limits.places.settings_named(request.subject)
    if settings:
        low, high = max(one.low for one in settings), min(one.high for one in settings)
        asked = [end for end in (request.low, request.high) if math.isfinite(end)]
        inside = all(low <= end <= high for end in asked)
        return "" if inside else f"{request.subject} can be set to {low:g}..{high:g}"
    return (
        "it names neither a branch with a meter, nor a limit of a node or charger, "
        "nor a battery's power, nor another set point"
    )


def _branch(limits: Limits, request: Request, position: int) -> str:
    if math.isfinite(request.low):
        return "only upper bounds of a branch can be kept"
    if request.high < 0.0:
        return "the import limit cannot be below 0"
    contract_w = float(limits.contract_w[position])
    if request.high > contract_w:
        return f"it is limited to {contract_w:g} W already, and a request only narrows"
    return ""


def _loads(limits: Limits, request: Request, named: BoolArray) -> str:
    if math.isfinite(request.low):
        return "only upper bounds of a load can be kept"
    loads = limits.budget.loads
    least_w, most_w = float(loads.least_w[named].min()), float(loads.most_w[named].max())
    if not least_w <= request.high <= most_w:
        return f"{request.subject} can be set to {least_w:g}..{most_w:g} W"
    return ""


def _sum(limits: Limits, request: Request) -> str:
    named = limits.places.loads_in(request.subject)
    if not named.any():
        return f"no node or charger is in {request.subject}"
    if math.isfinite(request.low):
        return "only upper bounds of loads can be kept"
    loads = limits.budget.loads
    least_w, most_w = float(loads.least_w[named].sum()), float(loads.most_w[named].sum())
    if not least_w <= request.high <= most_w:
        return (
            f"the {int(named.sum())} loads of {request.subject} can be held to "
            f"{least_w:g}..{most_w:g} W together"
        )
    return ""


def _charge(limits: Limits, request: Request, position: int) -> str:
    battery = limits.batteries[position]
    if not (battery.smooths or battery.takes_set_point):
        return f"{battery.name} takes no power from outside"
    low_w, high_w = -battery.discharge_max_w, battery.charge_max_w
    asked = [end for end in (request.low, request.high) if math.isfinite(end)]
    if not all(low_w <= end <= high_w for end in asked):
        return f"{battery.name} can be asked for {low_w:g}..{high_w:g} W of charge"
    return ""


def _mode(limits: Limits, request: Request, position: int) -> str:
    battery = limits.batteries[position]
    if not (battery.smooths and battery.takes_set_point):
        return f"{battery.name} has one way to work only"
    if request.low != request.high or request.low not in (1.0, 2.0):
        return f"{battery.name}/mode can be set to 1 (set point) or 2 (its own, at the meter)"
    return ""


def _island(limits: Limits) -> str:
    """Whether batteries alone can carry what cannot be switched off."""
    loads, feeds = limits.budget.loads, limits.metered[: limits.feeds]
    least_w = float((loads.least_w * loads.factor).sum())
    least_w += float(np.sum(limits.budget.fixed_w[feeds]))
    given_w = sum(battery.discharge_max_w for battery in limits.batteries)
    if given_w < least_w:
        return f"the site draws at least {least_w:g} W and its batteries give {given_w:g} W"
    return ""
