"""Heat exchanger, pump, moist air, dry cooler and chiller against published figures."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.twin.parts.cooling.air import dew_point_degc, wet_bulb_degc
from mallee.twin.parts.cooling.chiller import (
    CARRIER_19XR_742KW,
    carnot_cop,
    eir_available_frac,
    eir_power_w,
)
from mallee.twin.parts.cooling.dry_cooler import dry_cooler_heat_w, fan_speed_for, size_dry_cooler
from mallee.twin.parts.cooling.heat_exchanger import (
    counterflow_effectiveness,
    part_load_conductance,
)
from mallee.twin.parts.cooling.pump import RACK_HEAD, free_flow_frac, pump_shaft_frac

HEAT_W = 1.3e6
SECONDARY_W_PER_K = 1.5 * 1300 / 60 * 1.015 * 3950  # 1.5 L/min per kW of PG25
PRIMARY_W_PER_K = 2.0 * 1300 / 60 * 0.994 * 4180  # 2.0 L/min per kW of water


@pytest.mark.parametrize(
    ("conductance_w_per_k", "effectiveness", "approach_k"),
    [(200e3, 0.657, 5.2), (300e3, 0.763, 3.10), (400e3, 0.829, 2.1)],
)
def test_v11_cdu_rise_and_approach(
    conductance_w_per_k: float, effectiveness: float, approach_k: float
) -> None:
    share = counterflow_effectiveness(conductance_w_per_k, SECONDARY_W_PER_K, PRIMARY_W_PER_K)
    rise_k = HEAT_W / SECONDARY_W_PER_K
    assert rise_k == pytest.approx(9.98, abs=0.005)
    assert share == pytest.approx(effectiveness, abs=0.001)
    least_w_per_k = min(SECONDARY_W_PER_K, PRIMARY_W_PER_K)
    assert HEAT_W / (share * least_w_per_k) - rise_k == pytest.approx(approach_k, abs=0.05)
    if conductance_w_per_k == 300e3:
        assert HEAT_W / (share * least_w_per_k) - rise_k == pytest.approx(3.10, abs=0.005)


@given(conductance=st.floats(1.0, 1e7), hot=st.floats(1.0, 1e6), cold=st.floats(1.0, 1e6))
def test_effectiveness_is_a_share_and_grows_with_area(
    conductance: float, hot: float, cold: float
) -> None:
    share = counterflow_effectiveness(conductance, hot, cold)
    assert 0.0 <= share <= 1.0
    assert share == pytest.approx(counterflow_effectiveness(conductance, cold, hot))
    assert counterflow_effectiveness(conductance * 1.1, hot, cold) >= share - 1e-12


def test_conductance_at_half_flow_falls_with_the_power_of_flow() -> None:
    assert part_load_conductance(300e3, 1.0, 1.0, 1.0) == 300e3
    assert part_load_conductance(300e3, 0.5, 0.5, 1.0) == pytest.approx(300e3 * 0.5**0.7)
    assert part_load_conductance(300e3, 1.0, 1.0, 0.6) == pytest.approx(180e3)
    assert part_load_conductance(300e3, 0.0, 1.0, 1.0) == 0.0


def test_pump_meets_its_rating_and_the_affinity_laws() -> None:
    rated = 1.0 / math.sqrt(RACK_HEAD)  # conductance that takes rated flow at rated head
    assert free_flow_frac(rated) == pytest.approx(1.0)
    assert pump_shaft_frac(1.0, 1.0) == pytest.approx(1.0)
    assert pump_shaft_frac(0.5, 0.5) == pytest.approx(0.125)
    assert pump_shaft_frac(0.0, 0.0) == 0.0


def test_moist_air() -> None:
    assert wet_bulb_degc(20.0, 0.5) == pytest.approx(13.7, abs=0.1)  # Stull 2011, his example
    assert dew_point_degc(25.0, 0.5) == pytest.approx(13.9, abs=0.1)  # WMO tables
    assert dew_point_degc(30.0, 1.0) == pytest.approx(30.0)


def test_dry_cooler_reaches_its_design_approach() -> None:
    cooler = size_dry_cooler(1e6, water_rise_k=7.2, approach_k=10.0)
    water_w_per_k = 1e6 / 7.2
    heat_w = dry_cooler_heat_w(cooler, 1.0, 1.0, water_w_per_k, 35.0 + 17.2, 35.0)
    assert heat_w == pytest.approx(1e6, rel=1e-6)
    speed = fan_speed_for(cooler, 0.6e6, 1.0, water_w_per_k, 52.2, 35.0)
    found_w = dry_cooler_heat_w(cooler, speed, 1.0, water_w_per_k, 52.2, 35.0)
    assert found_w == pytest.approx(0.6e6, rel=1e-4)
    assert fan_speed_for(cooler, 0.6e6, 1.0, water_w_per_k, 30.0, 35.0) == 0.0


def test_v13_chiller_cop_at_reference() -> None:
    available_w = 742e3 * eir_available_frac(CARRIER_19XR_742KW, 5.56, 21.11)
    power_w = eir_power_w(CARRIER_19XR_742KW, 742e3, available_w, 5.56, 21.11)
    assert available_w / power_w == pytest.approx(5.42, rel=0.01)
    assert available_w / power_w == pytest.approx(5.43, abs=0.005)


def test_v13_eir_points_by_hand() -> None:
    """The curve equation written out once more, at part load and other temperatures."""
    te_degc, tc_degc, ratio = 8.0, 15.0, 0.5
    c = CARRIER_19XR_742KW.capacity
    e = CARRIER_19XR_742KW.input_ratio
    p = CARRIER_19XR_742KW.part_load
    terms = (1.0, te_degc, te_degc**2, tc_degc, tc_degc**2, te_degc * tc_degc)
    capacity = sum(a * b for a, b in zip(c, terms, strict=True))
    eir = sum(a * b for a, b in zip(e, terms, strict=True))
    plr = p[0] + p[1] * ratio + p[2] * ratio**2
    expected_w = 742e3 * capacity / 5.42 * eir * plr
    heat_w = 742e3 * capacity * ratio
    assert eir_power_w(CARRIER_19XR_742KW, 742e3, heat_w, te_degc, tc_degc) == pytest.approx(
        expected_w
    )


def test_chiller_cycles_below_its_least_load_and_stops_without_load() -> None:
    least_w = eir_power_w(CARRIER_19XR_742KW, 742e3, 0.19 * 742e3, 6.67, 20.0)
    assert 0.0 < eir_power_w(CARRIER_19XR_742KW, 742e3, 0.05 * 742e3, 6.67, 20.0) < least_w
    assert eir_power_w(CARRIER_19XR_742KW, 742e3, 0.0, 6.67, 20.0) == 0.0


def test_warm_water_chiller_matches_measured_sites() -> None:
    assert carnot_cop(20.0, 35.0) == pytest.approx(4.35, abs=0.05)
    assert carnot_cop(20.0, 25.0) == pytest.approx(6.5, abs=0.05)
