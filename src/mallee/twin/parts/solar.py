"""Solar plants: power by the sun and the air, a limit with a lease, less in an island that is full.

``P = P_peak G / 1000 (1 - 0.4 %/K (T_cell - 25)) (1 - losses) efficiency``, at most the inverter's
rating, with ``T_cell = T_air + 0.03 G`` (NOCT 45 degC class). Irradiance is taken as horizontal.
"""

import math
from collections.abc import Collection
from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray
from mallee.core.errors import Rejected
from mallee.core.units import SECONDS_PER_HOUR
from mallee.kinds.solar import SOLAR
from mallee.site.model import DeviceGroup, SiteModel
from mallee.twin.clock import Clock
from mallee.twin.cords import joined_feeds
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.part import Load, Part, PartKind, Saved
from mallee.twin.shown import Shown
from mallee.twin.weather import Weather

CURVE: Final = "ieee-1547-cat3"
SYSTEM_LOSS_FRAC: Final = 0.14
"""Soiling, mismatch, wiring and the rest (PVWatts), where the model does not say."""

EFFICIENCY: Final = 0.97
"""Of the inverter, where the model does not say (assumed)."""

LOSS_PER_K: Final = 0.004
CELL_K_PER_W_M2: Final = 0.03
DC_OVER_AC: Final = 1.2
"""Modules over inverter rating where the model does not give `peak_w` (usual)."""

CABINET_RISE_K: Final = 25.0
"""Inverter cabinet over the air at full power (assumed)."""

DEAD_BAND_PU: Final = 0.0006
DROOP_PU: Final = 0.05
"""Frequency-watt of IEEE 1547-2018: 36 mHz dead band, 5 % droop."""

OBEY_S: Final = 5.0
"""An inverter follows a change of its limit by its whole rating in this time (assumed)."""

_FOREVER_MS: Final = 1 << 60

_SHOWN: Final = np.dtype(
    [
        (name, "f8")
        for name in (
            "output_w",
            "output_max_w",
            "energy_wh",
            "available_w",
            "voltage_v",
            "cabinet_degc",
        )
    ]
)

_STATE: Final = np.dtype(
    [
        ("healthy", "i8"),
        ("limit_w", "f8"),
        ("limit_until_ms", "i8"),
        ("cloud_frac", "f8"),  # of the sky's light that arrives; faults write it
        ("output_w", "f8"),
        ("available_w", "f8"),
        ("energy_wh", "f8"),
        ("curtailed_wh", "f8"),
    ]
)


class Solar(Part):
    """All solar plants; each hangs on a branch and gives into it.

    Attributes:
        rated_w: of each inverter.  # (plants,)
        state: what they do.  # (plants,)
    """

    kinds = (SOLAR.name,)
    is_fast = True

    def __init__(self, site: SiteModel, weather: Weather, clock: Clock) -> None:
        groups = list(site.groups_of(SOLAR))
        self.names = tuple(name for group in groups for name in group.names)
        self._weather, self._clock, count = weather, clock, len(self.names)
        self.rated_w = _each(groups, "rating_w", None)
        self._peak_w = _each(groups, "peak_w", DC_OVER_AC) * _given_frac(groups)
        obey = [np.full(g.count, g.model.parameter_or("obey_s", OBEY_S)) for g in groups]
        self._obey_s: FloatArray = np.concatenate([np.empty(0), *obey])
        self.state = np.zeros(count, _STATE)
        self.state["healthy"], self.state["cloud_frac"] = 1, 1.0
        self.state["limit_w"], self.state["limit_until_ms"] = self.rated_w, _FOREVER_MS
        self._load = Load(
            branch=joined_feeds(group.branch for group in groups),
            standby=joined_feeds(group.standby_branch for group in groups),
            curve=CURVE,
            power_w=np.zeros(count),
            powered=np.ones(count, np.bool_),
            is_source=True,
        )
        self._shown = Shown(groups, _SHOWN)
        self._plant: ElectricalArrays | None = None
        self.settle(0)

    def loads(self) -> tuple[Load, ...]:
        """See `Part.loads`."""
        return (self._load,)

    def attach(self, plant: ElectricalArrays) -> None:
        """See `Part.attach`."""
        self._plant = plant

    def write(
        self, kind: str, number: int, point: str, value: float, lease_s: float, time_ms: int
    ) -> None:
        """An output limit reaches an inverter; it ends with its lease.

        Raises:
            Rejected: not a limit, or outside 0 to the rating.
        """
        name, rated_w = self.names[number], float(self.rated_w[number])
        if point != "output_max_w":
            raise Rejected(f"{name}: {point} cannot be written")
        if not (math.isfinite(value) and 0.0 <= value <= rated_w):
            raise Rejected(f"{name}: output_max_w {value:.0f} is outside 0..{rated_w:.0f} W")
        self.state["limit_w"][number] = value
        stands_ms = round(lease_s * 1000) if lease_s > 0.0 else _FOREVER_MS
        self.state["limit_until_ms"][number] = time_ms + stands_ms

    def forget(self, kind: str, number: int) -> None:
        """Back to its rating."""
        self.state["limit_w"][number] = self.rated_w[number]
        self.state["limit_until_ms"][number] = _FOREVER_MS

    def settle(self, time_ms: int) -> None:
        """Give at once what the sky gives."""
        self._look(time_ms)
        self.state["output_w"] = self.state["available_w"]
        self._load.power_w[:] = -self.state["output_w"]

    def tick(self, time_ms: int) -> None:
        """What each gives in the block to come."""
        if not len(self.names):
            return
        state = self.state
        given_w = np.where(self._load.powered, state["output_w"], 0.0)
        hours = self._clock.block_ms / 1000.0 / SECONDS_PER_HOUR
        state["energy_wh"] += given_w * hours
        state["curtailed_wh"] += (state["available_w"] - given_w) * hours
        self._look(time_ms)
        over = time_ms >= state["limit_until_ms"]
        state["limit_w"] = np.where(over, self.rated_w, state["limit_w"])
        most_w = np.minimum(state["limit_w"], self._frequency_max_w())
        goal_w = np.minimum(state["available_w"], most_w) * self._load.powered
        step_w = self.rated_w * self._clock.block_ms / 1000.0 / np.maximum(self._obey_s, 0.1)
        change_w = np.clip(goal_w - state["output_w"], -step_w, step_w)
        # Light that is gone is gone at once; only a change of the limit is a ramp.
        state["output_w"] = np.minimum(state["output_w"] + change_w, state["available_w"])
        state["output_w"] *= self._load.powered
        self._load.power_w[:] = -state["output_w"]

    def points_of(self, group: DeviceGroup) -> Collection[str]:
        """See `Part.points_of`."""
        return self._shown.points_of(group)

    def show(self, true_points: FloatArray) -> None:
        """See `Part.show`."""
        if not len(self.names):
            return
        state, shown = self.state, self._shown.values
        shown["output_w"], shown["output_max_w"] = state["output_w"], state["limit_w"]
        shown["energy_wh"], shown["available_w"] = state["energy_wh"], state["available_w"]
        if self._plant is not None:
            branch = self._load.branch
            volts_pu = self._plant.branch_state["voltage_pu"][branch]
            shown["voltage_v"] = self._plant.branches["nominal_v"][branch] * volts_pu
        shown["cabinet_degc"] = self._air_degc + CABINET_RISE_K * state["output_w"] / self.rated_w
        self._shown.put(true_points)

    def arrays(self) -> Saved:
        """See `Part.arrays`."""
        return {"state": self.state, "power_w": self._load.power_w, "powered": self._load.powered}

    def _look(self, time_ms: int) -> None:
        sun = self._weather.irradiance_w_per_m2(time_ms)
        self._air_degc = self._weather.ambient_degc(time_ms)
        cell_degc = self._air_degc + CELL_K_PER_W_M2 * sun
        warm = 1.0 - LOSS_PER_K * (cell_degc - 25.0)
        clear_w = self._peak_w * sun / 1000.0 * warm
        here_w = np.clip(clear_w * self.state["cloud_frac"], 0.0, self.rated_w)
        self.state["available_w"] = here_w * self.state["healthy"]

    def _frequency_max_w(self) -> FloatArray:
        """Frequency-watt: less above nominal frequency, as in an island whose battery is full."""
        if self._plant is None:
            return self.rated_w
        states = self._plant.branch_state
        hz = states["hz"][states["head"][self._load.branch]]
        nominal_hz = float(self._plant.site["nominal_hz"][0])
        over_pu = np.maximum(hz / nominal_hz - 1.0 - DEAD_BAND_PU, 0.0)
        return np.asarray(self.rated_w * np.maximum(1.0 - over_pu / DROOP_PU, 0.0))


def _each(groups: list[DeviceGroup], name: str, over_rating: float | None) -> FloatArray:
    """A parameter of each plant; a multiple of the rating where the model does not give it."""
    values = []
    for group in groups:
        rated_w = group.model.parameter_or("rating_w", group.model.power_max_w)
        value = (
            rated_w
            if over_rating is None
            else group.model.parameter_or(name, over_rating * rated_w)
        )
        values.append(np.full(group.count, value))
    return np.concatenate(values) if values else np.empty(0)


def _given_frac(groups: list[DeviceGroup]) -> FloatArray:
    """Share of the modules' power that reaches the branch.  # (plants,)"""
    found = []
    for group in groups:
        left = 1.0 - group.model.parameter_or("system_loss_frac", SYSTEM_LOSS_FRAC)
        found.append(
            np.full(group.count, left * group.model.parameter_or("efficiency", EFFICIENCY))
        )
    return np.concatenate(found) if found else np.empty(0)


PART: Final = PartKind(order=8, build=lambda b: Solar(b.site, b.weather, b.clock))
