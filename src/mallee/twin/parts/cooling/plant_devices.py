"""Chillers, dry coolers, air handlers and pumps of the site file: each on a feed of its own.

Together they are the plant that `plant.py` steps: their ratings make its sizes, and what of them
has voltage and health makes the shares that are in service. The power of each class is carried by
those of it that work, by their ratings. A class that the file does not name is assumed, as in a
site without plant devices.
"""

from collections.abc import Collection
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray, IntArray
from mallee.kinds.plant import AIR_HANDLER, CHILLER, DRY_COOLER, PUMP
from mallee.site.model import DeviceGroup, SiteModel
from mallee.twin.cords import joined_feeds
from mallee.twin.part import Load, Saved
from mallee.twin.shown import Shown

KINDS: Final = (CHILLER.name, DRY_COOLER.name, AIR_HANDLER.name, PUMP.name)
CURVE: Final = "semi-f47"

TRIM, AIR, DRY, HANDLER, PUMPS = range(5)
CLASSES: Final = 5
"""Chillers of the liquid's facility water, chillers of the rooms' chilled water, dry coolers, air
handlers, facility pumps."""

WARM_DEGC: Final = 25.0
"""A chiller that is set above this serves liquid-cooled racks, below it rooms."""

RESTART_S: Final = 180.0
"""From the return of voltage to cooling, where a chiller's model does not say (assumed)."""

SHOWN: Final = np.dtype(
    [
        (name, "f8")
        for name in (
            "power_w", "heat_w", "supply_degc", "return_degc", "load_frac", "fan_speed_frac",
            "speed_frac", "flow_kgps",
        )
    ]
)  # fmt: skip


class PlantDevices:
    """State of all plant devices.

    Attributes:
        names, sort: name, and class of each.  # (devices,)
        rating_w: heat that each takes at design.  # (devices,)
        healthy: 0 while it is tripped; `left_frac` share of it that works.  # (devices,)
        load: what they hang on the power tree.
    """

    def __init__(self, site: SiteModel, has_liquid: bool) -> None:
        self._groups = [group for kind in KINDS for group in site.groups_of(kind)]
        groups = self._groups
        self.names = tuple(name for group in groups for name in group.names)
        count = len(self.names)
        self.sort: IntArray = np.array(
            [_sort(group, has_liquid) for group in groups for _ in group.names], np.int64
        )
        self.rating_w = self._each("rating_w", 0.0)
        self.fan_max_w = self._each("fan_max_w", 0.0)
        self.flow_max_kgps = self._each("flow_max_kgps", 0.0)
        self.power_max_w = np.array([g.model.power_max_w for g in groups for _ in g.names], float)
        self.least_w = np.array([g.model.power_min_w for g in groups for _ in g.names], float)
        self.set_degc = self._each("supply_set_degc", np.nan)
        self._restart_s = np.where(self.sort <= AIR, self._each("restart_s", RESTART_S), 0.0)
        self.healthy, self.left_frac = np.ones(count), np.ones(count)
        self.ready_s = np.zeros(count)
        self._serves = np.zeros((count, max(len(site.pods), 1)), np.bool_)
        at = 0
        for group in groups:
            pods = [n for n, pod in enumerate(site.pods) if not group.serves or pod in group.serves]
            self._serves[at : at + group.count, pods] = True
            at += group.count
        self.load = Load(
            branch=joined_feeds(group.branch for group in groups),
            standby=joined_feeds(group.standby_branch for group in groups),
            curve=CURVE,
            power_w=np.zeros(count),
            powered=np.ones(count, np.bool_),
        )
        self._shown = Shown(groups, SHOWN)

    def _each(self, name: str, otherwise: float) -> FloatArray:
        values = [g.model.parameter_or(name, otherwise) for g in self._groups for _ in g.names]
        return np.array(values, np.float64)

    def has(self, sort: int) -> bool:
        """Whether the site names devices of a class."""
        return bool((self.sort == sort).any())

    def total(self, values: FloatArray, sort: int) -> float:
        """Sum over a class."""
        return float(values[self.sort == sort].sum())

    def step(self, dt_s: float) -> None:
        """Chillers that lost their voltage need time after its return."""
        runs = self.load.powered & (self.healthy > 0.0)
        self.ready_s[:] = np.where(runs, np.maximum(self.ready_s - dt_s, 0.0), self._restart_s)

    def working(self) -> FloatArray:
        """Share of each that works now, 0..1.  # (devices,)"""
        runs = self.load.powered & (self.healthy > 0.0) & (self.ready_s <= 0.0)
        return np.asarray(np.where(runs, self.left_frac, 0.0))

    def share(self, sort: int, working: FloatArray) -> float:
        """Working capacity of a class over all of it; 1 where the site names none."""
        chosen = self.sort == sort
        whole = float(self.rating_w[chosen].sum())
        return float((self.rating_w * working)[chosen].sum()) / whole if whole > 0.0 else 1.0

    def handler_frac(self, design_w: FloatArray, margin: float, working: FloatArray) -> FloatArray:
        """Working air handlers of each pod over `margin` times its design heat.  # (pods,)

        A handler that serves several pods is shared between them by their heat.
        """
        if not self.has(HANDLER):
            return np.ones(len(design_w))
        reach = self._serves * np.where(self.sort == HANDLER, 1.0, 0.0)[:, None] * design_w
        whole = reach.sum(axis=1, keepdims=True)
        part = np.divide(reach, whole, out=np.zeros_like(reach), where=whole > 0.0)
        given_w = (part * (self.rating_w * working)[:, None]).sum(axis=0)
        return np.asarray(given_w / np.maximum(margin * design_w, 1.0))

    def put_power(self, class_w: FloatArray, heat_w: FloatArray) -> None:
        """Spread the power and heat of each class over those of it that work.  # (classes,)"""
        working = self.working()
        able_w = self.rating_w * working
        shown, asleep = self._shown.values, np.where(self.load.powered, self.least_w, 0.0)
        self.load.power_w[:] = asleep
        for sort in range(CLASSES):
            chosen = np.flatnonzero((self.sort == sort) & (able_w > 0.0))
            if len(chosen):
                part = able_w[chosen] / able_w[chosen].sum()
                self.load.power_w[chosen] = np.maximum(part * class_w[sort], asleep[chosen])
                shown["heat_w"][chosen] = part * heat_w[sort]
        idle = able_w <= 0.0
        shown["heat_w"][idle] = 0.0
        shown["power_w"] = np.where(self.load.powered, self.load.power_w, 0.0)
        shown["load_frac"] = shown["heat_w"] / np.maximum(self.rating_w, 1.0)

    def put_state(
        self, supply_degc: FloatArray, return_degc: FloatArray, speed_frac: FloatArray, kgps: float
    ) -> None:
        """Temperatures and speeds of each class, for its devices' points.  # (classes,)"""
        shown, working = self._shown.values, self.working()
        shown["supply_degc"] = supply_degc[self.sort]
        shown["return_degc"] = return_degc[self.sort]
        speed = speed_frac[self.sort] * (working > 0.0)
        shown["fan_speed_frac"] = shown["speed_frac"] = speed
        able = self.flow_max_kgps * working
        shown["flow_kgps"] = kgps * able / max(float(able.sum()), 1e-9)

    def points_of(self, group: DeviceGroup) -> Collection[str]:
        """Points of a group that are shown."""
        return self._shown.points_of(group)

    def show(self, true_points: FloatArray) -> None:
        """Write all values at their rows.  # (points,)"""
        self._shown.put(true_points)

    def arrays(self) -> Saved:
        """Everything that changes."""
        shown: NDArray[np.void] = self._shown.values
        return {
            "plant_healthy": self.healthy,
            "plant_left": self.left_frac,
            "plant_ready_s": self.ready_s,
            "plant_powered": self.load.powered,
            "plant_power_w": self.load.power_w,
            "plant_shown": shown,
        }


def _sort(group: DeviceGroup, has_liquid: bool) -> int:
    if group.kind == CHILLER.name:
        is_warm = group.model.parameter_or("supply_set_degc", WARM_DEGC) >= WARM_DEGC
        return TRIM if is_warm and has_liquid else AIR
    return {DRY_COOLER.name: DRY, AIR_HANDLER.name: HANDLER}.get(group.kind, PUMPS)
