"""Power tree: losses, breakers, transformers, supplies without interruption, standby branches."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.site.model import SiteModel
from mallee.twin.clock import STEP_S, Clock
from mallee.twin.parts.power import layout, ups
from mallee.twin.parts.power.branches import Branches
from mallee.twin.parts.power.breakers import set_breaker, trip_step, trip_time_s
from mallee.twin.parts.power.transformer import ageing_rate, c57_hot_spot_degc, step_thermal
from mallee.twin.parts.power.tree import book, choose_sources, sum_up
from tests.twin.given import given_twin, run

NO_UPS = np.zeros(0, ups.UPS)
NO_UPS_STATE = np.zeros(0, ups.UPS_STATE)


def breaker(kind: int, t6_s: float = 16.0) -> tuple[np.void, np.void]:
    unit, state = np.zeros(1, layout.BRANCH)[0], np.zeros(1, layout.BRANCH_STATE)[0]
    set_breaker(unit, kind, STEP_S, t6_s)
    return unit, state


def time_to_trip_s(unit: np.void, state: np.void, current_pu: float, most_s: float = 4e3) -> float:
    for step in range(int(most_s / STEP_S)):
        if trip_step(unit, state, current_pu, STEP_S):
            return (step + 1) * STEP_S
    return math.inf


@pytest.mark.parametrize(
    ("current_pu", "low_s", "high_s"),
    [(6.0, 16.0, 16.0), (2.0, 133.0, 175.0), (1.5, 277.0, 400.0), (1.35, 382.0, 612.0)],
)
def test_electronic_breaker_trips_in_the_makers_band(
    current_pu: float, low_s: float, high_s: float
) -> None:
    """V10: 16 s at 6 Ir; bands of Schneider bulletin S1A1576900 below that."""
    unit, state = breaker(layout.ELECTRONIC)
    expected_s = trip_time_s(unit, current_pu)
    assert low_s - STEP_S <= expected_s <= high_s + STEP_S
    assert time_to_trip_s(unit, state, current_pu) == pytest.approx(expected_s, abs=2 * STEP_S)


def test_electronic_breaker_short_time_instantaneous_and_pickup() -> None:
    unit, state = breaker(layout.ELECTRONIC)
    assert time_to_trip_s(unit, state, 9.0) == pytest.approx(0.2)
    unit, state = breaker(layout.ELECTRONIC)
    assert trip_step(unit, state, 13.0, STEP_S) == layout.INSTANTANEOUS
    unit, state = breaker(layout.ELECTRONIC)
    assert time_to_trip_s(unit, state, 1.05) == math.inf


def test_bimetal_carries_113_and_trips_at_145_within_an_hour() -> None:
    unit, state = breaker(layout.THERMAL_MAGNETIC)
    assert time_to_trip_s(unit, state, 1.13) == math.inf
    unit, state = breaker(layout.THERMAL_MAGNETIC)
    assert time_to_trip_s(unit, state, 1.45) < 3600.0
    assert trip_time_s(unit, 2.0) == pytest.approx(187.0, abs=1.0)


def test_breaker_remembers_heat_and_cools() -> None:
    unit, state = breaker(layout.ELECTRONIC)
    for _ in range(round(100.0 / STEP_S)):
        trip_step(unit, state, 2.0, STEP_S)
    warm_s = float(state["heat_s"])
    for _ in range(round(600.0 / STEP_S)):
        trip_step(unit, state, 0.5, STEP_S)
    assert state["heat_s"] == pytest.approx(warm_s / math.e, rel=1e-3)


def test_transformer_follows_the_iec_example() -> None:
    """V8: the 250 MVA ONAF example of IEC 60076-7, annex B."""
    unit, state = np.zeros(1, layout.THERMAL)[0], np.zeros(1, layout.THERMAL_STATE)[0]
    unit["oil_rise_k"], unit["hot_spot_rise_k"], unit["loss_ratio"] = 38.3, 20.3, 1000.0
    unit["oil_exponent"], unit["winding_exponent"] = 0.8, 1.3
    unit["k11"], unit["k21"], unit["k22"] = 0.5, 2.27, 2.0
    unit["oil_tau_s"], unit["winding_tau_s"] = 150 * 60.0, 7 * 60.0
    state["oil_k"] = 12.7
    loads = ((1.0, 190), (0.6, 365), (1.5, 500), (0.3, 705), (2.1, 730), (0.0, 745))
    oil_degc = (61.9, 44.4, 89.8, 35.0, 67.9, 60.3)
    hot_degc = (84.2, 53.8, 129.1, 37.1, 145.6, 75.2)
    minute = 0
    for (load_pu, until), oil, hot in zip(loads, oil_degc, hot_degc, strict=True):
        while minute < until:
            step_thermal(unit, state, load_pu**2, 25.6, 60.0)
            minute += 1
        assert 25.6 + state["oil_k"] == pytest.approx(oil, abs=0.06)
        assert state["hot_spot_degc"] == pytest.approx(hot, abs=0.06)


def test_ageing_factor() -> None:
    """V9: 1 at 110 degC, 2.71 at 120 degC."""
    assert ageing_rate(110.0) == pytest.approx(1.0)
    assert ageing_rate(120.0) == pytest.approx(2.71, abs=0.01)
    assert ageing_rate(98.0) == pytest.approx(0.28, abs=0.01)


def test_c57_rated_hot_spot() -> None:
    hot = c57_hot_spot_degc(1.0, 30.0, oil_rise_k=50.0, winding_rise_k=30.0, loss_ratio=6.0)
    assert hot == pytest.approx(110.0)


def energise(branches: Branches) -> None:
    """One look at the tree with nominal voltage at its only root."""
    one, hz = np.ones(1), np.full(1, 60.0)
    choose_sources(branches.units, branches.state, NO_UPS_STATE, one, hz, 0)


@given(st.lists(st.floats(-4e5, 4e5), min_size=6, max_size=6))
@settings(max_examples=50, deadline=None)
def test_power_in_is_loads_plus_losses(demo_site: SiteModel, loads_w: list[float]) -> None:
    branches = Branches(demo_site, Clock())
    energise(branches)
    branches.state["own_w"] = loads_w
    sum_up(branches.units, branches.state, NO_UPS, NO_UPS_STATE)
    grid_w = float(branches.state["flow_w"][0])
    losses_w = float(branches.state["loss_w"].sum())
    assert losses_w >= 0.0
    assert grid_w == pytest.approx(sum(loads_w) + losses_w, abs=1e-6)


def test_voltage_falls_with_load_and_an_open_breaker_kills_what_is_below(
    demo_site: SiteModel,
) -> None:
    branches = Branches(demo_site, Clock())
    pod, transformer = demo_site.branch_index("q-pod"), demo_site.branch_index("tx1")
    branches.state["own_w"][pod] = 300e3
    for _ in range(3):
        energise(branches)
        sum_up(branches.units, branches.state, NO_UPS, NO_UPS_STATE)
        book(branches.units, branches.state, NO_UPS, NO_UPS_STATE, STEP_S, 0)
    assert 0.98 < branches.state["voltage_pu"][transformer] < 1.0
    branches.trip(pod, 0)
    energise(branches)
    assert branches.state["alive"][pod] == 0
    assert branches.tripped() == ("q-pod",)
    branches.reset(pod)
    energise(branches)
    assert branches.state["alive"][pod] == 1


def test_an_overloaded_breaker_trips_in_the_site_and_the_racks_go_dark(
    demo_site: SiteModel,
) -> None:
    rating_w = demo_site.branches[demo_site.branch_index("q-pod")].rating_w
    twin = given_twin(demo_site, np.full(10, 2.0 * rating_w))
    run(twin, 165)
    assert twin.truth.tripped == ("q-pod",)
    event = next(one for one in twin.events if one.kind == "breaker-trip")
    assert event.source == "q-pod"
    assert 130.0 < event.time_s < 162.0  # a little over 2 Ir, for the CDU and the cable's losses
    assert twin.truth.pods_w == 0.0


class TestUps:
    """Behaviour of one unit, stepped alone."""

    def step(
        self, unit: np.void, state: np.void, volts_pu: float, load_w: float, now_ms: int
    ) -> float:
        ups.ups_watch(unit, state, volts_pu, now_ms)
        taken_w = ups.ups_input_w(unit, state, load_w)
        ups.ups_book(unit, state, load_w, STEP_S)
        return taken_w

    def test_losses_of_both_modes(self) -> None:
        for eco, expected in ((False, 0.965), (True, 0.99)):
            unit, state = ups.make_ups(500e3, 40e3, eco=eco)
            assert 400e3 / self.step(unit, state, 1.0, 400e3, 0) == pytest.approx(
                expected, abs=0.006
            )

    def test_rides_through_a_sag_and_walks_back_in(self) -> None:
        unit, state = ups.make_ups(500e3, 40e3)
        now_ms = 0
        for _ in range(10):
            assert self.step(unit, state, 0.5, 300e3, now_ms) == 0.0
            now_ms += 20
        taken = [self.step(unit, state, 1.0, 300e3, now_ms + 20 * k) for k in range(1000)]
        assert max(taken[:99]) == 0.0  # two seconds of good input first
        assert taken[400] < 200e3  # walking in
        assert taken[-1] == pytest.approx(300e3 * 1.03 + 25e3, rel=0.02)  # with recharge

    def test_three_sags_in_a_minute_lock_it_to_battery_until_reset(self) -> None:
        unit, state = ups.make_ups(500e3, 40e3)
        for second in range(60):
            for k in range(50):
                sag = second in (5, 20, 35) and k < 5
                self.step(unit, state, 0.6 if sag else 1.0, 300e3, second * 1000 + k * 20)
        assert state["locked"] == 1
        assert state["does"] == ups.ON_BATTERY

    def test_empty_after_its_autonomy(self) -> None:
        unit, state = ups.make_ups(500e3, 25e3)  # three minutes at rating
        for k in range(50 * 200):
            self.step(unit, state, 0.0, 500e3, k * 20)
        assert state["does"] == ups.OFF
        assert state["stored_wh"] > -5.0
