"""What batteries hold and measure, under the names of their points."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.kernel import kernel
from mallee.twin.parts.battery.cells import cell_voltage_v
from mallee.twin.parts.battery.inverter import charge_available_w, discharge_available_w
from mallee.twin.parts.battery.layout import STANDBY

SHOWN: Final = np.dtype(
    [
        (name, "f8")
        for name in (
            "charge_w", "reactive_var", "voltage_v", "frequency_hz", "discharge_energy_wh",
            "charge_energy_wh", "inverter_state", "cabinet_degc", "charge_rated_w",
            "discharge_rated_w", "soc", "soh", "capacity_wh", "cell_max_v", "charge_available_w",
            "discharge_available_w", "cell_max_degc", "charge_set_w", "heartbeat_count", "mode",
            "filter_import_max_w", "filter_import_min_w", "filter_ramp_up_w_per_s",
            "filter_ramp_down_w_per_s", "filter_time_s", "filter_charge_bias_w",
        )
    ]
)  # fmt: skip

# States of SunSpec model 701, InvSt.
INVERTER_OFF: Final = 0.0
INVERTER_RUNNING: Final = 3.0
INVERTER_FAULT: Final = 6.0
INVERTER_STANDBY: Final = 7.0

CABINET_OVER_CELL_K: Final = -3.0


@kernel
def show_batteries(plant: ElectricalArrays, shown: NDArray[np.void]) -> None:
    """Fill one record a battery."""
    for b in range(plant.units.shape[0]):
        u, s, p = plant.units[b], plant.batteries[b], shown[b]
        at = plant.battery_cords[b]["at"]
        rule = s["filter"]
        state = INVERTER_STANDBY if s["mode"] == STANDBY else INVERTER_RUNNING
        if s["healthy"] == 0:
            state = INVERTER_FAULT
        elif s["available"] == 0:
            state = INVERTER_OFF
        p["charge_w"] = s["mean_w"]
        p["reactive_var"] = s["reactive_var"]
        p["voltage_v"] = plant.branches[at]["nominal_v"] * plant.branch_state[at]["voltage_pu"]
        p["frequency_hz"] = plant.branch_state[plant.branch_state[at]["head"]]["hz"]
        p["discharge_energy_wh"] = s["discharge_wh"]
        p["charge_energy_wh"] = s["charge_wh"]
        p["inverter_state"] = state
        p["cabinet_degc"] = s["cell_degc"] + CABINET_OVER_CELL_K
        p["charge_rated_w"] = u["charge_max_w"]
        p["discharge_rated_w"] = u["discharge_max_w"]
        p["soc"] = s["soc_estimate"]
        p["soh"] = s["soh"]
        p["capacity_wh"] = u["energy_wh"]
        p["cell_max_v"] = cell_voltage_v(s["soc"], s["mean_w"] / u["charge_max_w"])
        p["charge_available_w"] = charge_available_w(u, s)
        p["discharge_available_w"] = discharge_available_w(u, s)
        p["cell_max_degc"] = s["cell_degc"]
        p["charge_set_w"] = s["set_w"]
        p["heartbeat_count"] = s["heartbeat_count"]
        p["mode"] = s["mode"]
        p["filter_import_max_w"] = rule["import_max_w"]
        p["filter_import_min_w"] = rule["import_min_w"]
        p["filter_ramp_up_w_per_s"] = rule["ramp_up_w_per_s"]
        p["filter_ramp_down_w_per_s"] = rule["ramp_down_w_per_s"]
        p["filter_time_s"] = rule["time_s"]
        p["filter_charge_bias_w"] = rule["charge_bias_w"]
