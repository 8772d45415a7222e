"""Writes what batteries, chargers and meters hold and measure into the site's points."""

from typing import Final

import numpy as np

from mallee.core.arrays import FloatArray, IntArray
from mallee.site.model import SiteModel
from mallee.twin.battery.cells import cell_voltage_v
from mallee.twin.battery.inverter import charge_available_w, discharge_available_w
from mallee.twin.battery.layout import STANDBY
from mallee.twin.electrical_arrays import ElectricalArrays
from mallee.twin.kernel import kernel

METER_POINTS: Final = (
    "import_w", "reactive_var", "apparent_va", "voltage_v", "current_a", "frequency_hz",
    "import_energy_wh", "export_energy_wh",
)  # fmt: skip

# States of SunSpec model 701, InvSt.
INVERTER_OFF: Final = 0.0
INVERTER_RUNNING: Final = 3.0
INVERTER_FAULT: Final = 6.0
INVERTER_STANDBY: Final = 7.0

CABINET_OVER_CELL_K: Final = -3.0
SQRT3: Final = 1.7320508075688772


def meter_rows(site: SiteModel) -> IntArray:
    """Rows of `METER_POINTS` of every meter.  # (meters, points)"""
    meters = [np.stack([g.rows(p) for p in METER_POINTS], axis=1) for g in site.groups_of("meter")]
    return np.concatenate(meters)


@kernel
def fill_site_points(
    plant: ElectricalArrays,
    true_points: FloatArray,
    battery_rows: IntArray,
    charger_rows: IntArray,
    meters: IntArray,
    nominal_v: float,
) -> None:
    """One pass over all devices that belong to the electrical site."""
    site = plant.site[0]
    volts, hertz = nominal_v * site["voltage_pu"], site["frequency_hz"]
    for b in range(plant.units.shape[0]):
        u, s, row = plant.units[b], plant.batteries[b], battery_rows[b]
        rule = s["filter"]
        state = INVERTER_STANDBY if s["mode"] == STANDBY else INVERTER_RUNNING
        if s["healthy"] == 0:
            state = INVERTER_FAULT
        elif s["available"] == 0:
            state = INVERTER_OFF
        true_points[row[0]] = s["mean_w"]
        true_points[row[1]] = s["reactive_var"]
        true_points[row[2]] = nominal_v * plant.branch_state[u["branch"]]["voltage_pu"]
        true_points[row[3]] = hertz
        true_points[row[4]] = s["discharge_wh"]
        true_points[row[5]] = s["charge_wh"]
        true_points[row[6]] = state
        true_points[row[7]] = s["cell_degc"] + CABINET_OVER_CELL_K
        true_points[row[8]] = u["charge_max_w"]
        true_points[row[9]] = u["discharge_max_w"]
        true_points[row[10]] = s["soc_estimate"]
        true_points[row[11]] = s["soh"]
        true_points[row[12]] = u["energy_wh"]
        true_points[row[13]] = cell_voltage_v(s["soc"], s["mean_w"] / u["charge_max_w"])
        true_points[row[14]] = charge_available_w(u, s)
        true_points[row[15]] = discharge_available_w(u, s)
        true_points[row[16]] = s["cell_degc"]
        true_points[row[17]] = s["set_w"]
        true_points[row[18]] = s["heartbeat_count"]
        true_points[row[19]] = s["mode"]
        true_points[row[20]] = rule["import_max_w"]
        true_points[row[21]] = rule["import_min_w"]
        true_points[row[22]] = rule["ramp_up_w_per_s"]
        true_points[row[23]] = rule["ramp_down_w_per_s"]
        true_points[row[24]] = rule["time_s"]
        true_points[row[25]] = rule["charge_bias_w"]
    _fill_chargers(plant, true_points, charger_rows)
    meter_pu = site["grid_voltage_pu"]
    grid_va = (site["grid_w"] ** 2 + site["reactive_var"] ** 2) ** 0.5
    for m in range(meters.shape[0]):
        row = meters[m]
        true_points[row[0]] = site["grid_w"]
        true_points[row[1]] = site["reactive_var"]
        true_points[row[2]] = grid_va
        true_points[row[3]] = nominal_v * meter_pu
        true_points[row[4]] = grid_va / (volts * SQRT3) if volts > 0.0 else 0.0
        true_points[row[5]] = site["grid_hz"]
        true_points[row[6]] = site["import_wh"]
        true_points[row[7]] = site["export_wh"]


@kernel
def _fill_chargers(
    plant: ElectricalArrays, true_points: FloatArray, charger_rows: IntArray
) -> None:
    for c in range(plant.stations.shape[0]):
        state, row = plant.station_state[c], charger_rows[c]
        true_points[row[0]] = state["power_w"]
        true_points[row[1]] = state["energy_wh"]
        true_points[row[2]] = state["occupied"]
        true_points[row[3]] = state["offered_w"]
        true_points[row[4]] = state["limit_w"]
        count = plant.stations[c]["evses"]
        for p in range(count):
            evse = plant.evses[plant.stations[c]["first_evse"] + p]
            true_points[row[5 + p]] = evse["power_w"]
            true_points[row[5 + count + p]] = evse["soc"] if evse["occupied"] == 1 else np.nan
