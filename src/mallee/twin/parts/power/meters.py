"""What meters read of the branch that they measure, under the names of their points."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mallee.core.arrays import IntArray
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.kernel import kernel
from mallee.twin.parts.power.tree import REACTIVE_FRAC

SHOWN: Final = np.dtype(
    [
        ("import_w", "f8"),
        ("reactive_var", "f8"),
        ("apparent_va", "f8"),
        ("voltage_v", "f8"),
        ("current_a", "f8"),
        ("frequency_hz", "f8"),
        ("import_energy_wh", "f8"),
        ("export_energy_wh", "f8"),
    ]
)

SQRT3: Final = 1.7320508075688772


@kernel
def show_meters(plant: ElectricalArrays, measured: IntArray, shown: NDArray[np.void]) -> None:
    """Fill one record a meter; one at a feed reads the utility's voltage, also in an outage.

    Args:
        measured: branch that each reads.  # (meters,)
    """
    for m in range(shown.shape[0]):
        p, f = shown[m], measured[m]
        state, nominal_v = plant.branch_state[f], plant.branches[f]["nominal_v"]
        head = plant.branch_state[state["head"]]
        flow_w = state["flow_w"]
        if f < plant.root_pu.shape[0]:
            voltage_pu, below_pu, hz = plant.root_pu[f], state["above_pu"], plant.root_hz[f]
            reactive = state["reactive_var"]
        else:
            voltage_pu, below_pu, hz = state["voltage_pu"], state["voltage_pu"], head["hz"]
            reactive = REACTIVE_FRAC * flow_w
        va = (flow_w**2 + reactive**2) ** 0.5
        volts = nominal_v * below_pu
        p["import_w"] = flow_w
        p["reactive_var"] = reactive
        p["apparent_va"] = va
        p["voltage_v"] = nominal_v * voltage_pu
        p["current_a"] = va / (volts * SQRT3) if volts > 0.0 else 0.0
        p["frequency_hz"] = hz
        p["import_energy_wh"] = state["import_wh"]
        p["export_energy_wh"] = state["export_wh"]
