"""Where the cooling hangs on the power tree: CDUs and plant devices on their own feeds.

What a site file does not name is assumed all the same, for heat has to go. Its power is on no
device's breaker: the CDUs carry it in equal shares, and where there are none it hangs on the
utility feed.
"""

from typing import Final

import numpy as np

from mallee.core.arrays import NO_INDEX, BoolArray, FloatArray
from mallee.site.model import SiteModel
from mallee.twin.cords import joined_feeds
from mallee.twin.part import Load
from mallee.twin.parts.cooling.design import CoolingDesign
from mallee.twin.parts.cooling.plant import CLASS_W, PLANT_W
from mallee.twin.parts.cooling.plant_devices import CLASSES, PlantDevices

CURVE: Final = "semi-f47"


class CoolingLoads:
    """The loads of a site's cooling: its CDUs, its plant devices, and what is assumed.

    Args:
        powered: of each CDU, to be written by the power chain.  # (cdus,)
    """

    def __init__(
        self, site: SiteModel, design: CoolingDesign, devices: PlantDevices, powered: BoolArray
    ) -> None:
        self._devices = devices
        self._named = np.array([devices.has(sort) for sort in range(CLASSES)])
        self._cdus, count = len(powered), len(powered)
        if design.groups:
            branch = joined_feeds(group.branch for group in design.groups)
            standby = joined_feeds(group.standby_branch for group in design.groups)
        else:
            # Air alone: an assumed plant hangs on the utility feed, on no breaker of the racks.
            count = int(len(site.racks.names) > 0)
            branch, standby = np.zeros(count, np.int64), np.full(count, NO_INDEX)
            powered = np.ones(count, np.bool_)
        self._main = Load(
            branch=branch, standby=standby, curve=CURVE, power_w=np.zeros(count), powered=powered
        )

    @property
    def all(self) -> tuple[Load, ...]:
        """CDUs or the assumed plant first, then the plant devices."""
        return (self._main, self._devices.load)

    def share(self, cdu_w: FloatArray, result: FloatArray, heat_w: FloatArray) -> None:
        """Give every load its part of the plant's power, and every CDU its own.

        Args:
            cdu_w: of each CDU.  # (cdus,)
            result: what the plant did last (see `plant.py`).
            heat_w: that each class of plant devices took.  # (classes,)
        """
        plant_w = float(result[PLANT_W])
        if self._named.any():
            class_w = result[CLASS_W : CLASS_W + CLASSES]
            self._devices.put_power(class_w, heat_w)
            plant_w = float(class_w[~self._named].sum())
        power_w, count = self._main.power_w, len(self._main.power_w)
        if not count:
            return
        power_w[:] = (1.0 / count) * plant_w
        if self._cdus:
            np.add(power_w, cdu_w, power_w)
