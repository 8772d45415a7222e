"""The batteries of a site: built from the catalogue, written to, falling back by themselves."""

import math
from collections.abc import Collection
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import NO_INDEX, FloatArray
from mallee.core.device_model import DeviceModel
from mallee.core.errors import Rejected
from mallee.kinds.battery import BATTERY
from mallee.site.model import DeviceGroup, SiteModel
from mallee.twin.clock import Clock
from mallee.twin.cords import joined_feeds, make_cords
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.parameters import parameter_in
from mallee.twin.part import Part, Saved
from mallee.twin.parts.battery import layout
from mallee.twin.parts.battery.ageing import AGEING, age_all
from mallee.twin.parts.battery.cells import step_cells
from mallee.twin.parts.battery.inverter import make_path
from mallee.twin.parts.battery.leases import revert_lost
from mallee.twin.parts.battery.points import SHOWN, show_batteries
from mallee.twin.shown import Shown

LINEAR_LOSS_FRAC: Final = 0.005
SQUARE_LOSS_FRAC: Final = 0.010
IDLE_LOSS_FRAC: Final = 0.002
"""Inverter loss a + b |P| + c P^2 / rating: 98.3 % efficiency at rating, 94.6 % at a twentieth
(assumed, SiC class); a is there whenever it switches."""

AUXILIARY_FRAC: Final = 0.003
"""Thermal management follows power: auxiliaries reach about 0.5 % of rating at work (assumed)."""

SELF_DISCHARGE_PER_H: Final = 0.02 / (30 * 24)
TAPER_SOC: Final = 0.03
DROOP_FRAC: Final = 0.05
RAMP_MARGIN_FRAC: Final = 0.05
FILTER_TIME_S: Final = 20.0
_FOREVER_MS: Final = 2**60
"""A lease of 0: what is written stands until it is written again."""


CURVE: Final = "ieee-1547-cat3"


class Batteries(Part):
    """State of all batteries in two arrays of records, which the site's kernel steps.

    Attributes:
        units: what they are.  # (batteries,)
        state: their state.  # (batteries,)
        names: of the devices.  # (batteries,)
        ageing: fade and cycles of each.  # (batteries,)
        cords: where they hang.  # (batteries,)
    """

    kinds = (BATTERY.name,)
    is_fast = True

    def __init__(self, site: SiteModel, seed: int, soc_start: float, clock: Clock) -> None:
        groups = list(site.groups_of(BATTERY))
        count = sum(group.count for group in groups)
        self.names = tuple(name for group in groups for name in group.names)
        self.units: NDArray[np.void] = np.zeros(count, layout.UNIT)
        self.state: NDArray[np.void] = np.zeros(count, layout.STATE)
        at = 0
        for group in groups:
            here = slice(at, at + group.count)
            self.units[here] = _unit(group.model, clock)
            self.units["commissioned"][here] = [_rule(site, int(at)) for at in group.branch]
            at += group.count
        self.cords = make_cords(
            joined_feeds(group.branch for group in groups),
            joined_feeds(group.standby_branch for group in groups),
            CURVE,
        )
        self._roots = np.array([root_of(site, int(at)) for at in self.cords["branch"]], np.int64)
        self._shown = Shown(groups, SHOWN)
        self._plant: ElectricalArrays | None = None
        rng = np.random.default_rng([seed, 0x62617474])
        self.units["estimate_gain_frac"] = rng.uniform(-0.01, 0.01, count)
        self.units["estimate_offset_per_h"] = rng.uniform(-2e-4, 2e-4, count)
        state = self.state
        state["mode"], state["reverted"] = layout.RAMP_FILTER, 1
        state["healthy"] = state["fed"] = state["available"] = 1
        state["set_until_ms"], state["heartbeat_ms"] = -1, 0
        state["filter"] = self.units["commissioned"]
        state["soc"] = state["soc_estimate"] = soc_start
        if count:
            error = [
                parameter_in(group.model, "soc_error_frac", -0.5, 0.5, 0.0)
                for group in groups
                for _ in range(group.count)
            ]
            state["soc_estimate"] = np.clip(state["soc"] + np.array(error), 0.0, 1.0)
        self.ageing: NDArray[np.void] = np.zeros(count, AGEING)
        state["soh"], state["derate_frac"], state["cell_degc"] = 1.0, 1.0, 25.0

    def attach(self, plant: ElectricalArrays) -> None:
        """See `Part.attach`."""
        self._plant = plant

    def start_at(self, imports_w: FloatArray) -> None:
        """Put every filter in steady state at a mean import.

        Args:
            imports_w: by branch; the one that counts is the source above each.  # (branches,)
        """
        import_w = imports_w[self._roots]
        low, high = self.state["filter"]["import_min_w"], self.state["filter"]["import_max_w"]
        self.state["smooth_w"] = import_w
        self.state["target_w"] = np.clip(import_w, low, high)

    def write(
        self, kind: str, number: int, point: str, value: float, lease_s: float, time_ms: int
    ) -> None:
        """A set point reaches the battery's controller.

        Raises:
            Rejected: not a number, or outside what the unit accepts.
        """
        unit, state, name = self.units[number], self.state[number], self.names[number]
        if not math.isfinite(value):
            raise Rejected(f"{name}: {point} cannot be {value}")
        if point == "heartbeat_count":
            if value != state["heartbeat_count"]:
                state["heartbeat_count"], state["heartbeat_ms"], state["reverted"] = (
                    value,
                    time_ms,
                    0,
                )
        elif point == "charge_set_w":
            low, high = -float(unit["discharge_max_w"]), float(unit["charge_max_w"])
            if not low <= value <= high:
                raise Rejected(
                    f"{name}: charge_set_w {value:.0f} is outside {low:.0f}..{high:.0f} W"
                )
            stands_ms = round(lease_s * 1000) if lease_s > 0.0 else _FOREVER_MS
            state["set_w"], state["set_until_ms"] = value, time_ms + stands_ms
        elif point == "mode":
            if value not in (0.0, 1.0, 2.0, 3.0):
                raise Rejected(f"{name}: mode {value:g} is none of 0..3")
            state["mode"] = int(value)
        else:
            self._write_filter(state, name, point, value)

    def _write_filter(self, state: np.void, name: str, point: str, value: float) -> None:
        field = point.removeprefix("filter_")
        if point == field or field not in (layout.FILTER.names or ()):
            raise Rejected(f"{name}: {point} cannot be written")
        if field.startswith("ramp") and value < 0.0:
            raise Rejected(f"{name}: {point} {value:g} W/s is below 0")
        if field == "time_s" and not 0.0 <= value <= 3600.0:
            raise Rejected(f"{name}: {point} {value:g} s is outside 0..3600 s")
        state["filter"][field] = value

    def forget(self, kind: str, number: int) -> None:
        """Back to the ramp filter as it was commissioned."""
        unit, state = self.units[number], self.state[number]
        state["mode"], state["filter"] = layout.RAMP_FILTER, unit["commissioned"]
        state["set_w"], state["reverted"], state["heartbeat_count"] = 0.0, 1, 0.0

    def tick(self, time_ms: int) -> None:
        """What the unit does by itself: revert when its heartbeat or its set point has run out."""
        revert_lost(self.units, self.state, time_ms)

    def step_second(self, time_ms: int, dt_s: float, ambient_degc: float) -> None:
        """Cell temperature and what it allows."""
        step_cells(self.units, self.state, ambient_degc, dt_s)

    def step_slow(self, time_ms: int, dt_s: float) -> None:
        """Ageing, each minute."""
        age_all(self.units, self.state, self.ageing, dt_s)

    def points_of(self, group: DeviceGroup) -> Collection[str]:
        """See `Part.points_of`."""
        return self._shown.points_of(group)

    def show(self, true_points: FloatArray) -> None:
        """See `Part.show`."""
        assert self._plant is not None
        show_batteries(self._plant, self._shown.values)
        self._shown.put(true_points)

    def arrays(self) -> Saved:
        """See `Part.arrays`."""
        return {"state": self.state, "cords": self.cords, "ageing": self.ageing}

    def terms_wh(self) -> dict[str, float]:
        """See `Part.terms_wh`."""
        return {
            "in cells": float(self.state["stored_wh"].sum()),
            "battery losses": float(self.state["loss_wh"].sum()),
            "auxiliaries": float(self.state["auxiliary_wh"].sum()),
        }

    def mean_soc(self) -> float:
        """True state of charge of all batteries together, by energy; NaN without any."""
        if len(self.state) == 1:
            return float(self.state[0]["soc"])
        size_wh = self.units["energy_wh"]
        total_wh = float(size_wh.sum())
        return float((self.state["soc"] * size_wh).sum()) / total_wh if total_wh else math.nan


def _unit(model: DeviceModel, clock: Clock) -> np.void:
    """What one model is; both one-way efficiencies hold at rating, inverter and cells together."""
    unit = np.zeros((), layout.UNIT)
    for field in ("energy_wh", "charge_max_w", "discharge_max_w", "apparent_max_va"):
        unit[field] = parameter_in(model, field, 1.0, 1e12)
    unit["auxiliary_w"] = parameter_in(model, "auxiliary_w", 0.0, 1e9)
    inverter_frac = IDLE_LOSS_FRAC + LINEAR_LOSS_FRAC + SQUARE_LOSS_FRAC
    most_frac = 1.0 - inverter_frac  # cells cannot give energy
    charge_frac = parameter_in(model, "charge_efficiency", 0.5, most_frac)
    discharge_frac = parameter_in(model, "discharge_efficiency", 0.5, most_frac)
    unit["linear_loss_frac"], unit["square_loss_frac"] = LINEAR_LOSS_FRAC, SQUARE_LOSS_FRAC
    unit["charge_cell_loss_frac"] = 1.0 - charge_frac - inverter_frac
    unit["discharge_cell_loss_frac"] = 1.0 / discharge_frac - 1.0 - inverter_frac
    unit["idle_loss_w"] = IDLE_LOSS_FRAC * unit["charge_max_w"]
    unit["auxiliary_frac"], unit["self_discharge_per_h"] = AUXILIARY_FRAC, SELF_DISCHARGE_PER_H
    unit["soc_min"] = parameter_in(model, "soc_min_frac", 0.0, 0.9, 0.0)
    unit["soc_max"] = parameter_in(model, "soc_max_frac", float(unit["soc_min"]) + 0.05, 1.0, 1.0)
    unit["taper_soc"], unit["droop_frac"] = TAPER_SOC, DROOP_FRAC
    unit["heartbeat_after_ms"] = round(model.on_controller_loss.after_s * 1000)
    longest_s = (layout.RING - 2) * clock.step_s
    for path, name in ((layout.LOCAL, "local"), (layout.REMOTE, "remote")):
        delay_s = parameter_in(model, f"{name}_delay_s", 0.0, longest_s)
        tau_s = parameter_in(model, f"{name}_tau_s", 0.0, 3600.0)
        unit["path"][path] = make_path(delay_s, tau_s, clock.step_s)
    return cast(np.void, unit[()])


def root_of(site: SiteModel, branch: int) -> int:
    """The feed or genset that a branch normally hangs on."""
    while site.branches[branch].parent != NO_INDEX:
        branch = site.branches[branch].parent
    return branch


def _rule(site: SiteModel, branch: int) -> np.void:
    """The ramp filter as commissioned: by the contract of the feed that the battery stands at."""
    feeds = {feed.name: feed for feed in site.file.feeds}
    grid = feeds.get(site.branches[root_of(site, branch)].name, site.grid)
    rule = np.zeros((), layout.FILTER)
    rule["import_max_w"] = grid.import_max_w * (1.0 - site.file.control.import_margin_frac)
    rule["import_min_w"] = -grid.export_max_w
    rule["ramp_up_w_per_s"] = grid.ramp_up_w_per_s * (1.0 - RAMP_MARGIN_FRAC)
    rule["ramp_down_w_per_s"] = grid.ramp_down_w_per_s * (1.0 - RAMP_MARGIN_FRAC)
    rule["time_s"] = FILTER_TIME_S
    return cast(np.void, rule[()])
