"""The power tree of a site as arrays, from the site model."""

import math
from collections.abc import Collection
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import FloatArray
from mallee.core.device_model import DeviceModel
from mallee.core.units import SECONDS_PER_HOUR
from mallee.kinds.meter import METER
from mallee.kinds.pdu import PDU
from mallee.kinds.transfer_switch import TRANSFER_SWITCH
from mallee.kinds.ups import UPS as UPS_KIND
from mallee.site.model import Branch, DeviceGroup, SiteModel
from mallee.site.switchgear import Breaker, Transformer
from mallee.twin.clock import Clock
from mallee.twin.cords import joined_feeds
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.part import Part, Saved
from mallee.twin.parts.power import layout
from mallee.twin.parts.power.breakers import set_breaker
from mallee.twin.parts.power.in_line import InLine
from mallee.twin.parts.power.meters import SHOWN, show_meters
from mallee.twin.parts.power.transformer import settle, step_all, thermal_constants
from mallee.twin.parts.power.ups import RIDE_S, UPS, UPS_STATE, make_ups
from mallee.twin.shown import Shown

CABLE_LOSS_FRAC: Final = 0.005
"""I2R loss of a breaker's cable or busway at its rating (assumed: 0.5 %)."""

BUSWAY: Final = "busway"

TRIP_NAMES: Final = ("", "long time", "short time", "instantaneous", "ordered")


class Branches(Part):
    """Parameters and state of the power tree.

    Attributes:
        units, state: what the branches are, and their state.  # (branches,)
        thermal, thermal_state: transformers' temperatures.  # (transformers,)
        ups, ups_state: supplies in line behind a branch.  # (ups,)
    """

    kinds = (METER.name, UPS_KIND.name, PDU.name, TRANSFER_SWITCH.name)
    is_fast = True

    def __init__(self, site: SiteModel, clock: Clock) -> None:
        self.names = tuple(branch.name for branch in site.branches)
        self.units: NDArray[np.void] = np.zeros(len(self.names), layout.BRANCH)
        self.state: NDArray[np.void] = np.zeros(len(self.names), layout.BRANCH_STATE)
        models = {name: group.model for group in site.groups for name in group.names}
        thermal: list[np.void] = []
        made: list[tuple[np.void, np.void]] = []
        for number, (unit, branch) in enumerate(zip(self.units, site.branches, strict=True)):
            _common(unit, branch, clock)
            own, model = branch.entry, models.get(branch.name)
            if isinstance(own, Transformer):
                _transformer(unit, own)
                va, idle, load = own.rating_va, own.no_load_loss_frac, own.load_loss_frac
                thermal.append(thermal_constants(number, va, idle, load))
            elif isinstance(own, Breaker):
                unit["load_loss_w"] = CABLE_LOSS_FRAC * branch.rating_w
                slow = own.trip == "thermal-magnetic"
                kind = layout.THERMAL_MAGNETIC if slow else layout.ELECTRONIC
                set_breaker(unit, kind, clock.step_s)
            elif branch.kind == BUSWAY:
                unit["load_loss_w"] = CABLE_LOSS_FRAC * branch.rating_w
            elif branch.kind == UPS_KIND.name and model is not None:
                unit["ups"] = len(made)
                made.append(_ups(branch, model))
            elif branch.kind == PDU.name and model is not None:
                _pdu(unit, branch, model)
        self.state["closed"] = self.state["fed"] = self.state["alive"] = 1
        self.state["voltage_pu"] = self.state["above_pu"] = 1.0
        self.state["source"], self.state["hz"] = self.units["parent"], site.grid.frequency_hz
        self.thermal: NDArray[np.void] = np.array(thermal, layout.THERMAL)
        self.thermal_state: NDArray[np.void] = np.zeros(len(thermal), layout.THERMAL_STATE)
        self.ups: NDArray[np.void] = np.array([unit for unit, _ in made], UPS)
        self.ups_state: NDArray[np.void] = np.array([state for _, state in made], UPS_STATE)
        meters = list(site.groups_of(METER))
        self._measured = joined_feeds(group.branch for group in meters)
        self._shown, self._in_line = Shown(meters, SHOWN), InLine(site)
        self._plant: ElectricalArrays | None = None

    def attach(self, plant: ElectricalArrays) -> None:
        """See `Part.attach`."""
        self._plant = plant

    def points_of(self, group: DeviceGroup) -> Collection[str]:
        """See `Part.points_of`."""
        if group.kind == METER.name:
            return self._shown.points_of(group)
        return self._in_line.points_of(group)

    def show(self, true_points: FloatArray) -> None:
        """See `Part.show`."""
        assert self._plant is not None
        show_meters(self._plant, self._measured, self._shown.values)
        self._shown.put(true_points)
        self._in_line.show(self._plant, true_points)

    def arrays(self) -> Saved:
        """See `Part.arrays`."""
        return {"state": self.state, "ups": self.ups_state, "thermal": self.thermal_state}

    def terms_wh(self) -> dict[str, float]:
        """See `Part.terms_wh`."""
        terms = {"branch losses": float(self.state["loss_wh"].sum())}
        if len(self.ups_state):
            held_wh = self.ups_state["stored_wh"] - self.ups_state["start_wh"]
            terms["in UPS"] = float(held_wh.sum())
            terms["UPS losses"] = float(self.ups_state["loss_wh"].sum())
        return terms

    def settle(self, ambient_degc: float) -> None:
        """Start every transformer in the steady state of its flow."""
        for unit, state in zip(self.thermal, self.thermal_state, strict=True):
            branch = unit["branch"]
            part = float(self.state["flow_w"][branch] / self.units["rating_w"][branch])
            settle(unit, state, part * part, ambient_degc)

    def step_second(self, time_ms: int, dt_s: float, ambient_degc: float) -> None:
        """Move the transformers' temperatures on."""
        step_all(self.thermal, self.thermal_state, self.state, ambient_degc, dt_s)

    def trip(self, branch: int, time_ms: int) -> None:
        """Open a breaker by order or by a fault."""
        state = self.state[branch]
        if state["closed"]:
            state["closed"], state["why_open"], state["open_ms"] = 0, layout.ORDERED, time_ms

    def reset(self, branch: int) -> None:
        """Close a breaker again; its thermal memory stays, as in the field."""
        state = self.state[branch]
        state["closed"], state["why_open"], state["short_s"] = 1, layout.NO_TRIP, 0.0

    def reset_ups(self, number: int) -> None:
        """A person unlocks a UPS that stayed on battery."""
        self.ups_state[number]["locked"] = 0
        self.ups_state[number]["sag_ms"] = -(1 << 40)

    def tripped(self) -> tuple[str, ...]:
        """Names of the open breakers."""
        return tuple(self.names[f] for f in np.flatnonzero(self.state["closed"] == 0))

    def why_open(self, branch: int) -> str:
        """Which element opened a breaker."""
        return TRIP_NAMES[int(self.state[branch]["why_open"])]


def _common(unit: np.void, branch: Branch, clock: Clock) -> None:
    """What every branch has; interruptions shorter than a step are none."""
    unit["parent"], unit["standby"] = branch.parent, branch.standby
    steps = int(branch.transfer_s / clock.step_s + 1e-9)
    unit["transfer_ms"] = steps * clock.step_ms
    unit["return_ms"] = round(branch.return_s * 1000.0)
    unit["kind"] = _kind_of(branch)
    unit["rating_w"], unit["rating_a"] = branch.rating_w, branch.rating_a
    unit["nominal_v"], unit["ups"] = branch.voltage_v, -1


def _kind_of(branch: Branch) -> int:
    """How the kernels treat a branch: what has no breaker or windings only passes on."""
    if isinstance(branch.entry, Transformer):
        return layout.TRANSFORMER
    if isinstance(branch.entry, Breaker):
        return layout.BREAKER
    return layout.PASSES


def _ups(branch: Branch, model: DeviceModel) -> tuple[np.void, np.void]:
    energy_wh = model.parameter_or("energy_wh", branch.rating_w * RIDE_S / SECONDS_PER_HOUR)
    eco = model.parameter_or("eco", 0.0) > 0.0
    return make_ups(branch.rating_w, energy_wh, model, eco=eco)


def _pdu(unit: np.void, branch: Branch, model: DeviceModel) -> None:
    """Loss ``a + b u + c u^2`` of rating; half a per cent at rating where the model gives none."""
    unit["no_load_w"] = branch.rating_w * model.parameter_or("loss_a_pu", 0.0)
    unit["linear_loss_w"] = branch.rating_w * model.parameter_or("loss_b_pu", 0.0)
    unit["load_loss_w"] = branch.rating_w * model.parameter_or("loss_c_pu", CABLE_LOSS_FRAC)


def _transformer(unit: np.void, entry: Transformer) -> None:
    """Losses as given; the resistance in per unit is the load loss at rating in per unit."""
    unit["no_load_w"] = entry.no_load_loss_frac * entry.rating_va
    unit["load_loss_w"] = entry.load_loss_frac * entry.rating_va
    unit["resistance_frac"] = entry.load_loss_frac
    unit["reactance_frac"] = math.sqrt(max(0.0, entry.impedance_frac**2 - entry.load_loss_frac**2))
