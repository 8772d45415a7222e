"""Battery: response of each command path, energy, bounds, fallbacks, ageing."""

import dataclasses
import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mallee.core.device_model import Parameter
from mallee.core.errors import ConfigError, Rejected
from mallee.site.model import SiteModel
from mallee.twin.clock import STEP_S, Clock
from mallee.twin.parts.battery import layout
from mallee.twin.parts.battery.ageing import (
    AGEING,
    CALENDAR_POWER,
    CYCLE_POWER,
    age_all,
    anode_potential_v,
    calendar_rate,
    cycle_rate,
    grow,
)
from mallee.twin.parts.battery.batteries import Batteries
from mallee.twin.parts.battery.cells import step_cells, store
from mallee.twin.parts.battery.inverter import (
    charge_available_w,
    discharge_available_w,
    make_path,
    residual_frac,
    respond,
)
from tests.twin.given import given_twin, run

PATHS = {
    "local": (0.002, 0.005),
    "plc": (0.010, 0.020),
    "site": (0.050, 0.030),
    "poll": (0.1, 0.05),
}


def response_w(delay_s: float, tau_s: float, set_w: list[float]) -> list[float]:
    state, path = np.zeros(1, layout.STATE)[0], make_path(delay_s, tau_s)
    return [respond(state, path, value, STEP_S) for value in set_w]


def finely_w(delay_s: float, tau_s: float, set_w: list[float]) -> list[float]:
    """The same by brute force: 20 us steps of a delayed first-order lag."""
    fine_s = 2e-5
    per_step = round(STEP_S / fine_s)
    late = round(delay_s / fine_s)
    wave = np.repeat(set_w, per_step)
    wave = np.concatenate([np.zeros(late), wave])[: len(wave)]
    out, power, decay = np.empty(len(wave)), 0.0, math.exp(-fine_s / tau_s)
    for k, goal in enumerate(wave):
        after = goal + (power - goal) * decay
        out[k] = goal + (power - goal) * (1.0 - decay) * tau_s / fine_s
        power = after
    return list(out.reshape(-1, per_step).mean(axis=1))


@pytest.mark.parametrize("name", PATHS)
def test_step_means_are_exact_within_the_step(name: str) -> None:
    set_w = [0.0, 1e6, 1e6, -5e5, 3e5, 0.0, 0.0, 0.0, 8e5, 8e5, 0.0, 0.0]
    assert response_w(*PATHS[name], set_w) == pytest.approx(
        finely_w(*PATHS[name], set_w), abs=300.0
    )


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("frequency_hz", [0.1, 0.2, 0.5, 1.0, 2.0, 3.0])
def test_residual_of_a_swing_matches_the_transfer_function(name: str, frequency_hz: float) -> None:
    """V7: |1 - e^(-jw delay) / (1 + jw tau)| within two points, by Fourier sum."""
    periods = 20
    count = round(periods / frequency_hz / STEP_S)
    time_s = np.arange(count) * STEP_S
    # Means over each step of a continuous sine, as the sampled world sees it.
    swing_w = np.sin(2 * np.pi * frequency_hz * (time_s + STEP_S / 2))
    done_w = np.array(response_w(*PATHS[name], list(-swing_w)))
    half = count // 2
    rest = (swing_w + done_w)[half:]
    wave = np.exp(-2j * np.pi * frequency_hz * (time_s[half:] + STEP_S / 2))
    left = 2 * abs((rest * wave).mean()) / (2 * abs((swing_w[half:] * wave).mean()))
    expected = float(residual_frac(*PATHS[name], np.array([frequency_hz]))[0])
    # The set point holds each sample over a step: half a step of delay belongs to the sampling,
    # not to the path, and grows with frequency.
    sampled = float(residual_frac(PATHS[name][0], PATHS[name][1], np.array([frequency_hz]))[0])
    assert left == pytest.approx(sampled, abs=0.02)
    assert expected == sampled


def test_a_path_longer_than_its_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than"):
        make_path(3.0, 0.1)


@given(
    set_w=st.lists(st.floats(-3e6, 3e6), min_size=1, max_size=60),
    soc=st.floats(0.0, 1.0),
    hold=st.integers(1, 400),
)
@settings(max_examples=40, deadline=None)
def test_charge_stays_inside_its_bounds_and_energy_closes(
    set_w: list[float], soc: float, hold: int
) -> None:
    unit, state = np.zeros(1, layout.UNIT)[0], np.zeros(1, layout.STATE)[0]
    unit["energy_wh"], unit["soc_max"], unit["taper_soc"] = 20e3, 1.0, 0.03
    unit["charge_max_w"] = unit["discharge_max_w"] = 1.9e6
    unit["apparent_max_va"] = 2.1e6
    unit["linear_loss_frac"], unit["square_loss_frac"] = 0.005, 0.01
    unit["charge_cell_loss_frac"] = unit["discharge_cell_loss_frac"] = 0.025
    state["soc"] = state["soc_estimate"] = soc
    state["soh"] = state["derate_frac"] = 1.0
    state["available"] = state["healthy"] = state["fed"] = 1
    path, in_wh = make_path(0.0, 0.0), 0.0
    for wanted_w in set_w:
        for _ in range(hold):
            can_w = min(wanted_w, charge_available_w(unit, state))
            can_w = max(can_w, -discharge_available_w(unit, state))
            mean_w = respond(state, path, can_w, STEP_S)
            store(unit, state, mean_w, STEP_S)
            in_wh += mean_w * STEP_S / 3600.0
        assert -1e-3 <= state["soc"] <= 1.0 + 1e-3
        assert abs(state["soc_estimate"] - state["soc"]) <= 0.05 + 1e-9
    assert in_wh == pytest.approx(
        state["stored_wh"] + state["loss_wh"], abs=1e-6 * max(1.0, abs(in_wh))
    )
    assert state["stored_wh"] == pytest.approx((state["soc"] - soc) * 20e3, abs=1e-6 * 20e3)


def test_round_trip_efficiency(demo_site: SiteModel) -> None:
    """V14: 92 % at rating for the two-hour unit, 91 % with auxiliaries."""
    units = Batteries(demo_site, 1, 0.5, Clock())
    unit, state = units.units[0], units.state[0]
    power_w = float(unit["charge_max_w"])
    into_wh = 0.0
    for _ in range(1000):
        assert store(unit, state, power_w, 1.0) > 0.0
        into_wh += power_w / 3600.0
    auxiliary_wh = float(state["auxiliary_wh"])
    out_wh = 0.0
    while state["stored_wh"] > 0.0:
        store(unit, state, -power_w, 1.0)
        out_wh += power_w / 3600.0
    assert out_wh / into_wh == pytest.approx(0.92, abs=0.01)
    with_auxiliaries = (out_wh - auxiliary_wh) / (into_wh + auxiliary_wh)
    assert with_auxiliaries == pytest.approx(0.91, abs=0.01)


def test_power_set_point_ends_with_its_lease(demo_site: SiteModel) -> None:
    twin = given_twin(demo_site, np.full(10, 150e3))
    site, group = twin.site, next(twin.site.groups_of("battery"))
    twin.write(group.row(0, "heartbeat_count"), 1.0, 10.0)
    twin.write(group.row(0, "mode"), layout.SET_POINT, 10.0)
    twin.write(group.row(0, "charge_set_w"), 80e3, 2.0)
    twin.advance(1000)
    assert twin.truth.battery_charge_w == pytest.approx(80e3, rel=1e-3)
    before_w = twin.truth.grid_w
    record = run(twin, 3)
    assert twin.batteries.state[0]["mode"] == layout.RAMP_FILTER
    assert abs(record["grid_w"][-1] - before_w) < 5_000.0  # no step at the meter
    assert site.name == "charging-site"


def test_lost_heartbeat_reverts_to_the_commissioned_filter(demo_site: SiteModel) -> None:
    twin = given_twin(demo_site, np.full(10, 150e3))
    group = next(twin.site.groups_of("battery"))
    commissioned = float(twin.batteries.units[0]["commissioned"]["import_max_w"])
    twin.write(group.row(0, "heartbeat_count"), 1.0, 10.0)
    twin.write(group.row(0, "filter_import_max_w"), 300e3, 10.0)
    twin.write(group.row(0, "filter_charge_bias_w"), 40e3, 10.0)
    twin.advance(9_900)
    assert twin.true_points[group.row(0, "filter_charge_bias_w")] == 40e3
    twin.advance(300)
    assert twin.true_points[group.row(0, "filter_charge_bias_w")] == 0.0
    assert twin.true_points[group.row(0, "filter_import_max_w")] == commissioned
    assert commissioned == pytest.approx(588e3)


def test_a_repeated_heartbeat_count_is_no_heartbeat(demo_site: SiteModel) -> None:
    twin = given_twin(demo_site, np.full(10, 150e3))
    group = next(twin.site.groups_of("battery"))
    for _ in range(110):
        twin.write(group.row(0, "heartbeat_count"), 7.0, 10.0)
        twin.advance(100)
    assert twin.batteries.state[0]["reverted"] == 1


@pytest.mark.parametrize(
    ("point", "value"),
    [("mode", 4.0), ("mode", 1.5), ("charge_set_w", 3e6), ("charge_set_w", math.nan),
     ("filter_time_s", -1.0), ("filter_ramp_up_w_per_s", -5.0), ("soc", 0.5)],
)  # fmt: skip
def test_impossible_set_points_are_declined(demo_site: SiteModel, point: str, value: float) -> None:
    twin = given_twin(demo_site, np.full(10, 150e3))
    with pytest.raises(Rejected, match="bess1"):
        twin.write(next(twin.site.groups_of("battery")).row(0, point), value, 10.0)


def test_hot_and_cold_cells_give_less_power(demo_site: SiteModel) -> None:
    units = Batteries(demo_site, 1, 0.5, Clock())
    for degc, expected in ((25.0, 1.0), (50.0, 0.5), (60.0, 0.0), (-2.5, 0.5)):
        units.state["cell_degc"] = degc
        step_cells(units.units, units.state, 25.0, 1e-6)
        assert units.state["derate_frac"][0] == pytest.approx(expected, abs=1e-3)


def test_fade_matches_the_published_form() -> None:
    """V14: about 1.1 % in the first year at rest, about 31 % after 10,000 full cycles."""
    assert anode_potential_v(0.5) == pytest.approx(0.12, abs=0.01)
    year = grow(0.0, calendar_rate(0.5, 25.0), CALENDAR_POWER, 365.0)
    assert year == pytest.approx(0.011, abs=0.0005)
    cycles = grow(0.0, cycle_rate(0.8, 0.25, 25.0), CYCLE_POWER, 10_000.0)
    assert cycles == pytest.approx(0.31, abs=0.01)
    half = grow(0.0, calendar_rate(0.5, 25.0), CALENDAR_POWER, 100.0)
    assert grow(half, calendar_rate(0.5, 25.0), CALENDAR_POWER, 265.0) == pytest.approx(year)


def test_ripple_is_counted_apart_from_cycles() -> None:
    unit, state, old = (np.zeros(1, d) for d in (layout.UNIT, layout.STATE, AGEING))
    unit["energy_wh"], state["soh"], state["cell_degc"] = 1000.0, 1.0, 25.0
    for minute in range(2_000):
        deep = abs(minute % 200 - 100) / 100.0  # 0..1 and back in 200 minutes
        state["soc"] = 0.1 + 0.8 * deep
        state["through_wh"] += 0.008 * 1000.0 + 0.005 * 1000.0  # the sweep, and ripple on top
        age_all(unit, state, old, 60.0)
    assert old["full_cycles"][0] == pytest.approx(2_000 * 0.008 / 2.0, rel=0.05)
    assert old["micro_cycles"][0] == pytest.approx(2_000 * 0.005 / 2.0, rel=0.15)


def test_without_voltage_the_unit_lives_on_its_cells(demo_site: SiteModel) -> None:
    twin = given_twin(demo_site, np.full(10, 200e3))
    twin.grid.add_outage(1_000, 40_000)
    run(twin, 2)
    before_wh = float(twin.batteries.state["stored_wh"][0])
    run(twin, 20)
    spent_wh = before_wh - float(twin.batteries.state["stored_wh"][0])
    assert spent_wh == pytest.approx(5e3 * 20.0 / 3600.0, rel=0.05)
    assert twin.truth.grid_w == 0.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("charge_efficiency", 1.02),
        ("energy_wh", -1.0),
        ("remote_delay_s", 9.0),
        ("soc_max_frac", 0.0),
    ],
)
def test_impossible_parameters_are_refused_before_the_run(
    demo_site: SiteModel, name: str, value: float
) -> None:
    group = next(demo_site.groups_of("battery"))
    wrong = Parameter(value=value, mark="assumed", source="a typing error")
    model = msgspec.structs.replace(
        group.model,
        physics={**group.model.physics, name: wrong},
        limits={k: v for k, v in group.model.limits.items() if k != name},
    )
    groups = [dataclasses.replace(g, model=model) if g is group else g for g in demo_site.groups]
    site = dataclasses.replace(demo_site, groups=tuple(groups))
    with pytest.raises(ConfigError, match=f"megapack-2h: {name}"):
        Batteries(site, 1, 0.5, Clock())
