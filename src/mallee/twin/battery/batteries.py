"""The batteries of a site: built from the catalogue, written to, falling back by themselves."""

import math
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import IntArray
from mallee.core.device_model import DeviceModel
from mallee.core.errors import Rejected
from mallee.site.model import SiteModel
from mallee.twin.battery import layout
from mallee.twin.battery.ageing import AGEING, age_all
from mallee.twin.battery.cells import step_cells
from mallee.twin.battery.inverter import make_path
from mallee.twin.battery.leases import revert_lost
from mallee.twin.clock import Clock
from mallee.twin.parameters import parameter_in

LINEAR_LOSS_FRAC: Final = 0.005
SQUARE_LOSS_FRAC: Final = 0.010
"""Inverter loss b |P| + c P^2 / rating: 98.5 % efficiency at rating (assumed, SiC class)."""

IDLE_LOSS_FRAC: Final = 0.002
AUXILIARY_FRAC: Final = 0.003
"""Thermal management follows power: auxiliaries reach about 0.5 % of rating at work (assumed)."""

SELF_DISCHARGE_PER_H: Final = 0.02 / (30 * 24)
TAPER_SOC: Final = 0.03
DROOP_FRAC: Final = 0.05
RAMP_MARGIN_FRAC: Final = 0.05
FILTER_TIME_S: Final = 20.0
_FOREVER_MS: Final = 2**60
"""A lease of 0: what is written stands until it is written again."""


class Batteries:
    """State of all batteries in two arrays of records, which the site's kernel steps.

    Attributes:
        units: what they are.  # (batteries,)
        state: their state.  # (batteries,)
        names: of the devices.  # (batteries,)
        ageing: fade and cycles of each.  # (batteries,)
        rows: rows of `POINTS` of each.  # (batteries, points)
    """

    def __init__(self, site: SiteModel, seed: int, soc_start: float, clock: Clock) -> None:
        groups = list(site.groups_of("battery"))
        count = sum(group.count for group in groups)
        self.names = tuple(name for group in groups for name in group.names)
        self.units: NDArray[np.void] = np.zeros(count, layout.UNIT)
        self.state: NDArray[np.void] = np.zeros(count, layout.STATE)
        at = 0
        for group in groups:
            here = slice(at, at + group.count)
            self.units[here] = _unit(site, group.model, clock)
            self.units["branch"][here] = group.branch
            at += group.count
        self.rows = _rows(site)
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

    def start_at(self, import_w: float) -> None:
        """Put every filter in steady state at a mean import."""
        low, high = self.state["filter"]["import_min_w"], self.state["filter"]["import_max_w"]
        self.state["smooth_w"] = import_w
        self.state["target_w"] = np.clip(import_w, low, high)

    def write(self, battery: int, point: str, value: float, lease_s: float, time_ms: int) -> None:
        """A set point reaches the battery's controller.

        Raises:
            Rejected: not a number, or outside what the unit accepts.
        """
        unit, state, name = self.units[battery], self.state[battery], self.names[battery]
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

    def watch(self, time_ms: int) -> None:
        """What the unit does by itself: revert when its heartbeat or its set point has run out."""
        revert_lost(self.units, self.state, time_ms)

    def step_second(self, ambient_degc: float, dt_s: float) -> None:
        """Cell temperature and what it allows."""
        step_cells(self.units, self.state, ambient_degc, dt_s)

    def step_slow(self, dt_s: float) -> None:
        """Ageing, each minute."""
        age_all(self.units, self.state, self.ageing, dt_s)

    def mean_soc(self) -> float:
        """True state of charge of all batteries together, by energy; NaN without any."""
        if len(self.state) == 1:
            return float(self.state[0]["soc"])
        total_wh = float(self.units["energy_wh"].sum())
        return (
            float(self.state["soc"] @ self.units["energy_wh"]) / total_wh if total_wh else math.nan
        )


POINTS: Final = (
    "charge_w", "reactive_var", "voltage_v", "frequency_hz", "discharge_energy_wh",
    "charge_energy_wh", "inverter_state", "cabinet_degc", "charge_rated_w", "discharge_rated_w",
    "soc", "soh", "capacity_wh", "cell_max_v", "charge_available_w", "discharge_available_w",
    "cell_max_degc", "charge_set_w", "heartbeat_count", "mode", "filter_import_max_w",
    "filter_import_min_w", "filter_ramp_up_w_per_s", "filter_ramp_down_w_per_s", "filter_time_s",
    "filter_charge_bias_w",
)  # fmt: skip


def _rows(site: SiteModel) -> IntArray:
    """Rows of `POINTS` of every battery.  # (batteries, points)"""
    rows = [np.stack([g.rows(name) for name in POINTS], axis=1) for g in site.groups_of("battery")]
    return np.concatenate(rows) if rows else np.empty((0, len(POINTS)), np.int64)


def _unit(site: SiteModel, model: DeviceModel, clock: Clock) -> np.void:
    """What one model is; both one-way efficiencies hold at rating, inverter and cells together."""
    unit = np.zeros((), layout.UNIT)
    for field in ("energy_wh", "charge_max_w", "discharge_max_w", "apparent_max_va"):
        unit[field] = parameter_in(model, field, 1.0, 1e12)
    unit["auxiliary_w"] = parameter_in(model, "auxiliary_w", 0.0, 1e9)
    inverter_frac = LINEAR_LOSS_FRAC + SQUARE_LOSS_FRAC
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
    grid, rule = site.grid, unit["commissioned"]
    rule["import_max_w"] = grid.import_max_w * (1.0 - site.file.control.import_margin_frac)
    rule["import_min_w"] = -grid.export_max_w
    rule["ramp_up_w_per_s"] = grid.ramp_up_w_per_s * (1.0 - RAMP_MARGIN_FRAC)
    rule["ramp_down_w_per_s"] = grid.ramp_down_w_per_s * (1.0 - RAMP_MARGIN_FRAC)
    rule["time_s"] = FILTER_TIME_S
    return cast(np.void, unit[()])
