"""What UPS, PDUs and transfer switches show, under the names of their points."""

from collections.abc import Collection
from typing import Final

import numpy as np

from mallee.core.arrays import BoolArray, FloatArray, IntArray
from mallee.core.units import SECONDS_PER_HOUR
from mallee.kinds.pdu import PDU
from mallee.kinds.transfer_switch import TRANSFER_SWITCH
from mallee.kinds.ups import UPS as UPS_KIND
from mallee.site.model import DeviceGroup, SiteModel
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.parts.power.ups import BYPASS, ON_BATTERY
from mallee.twin.shown import Shown

SQRT3: Final = 1.7320508075688772
AUTONOMY_MAX_S: Final = 36_000.0
BATTERY_DEGC: Final = 25.0
"""Battery cabinet of a UPS, in a room that is held (assumed)."""

BATTERY_RISE_K: Final = 10.0
"""Rise of it at full load on battery (assumed)."""

_SHOWN: Final = np.dtype(
    [
        (name, "f8")
        for name in (
            "input_w", "output_w", "load_w", "loss_w", "load_frac", "input_v", "output_v",
            "voltage_v", "current_a", "energy_wh", "input_energy_wh", "soc", "autonomy_s",
            "on_battery_count", "bypass_count", "locked_count", "battery_degc", "source_count",
        )
    ]
)  # fmt: skip


class InLine:
    """Points of the branches that are devices."""

    def __init__(self, site: SiteModel) -> None:
        kinds = (UPS_KIND, PDU, TRANSFER_SWITCH)
        groups = [group for kind in kinds for group in site.groups_of(kind)]
        self._groups, self._shown = groups, Shown(groups, _SHOWN)
        names = [name for group in groups for name in group.names]
        self._at: IntArray = np.array([site.branch_index(name) for name in names], np.int64)

    def points_of(self, group: DeviceGroup) -> Collection[str]:
        """Points of a group that are shown; a battery is a UPS's only."""
        of_battery = {"soc", "autonomy_s", "on_battery_count", "bypass_count", "locked_count"}
        known = self._shown.points_of(group)
        if group.kind == UPS_KIND.name:
            return known
        return [name for name in known if name not in of_battery | {"battery_degc"}]

    def show(self, plant: ElectricalArrays, true_points: FloatArray) -> None:
        """Write all values at their rows.  # (points,)"""
        if not len(self._at):
            return
        branches, states = plant.branches[self._at], plant.branch_state[self._at]
        shown, ups_of = self._shown.values, branches["ups"]
        out_w, volts = states["demand_w"], branches["nominal_v"] * states["voltage_pu"]
        shown["input_w"], shown["output_w"], shown["load_w"] = states["flow_w"], out_w, out_w
        shown["loss_w"] = states["flow_w"] - out_w
        shown["load_frac"] = out_w / branches["rating_w"]
        shown["input_v"] = branches["nominal_v"] * states["above_pu"]
        shown["output_v"] = shown["voltage_v"] = volts
        shown["current_a"] = np.abs(out_w) / np.maximum(volts * SQRT3, 1.0)
        shown["energy_wh"] = shown["input_energy_wh"] = states["import_wh"]
        dead = states["alive"] == 0
        shown["source_count"] = np.where(dead, 0.0, states["position"] + 1.0)
        shown["soc"] = shown["autonomy_s"] = np.nan
        is_ups = ups_of >= 0
        if is_ups.any():
            self._show_ups(plant, ups_of, is_ups)
        self._shown.put(true_points)

    def _show_ups(self, plant: ElectricalArrays, ups_of: IntArray, is_ups: BoolArray) -> None:
        units, ups = plant.ups[ups_of[is_ups]], plant.ups_state[ups_of[is_ups]]
        shown = self._shown.values
        drain_w = np.maximum(ups["output_w"] + ups["loss_w"], 1.0)
        left_s = np.maximum(ups["stored_wh"], 0.0) * SECONDS_PER_HOUR / drain_w
        on_battery = ups["does"] == ON_BATTERY
        part = ups["output_w"] / units["rating_w"]
        shown["loss_w"][is_ups] = ups["loss_w"]
        shown["load_frac"][is_ups] = part
        shown["soc"][is_ups] = np.clip(ups["stored_wh"] / units["energy_wh"], 0.0, 1.0)
        shown["autonomy_s"][is_ups] = np.minimum(left_s, AUTONOMY_MAX_S)
        shown["on_battery_count"][is_ups] = on_battery
        shown["bypass_count"][is_ups] = ups["does"] == BYPASS
        shown["locked_count"][is_ups] = ups["locked"]
        shown["battery_degc"][is_ups] = BATTERY_DEGC + BATTERY_RISE_K * part * on_battery
