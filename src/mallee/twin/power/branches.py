"""The power tree of a site as arrays, from the site model."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.units import SECONDS_PER_HOUR
from mallee.kinds.ups import UPS as UPS_KIND
from mallee.site.model import Branch, SiteModel
from mallee.site.switchgear import Breaker, Transformer
from mallee.twin.clock import Clock
from mallee.twin.power import layout
from mallee.twin.power.breakers import set_breaker
from mallee.twin.power.transformer import settle, step_all, thermal_constants
from mallee.twin.power.ups import UPS, UPS_STATE, make_ups

CABLE_LOSS_FRAC: Final = 0.005
"""I2R loss of a breaker's cable or busway at its rating (assumed: 0.5 %)."""

RIDE_S: Final = 300.0
"""Autonomy of a UPS at its rating where the catalogue gives none (assumed: five minutes)."""

TRIP_NAMES: Final = ("", "long time", "short time", "instantaneous", "ordered")


class Branches:
    """Parameters and state of the power tree.

    Attributes:
        units, state: what the branches are, and their state.  # (branches,)
        thermal, thermal_state: transformers' temperatures.  # (transformers,)
        ups, ups_state: supplies in line behind a branch.  # (ups,)
    """

    def __init__(self, site: SiteModel, clock: Clock) -> None:
        self.names = tuple(branch.name for branch in site.branches)
        self.units: NDArray[np.void] = np.zeros(len(self.names), layout.BRANCH)
        self.state: NDArray[np.void] = np.zeros(len(self.names), layout.BRANCH_STATE)
        thermal = []
        for number, (unit, branch) in enumerate(zip(self.units, site.branches, strict=True)):
            unit["parent"], unit["kind"] = branch.parent, _kind_of(branch)
            unit["rating_w"], unit["rating_a"] = branch.rating_w, branch.rating_a
            unit["ups"] = -1
            unit["nominal_v"] = site.grid.voltage_v
            own = branch.entry
            if isinstance(own, Transformer):
                _transformer(unit, own)
                va, idle, load = own.rating_va, own.no_load_loss_frac, own.load_loss_frac
                thermal.append(thermal_constants(number, va, idle, load))
            elif isinstance(own, Breaker):
                unit["load_loss_w"] = CABLE_LOSS_FRAC * branch.rating_w
                slow = own.trip == "thermal-magnetic"
                kind = layout.THERMAL_MAGNETIC if slow else layout.ELECTRONIC
                set_breaker(unit, kind, clock.step_s)
        self.state["closed"] = self.state["fed"] = self.state["alive"] = 1
        self.state["voltage_pu"] = 1.0
        self.thermal: NDArray[np.void] = np.array(thermal, layout.THERMAL)
        self.thermal_state: NDArray[np.void] = np.zeros(len(thermal), layout.THERMAL_STATE)
        self.ups, self.ups_state = self._place_ups(site)

    def _place_ups(self, site: SiteModel) -> tuple[NDArray[np.void], NDArray[np.void]]:
        """Put every UPS of the site in line behind the branch that it names."""
        made: list[tuple[np.void, np.void]] = []
        for group in site.groups_of(UPS_KIND):
            model, rating_w = group.model, group.model.power_max_w
            energy_wh = model.parameter_or("energy_wh", rating_w * RIDE_S / SECONDS_PER_HOUR)
            eco = model.parameter_or("eco", 0.0) > 0.0
            for name in group.names:
                branch = site.branch_index(name)
                self.units[branch]["ups"] = len(made)
                made.append(make_ups(branch, rating_w, energy_wh, eco=eco))
        return (
            np.array([unit for unit, _ in made], UPS),
            np.array([state for _, state in made], UPS_STATE),
        )

    def settle(self, flow_w: float, ambient_degc: float) -> None:
        """Start every transformer in the steady state of its share of a site's flow."""
        roots = [t for t in self.thermal if self.units[t["branch"]]["parent"] == 0]
        total_w = sum(float(self.units[t["branch"]]["rating_w"]) for t in roots)
        for unit, state in zip(self.thermal, self.thermal_state, strict=True):
            part = flow_w / total_w if total_w > 0.0 else 0.0
            settle(unit, state, part * part, ambient_degc)

    def step_second(self, ambient_degc: float, dt_s: float) -> None:
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


def _kind_of(branch: Branch) -> int:
    """How the kernels treat a branch: what has no breaker or windings only passes on."""
    if isinstance(branch.entry, Transformer):
        return layout.TRANSFORMER
    if isinstance(branch.entry, Breaker):
        return layout.BREAKER
    return layout.GRID


def _transformer(unit: np.void, entry: Transformer) -> None:
    """Losses as given; the resistance in per unit is the load loss at rating in per unit."""
    unit["no_load_w"] = entry.no_load_loss_frac * entry.rating_va
    unit["load_loss_w"] = entry.load_loss_frac * entry.rating_va
    unit["resistance_frac"] = entry.load_loss_frac
    unit["reactance_frac"] = math.sqrt(max(0.0, entry.impedance_frac**2 - entry.load_loss_frac**2))
