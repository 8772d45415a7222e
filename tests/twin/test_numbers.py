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
from mallee.twin.parts.charging.evses import charge_cars, taper_frac
from mallee.twin.parts.charging.layout import EVSE_STATE, SESSION, STATION, STATION_STATE
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
from mallee.twin.parts.power import ups
from mallee.twin.parts.power.breakers import set_breaker, trip_step, trip_time_s
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


def test_losses_of_a_battery_by_their_three_parts(batteries: Batteries) -> None:
    """No-load 0.2 % of rating, 0.5 % of power, and what both published efficiencies leave over.

    The demo's unit: 96 % each way at rating, so 1 - 0.96 = 0.04 of what goes in and
    1 / 0.96 - 1 = 0.041667 of what comes out is lost there; a twentieth of it by hand.
    """
    unit, state = unit_and_state(batteries)
    state["mode"] = battery.RAMP_FILTER
    for sign, rating, lost_frac in ((1.0, "charge_max_w", 0.04), (-1.0, "discharge_max_w", 1 / 24)):
        most_w = float(unit[rating])
        store(unit, state, sign * most_w, 1.0)
        assert state["cell_loss_w"] == pytest.approx(lost_frac * most_w, rel=1e-9)
        store(unit, state, sign * 0.05 * most_w, 1.0)
        square = lost_frac - 0.002 - 0.005
        at_twentieth = 0.002 + 0.05 * 0.005 + 0.05**2 * square
        assert state["cell_loss_w"] == pytest.approx(at_twentieth * most_w, rel=1e-9)
    store(unit, state, 0.0, 1.0)
    assert state["cell_loss_w"] == pytest.approx(0.002 * unit["charge_max_w"])
    state["mode"] = battery.STANDBY
    store(unit, state, 0.0, 1.0)
    assert state["cell_loss_w"] == 0.0


def test_auxiliaries_follow_power_and_live_on_the_cells_without_voltage(
    batteries: Batteries,
) -> None:
    unit, state = unit_and_state(batteries)
    assert store(unit, state, 0.0, 1.0) == pytest.approx(5e3)
    assert store(unit, state, 1e6, 1.0) == pytest.approx(5e3 + 0.003 * 1e6)
    assert store(unit, state, -1e6, 1.0) == pytest.approx(5e3 + 0.003 * 1e6)
    state["fed"], state["mode"], state["stored_wh"] = 0, battery.STANDBY, 0.0
    assert store(unit, state, 0.0, 36.0) == 0.0
    self_w = 0.02 / 720.0 * unit["energy_wh"] * state["soc"]
    assert state["stored_wh"] == pytest.approx(-(5e3 + self_w) * 0.01, rel=1e-5)


def test_counters_of_a_battery_run_forward(batteries: Batteries) -> None:
    unit, state = unit_and_state(batteries)
    store(unit, state, 1e6, 36.0)
    store(unit, state, -2e6, 36.0)
    assert state["charge_wh"] == pytest.approx(1e4)
    assert state["discharge_wh"] == pytest.approx(2e4)
    assert state["through_wh"] == pytest.approx(3e4)


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
    unit = unit.copy()
    unit["soc_min"] = 0.1  # a model with a reserve
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


# Chargers


def test_cars_taper_by_their_curve() -> None:
    """All to 20 %, 55 % at half, 30 % at 80 % full, 2 % of its best when full."""
    points = (0.0, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0)
    by_hand = [1, 1, 0.775, 0.55, 0.425, 0.3, 0.16, 0.02]
    assert [taper_frac(soc) for soc in points] == pytest.approx(by_hand)


def test_cars_rise_share_a_limit_and_fall_within_their_time() -> None:
    """Two cars of 100 and 20 kW at one station: levels by hand."""
    stations, states = np.zeros(1, STATION), np.zeros(1, STATION_STATE)
    evses, sessions = np.zeros(2, EVSE_STATE), np.zeros((2, 1), SESSION)
    station, state = stations[0], states[0]
    station["evses"], station["max_w"], station["evse_max_w"] = 2, 1e6, 100e3
    station["efficiency"], station["standby_w"], station["fall_s"] = 1.0, 500.0, 2.0
    station["default_w"] = 30.5e3
    state["healthy"] = state["served"] = 1
    state["limit_w"], state["limit_until_ms"] = 1e6, 20_000
    sessions["capacity_wh"], sessions["soc_start"], sessions["soc_leave"] = 80e3, 0.1, 0.9
    sessions["leave_ms"], sessions["rise_s"] = 10**9, 10.0
    sessions["car_max_w"] = [[100e3], [20e3]]

    def at(time_ms: int) -> list[float]:
        charge_cars(stations, states, evses, sessions, time_ms, 1.0)
        return [float(one) for one in evses["power_w"]]

    assert at(0) == pytest.approx([10e3, 2e3])  # a tenth of their best in a second
    for second in range(1, 10):
        at(second * 1000)
    assert at(10_000) == pytest.approx([100e3, 20e3])
    assert state["power_w"] == pytest.approx(120.5e3)
    # The lease ends: 30 kW beside the standby, less than half of it wanted by the small car.
    assert at(20_000) == pytest.approx([50e3, 15e3])  # a cabinet falls by its most in 2 s
    assert at(21_000) == pytest.approx([15e3, 15e3])
    state["limit_w"], state["limit_until_ms"] = 70.5e3, 10**9
    for second in range(22, 40):
        at(second * 1000)
    assert at(40_000) == pytest.approx([50e3, 20e3])


# Power


def test_breakers_trip_by_their_curves() -> None:
    """Electronic: I2t image of 10 min; bimetal: what exceeds the rating. Both 16 s at six times."""
    electronic, bimetal = np.zeros(2, power.BRANCH)
    set_breaker(electronic, power.ELECTRONIC, 0.1)
    set_breaker(bimetal, power.THERMAL_MAGNETIC, 0.1)
    image_s = 36.0 * 600.0 * (1.0 - math.exp(-16.0 / 600.0))
    assert electronic["long_heat_s"] == pytest.approx(image_s)
    assert bimetal["long_heat_s"] == pytest.approx(35.0 * 16.0)
    assert (electronic["long_pickup_pu"], bimetal["long_pickup_pu"]) == (1.10, 1.13)
    for unit, current_pu, why, after_s in (
        (electronic, 12.1, power.INSTANTANEOUS, 0.1),
        (electronic, 9.0, power.SHORT_TIME, 0.2),
        (electronic, 6.0, power.LONG_TIME, 16.0),
        (electronic, 2.0, power.LONG_TIME, -600.0 * math.log(1.0 - image_s / 2400.0)),
        (bimetal, 6.0, power.LONG_TIME, 16.0),
        (bimetal, 2.0, power.LONG_TIME, 35.0 * 16.0 / 3.0),
        (bimetal, 8.1, power.INSTANTANEOUS, 0.1),
    ):
        state, steps = np.zeros(1, power.BRANCH_STATE)[0], 0
        found = 0
        while not found:
            found, steps = trip_step(unit, state, current_pu, 0.1), steps + 1
        assert found == why
        assert steps * 0.1 == pytest.approx(after_s, abs=0.1001)
        settings_s = 0.0 if why == power.INSTANTANEOUS else after_s
        assert trip_time_s(unit, current_pu) == pytest.approx(settings_s, abs=1e-6)
    for unit, pickup_pu in ((electronic, 1.10), (bimetal, 1.13)):
        state = np.zeros(1, power.BRANCH_STATE)[0]
        assert trip_step(unit, state, pickup_pu, 0.1) == 0
        assert state["heat_s"] == 0.0


def test_a_ups_loses_by_its_curve_and_refills() -> None:
    unit, state = ups.make_ups(100e3, 10e3)
    by_hand_w = 100e3 * (0.008 + 0.010 * 0.5 + 0.018 * 0.25)
    assert ups.ups_input_w(unit, state, 50e3) == pytest.approx(50e3 + by_hand_w)
    state["stored_wh"] = 9e3
    assert ups.ups_input_w(unit, state, 0.0) == pytest.approx(100e3 * 0.008 + 5e3)
    ups.ups_book(unit, state, 0.0, 36.0)
    assert state["stored_wh"] == pytest.approx(9e3 + 5e3 * 0.01)  # its losses do not fill it
    eco, _ = ups.make_ups(100e3, 10e3, eco=True)
    state["stored_wh"] = 10e3
    assert ups.ups_input_w(eco, state, 50e3) == pytest.approx(50e3 * 1.01)


def test_a_ups_counts_sags_and_locks_at_the_third_within_a_minute() -> None:
    for last_ms, locked in ((61_000, 1), (61_001, 0)):
        unit, state = ups.make_ups(100e3, 10e3)
        for number, now_ms in enumerate((1_000, 31_000, last_ms)):
            ups.ups_watch(unit, state, 0.5, now_ms)
            assert state["locked"] == (locked if number == 2 else 0)
            ups.ups_watch(unit, state, 1.0, now_ms + 100)


def test_a_ups_goes_to_battery_outside_its_band_and_walks_back_in() -> None:
    for voltage_pu, does in ((0.89, ups.ON_BATTERY), (1.11, ups.ON_BATTERY), (0.91, ups.NORMAL)):
        unit, state = ups.make_ups(100e3, 10e3)
        ups.ups_watch(unit, state, voltage_pu, 0)
        assert state["does"] == does
    unit, state = ups.make_ups(100e3, 10e3)
    ups.ups_watch(unit, state, 0.5, 0)
    assert ups.ups_input_w(unit, state, 50e3) == 0.0
    ups.ups_book(unit, state, 50e3, 36.0)
    assert state["stored_wh"] == pytest.approx(10e3 - (50e3 + 1_750.0) * 0.01)
    ups.ups_watch(unit, state, 1.0, 1_999)
    assert state["does"] == ups.ON_BATTERY
    ups.ups_watch(unit, state, 1.0, 2_000)
    assert (state["does"], state["share_frac"]) == (ups.NORMAL, 0.0)
    ups.ups_book(unit, state, 0.0, 3.0)
    assert state["share_frac"] == pytest.approx(0.2)  # of 15 s


def test_a_ups_carries_overload_for_as_long_as_its_knees_say() -> None:
    knees_s = np.array([3600.0, 600.0, 60.0])
    assert ups.overload_time_s(knees_s, 1.05) == 3600.0
    assert ups.overload_time_s(knees_s, 1.25) == pytest.approx(600.0)
    assert ups.overload_time_s(knees_s, 1.375) == pytest.approx(math.sqrt(600.0 * 60.0))
    assert ups.overload_time_s(knees_s, 1.6) == ups.HARD_OVERLOAD_S


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
