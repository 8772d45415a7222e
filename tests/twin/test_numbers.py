"""The physics' numbers, worked out here by hand from the equations they cite, one at a time.

Verification, not validation: each test solves the equation again by another way. They are quick
also without a compiler (``NUMBA_DISABLE_JIT=1``), because `bench/mutants.py` runs them often.
"""

import math

import numpy as np
import pytest

from mallee.site.model import SiteModel
from mallee.twin.clock import Clock
from mallee.twin.parts.battery import layout as battery
from mallee.twin.parts.battery.batteries import Batteries
from mallee.twin.parts.battery.cells import cell_voltage_v, step_cells, store
from mallee.twin.parts.battery.inverter import charge_available_w, discharge_available_w
from mallee.twin.parts.battery.leases import revert_lost
from mallee.twin.parts.battery.ramp_filter import clip_w, move_target
from mallee.twin.parts.compute.throughput import throughput_at
from mallee.twin.parts.cooling.chiller import CARRIER_19XR_742KW, carnot_cop, eir_power_w
from mallee.twin.parts.cooling.dry_cooler import dry_cooler_heat_w, size_dry_cooler
from mallee.twin.parts.cooling.heat_exchanger import (
    counterflow_effectiveness,
    part_load_conductance,
)
from mallee.twin.parts.cooling.pump import free_flow_frac, pump_shaft_frac
from mallee.twin.parts.grid.ride_through import CURVE, GUARD, guard_step
from mallee.twin.parts.power import layout as power
from mallee.twin.parts.power.transformer import step_thermal, thermal_constants

HOUR_S = 3600.0


@pytest.fixture(scope="module")
def batteries(demo_site: SiteModel) -> Batteries:
    return Batteries(demo_site, 1, 0.5, Clock())


def unit_and_state(batteries: Batteries) -> tuple[np.void, np.void]:
    """The demo's battery at half charge, in filter mode, fed."""
    state = batteries.state[:1].copy()[0]
    state["soc"] = state["soc_estimate"] = 0.5
    state["fed"] = state["available"] = state["healthy"] = 1
    state["derate_frac"] = 1.0
    return batteries.units[0], state


# Battery


def test_charge_moves_with_energy_and_its_estimate_follows(batteries: Batteries) -> None:
    unit, state = unit_and_state(batteries)
    store(unit, state, 1e6, 36.0)
    self_w = 0.02 / 720.0 * unit["energy_wh"] * 0.5
    moved_wh = (1e6 - state["cell_loss_w"] - self_w) * 36.0 / HOUR_S
    assert state["soc"] == pytest.approx(0.5 + moved_wh / unit["energy_wh"], rel=1e-9)
    assert state["charge_wh"] == pytest.approx(1e4)
    gain = 1.0 + unit["estimate_gain_frac"]
    drift = unit["estimate_offset_per_h"] * 0.01
    wanted = 0.5 + (state["soc"] - 0.5) * gain + drift
    assert state["soc_estimate"] == pytest.approx(wanted, rel=1e-12)


def test_power_tapers_near_full_and_empty(batteries: Batteries) -> None:
    unit, state = unit_and_state(batteries)
    assert charge_available_w(unit, state) == unit["charge_max_w"]
    state["soc"] = unit["soc_max"] - 0.5 * unit["taper_soc"]
    assert charge_available_w(unit, state) == pytest.approx(0.5 * unit["charge_max_w"])
    state["soc"] = unit["soc_min"] + 0.25 * unit["taper_soc"]
    assert discharge_available_w(unit, state) == pytest.approx(0.25 * unit["discharge_max_w"])
    state["available"] = 0
    assert discharge_available_w(unit, state) == 0.0


def test_cells_warm_by_their_losses_and_derate(batteries: Batteries) -> None:
    units, states = batteries.units[:1], batteries.state[:1].copy()
    states["cell_loss_w"], states["cell_degc"] = 40e3, 25.0
    step_cells(units, states, 35.0, 1e9)
    # Loop of 25 degC that follows the outside by a fifth; 0.3 % of rating a kelvin to it.
    settled_degc = 25.0 + 0.2 * 10.0 + 40e3 / (0.003 * float(units[0]["charge_max_w"]))
    assert states[0]["cell_degc"] == pytest.approx(settled_degc)
    states["cell_degc"], states["cell_loss_w"] = 50.0, 0.0
    step_cells(units, states, 25.0, 0.0)
    assert states[0]["derate_frac"] == pytest.approx(0.5)
    states["cell_degc"] = -2.5
    step_cells(units, states, 25.0, 0.0)
    assert states[0]["derate_frac"] == pytest.approx(0.5)


def test_lfp_cells_are_flat_with_two_knees() -> None:
    assert cell_voltage_v(0.5, 0.0) == pytest.approx(3.275, abs=1e-6)
    assert cell_voltage_v(1.0, 0.0) == pytest.approx(3.6, abs=1e-6)
    assert cell_voltage_v(0.0, 0.0) == pytest.approx(2.7, abs=1e-6)
    assert cell_voltage_v(0.5, 1.0) - cell_voltage_v(0.5, 0.0) == pytest.approx(0.05)


def test_the_filter_moves_by_its_ramps_inside_its_limits() -> None:
    state = np.zeros(1, battery.STATE)[0]
    rule = state["filter"]
    rule["time_s"], rule["import_max_w"], rule["import_min_w"] = 0.0, 500e3, -100e3
    rule["ramp_up_w_per_s"], rule["ramp_down_w_per_s"] = 1000.0, 2000.0
    state["target_w"] = state["smooth_w"] = 200e3
    assert move_target(state, 300e3, 0.5) == pytest.approx(200.5e3)
    assert move_target(state, 100e3, 0.5) == pytest.approx(199.5e3)
    state["target_w"] = 499.9e3
    assert move_target(state, 900e3, 1.0) == 500e3
    state["target_w"] = -99.9e3
    assert move_target(state, -900e3, 1.0) == -100e3
    rule["charge_bias_w"], state["target_w"] = 50.0, 300e3
    assert move_target(state, 300e3, 1.0) == pytest.approx(300_050.0)
    rule["charge_bias_w"], rule["time_s"], state["smooth_w"] = 0.0, 9.0, 0.0
    move_target(state, 1e5, 1.0)
    assert state["smooth_w"] == pytest.approx(1e4)
    assert (clip_w(5.0, 1.0, 3.0), clip_w(-5.0, 1.0, 3.0), clip_w(2.0, 1.0, 3.0)) == (3, 1, 2)


def test_a_lost_heartbeat_and_an_ended_lease_bring_the_commissioned_filter(
    batteries: Batteries,
) -> None:
    units, states = batteries.units[:1], batteries.state[:1].copy()
    after_ms = int(units[0]["heartbeat_after_ms"])
    state = states[0]
    state["heartbeat_ms"], state["reverted"], state["filter"]["import_max_w"] = 0, 0, 1.0
    revert_lost(units, states, after_ms)
    assert state["reverted"] == 0
    revert_lost(units, states, after_ms + 1)
    assert state["reverted"] == 1
    assert state["filter"]["import_max_w"] == units[0]["commissioned"]["import_max_w"]
    state["heartbeat_ms"], state["reverted"] = 10_000, 0
    state["mode"], state["set_until_ms"], state["set_w"] = battery.SET_POINT, 10_500, 5e5
    revert_lost(units, states, 10_499)
    assert state["mode"] == battery.SET_POINT
    revert_lost(units, states, 10_500)
    assert (state["mode"], state["set_w"]) == (battery.RAMP_FILTER, 0.0)


# Power


def test_transformers_settle_at_their_class() -> None:
    """ONAN up to 2.5 MVA: 55 K of oil and 23 K of winding at rating; ONAF above: 45 and 35 K."""
    for rating_va, oil_k, winding_k in ((1e6, 55.0, 23.0), (2.5e6, 55.0, 23.0), (5e6, 45.0, 35.0)):
        unit = thermal_constants(0, rating_va, 0.0015, 0.009)
        state = np.zeros(1, power.THERMAL_STATE)[0]
        step_thermal(unit, state, 1.0, 20.0, 1e9)
        assert state["oil_k"] == pytest.approx(oil_k)
        assert state["hot_spot_degc"] == pytest.approx(20.0 + oil_k + winding_k)
    small = thermal_constants(0, 1e6, 0.0015, 0.009)
    state = np.zeros(1, power.THERMAL_STATE)[0]
    step_thermal(small, state, 0.25, 20.0, 1e9)
    oil_k = 55.0 * ((1.0 + 6.0 * 0.25) / 7.0) ** 0.8
    assert state["hot_spot_degc"] == pytest.approx(20.0 + oil_k + 23.0 * 0.5**1.6)
    # An hour after a step to rating: the oil has come 1 - e^(-60/180) of the way.
    state = np.zeros(1, power.THERMAL_STATE)[0]
    step_thermal(small, state, 1.0, 20.0, HOUR_S)
    assert state["oil_k"] == pytest.approx(55.0 * (1.0 - math.exp(-1.0 / 3.0)))
    assert state["life_s"] == HOUR_S


def test_guards_trip_after_their_time_and_return() -> None:
    curve, guard = np.zeros(1, CURVE)[0], np.zeros(1, GUARD)[0]
    curve["rows"], curve["return_s"] = 2, 1.0
    curve["side"][:2], curve["voltage_pu"][:2], curve["time_s"][:2] = (-1, 1), (0.8, 1.2), (0.5, 0)
    for _ in range(5):
        guard_step(guard, curve, 0.7, 0.1)
    assert guard["tripped"] == 0
    guard_step(guard, curve, 0.7, 0.1)
    assert guard["tripped"] == 1
    for _ in range(9):
        guard_step(guard, curve, 1.0, 0.1)
    assert guard["tripped"] == 1
    guard_step(guard, curve, 1.0, 0.1 + 1e-9)
    assert guard["tripped"] == 0
    guard_step(guard, curve, 1.3, 0.1)
    assert (guard["tripped"], guard["trips"]) == (1, 2)


# Cooling


def test_counterflow_exchangers() -> None:
    """NTU 2 with a capacity ratio of one half; balanced; and one stream that stands still."""
    decay = math.exp(-2.0 * 0.5)
    assert counterflow_effectiveness(2e3, 1e3, 2e3) == pytest.approx(
        (1.0 - decay) / (1.0 - 0.5 * decay)
    )
    assert counterflow_effectiveness(3e3, 1e3, 1e3) == pytest.approx(0.75)
    assert counterflow_effectiveness(3e3, 0.0, 1e3) == 0.0
    assert part_load_conductance(10.0, 1.0, 1.0, 0.6) == pytest.approx(6.0)
    assert part_load_conductance(10.0, 0.5, 1.0, 1.0) == pytest.approx(20.0 / (1.0 + 0.5**-0.7))


def test_pumps_by_the_affinity_laws() -> None:
    assert free_flow_frac(1.0 / math.sqrt(0.6)) == pytest.approx(1.0)
    assert pump_shaft_frac(1.0, 1.0) == 1.0
    assert pump_shaft_frac(0.5, 0.5) == pytest.approx(0.125)
    assert pump_shaft_frac(1.0, 0.0) == 0.25
    assert pump_shaft_frac(0.5, 2.0) == pytest.approx(0.125 * (0.25 + 0.75 * 1.3))


def test_dry_coolers_meet_their_design_and_fans_cube() -> None:
    cooler = size_dry_cooler(1e6, 10.0)
    water_w_per_k = 1e6 / 10.0
    # Water leaves 10 K above dry bulb after cooling by 10 K: it enters 20 K above.
    heat_w = dry_cooler_heat_w(cooler, 1.0, 1.0, water_w_per_k, 50.0, 30.0)
    assert heat_w == pytest.approx(1e6, rel=1e-6)
    assert cooler.fan_max_w == pytest.approx(20e3)
    assert cooler.air_w_per_k == pytest.approx(1e6 / 12.0)
    half_w = dry_cooler_heat_w(cooler, 0.5, 1.0, water_w_per_k, 50.0, 30.0)
    share = counterflow_effectiveness(
        cooler.conductance_w_per_k * 0.5**0.6, water_w_per_k, 0.5 * cooler.air_w_per_k
    )
    assert half_w == pytest.approx(share * 0.5 * cooler.air_w_per_k * 20.0)
    assert dry_cooler_heat_w(cooler, 1.0, 1.0, water_w_per_k, 25.0, 30.0) < 0.0


def test_chillers_by_their_equations() -> None:
    assert carnot_cop(20.0, 35.0) == pytest.approx(0.45 * 290.15 / 30.0)
    assert carnot_cop(25.0, 5.0) == pytest.approx(0.45 * 295.15 / 8.0)  # the least lift
    reference_w = 742e3
    power_w = eir_power_w(CARRIER_19XR_742KW, reference_w, reference_w, 6.67, 23.89)
    assert reference_w / power_w == pytest.approx(5.42, rel=0.04)
    assert eir_power_w(CARRIER_19XR_742KW, reference_w, 0.0, 6.67, 23.89) == 0.0
    least_w = eir_power_w(CARRIER_19XR_742KW, reference_w, 0.19 * reference_w, 6.67, 23.89)
    tenth_w = eir_power_w(CARRIER_19XR_742KW, reference_w, 0.095 * reference_w, 6.67, 23.89)
    assert tenth_w == pytest.approx(0.5 * least_w, rel=0.02)  # below that it cycles


# Work


def test_work_under_caps_by_the_measured_tables() -> None:
    caps = np.array([1.0, 0.7, 0.4, 0.2, 0.0])
    done = throughput_at("training", caps)
    assert done == pytest.approx([1.0, 0.90, 0.47, 0.235, 0.0])
    assert throughput_at("inference", np.array([0.5]))[0] == pytest.approx(0.781)
