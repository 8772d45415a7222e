"""Engine generators as a part: built from the catalogue, started from afar, shown as points."""

import math
from collections.abc import Collection
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import NO_INDEX, FloatArray, IntArray
from mallee.core.errors import Rejected
from mallee.kinds.genset import GENSET as KIND
from mallee.site.model import DeviceGroup, SiteModel
from mallee.twin.parameters import parameter_in
from mallee.twin.part import Part, Saved
from mallee.twin.parts.generation import layout
from mallee.twin.shown import Shown

SHOWN: Final = np.dtype(
    [
        (name, "f8")
        for name in (
            "output_w", "energy_wh", "frequency_hz", "voltage_v", "fuel_frac", "start_count",
            "run_count", "trip_count", "coolant_degc", "low_load_s",
        )
    ]
)  # fmt: skip


class Gensets(Part):
    """State of all gensets in two arrays of records, which the site's kernel steps.

    Attributes:
        units, state: what they are, and their state.  # (gensets,)
        starters: branch that can transfer to a genset, and number of the genset.  # (starters, 2)
    """

    kinds = (KIND.name,)
    is_fast = True

    def __init__(self, site: SiteModel) -> None:
        groups = list(site.groups_of(KIND))
        self.names = tuple(name for group in groups for name in group.names)
        self.units: NDArray[np.void] = np.zeros(len(self.names), layout.GENSET)
        self.state: NDArray[np.void] = np.zeros(len(self.names), layout.GENSET_STATE)
        at = 0
        for group in groups:
            here, model = self.units[at : at + group.count], group.model
            here["root"] = group.branch
            here["rating_w"] = model.parameter_or("rating_w", model.power_max_w)
            for name, low, high, default in PARAMETERS:
                here[name] = parameter_in(model, name, low, high, default)
            day_wh = DAY_TANK_H * here["rating_w"] / here["efficiency"]
            here["fuel_wh"] = model.parameter_or("fuel_wh", float(day_wh[0]) if len(here) else 0.0)
            at += group.count
        self.units["nominal_hz"] = site.grid.frequency_hz
        self.state["fuel_wh"], self.state["coolant_degc"] = self.units["fuel_wh"], 40.0
        self.starters = find_starters(site, self.units["root"])
        self._nominal_v = np.array([site.branches[r].voltage_v for r in self.units["root"]])
        self._shown = Shown(groups, SHOWN)

    def write(
        self, kind: str, number: int, point: str, value: float, lease_s: float, time_ms: int
    ) -> None:
        """Start (1) or stop (0) an engine; one that tripped is reset by a 0.

        Raises:
            Rejected: another point, or neither 0 nor 1.
        """
        name = self.names[number]
        if point != "start_count":
            raise Rejected(f"{name}: {point} cannot be written")
        if not math.isfinite(value) or value not in (0.0, 1.0):
            raise Rejected(f"{name}: start_count {value:g} is neither 0 (stop) nor 1 (start)")
        state = self.state[number]
        state["ordered"] = int(value)
        if value == 0.0 and state["does"] == layout.TRIPPED:
            state["does"], state["since_ms"] = layout.STOPPED, time_ms

    def forget(self, kind: str, number: int) -> None:
        """Back to waiting: an engine that was started by hand stops."""
        self.state[number]["ordered"] = 0

    def points_of(self, group: DeviceGroup) -> Collection[str]:
        """See `Part.points_of`."""
        return self._shown.points_of(group)

    def show(self, true_points: FloatArray) -> None:
        """See `Part.show`."""
        if not len(self.names):
            return
        state, shown = self.state, self._shown.values
        speed_pu = state["speed_pu"]
        shown["output_w"], shown["energy_wh"] = state["output_w"], state["energy_wh"]
        shown["frequency_hz"] = self.units["nominal_hz"] * speed_pu
        shown["voltage_v"] = self._nominal_v * np.minimum(1.0, speed_pu / 0.95)
        shown["fuel_frac"] = state["fuel_wh"] / self.units["fuel_wh"]
        shown["start_count"] = state["ordered"]
        runs = (state["does"] == layout.RUNNING) | (state["does"] == layout.COOLING)
        shown["run_count"], shown["trip_count"] = runs, state["does"] == layout.TRIPPED
        shown["coolant_degc"], shown["low_load_s"] = state["coolant_degc"], state["low_load_s"]
        self._shown.put(true_points)

    def arrays(self) -> Saved:
        """See `Part.arrays`."""
        return {"state": self.state}


DAY_TANK_H: Final = 8.0
"""Hours at rating that a tank holds where the model does not say (assumed)."""

PARAMETERS: Final = (
    ("start_s", 0.0, 600.0, 10.0),  # NFPA 110 type 10
    ("cool_down_s", 0.0, 3600.0, 300.0),
    ("block_load_frac", 0.05, 1.1, 0.6),  # 50..70 % for class G3 (hardware reference)
    ("rise_frac_per_s", 0.0, 10.0, 0.1),
    ("load_min_frac", 0.0, 1.0, 0.3),
    ("inertia_s", 0.1, 20.0, 1.5),
    ("efficiency", 0.1, 0.6, 0.375),  # 0.26..0.28 L/kWh of diesel at 9.9 kWh/L
    ("idle_fuel_frac", 0.0, 0.9, 0.1),
)
"""Name, lowest, highest and default of each parameter of a model (defaults assumed)."""


def find_starters(site: SiteModel, roots: IntArray) -> IntArray:
    """Branches whose second source comes from a genset.  # (starters, 2)"""
    genset_of_root = {int(root): number for number, root in enumerate(roots)}
    found = []
    for number, branch in enumerate(site.branches):
        above = branch.standby
        while above != NO_INDEX and site.branches[above].parent != NO_INDEX:
            above = site.branches[above].parent
        if above in genset_of_root:
            found.append((number, genset_of_root[above]))
    return np.array(found, np.int64).reshape(-1, 2)
