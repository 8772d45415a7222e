"""Switches that stand outside the racks: they draw what they draw, day and night."""

from collections.abc import Collection
from typing import Final

import numpy as np

from mallee.core.arrays import NO_INDEX, FloatArray
from mallee.kinds.switch import SWITCH
from mallee.site.model import DeviceGroup, SiteModel
from mallee.twin.cords import joined_feeds
from mallee.twin.part import Load, Part, PartKind
from mallee.twin.shown import Shown

CURVE: Final = "semi-f47"

CASE_DEGC: Final = 45.0
"""Case of a loaded switch in the air of a room at 25 degC [assumed]."""

_SHOWN: Final = np.dtype([("power_w", "f8"), ("temp_degc", "f8")])


class Network(Part):
    """The switches of pods, each at its nameplate power while it has supply."""

    kinds = (SWITCH.name,)

    def __init__(self, site: SiteModel) -> None:
        self._groups = [g for g in site.groups_of(SWITCH) if (g.rack == NO_INDEX).all()]
        count = sum(group.count for group in self._groups)
        self._shown = Shown(self._groups, _SHOWN)
        powers = [np.full(g.count, g.model.power_max_w) for g in self._groups]
        self._load = Load(
            branch=joined_feeds(group.branch for group in self._groups),
            standby=joined_feeds(group.standby_branch for group in self._groups),
            curve=CURVE,
            power_w=np.concatenate(powers) if powers else np.empty(0),
            powered=np.ones(count, np.bool_),
        )

    def loads(self) -> tuple[Load, ...]:
        """See `Part.loads`."""
        return (self._load,)

    def points_of(self, group: DeviceGroup) -> Collection[str]:
        """See `Part.points_of`."""
        return self._shown.points_of(group) if group in self._groups else ()

    def show(self, true_points: FloatArray) -> None:
        """See `Part.show`."""
        self._shown.values["power_w"] = np.where(self._load.powered, self._load.power_w, 0.0)
        self._shown.values["temp_degc"] = CASE_DEGC
        self._shown.put(true_points)


PART: Final = PartKind(order=6, build=lambda b: Network(b.site))
